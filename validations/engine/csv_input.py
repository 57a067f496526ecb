"""Reading CSV files strictly by the dictionary, into Parquet: nothing is guessed, nothing is rounded.

UTF-8 with or without byte order mark, a header with exactly the table's columns in any order, ISO dates; an empty cell
is NULL. What the values mean is judged later; what cannot be a value of its type is a mistake with line and column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import BadInput
from validations.engine.standard import Field, Table
from validations.engine.types import PRECISION, arrow_schema

BATCH_ROWS = 50_000
SHOWN = 50
"""Mistakes listed before the rest is only counted."""


def convert_csv(table: Table, source: Path, target: Path) -> int:
    """Write the rows of a CSV as Parquet with the dictionary's types; their number. Raises BadInput with all mistakes."""
    schema = arrow_schema(table)
    problems: list[BadInput] = []
    rows = 0
    try:
        with (
            source.open(encoding="utf-8-sig", newline="") as file,
            pq.ParquetWriter(target, schema) as writer,
        ):
            reader = csv.reader(file, strict=True)
            header = _header(table, source, next(reader, []))
            for numbered in _batches(reader, table, source, len(header), problems):
                lines, cells = zip(*numbered, strict=True)
                columns = dict(zip(header, zip(*cells, strict=True), strict=True))
                typed = {
                    f.name: _column(table, f, columns[f.name], lines, source, problems)
                    for f in table.stored_fields
                }
                rows += len(lines)
                if not problems:
                    writer.write_table(pl.DataFrame(typed).to_arrow().cast(schema))
    except OSError as error:
        raise BadInput(
            "validations.csv_unreadable", path=source, reason=error.strerror or str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput("validations.csv_not_utf8", path=source, reason=error.reason) from error
    except csv.Error as error:
        raise BadInput("validations.csv_broken", path=source, rows=rows, reason=error) from error
    if problems:
        raise BadInput(
            "validations.csv_invalid",
            details=problems[:SHOWN],
            path=source,
            table=table.name,
            count=len(problems),
        )
    return rows


def _header(table: Table, source: Path, header: Sequence[str]) -> list[str]:
    expected = [field.name for field in table.stored_fields]
    missing = [name for name in expected if name not in header]
    extra = [name for i, name in enumerate(header) if name not in expected or name in header[:i]]
    if missing or extra:
        raise BadInput(
            "validations.csv_columns",
            path=source,
            table=table.name,
            missing=", ".join(missing) or "–",
            extra=", ".join(extra) or "–",
        )
    return list(header)


def _batches(
    reader: Iterator[list[str]], table: Table, source: Path, width: int, problems: list[BadInput]
) -> Iterator[list[tuple[int, list[str]]]]:
    def numbered() -> Iterator[tuple[int, list[str]]]:
        line = 2
        for cells in reader:
            if len(cells) == width:
                yield line, cells
            elif cells:
                problems.append(
                    BadInput(
                        "validations.csv_cells",
                        path=source,
                        line=line,
                        table=table.name,
                        expected=width,
                        found=len(cells),
                    )
                )
            line = getattr(reader, "line_num", line) + 1  # quoted cells may hold line breaks

    rows = numbered()
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def _column(
    table: Table,
    field: Field,
    cells: Sequence[str],
    lines: Sequence[int],
    source: Path,
    problems: list[BadInput],
) -> pl.Series:
    text = pl.Series(field.name, cells, dtype=pl.String)
    text = text.set(text == "", None)
    if field.type == "text":
        return text
    typed = pl.select(_typed(pl.lit(text), field)).to_series().alias(field.name)
    for index in (text.is_not_null() & typed.is_null()).arg_true().to_list():
        problems.append(
            BadInput(
                "validations.csv_value",
                path=source,
                line=lines[index],
                table=table.name,
                field=field.name,
                value=cells[index][:60],
                expected=_expected(field),
            )
        )
    return typed


def _typed(text: pl.Expr, field: Field) -> pl.Expr:
    """The value, null where the text is none of its type; the form is checked on the text, since casts round."""
    if field.type == "date":
        form, value = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z", text.str.to_date("%Y-%m-%d", strict=False)
    elif field.type == "integer":
        form, value = r"\A-?[0-9]{1,19}\z", text.cast(pl.Int64, strict=False)
    else:
        scale = field.scale or 0
        form = rf"\A-?[0-9]+(\.[0-9]{{0,{scale}}}0*)?\z"
        # Zeros beyond the scale say nothing; without them the cast is exact.
        exact = text.str.replace(rf"(\.[0-9]{{{scale}}})0+\z", "$1")
        value = exact.cast(pl.Decimal(field.precision or PRECISION, scale), strict=False)
    return pl.when(text.str.contains(form)).then(value)


def _expected(field: Field) -> str:
    if field.type == "decimal":
        return f"decimal({field.precision},{field.scale})"
    return {"date": "YYYY-MM-DD", "integer": "-?[0-9]+ (64 bit)"}.get(field.type, field.type)
