"""Reading CSV files strictly by the dictionary, into Parquet: nothing is guessed, nothing is rounded.

UTF-8 with or without byte order mark (or GB18030 where the caller says so), a header with exactly the table's columns in
any order, RFC 4180's quotes, lines ended by LF or CRLF; blank lines are none. An empty cell is NULL, quoted or not. What
the values mean is judged later; what cannot be a value of its type is a mistake with line and column.

A plain file is read vectorised; at the slightest doubt the slow reader, whose word counts, reads it or says what is wrong.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv

from pipelines.errors import BadInput
from validations.engine.csv_scan_input import BLOCK_BYTES, lines_of_records, scan
from validations.engine.csv_slow_input import read_slowly
from validations.engine.encoding_input import transcode
from validations.engine.file_input import check_counts, require_file
from validations.engine.row_writer_input import RowWriter
from validations.engine.standard import Field, Table
from validations.engine.values_input import CELL_LIMIT_BYTES, SHOWN, Mistakes, check_header, read_values

_HEADER_LIMIT_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


def convert_csv(
    table: Table, source: Path, target: Path, *, encoding: str = "utf-8", expect_rows: int | None = None
) -> int:
    """Write the rows of a CSV as Parquet with the dictionary's types, whole or not at all; their number.

    Raises BadInput with all mistakes; also where `expect_rows` or a control file beside the source states other counts.
    """
    require_file(source)
    with tempfile.TemporaryDirectory(prefix=".tmp-csv-", dir=target.parent) as folder:
        written = Path(folder) / target.name
        try:
            utf8 = transcode(source, Path(folder) / "utf-8.csv", encoding)
            rows = _read_fast(table, utf8, source, written)
            if rows is None:
                with RowWriter(table, written) as writer:
                    rows = read_slowly(table, utf8, source, writer.write)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInput("input.unreadable", path=source, reason=reason) from error
        check_counts(source, table.name, rows, expect_rows=expect_rows)
        written.replace(target)
    return rows


def _read_fast(table: Table, source: Path, original: Path, target: Path) -> int | None:
    """The rows written, or None where anything at all is doubtful.

    Raises BadInput for a header that is plainly wrong, and for values of rows that are read without doubt.
    """
    with source.open("rb") as file:
        first = file.readline(_HEADER_LIMIT_BYTES)
        start = file.tell()
        names = _plain_header(first)
        if names is None:
            return None
        header = check_header(table, original, names)
        seen = scan(file)
    if not seen.is_plain:
        return None
    wrong = _WrongValues()
    with RowWriter(table, target) as writer:
        rows = _convert(table, source, start, header, writer, wrong) if seen.records else 0
    if rows != seen.records:
        return None
    if wrong.count:
        raise _refuse_values(table, source, original, start, wrong)
    return rows


@dataclass
class _WrongValues:
    """Texts that are no values, by row from 0: the first `SHOWN` in full, all counted."""

    count: int = 0
    shown: list[tuple[int, Field, str]] = field(default_factory=list[tuple[int, Field, str]])

    def add(self, first_row: int, declared: Field, texts: pl.Series, values: pl.Series) -> None:
        indices = (texts.is_not_null() & values.is_null()).arg_true()
        self.count += len(indices)
        for index in indices.head(SHOWN - len(self.shown)).to_list():
            self.shown.append((first_row + index, declared, texts[index]))


def _refuse_values(table: Table, source: Path, original: Path, start: int, wrong: _WrongValues) -> BadInput:
    with source.open("rb") as file:
        file.seek(start)
        lines = lines_of_records(file, {row for row, _, _ in wrong.shown})
    mistakes = Mistakes()
    for row, declared, value in wrong.shown:
        mistakes.add_value(f"{original}:{lines[row] + 1}", table, declared, value)
    return BadInput(
        "input.invalid", details=mistakes.shown, path=original, table=table.name, count=wrong.count
    )


def _plain_header(line: bytes) -> list[str] | None:
    if b'"' in line or b"\0" in line or len(line) == _HEADER_LIMIT_BYTES:
        return None
    try:
        text = line.removeprefix(_BOM).removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\r" in text else next(csv.reader([text]), [])


def _convert(
    table: Table, source: Path, start: int, header: Sequence[str], writer: RowWriter, wrong: _WrongValues
) -> int | None:
    rows = 0
    fields = table.stored_fields
    texts = {name: pa.string() for name in header}
    with pa.OSFile(str(source)) as file:
        file.seek(start)
        try:
            reader = pyarrow.csv.open_csv(
                file,
                read_options=pyarrow.csv.ReadOptions(column_names=list(header), block_size=BLOCK_BYTES),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=texts, null_values=[""], strings_can_be_null=True
                ),
            )
            for batch in reader:
                frame = pl.DataFrame(pa.Table.from_batches([batch])).select(f.name for f in fields)
                longest = frame.select(pl.all().str.len_bytes().max()).row(0)
                if any(length and length > CELL_LIMIT_BYTES for length in longest):
                    return None
                typed = frame.select(read_values(pl.col(f.name), f).alias(f.name) for f in fields)
                nulls = zip(fields, frame.null_count().row(0), typed.null_count().row(0), strict=True)
                for declared in [declared for declared, before, after in nulls if before != after]:
                    wrong.add(rows, declared, frame[declared.name], typed[declared.name])
                if not wrong.count:
                    writer.write(typed)
                rows += len(typed)
        except pa.ArrowInvalid:
            return None
    return rows
