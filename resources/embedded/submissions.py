"""What the regulator keeps: files as received, their status, their receipts; a restart forgets nothing.

One SQLite file and a folder of received files named by their SHA-256. What a file means is judged elsewhere
(`layouts`), who may send it too (`regulator`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from resources.embedded.layouts import Problem

_TABLE = """
CREATE TABLE IF NOT EXISTS file (
  number INTEGER PRIMARY KEY, desk TEXT NOT NULL, name TEXT NOT NULL, filing TEXT NOT NULL,
  sha256 TEXT NOT NULL, size INTEGER NOT NULL, status TEXT NOT NULL, stored_at TEXT NOT NULL, receipt TEXT,
  UNIQUE (desk, sha256, name, filing)
)"""
_COLUMNS = "number, desk, name, filing, sha256, size, status, stored_at, receipt"


@dataclass(frozen=True)
class Stored:
    """One file at one desk (`commission` or `bureau`)."""

    number: int
    desk: str
    name: str
    filing: str
    sha256: str
    size: int
    status: str
    stored_at: str
    receipt: str | None

    @property
    def id(self) -> str:
        return f"F{self.number:06d}"

    def published(self) -> dict[str, str | int]:
        """The JSON object of docs/interface.md, "Submission"."""
        return {
            "id": self.id,
            "status": self.status,
            "name": self.name,
            "filing": self.filing,
            "sha256": self.sha256,
            "size": self.size,
            "stored_at": self.stored_at,
        }


class Submissions:
    """All files of one regulator, below `root`."""

    def __init__(self, root: Path) -> None:
        self._database = root / "regulator.sqlite"
        self.received = root / "received"
        self.received.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(_TABLE)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database, timeout=30)) as database, database:
            yield database

    def path(self, stored: Stored) -> Path:
        return self.received / stored.sha256

    def keep(
        self, *, desk: str, name: str, filing: str, sha256: str, size: int, at: datetime
    ) -> tuple[Stored, bool]:
        """Record a received file; the same file again is the same record. The flag says whether it is new."""
        with self._open() as database:
            added = database.execute(
                "INSERT INTO file (desk, name, filing, sha256, size, status, stored_at)"
                " VALUES (?, ?, ?, ?, ?, 'stored', ?) ON CONFLICT DO NOTHING",
                (desk, name, filing, sha256, size, at.isoformat()),
            ).rowcount
            row = database.execute(
                f"SELECT {_COLUMNS} FROM file WHERE desk = ? AND sha256 = ? AND name = ? AND filing = ?",
                (desk, sha256, name, filing),
            ).fetchone()
        return Stored(*row), added == 1

    def get(self, desk: str, file_id: str) -> Stored | None:
        if not (file_id[:1] == "F" and file_id[1:].isascii() and file_id[1:].isdigit()):
            return None
        found = self._select("desk = ? AND number = ?", desk, int(file_id[1:]))
        return found[0] if found else None

    def with_digest(self, desk: str, sha256: str) -> list[Stored]:
        return self._select("desk = ? AND sha256 = ?", desk, sha256)

    def waiting(self, desk: str) -> list[Stored]:
        """Submitted and not judged yet, e.g. because the server was killed."""
        return self._select("desk = ? AND status = 'submitted'", desk)

    def _select(self, where: str, *values: str | int) -> list[Stored]:
        with self._open() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM file WHERE {where} ORDER BY number", values
            ).fetchall()
        return [Stored(*row) for row in rows]

    def submit(self, stored: Stored) -> Stored:
        """Move a stored file on to `submitted`; one that is further on stays as it is."""
        with self._open() as database:
            database.execute(
                "UPDATE file SET status = 'submitted' WHERE number = ? AND status = 'stored'",
                (stored.number,),
            )
        return self._select("number = ?", stored.number)[0]

    def conclude(
        self, stored: Stored, problems: list[Problem], *, number: str, issuer: str, at: datetime
    ) -> Stored:
        """Write the receipt once; a second conclusion of the same file changes nothing."""
        result = "rejected" if problems else "accepted"
        receipt = {
            "number": number,
            "result": result,
            "file_name": stored.name,
            "sha256": stored.sha256,
            "received_at": at.isoformat(),
            "issuer": issuer,
            "errors": [problem.published() for problem in problems],
        }
        text = json.dumps(receipt, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        with self._open() as database:
            database.execute(
                "UPDATE file SET status = ?, receipt = ? WHERE number = ? AND receipt IS NULL",
                (result, text, stored.number),
            )
        return self._select("number = ?", stored.number)[0]
