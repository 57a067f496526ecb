"""A CSV read slowly, with the line and the column of everything that is wrong with it. The word of this reader counts.

First its bytes (encoding, NUL, quotes, overlong cells), then, where those are sound, its rows and values.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import polars as pl

from pipelines.errors import BadInput
from validations.engine.encoding_input import LINE_LIMIT_BYTES
from validations.engine.standard import Table
from validations.engine.values_input import (
    CELL_LIMIT_BYTES,
    SHOWN,
    Mistakes,
    check_header,
    read_values,
)

BATCH_ROWS = 50_000
BATCH_CHARACTERS = 32 << 20
_UTF16 = {codecs.BOM_UTF16_LE: "UTF-16 LE", codecs.BOM_UTF16_BE: "UTF-16 BE"}
_QUOTED = re.compile(rb'"(?:[^"]++|"")*+(?P<closed>")?')
_PLAIN = re.compile(rb"[^,\r\n]*")


def read_slowly(table: Table, source: Path, original: Path, write: Callable[[pl.DataFrame], None]) -> int:
    """Give the rows, typed, to `write`; their number. Raises BadInput with all mistakes, named as of `original`."""
    mistakes = Mistakes()
    _examine(source, original, mistakes)
    if mistakes.count:
        raise _invalid(table, original, mistakes)
    rows = 0
    with source.open(encoding="utf-8-sig", newline="") as file, _long_cells_allowed():
        reader = csv.reader(file, strict=True)
        header = check_header(table, original, next(reader, []))
        for lines, cells in _batches(reader, table, original, len(header), mistakes):
            columns = dict(zip(header, zip(*cells, strict=True), strict=True))
            texts = {f.name: pl.Series(f.name, columns[f.name], dtype=pl.String) for f in table.stored_fields}
            frame = pl.DataFrame({name: column.set(column == "", None) for name, column in texts.items()})
            typed = frame.select(read_values(pl.col(f.name), f).alias(f.name) for f in table.stored_fields)
            for f in table.stored_fields:
                wrong = frame[f.name].is_not_null() & typed[f.name].is_null()
                for index in wrong.arg_true().to_list():
                    place = f"{original}:{lines[index]}"
                    mistakes.add_value(place, table, f, columns[f.name][index])
            rows += len(lines)
            if not mistakes.count:
                write(typed)
    if mistakes.count:
        raise _invalid(table, original, mistakes)
    return rows


def _invalid(table: Table, original: Path, mistakes: Mistakes) -> BadInput:
    return BadInput(
        "input.invalid", details=mistakes.shown, path=original, table=table.name, count=mistakes.count
    )


def _batches(
    reader: Iterator[list[str]], table: Table, original: Path, width: int, mistakes: Mistakes
) -> Iterator[tuple[list[int], list[list[str]]]]:
    def numbered() -> Iterator[tuple[int, list[str]]]:
        before = getattr(reader, "line_num", 1)
        for cells in reader:
            if len(cells) == width:
                yield before + 1, cells
            elif cells:
                mistakes.add(
                    "input.cells",
                    path=original,
                    line=before + 1,
                    table=table.name,
                    expected=width,
                    found=len(cells),
                )
            before = getattr(reader, "line_num", before + 1)  # quoted cells may hold line breaks

    lines: list[int] = []
    rows: list[list[str]] = []
    characters = 0
    for line, cells in numbered():
        lines.append(line)
        rows.append(cells)
        characters += sum(map(len, cells))
        if len(rows) == BATCH_ROWS or characters > BATCH_CHARACTERS:
            yield lines, rows
            lines, rows, characters = [], [], 0
    if rows:
        yield lines, rows


@contextmanager
def _long_cells_allowed() -> Generator[None]:
    """The csv module's own limit is shorter than ours; the examination has found no longer cell."""
    before = csv.field_size_limit(CELL_LIMIT_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


@dataclass
class _Examination:
    """Where the walk over the bytes stands; `cell` counts from 1 within the record, `opened` is an open quote's place."""

    original: Path
    mistakes: Mistakes
    line: int = 0
    cell: int = 1
    opened: tuple[int, int] | None = None
    open_bytes: int = 0
    undecodable: list[tuple[int, int, bytes]] = field(default_factory=list[tuple[int, int, bytes]])
    undecodable_lines: int = 0
    decodable_lines: int = 0
    """Lines of UTF-8 that hold more than ASCII."""

    def add(self, code: str, *, line: int | None = None, cell: int | None = None, **values: object) -> None:
        place = {"line": self.line if line is None else line, "cell": self.cell if cell is None else cell}
        self.mistakes.add(code, path=self.original, **place, **values)


def _examine(source: Path, original: Path, mistakes: Mistakes) -> None:
    """Everything wrong with the bytes; a file in another encoding is one mistake, not thousands."""
    with source.open("rb") as file:
        head = file.read(4096)
        if (name := _UTF16.get(head[:2])) or _looks_like_utf16(head):
            raise BadInput("input.utf16", path=original, encoding=name or "UTF-16")
        file.seek(3 if head.startswith(codecs.BOM_UTF8) else 0)
        walk = _Examination(original, mistakes)
        while line := file.readline(LINE_LIMIT_BYTES):
            walk.line += 1
            if len(line) == LINE_LIMIT_BYTES and not line.endswith(b"\n"):
                raise BadInput("input.not_lines", path=original, limit=LINE_LIMIT_BYTES >> 20)
            _examine_line(walk, line)
        if walk.undecodable:
            _say_encoding(walk, file)
        if walk.opened:
            line, cell = walk.opened
            walk.add("input.quote_open", line=line, cell=cell)


def _examine_line(walk: _Examination, line: bytes) -> None:
    try:
        line.decode("utf-8")
        walk.decodable_lines += not line.isascii()
    except UnicodeDecodeError as error:
        walk.undecodable_lines += 1
        if walk.undecodable_lines <= SHOWN:
            cell = walk.cell + line[: error.start].count(b",")
            walk.undecodable.append((walk.line, cell, line[error.start : error.end]))
    if b"\0" in line:
        walk.add("input.nul", cell=walk.cell + line[: line.index(b"\0")].count(b","))
    if walk.opened is None and b'"' not in line:
        end = line.rstrip(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
        if b"\r" in end:
            walk.add("input.carriage_return", cell=1 + line[: line.index(b"\r")].count(b","))
        if len(line) > CELL_LIMIT_BYTES:
            for number, cell in enumerate(end.split(b","), 1):
                _require_length(walk, len(cell), walk.line, number)
        return
    _examine_cells(walk, line)


def _examine_cells(walk: _Examination, line: bytes) -> None:
    """Cells of a line where quotes matter: each is either wholly quoted or holds no quote (RFC 4180, section 2)."""
    at = 0
    while True:
        if walk.opened or line[at : at + 1] == b'"':
            quoted = _QUOTED.match(b'"' + line if walk.opened else line, at)
            assert quoted is not None, "it starts with a quote"
            end = quoted.end() - (1 if walk.opened else 0)
            walk.open_bytes += end - at
            line_of, cell_of = walk.opened or (walk.line, walk.cell)
            if not quoted.group("closed"):
                walk.opened = (line_of, cell_of)
                if walk.open_bytes > CELL_LIMIT_BYTES:
                    _require_length(walk, walk.open_bytes, line_of, cell_of)
                    raise BadInput(
                        "input.broken",
                        details=walk.mistakes.shown,
                        path=walk.original,
                        count=walk.mistakes.count,
                    )
                return
            _require_length(walk, walk.open_bytes, line_of, cell_of)
            walk.opened, walk.open_bytes, at = None, 0, end
        else:
            plain = _PLAIN.match(line, at)
            assert plain is not None, "it matches nothing, too"
            if b'"' in plain.group():
                walk.add("input.quote_inside")
            _require_length(walk, len(plain.group()), walk.line, walk.cell)
            at = plain.end()
        rest = line[at : at + 2]
        if rest[:1] == b",":
            at, walk.cell = at + 1, walk.cell + 1
            continue
        if rest not in (b"\n", b"\r\n", b""):
            walk.add("input.carriage_return" if rest[:1] == b"\r" else "input.after_quote")
        walk.cell = 1
        return


def _require_length(walk: _Examination, length: int, line: int, cell: int) -> None:
    if length > CELL_LIMIT_BYTES:
        walk.add("input.cell_long", line=line, cell=cell, size=f"{length:,}", limit=CELL_LIMIT_BYTES >> 20)


def _looks_like_utf16(head: bytes) -> bool:
    """Every second byte NUL: UTF-16 of Latin text without its mark."""
    return len(head) > 3 and (not any(head[1::2]) or not any(head[::2]))


def _say_encoding(walk: _Examination, file: IO[bytes]) -> None:
    """Text in GB18030 hardly ever is UTF-8 too, so lines that are say that the file is UTF-8, and broken."""
    file.seek(0)
    if walk.undecodable_lines > walk.decodable_lines and _is_gb18030(file):
        line, cell, _ = walk.undecodable[0]
        walk.add("input.gb18030", line=line, cell=cell)
        return
    for line, cell, wrong in walk.undecodable:
        walk.add("input.not_utf8", line=line, cell=cell, bytes=wrong.hex(" "))
    walk.mistakes.count += walk.undecodable_lines - len(walk.undecodable)


def _is_gb18030(file: IO[bytes]) -> bool:
    """Whether all of it decodes, with Chinese among it: chance does not make that of broken UTF-8 for long."""
    decoder = codecs.getincrementaldecoder("gb18030")()
    has_chinese = False
    try:
        while chunk := file.read(1 << 20):
            has_chinese |= any("\u4e00" <= c <= "\u9fff" for c in decoder.decode(chunk))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return has_chinese
