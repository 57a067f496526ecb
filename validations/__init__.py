"""Judging data against a standard. Knows nothing of Dagster, the ledger or the outside world."""
