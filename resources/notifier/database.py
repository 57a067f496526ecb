"""The outbox's database: one SQLite file in the home. It may be deleted: then people are told once more what waits for them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from resources.tables import Tables

FILE = "notices.db"
_TABLES = Tables(
    "notices",
    lock="notices.lock",
    migrations=Path(__file__).parent / "migrations",
    advisory_lock=0x6E6F7469636573,  # "notices" in ASCII
)
reading, writing = _TABLES.reading, _TABLES.writing


def open_engine(home: Path) -> Engine:
    """The engine of the home's outbox. For errors see `Tables.open_engine`."""
    return _TABLES.open_engine(f"sqlite:///{home / FILE}", home)
