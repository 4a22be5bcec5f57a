"""What an investigator asks of the lake, what is found, and the record of both."""
