"""The accounts' database: an SQLite file or PostgreSQL, as the settings say. No hash is computed in a transaction."""

from __future__ import annotations

from pathlib import Path

from resources.tables import Tables

_TABLES = Tables(
    "account",
    lock="accounts.lock",
    migrations=Path(__file__).parent / "migrations",
    advisory_lock=0x6163636F756E74,  # "account" in ASCII
)
open_engine, reading, writing = _TABLES.open_engine, _TABLES.reading, _TABLES.writing
