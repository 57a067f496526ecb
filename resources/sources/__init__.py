"""Source databases, read-only: one unmoving view per extraction, streamed as Arrow batches of the dictionary's types.

PostgreSQL and SQLite are read by ADBC (`postgresql`, `sqlite`), whatever else SQLAlchemy reaches row by row
(`any_database`); all three answer as one `Snapshot`. What is read stands in SQL files. Baosong never writes to a source:
connections are read-only, and anything but a single SELECT is refused before it is sent.
"""

from __future__ import annotations

from resources.sources.opening import open_source
from resources.sources.snapshot import Snapshot
from resources.sources.statements import check_select

__all__ = ["Snapshot", "check_select", "open_source"]
