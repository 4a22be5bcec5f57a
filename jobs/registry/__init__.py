"""Who is registered, under which contract."""
