"""Workbooks as data: one sheet per table, or a workbook that is one table; read by the dictionary into Parquet.

A sheet bears its table's name (or title), its first row the fields' names, no more and no less. What is refused is named
with sheet and cell; a sheet that is no table is refused too, since nobody would notice that it was left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import polars as pl

from pipelines.errors import BadInput, text
from validations.engine.cell_values_input import cell_text
from validations.engine.file_input import check_counts, require_file
from validations.engine.raw_cells_input import Limits, RawBook, RawRow, open_raw_book
from validations.engine.row_writer_input import RowWriter
from validations.engine.standard import Standard, Table
from validations.engine.values_input import SHOWN, Mistakes, check_header, read_values, visible

LIMITS = Limits(
    rows=1_048_576,
    columns=16_384,
    file_megabytes=500,
    unpacked_megabytes=8_000,
    content_megabytes=8_000,
    cpu_seconds=1_800,
    dates=True,
)
BATCH_ROWS = 10_000
AREA = "input.xlsx"


@dataclass(frozen=True)
class Form:
    """A workbook that was made to be filled in: the one table it is for, its sheets `beside` that hold no data, and the
    field that each of its `headings` stands for (a field's own name does too)."""

    table: str
    beside: frozenset[str]
    headings: Mapping[str, str]


def convert_workbook(
    standard: Standard,
    source: Path,
    folder: Path,
    *,
    table: str | None = None,
    form: Form | None = None,
    expect_rows: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Write `folder/<TABLE>.parquet` for every sheet, all or none; the rows of each. With `table` the book is that one,
    with `form` it is that form filled in.

    Raises BadInput with all mistakes.
    """
    require_file(source)
    with tempfile.TemporaryDirectory(prefix=".tmp-xlsx-", dir=folder) as temporary:
        rows: dict[str, int] = {}
        problems: list[BadInput] = []
        with open_raw_book(source, LIMITS, area=AREA) as book:
            for number, sheet_rows in groupby(book.rows, key=lambda row: row.sheet):
                sheet = book.sheets[number][0]
                if form is not None and sheet in form.beside:
                    continue
                try:
                    found = _table(standard, source, sheet, table)
                    if form is not None and found.name != form.table:
                        other = {"sheet": visible(sheet), "table": found.name, "expected": form.table}
                        raise BadInput("input.sheet_other", path=source, details=(), **other)
                    if found.name in rows:
                        raise BadInput("input.sheet_twice", path=source, table=found.name)
                    rows[found.name] = 0
                    path = Path(temporary) / f"{found.name}.parquet"
                    headings = form.headings if form is not None else {}
                    rows[found.name] = _convert_sheet(
                        found, source, book, number, sheet_rows, path, headings=headings
                    )
                except BadInput as problem:
                    if problem.code.startswith(AREA):
                        raise  # the workbook itself cannot be read further
                    problems.append(problem)
        if not rows and not problems and form is not None:
            problems.append(BadInput("input.sheet_missing", path=source, table=form.table))
        elif not rows and not problems:
            problems.append(BadInput("input.book_empty", path=source))
        for name, count in rows.items():
            try:
                expected = (expect_rows or {}).get(name)
                check_counts(source, name, count, expect_rows=expected, is_whole=table is not None)
            except BadInput as problem:
                problems.append(problem)
        if problems:
            raise problems[0] if len(problems) == 1 else BadInput("input.book", path=source, details=problems)
        for name in rows:
            (Path(temporary) / f"{name}.parquet").replace(folder / f"{name}.parquet")
    return rows


def _table(standard: Standard, source: Path, sheet: str, only: str | None) -> Table:
    """The table of a sheet: by its name, by its title in either language, or both in one."""
    if only is not None:
        return standard.table(only)
    said = " ".join(sheet.split()).casefold()
    for table in standard.tables.values():
        names = (table.name, table.title.zh, table.title.en)
        both = (f"{table.name} {title}" for title in names[1:])
        if said in {name[:31].casefold() for name in (*names, *both)}:  # Excel cuts names at 31
            return table
    known = ", ".join(standard.tables)
    raise BadInput("input.sheet_unknown", path=source, sheet=visible(sheet), known=known)


def _convert_sheet(
    table: Table,
    source: Path,
    book: RawBook,
    number: int,
    rows: Iterator[RawRow],
    path: Path,
    *,
    headings: Mapping[str, str],
) -> int:
    sheet = book.sheets[number][0]
    first = next(rows)
    names = header_names(first, headings)
    header = check_header(table, f"{source}[{sheet}!1]", names if first.row == 1 else [])
    mistakes = Mistakes()
    count = 0
    with RowWriter(table, path) as writer:
        while batch := list(islice(rows, BATCH_ROWS)):
            typed = _typed(table, f"{source}[{sheet}!", header, batch, book.is_1904, mistakes)
            count += len(batch)
            if not mistakes.count:
                writer.write(typed)
    if mistakes.count:
        raise BadInput(
            "input.invalid", details=mistakes.shown, path=source, table=table.name, count=mistakes.count
        )
    return count


def header_names(first: RawRow, headings: Mapping[str, str]) -> list[str]:
    """What the cells of a first row name, in the order of the columns; empty where there is no heading."""
    said = [first.cells[c].text if c in first.cells else "" for c in range(1, max(first.cells) + 1)]
    return [headings.get(" ".join(heading.split()), heading) for heading in said]


def _typed(
    table: Table, place: str, header: Sequence[str], batch: list[RawRow], is_1904: bool, mistakes: Mistakes
) -> pl.DataFrame:
    for row in batch:
        for column in row.cells:
            if column > len(header):
                mistakes.add("input.cell_outside", place=f"{place}{cell_name(column, row.row)}]")
    texts: dict[str, list[str | None]] = {}
    for declared in table.stored_fields:
        column = header.index(declared.name) + 1
        texts[declared.name] = values = []
        for row in batch:
            cell = row.cells.get(column)
            value, why = cell_text(declared, cell, is_1904=is_1904) if cell else (None, None)
            values.append(value)
            if cell and why:
                mistakes.add(
                    "input.cell",
                    place=f"{place}{cell_name(column, row.row)}]",
                    table=table.name,
                    field=declared.name,
                    value=visible(cell.text),
                    why=text(why) if len(mistakes.shown) < SHOWN else "",
                )
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))
    typed = frame.select(read_values(pl.col(f.name), f).alias(f.name) for f in table.stored_fields)
    for declared in table.stored_fields:
        wrong = frame[declared.name].is_not_null() & typed[declared.name].is_null()
        for index in wrong.arg_true().to_list():
            where = cell_name(header.index(declared.name) + 1, batch[index].row)
            mistakes.add_value(f"{place}{where}]", table, declared, texts[declared.name][index] or "")
    return typed


def cell_name(column: int, row: int) -> str:
    """A cell as people call it: column 28, row 3 is AB3."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
