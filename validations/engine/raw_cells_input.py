"""The cells of an untrusted workbook, read by `parse_xlsx_input` in a process of its own. Nothing is judged here.

Whoever reads names the area of the catalogue in which the reasons for refusing are worded for its readers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from pipelines.errors import BadInput

PATIENCE = 2.0
"""Time on the clock for each second of work that a workbook may cost."""

_PROGRAM = Path(__file__).with_name("parse_xlsx_input")


@dataclass(frozen=True)
class Limits:
    """What a workbook may be, and what reading it may cost.

    `dates`: tell numbers shown as dates from others. `only_sheet`: the one sheet whose cells are read. `is_form`: it is a
    form that went out from here, so links, connections, embedded objects and names that compute are refused too.
    """

    rows: int
    columns: int
    file_megabytes: int = 50
    unpacked_megabytes: int = 200
    content_megabytes: int = 200
    cpu_seconds: int = 60
    dates: bool = False
    only_sheet: str | None = None
    is_form: bool = False


class RawCell(NamedTuple):
    """`kind`: s text, n number, b boolean, d date, e error value, f formula; `text` as stored in the file."""

    kind: str
    text: str


@dataclass(frozen=True)
class RawSheet:
    """Cells that hold something, by row and column, both from 1."""

    name: str
    state: str
    rows: dict[int, dict[int, RawCell]]


class RawRow(NamedTuple):
    """One row that holds something, of the sheet of that number; cells by column, from 1."""

    sheet: int
    row: int
    cells: dict[int, RawCell]


@dataclass(frozen=True)
class RawBook:
    """A workbook being read: its sheets (name, state) are known, its rows come in order, sheet by sheet."""

    sheets: tuple[tuple[str, str], ...]
    is_1904: bool
    rows: Iterator[RawRow]


def read_raw_sheets(path: Path, limits: Limits, *, area: str) -> tuple[RawSheet, ...]:
    """All sheets of a small workbook. Raises BadInput for whatever cannot be read safely."""
    with open_raw_book(path, limits, area=area) as book:
        sheets = tuple(RawSheet(name, state, {}) for name, state in book.sheets)
        for row in book.rows:
            sheets[row.sheet].rows[row.row] = row.cells
        return sheets


@contextmanager
def open_raw_book(path: Path, limits: Limits, *, area: str) -> Generator[RawBook]:
    """Read a workbook row by row; the process that reads it ends with this context, whatever happens."""
    with _opened(path, limits, area) as file:
        yield from _read(file, path, limits, area)


def _opened(path: Path, limits: Limits, area: str) -> IO[bytes]:
    """The workbook, opened here with the rights of this process and handed over open: it is the file whose size was asked."""
    try:
        if not path.is_file():
            raise BadInput(f"{area}.no_file", file=path)
        if path.stat().st_size > limits.file_megabytes << 20:
            raise BadInput(f"{area}.file_size", file=path.name, limit=limits.file_megabytes)
        return path.open("rb", buffering=0)
    except OSError as error:
        raise BadInput(f"{area}.unreadable", file=path.name, reason=error.strerror) from None


def _read(file: IO[bytes], path: Path, limits: Limits, area: str) -> Iterator[RawBook]:
    command = [sys.executable, "-I", "-X", "utf8", str(_PROGRAM), json.dumps(asdict(limits))]
    # The reader of hostile bytes gets no secrets: only what Python and the coverage of our tests need.
    environment = {
        k: v for k, v in os.environ.items() if k in ("PATH", "TMPDIR") or k.startswith("COVERAGE_")
    }
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603 (our own program)
            command, stdin=file, stdout=subprocess.PIPE, stderr=complaints, env=environment
        ) as process,
    ):
        timer = threading.Timer(PATIENCE * limits.cpu_seconds, process.kill)
        timer.start()
        try:
            assert process.stdout is not None, "it was asked for"
            facts = _facts(process, process.stdout, complaints, path, area)
            first = next(facts)
            sheets = tuple((name, state) for name, state in first["sheets"])
            yield RawBook(sheets, first["is_1904"], map(_row, facts))
        finally:
            timer.cancel()
            process.kill()


def _facts(
    process: subprocess.Popen[bytes], output: IO[bytes], complaints: IO[bytes], path: Path, area: str
) -> Iterator[dict[str, Any]]:
    """What the program says, to its end. Raises BadInput for a refusal, and where it did not reach the end."""
    for line in output:
        if not line.endswith(b"\n"):
            break  # it was ended while it wrote
        fact = json.loads(line)
        if "refused" in fact:
            raise BadInput(f"{area}.{fact['refused']}", file=path.name, **fact["values"])
        yield fact
    code = process.wait()
    if code in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGSEGV):
        raise BadInput(f"{area}.too_heavy", file=path.name)
    if code != 0:
        complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - 500))
        reason = complaints.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        raise BadInput(f"{area}.damaged", file=path.name, reason=" ".join(reason) or f"exit {code}")


def _row(fact: dict[str, Any]) -> RawRow:
    cells = {column: RawCell(kind, text) for column, kind, text in fact["cells"]}
    return RawRow(fact["sheet"], fact["row"], cells)
