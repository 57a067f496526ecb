"""Filings as Dagster partitions: one dynamic set per standard, whose keys are whole filing ids."""

from __future__ import annotations

import dagster as dg


def filings_of(standard: str) -> dg.DynamicPartitionsDefinition:
    """The partitions of a standard's assets; sensors add a key for each filing that the ledger opened."""
    return dg.DynamicPartitionsDefinition(name=f"{standard}_filings")
