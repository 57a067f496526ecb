"""The cells of an untrusted workbook, read by `parse_xlsx` in its own process. Nothing is judged here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import BadInput

FILE_LIMIT_MEGABYTES = 50
TIMEOUT_SECONDS = 120
_PROGRAM = Path(__file__).with_name("parse_xlsx.py")


@dataclass(frozen=True)
class RawCell:
    """`kind`: s text, n number, b boolean, d date, e error value, f formula; `text` as stored in the file."""

    kind: str
    text: str


@dataclass(frozen=True)
class RawSheet:
    """Cells that hold something, by row and column, both from 1."""

    name: str
    state: str
    rows: dict[int, dict[int, RawCell]]


def read_raw_sheets(path: Path, *, max_rows: int, max_columns: int) -> tuple[RawSheet, ...]:
    """All sheets of the workbook at `path`. Raises BadInput for whatever cannot be read safely."""
    if not path.is_file():
        raise BadInput("workbooks.no_file", file=path)
    if path.stat().st_size > FILE_LIMIT_MEGABYTES << 20:
        raise BadInput("workbooks.file_size", file=path.name, limit=FILE_LIMIT_MEGABYTES)
    command = [sys.executable, "-I", "-X", "utf8", str(_PROGRAM), str(path), str(max_rows), str(max_columns)]
    # The reader of hostile bytes gets no secrets: only what Python and the coverage of our tests need.
    environment = {
        k: v for k, v in os.environ.items() if k in ("PATH", "TMPDIR") or k.startswith("COVERAGE_")
    }
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        try:
            done = subprocess.run(  # noqa: S603 (our own program; the path is an argument, not a shell word)
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=complaints,
                env=environment,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BadInput("workbooks.too_heavy", file=path.name) from error
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGSEGV):
            raise BadInput("workbooks.too_heavy", file=path.name)
        if done.returncode != 0:
            complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - 500))
            reason = complaints.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise BadInput(
                "workbooks.damaged", file=path.name, reason=" ".join(reason) or f"exit {done.returncode}"
            )
        output.seek(0)
        sheets: list[RawSheet] = []
        for line in output:
            fact = json.loads(line)
            if "refused" in fact:
                raise BadInput(fact["refused"], file=path.name, **fact["values"])
            if "sheets" in fact:
                sheets = [RawSheet(name, state, {}) for name, state in fact["sheets"]]
            else:
                cells = {column: RawCell(kind, text) for column, kind, text in fact["cells"]}
                sheets[fact["sheet"]].rows[fact["row"]] = cells
    return tuple(sheets)
