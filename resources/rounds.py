"""Rounds on disk: `<root>/<filing>/<n>/<TABLE>.parquet` beside `manifest.json`, immutable.

A round is written in a `.tmp-…` folder beside its place, fsynced and renamed, so that it exists whole or
not at all. What a round means, and whether the ledger knows it, is not decided here.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BadInput, BaosongError, Refused, Tampered, Unavailable

MANIFEST = "manifest.json"
ROW_GROUP_ROWS = 122_880
ROW_GROUP_BYTES = 16 << 20
"""What waits in memory before it is written; a row group of wide rows is smaller."""
_FILING = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
_TABLE = re.compile(r"[A-Za-z0-9_]+")
_OWN_KEYS = ("format", "filing", "round", "tables")


@dataclass(frozen=True)
class TableFile:
    """One table of a round: its file, its rows, and what the bytes must hash to."""

    file: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class RoundManifest:
    """What a round holds; `extra` is the extraction's part, `digest` the SHA-256 of the manifest's bytes."""

    filing: str
    round: int
    tables: Mapping[str, TableFile]
    extra: Mapping[str, Any]
    digest: str


class TableWriter:
    """Appends record batches to one Parquet file and counts them.

    Row groups have a size of their own, whatever the batches' is, so that the bytes follow from the rows alone.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.rows = 0
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        while batch.num_rows:
            part = batch.slice(0, ROW_GROUP_ROWS - self._waiting_rows)
            batch = batch.slice(part.num_rows)
            self._waiting.append(part)
            self._waiting_rows += part.num_rows
            self._waiting_bytes += part.nbytes
            if self._waiting_rows == ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
                self._write_group()

    def close(self) -> None:
        if self._waiting:
            self._write_group()
        with _disk(self.path):
            self._writer.close()

    def discard(self) -> None:
        """Let go of the file; what waits is not written, since the round will not be."""
        self._waiting = []
        with suppress(OSError):
            self._writer.close()

    def _write_group(self) -> None:
        with _disk(self.path):
            self._writer.write_table(pa.Table.from_batches(self._waiting), ROW_GROUP_ROWS)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0


class RoundWriter:
    """A round being written; it becomes one with `commit`."""

    def __init__(self, folder: Path, target: Path, filing: str, number: int) -> None:
        self.folder = folder
        self._target = target
        self._filing = filing
        self._number = number
        self._tables: dict[str, TableWriter] = {}

    @contextmanager
    def table(self, name: str, schema: pa.Schema) -> Generator[TableWriter]:
        """A writer for one table; one without rows is written too, since an empty table is a statement."""
        if name in self._tables or not _TABLE.fullmatch(name):
            raise ValueError(f"table {name!r} is written twice or is no table's name")
        with _disk(self.folder):
            writer = TableWriter(self.folder / f"{name}.parquet", schema)
        self._tables[name] = writer
        try:
            yield writer
        except BaseException:
            writer.discard()
            raise
        writer.close()

    def path(self, table: str) -> Path:
        """The file of a table that has been written."""
        return self._tables[table].path

    def commit(self, extra: Mapping[str, Any] | None = None) -> RoundManifest:
        """Write the manifest, make all durable and put the round in its place.

        The same round already there is returned. Raises Refused `round.exists` when another stands there.
        """
        if clash := set(_OWN_KEYS) & set(extra or {}):
            raise ValueError(f"the manifest's own keys cannot be added: {sorted(clash)}")
        with _disk(self.folder):
            tables = {
                name: {"file": writer.path.name, "rows": writer.rows, "sha256": _sha256(writer.path)}
                for name, writer in sorted(self._tables.items())
            }
            document = {"format": 1, "filing": self._filing, "round": self._number, "tables": tables}
            text = json.dumps({**document, **(extra or {})}, ensure_ascii=False, sort_keys=True, indent=1)
            (self.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
            for path in (*self.folder.iterdir(), self.folder):
                if path.is_file():
                    path.chmod(0o444)
                _fsync(path)
            if not self._target.exists():
                self._rename()
        manifest = _read_manifest(self._target, self._filing, self._number)
        mine = hashlib.sha256((text + "\n").encode()).hexdigest()
        if manifest.digest != mine:
            raise Refused("round.exists", filing=self._filing, round=self._number, path=self._target)
        return manifest

    def _rename(self) -> None:
        try:
            self.folder.chmod(0o755)
            self.folder.rename(self._target)
        except OSError:
            if not self._target.exists():  # otherwise another writer was first: compare with theirs
                raise
        _fsync(self._target.parent)


class RoundStore:
    """All rounds under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, filing: str, number: int) -> Path:
        """Where a round is, or would be."""
        if number < 1:
            raise BadInput("round.missing", filing=filing, round=number, path=self._folder(filing))
        return self._folder(filing) / str(number)

    def tables(self, filing: str, number: int) -> dict[str, Path]:
        """The Parquet files of a round by table. Raises BadInput `round.missing`."""
        folder = self.path(filing, number)
        return {name: folder / table.file for name, table in self.manifest(filing, number).tables.items()}

    def rounds(self, filing: str) -> list[int]:
        """The numbers of the rounds that are there, ascending."""
        folder = self._folder(filing)
        if not folder.is_dir():
            return []
        return sorted(int(each.name) for each in folder.iterdir() if re.fullmatch(r"[1-9]\d*", each.name))

    @contextmanager
    def write(self, filing: str, number: int) -> Generator[RoundWriter]:
        """Write a round; what is not committed when the block ends is removed."""
        target = self.path(filing, number)
        with _disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".tmp-{number}-", dir=target.parent))
        try:
            yield RoundWriter(folder, target, filing, number)
        finally:
            if folder.exists():
                shutil.rmtree(folder)

    def manifest(self, filing: str, number: int) -> RoundManifest:
        """Raises BadInput `round.missing`, Tampered `round.manifest_damaged`."""
        return _read_manifest(self.path(filing, number), filing, number)

    def verify(self, filing: str, number: int, *, digest: str | None = None) -> RoundManifest:
        """Check every file against the manifest, and the manifest against the digest the ledger recorded.

        Raises Tampered `round.tampered` with one detail per file that is missing, changed or foreign.
        """
        manifest = self.manifest(filing, number)
        folder = self.path(filing, number)
        problems: list[BaosongError] = []
        if digest is not None and manifest.digest != digest:
            problems.append(Tampered("round.file_changed", path=folder / MANIFEST))
        for table in manifest.tables.values():
            path = folder / table.file
            if not path.is_file():
                problems.append(Tampered("round.file_missing", path=path))
            elif _sha256(path) != table.sha256:
                problems.append(Tampered("round.file_changed", path=path))
        known = {MANIFEST, *(table.file for table in manifest.tables.values())}
        problems += [
            Tampered("round.file_unknown", path=path)
            for path in sorted(folder.iterdir())
            if path.name not in known
        ]
        if problems:
            raise Tampered("round.tampered", filing=filing, round=number, details=problems)
        return manifest

    def discard_uncommitted(
        self, filing: str, *, recorded: Collection[int] | None = None
    ) -> tuple[Path, ...]:
        """Remove what killed writers left; returns what was removed.

        With `recorded` (the rounds the ledger knows) also rounds put in place but never recorded: an
        extraction killed between the two starts over.
        """
        folder = self._folder(filing)
        if not folder.is_dir():
            return ()
        left = [each for each in sorted(folder.iterdir()) if each.name.startswith(".tmp-")]
        if recorded is not None:
            left += [self.path(filing, number) for number in self.rounds(filing) if number not in recorded]
        for path in left:
            doomed = path
            if not path.name.startswith(".tmp-"):  # never half a round in a round's place
                doomed = Path(tempfile.mkdtemp(prefix=".tmp-discard-", dir=folder)) / path.name
                path.rename(doomed)
                doomed = doomed.parent
            shutil.rmtree(doomed)
        _fsync(folder)
        return tuple(left)

    def _folder(self, filing: str) -> Path:
        if not _FILING.fullmatch(filing):
            raise BadInput("round.filing_id", filing=filing)
        return self.root / filing


def _read_manifest(folder: Path, filing: str, number: int) -> RoundManifest:
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
        data = json.loads(raw)
        tables = {name: TableFile(**table) for name, table in data["tables"].items()}
        if (data["filing"], data["round"]) != (filing, number):
            raise Tampered("round.manifest_damaged", path=path)
    except (FileNotFoundError, NotADirectoryError):
        if folder.is_dir():
            raise Tampered("round.file_missing", path=path) from None
        raise BadInput("round.missing", filing=filing, round=number, path=folder) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Tampered("round.manifest_damaged", path=path) from None
    return RoundManifest(
        filing=filing,
        round=number,
        tables=MappingProxyType(tables),
        extra=MappingProxyType({key: value for key, value in data.items() if key not in _OWN_KEYS}),
        digest=hashlib.sha256(raw).hexdigest(),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _disk(path: Path) -> Generator[None]:
    """A disk that is full or gone is something people mend, not a programming error."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable("round.disk", path=path, reason=reason) from error
