"""What a measured process does: one task by name, its values as JSON, its cost and finds printed as JSON.

`python -m tests.benchmarks.tasks scan '{"tables": {…}}'`. What a task needs is imported before the clock starts, but for
the tasks that are measured from the start of the process.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

STANDARD = Path(__file__).parent / "standards" / "bench"


def scan(tables: dict[str, str]) -> Callable[[], dict[str, Any]]:
    """The floor: DuckDB reads and aggregates every column. Sums, for min and max come from Parquet's statistics unread."""
    import duckdb

    aggregates = {"VARCHAR": 'sum(strlen("{}"))', "DATE": "sum(\"{}\" - DATE '1970-01-01')"}

    def work() -> dict[str, Any]:
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute("SET enable_progress_bar = false")
            for path in tables.values():
                columns = connection.execute("DESCRIBE FROM read_parquet([?])", [path]).fetchall()
                sums = ", ".join(aggregates.get(c[1], 'sum("{}")').format(c[0]) for c in columns)
                connection.execute(f"SELECT {sums} FROM read_parquet([?])", [path]).fetchall()
        return {}

    return work


def judging(
    tables: dict[str, str],
    *,
    standard: str = "",
    report: str = "",
    parameters: dict[str, str] | None = None,
    memory_limit: str = "1GB",
    partial: bool = False,
) -> Callable[[], dict[str, Any]]:
    """Judge the tables; what was found is said as a digest of rule and row."""
    import duckdb

    from validations.engine import judge, load_standard
    from validations.engine.loader import load_folder

    import_module("validations.engine.contract")  # pandera, which the judge loads when it needs it
    loaded = load_standard(standard) if standard else load_folder(STANDARD)
    folder = tempfile.TemporaryDirectory(prefix="baosong-bench-")
    findings = Path(folder.name) / "findings.parquet"

    def work() -> dict[str, Any]:
        judgement = judge(
            loaded, {name: Path(path) for name, path in tables.items()}, report=report or None,
            parameters=parameters or {}, findings=findings, memory_limit=memory_limit, partial=partial,
        )  # fmt: skip

        def said() -> dict[str, Any]:
            digest = hashlib.sha256()
            with duckdb.connect(
                config={"memory_limit": "500MB", "temp_directory": folder.name}
            ) as connection:
                rows = connection.execute(
                    'SELECT rule, "row" FROM read_parquet([?]) ORDER BY rule, "row"', [str(findings)]
                )
                while some := rows.fetchmany(10_000):  # all at once would be the peak that is measured
                    digest.update("".join(f"{rule}\t{row}\n" for rule, row in some).encode())
            folder.cleanup()
            return {
                "findings": judgement.total,
                "rules": len(judgement.counts),
                "rows": sum(judgement.rows.values()),
                "digest": digest.hexdigest(),
            }

        return {"said": said}

    return work


def digest(tables: dict[str, str], *, standard: str = "") -> Callable[[], dict[str, Any]]:
    """The content digest of the tables."""
    from validations.engine import load_standard, table_digest
    from validations.engine.loader import load_folder

    loaded = load_standard(standard) if standard else load_folder(STANDARD)
    return lambda: {name: table_digest(loaded.table(name), Path(path)) for name, path in tables.items()}


def compare(
    table: str, earlier: str, later: str, *, memory_limit: str = "1GB"
) -> Callable[[], dict[str, Any]]:
    """Write down what changed between two rounds of a table."""
    from pipelines.stages.table_changes import table_changes
    from validations.engine.loader import load_folder

    compared = load_folder(STANDARD).table(table)
    folder = tempfile.TemporaryDirectory(prefix="baosong-bench-")

    def work() -> dict[str, Any]:
        found = table_changes(
            compared,
            Path(earlier),
            Path(later),
            Path(folder.name) / "changes.parquet",
            memory_limit=memory_limit,
        )
        folder.cleanup()
        return {"added": found.added, "removed": found.removed, "changed": found.changed, **found.fields}

    return work


def fetch(core: str, tables: list[str]) -> Callable[[], dict[str, Any]]:
    """Every column of the tables that an extraction reads, fetched by SQLite and thrown away."""
    import sqlite3

    def work() -> dict[str, Any]:
        connection = sqlite3.connect(core)
        for table in tables:
            for _ in connection.execute(f"SELECT * FROM {table}"):
                pass
        connection.close()
        return {}

    return work


def extraction(home: str, filing: str) -> Callable[[], dict[str, Any]]:
    """Extract a filing from its core, in a copy of its home."""
    import shutil

    from pipelines.stages.extract import extract
    from pipelines.stages.installation import open_installation
    from resources.settings import Settings

    folder = tempfile.TemporaryDirectory(prefix="baosong-bench-")
    copy = Path(folder.name) / "home"
    shutil.copytree(home, copy)

    def work() -> dict[str, Any]:
        with open_installation(Settings(home=copy)) as installation:
            state = extract(installation, filing)
        rows = sum(fact.rows for fact in state.rounds[0].fact.tables.values())
        folder.cleanup()
        return {"rows": rows}

    return work


def dispatch(count: int) -> Callable[[], dict[str, Any]]:
    """Write the workbooks of one branch's findings."""
    from dataclasses import replace

    from pipelines.stages.workbooks import split_problems, write_branch_workbook
    from tests.benchmarks.data.answered import IDENTITY, KEY, problems

    asked = problems(count)

    def work() -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="baosong-bench-") as folder:
            parts = split_problems(asked)
            for number, part in enumerate(parts, 1):
                identity = replace(IDENTITY, part=number, parts=len(parts))
                write_branch_workbook(Path(folder) / f"{number}.xlsx", identity, part, key=KEY)
        return {"parts": len(parts)}

    return work


def reading(workbook: str, count: int) -> Callable[[], dict[str, Any]]:
    """Prove a workbook and read its answers."""
    from pipelines.stages.workbooks import read_answers
    from tests.benchmarks.data.answered import IDENTITY, KEY, problems

    asked = problems(count)
    return lambda: {"answers": len(read_answers(Path(workbook), IDENTITY, asked, key=KEY).answers)}


def plain_writing(workbook: str) -> Callable[[], dict[str, Any]]:
    """The same texts as plain cells, by openpyxl."""
    from openpyxl import Workbook, load_workbook

    book = load_workbook(workbook, read_only=True)
    sheets = [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]

    def work() -> dict[str, Any]:
        written = Workbook(write_only=True)
        for rows in sheets:
            sheet = written.create_sheet()
            for row in rows:
                sheet.append(row)
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
            written.save(file.name)
        return {}

    return work


def plain_reading(workbook: str) -> Callable[[], dict[str, Any]]:
    """Every cell once, by openpyxl."""
    from openpyxl import load_workbook

    def work() -> dict[str, Any]:
        for sheet in load_workbook(workbook, read_only=True).worksheets:
            for _ in sheet.iter_rows(values_only=True):
                pass
        return {}

    return work


TASKS: dict[str, Callable[..., Callable[[], dict[str, Any]]]] = {
    "scan": scan,
    "judging": judging,
    "digest": digest,
    "compare": compare,
    "fetch": fetch,
    "extraction": extraction,
    "dispatch": dispatch,
    "reading": reading,
    "plain_writing": plain_writing,
    "plain_reading": plain_reading,
}


def main() -> None:
    """Prepare, run, report."""
    work = TASKS[sys.argv[1]](**json.loads(sys.argv[2]))
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    found = work()
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # Comparing what was found is no part of finding it.
    said = found["said"]() if "said" in found else found
    sys.stdout.write(json.dumps({"cpu": cpu, "wall": wall, **said}) + "\n")


if __name__ == "__main__":
    main()
