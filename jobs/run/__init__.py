"""How any job runs: its context, session, settings, ledger and log."""
