"""Loading the real Schedule P filings into a source database of their own.

The CSV and the table's DDL belong to `sql/schedule_p`; its columns are taken by name, the amounts as whole numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import BadInput
from resources.reference_core.store import create_schema, replacing

FOLDER = Path(__file__).parents[2] / "sql" / "schedule_p"


def load_schedule_p(path: Path, *, folder: Path = FOLDER) -> int:
    """Write `folder/data/clrd.csv` to a SQLite database at `path`, whole or not at all; the number of rows.

    Raises BadInput naming the line that does not fit the table.
    """
    source = folder / "data" / "clrd.csv"
    schemas = sorted((folder / "schema").glob("*.sql"))
    for needed in (source, *(schemas or [folder / "schema"])):
        if not needed.exists() or (needed.is_dir() and not schemas):
            raise BadInput("core.not_found", path=needed)
    with replacing(path) as connection, source.open(encoding="utf-8", newline="") as stream:
        for schema in schemas:
            create_schema(connection, schema)
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
        ).fetchall()
        table = str(tables[0][0])
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        by_name = {str(column[1]).lower(): str(column[1]) for column in columns}
        integers = {str(column[1]).lower() for column in columns if "INT" in str(column[2]).upper()}
        rows = csv.reader(stream)
        header = [name.lower() for name in next(rows, [])]
        plain = {name.replace("_", ""): name for name in by_name}
        if set(header) != set(plain):
            raise BadInput(
                "schedule_p.not_csv", path=source, line=1, reason=f"{sorted(header)} ≠ {sorted(plain)}"
            )
        target = [plain[name] for name in header]
        marks = ", ".join("?" * len(target))
        sql = f"INSERT INTO {table} ({', '.join(by_name[name] for name in target)}) VALUES ({marks})"
        return connection.executemany(
            sql, _typed(rows, source, [name in integers for name in target])
        ).rowcount


def _typed(
    rows: Iterator[list[str]], source: Path, is_integer: list[bool]
) -> Iterator[tuple[str | int, ...]]:
    for number, row in enumerate(rows, start=2):
        try:
            yield tuple(int(value) if whole else value for value, whole in zip(row, is_integer, strict=True))
        except ValueError as error:
            raise BadInput("schedule_p.not_csv", path=source, line=number, reason=error) from error
