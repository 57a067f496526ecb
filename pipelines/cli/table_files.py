"""The files of a command line, read by a standard's dictionary into Parquet: CSV, Parquet, workbooks of one or many tables.

Every mistake of every file at once. What the values mean is not judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.errors import BadInput
from validations.engine import Standard, arrow_schema
from validations.engine.csv_input import convert_csv
from validations.engine.parquet_input import check_parquet
from validations.engine.xlsx_input import convert_workbook

SUFFIXES = (".csv", ".parquet", ".xlsx")


@dataclass(frozen=True)
class Reading:
    """How files are to be read: `encoding` is that of the CSV files, `expect_rows` what their sender counted."""

    encoding: str = "utf-8"
    expect_rows: Mapping[str, int] = field(default_factory=dict[str, int])
    progress: Callable[[str, int, int], None] | None = None


def read_tables(
    standard: Standard, given: Sequence[str], folder: Path, how: Reading = Reading()
) -> dict[str, Path]:
    """The Parquet file of each table; those that were converted lie in `folder`. Raises BadInput with all mistakes."""
    files = _files(standard, given)
    tables: dict[str, Path] = {}
    problems: list[BadInput] = []
    for done, (path, table) in enumerate(files):
        if how.progress:
            how.progress(path.name, done, len(files))
        try:
            for name, typed in _read(standard, path, table, folder, how).items():
                if name in tables:
                    problems.append(
                        BadInput("validations.table_twice", table=name, first=tables[name], second=path)
                    )
                tables[name] = typed
        except BadInput as problem:
            problems.append(problem)
    unread = [name for name in how.expect_rows if name not in tables]
    if unread and not problems:
        problems.append(BadInput("validations.expected_unread", tables=", ".join(unread)))
    if problems:
        raise BadInput("validations.files_invalid", details=problems, standard=standard.name)
    return tables


def declare_nil(
    standard: Standard, tables: dict[str, Path], nil_returns: Sequence[str], folder: Path
) -> dict[str, Path]:
    """The tables, with an empty one for each that is declared nil. Raises BadInput for what is no table, or has rows."""
    problems: list[BadInput] = []
    declared = dict(tables)
    for name in nil_returns:
        if name not in standard.tables:
            known = ", ".join(standard.tables)
            problems.append(
                BadInput("validations.table_unknown", given=f"--nil {name}", table=name, known=known)
            )
        elif name in tables:
            rows = pq.read_metadata(tables[name]).num_rows
            if rows:
                problems.append(BadInput("validations.nil_with_rows", table=name, rows=rows))
        else:
            declared[name] = folder / f"{name}.parquet"
            pq.write_table(arrow_schema(standard.table(name)).empty_table(), declared[name])
    if problems:
        raise BadInput("validations.files_invalid", details=problems, standard=standard.name)
    return declared


def files_in(folder: Path) -> list[str]:
    """The files of a folder that could be tables. Raises BadInput where there is none."""
    if not folder.is_dir():
        raise BadInput("validations.no_such_folder", path=folder)
    found = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise BadInput("validations.folder_without_tables", path=folder, suffixes=", ".join(SUFFIXES))
    return found


def _files(standard: Standard, given: Sequence[str]) -> list[tuple[Path, str | None]]:
    """Each file with its table; None for a workbook that is named after none. Every mistake at once."""
    files: list[tuple[Path, str | None]] = []
    problems: list[BadInput] = []
    for item in given:
        name, equals, rest = item.partition("=")
        is_named = bool(equals) and name in standard.tables
        path = Path(rest) if is_named else Path(item)
        table = name if is_named else path.stem
        suffix = path.suffix.lower()
        if table not in standard.tables and suffix != ".xlsx":
            known = ", ".join(standard.tables)
            problems.append(BadInput("validations.table_unknown", given=item, table=table, known=known))
            continue
        first = next((other for other, its in files if its == table), None)
        if first is not None:
            problems.append(BadInput("validations.table_twice", table=table, first=first, second=path))
        elif not path.exists() and not path.is_symlink():
            problems.append(BadInput("validations.no_such_file", path=path, table=table))
        elif suffix not in SUFFIXES and not path.is_dir():
            problems.append(BadInput("validations.not_a_table_file", path=path, table=table))
        files.append((path, table if table in standard.tables else None))
    if problems:
        raise BadInput("validations.files_invalid", details=problems, standard=standard.name)
    return files


def _read(standard: Standard, path: Path, table: str | None, folder: Path, how: Reading) -> dict[str, Path]:
    if path.suffix.lower() == ".xlsx":
        rows = convert_workbook(standard, path, folder, table=table, expect_rows=how.expect_rows)
        return {name: folder / f"{name}.parquet" for name in rows}
    assert table is not None, "only workbooks may hold several"
    expected = how.expect_rows.get(table)
    if path.suffix.lower() == ".parquet":
        check_parquet(standard.table(table), path, expect_rows=expected)
        return {table: path}
    target = folder / f"{table}.parquet"
    convert_csv(standard.table(table), path, target, encoding=how.encoding, expect_rows=expected)
    return {table: target}
