"""What any file must be before it is read: there, whole, plain, of the kind its name says; and as many rows as stated.

A control file (`X.log` beside `X.csv`, lines `key=value` as in packages) is believed: rows, bytes and SHA-256 must agree.
"""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from pipelines.errors import BadInput

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "XLSX / ZIP", ".xlsx"),
    (bytes.fromhex("d0cf11e0a1b11ae1"), "XLS / OLE", ".xls"),
    (b"\x1f\x8b", "gzip", ".gz"),
    (b"\x28\xb5\x2f\xfd", "zstd", ".zst"),
    (b"PAR1", "Parquet", ".parquet"),
    (b"SQLite format 3\0", "SQLite", ".db"),
    (b"%PDF", "PDF", ".pdf"),
)
_CONTROL_LIMIT_BYTES = 1 << 16


def require_file(path: Path) -> None:
    """Raise BadInput unless `path` is a readable, plain, non-empty file whose first bytes are what its name says."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise BadInput("input.is_folder", path=path)
        if not stat.S_ISREG(status.st_mode):
            raise BadInput("input.not_plain", path=path)
        if not status.st_size:
            raise BadInput("input.empty", path=path)
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        if path.is_symlink() and isinstance(error, FileNotFoundError):
            raise BadInput("input.dangling", path=path, target=path.readlink()) from error
        raise BadInput("input.unreadable", path=path, reason=error.strerror or str(error)) from error
    kind = next(((name, suffix) for magic, name, suffix in _MAGIC if head.startswith(magic)), None)
    if kind and kind[1] != path.suffix.lower():
        raise BadInput("input.other_kind", path=path, kind=kind[0], suffix=path.suffix)


def check_counts(
    path: Path, table: str, rows: int, *, expect_rows: int | None = None, is_whole: bool = True
) -> None:
    """Compare what was read with what was stated, by the caller or in a control file. Raises BadInput: truncated.

    Only where the table is the whole file does the control file speak of it.
    """
    problems: list[BadInput] = []
    if expect_rows is not None and rows != expect_rows:
        problems.append(
            BadInput("input.rows_differ", path=path, table=table, rows=rows, expected=expect_rows)
        )
    control = path.with_suffix(".log")
    stated = _stated(control) if is_whole else {}
    if "rows" in stated and stated["rows"] != str(rows):
        problems.append(
            BadInput("input.control_rows", path=path, control=control, rows=rows, expected=stated["rows"])
        )
    size = path.stat().st_size
    if "bytes" in stated and stated["bytes"] != str(size):
        problems.append(
            BadInput("input.control_bytes", path=path, control=control, size=size, expected=stated["bytes"])
        )
    elif "sha256" in stated and stated["sha256"] != _sha256(path):
        problems.append(BadInput("input.control_hash", path=path, control=control))
    if problems:
        raise problems[0] if len(problems) == 1 else BadInput("input.counts", path=path, details=problems)


def _stated(control: Path) -> dict[str, str]:
    """What a control file states; nothing where there is none, or where a `.log` is something else."""
    if not control.is_file() or control.stat().st_size > _CONTROL_LIMIT_BYTES:
        return {}
    lines = control.read_text(encoding="utf-8", errors="replace").splitlines()
    stated = {key: value.strip() for key, equals, value in (line.partition("=") for line in lines) if equals}
    return stated if "file" in stated or "rows" in stated else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
