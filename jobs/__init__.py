"""Rollcall's jobs: each reads tables, transforms, writes tables, and notes it in the ledger."""
