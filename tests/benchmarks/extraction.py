"""Extraction from PostgreSQL against ADBC alone: time as a ratio, peak memory at two sizes.

Two tables of 30 columns, filled by the server with varied rows. The floor reads the same tables by plain ADBC and throws
the batches away. Above it: the round (converted, written, durable), the round with its certificate, and all that `extract`
does, which also digests the content. One process per measurement: `python -m tests.benchmarks.extraction` prints a table,
`measure(bench)` gives the lines of `make bench`.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import high_water_mb

TABLES = ("FIRST", "SECOND")
SIZES = {500_000: 3}
LARGE = {5_000_000: 1}
"""Rows of both tables together, and how often each is measured; the large size belongs to the full bench."""
WAYS = ("adbc", "round", "certified", "whole")
_TEXTS, _DATES, _CENTS, _NUMERICS, _INTEGERS = 14, 6, 6, 2, 2
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Taken:
    """Medians of one way at one size: wall and CPU seconds of the client, its peak MB."""

    wall: float
    cpu: float
    peak_mb: float


def measure(bench: Any) -> list[Any]:
    """The lines of `make bench`; `bench.tell` says what is under way."""
    from tests.benchmarks.results import Result

    results: list[Any] = []
    for rows, taken in measure_sizes({**SIZES, **(LARGE if bench.is_full else {})}, bench.tell).items():
        floor = taken["adbc"]
        for way, what in (
            ("round", "PostgreSQL → round"),
            ("certified", "PostgreSQL → round, certified"),
            ("whole", "PostgreSQL → round, certified, digested"),
        ):
            ours = taken[way]
            results.append(
                Result(
                    f"{what}, {rows:,} rows × 30", f"{ours.wall:.2f} s, {ours.peak_mb:.0f} MB",
                    f"ADBC alone, nothing written: {floor.wall:.2f} s, {floor.peak_mb:.0f} MB", ours.wall / floor.wall,
                    goal=1.3 if way == "round" else None, note="wall, two connections; the server is on the same cores",
                )
            )  # fmt: skip
        results.append(
            Result(
                f"peak memory of extracting {rows:,} rows", f"{taken['whole'].peak_mb:.0f} MB", "–",
                taken["whole"].peak_mb, goal=400, unit="MB",
            )
        )  # fmt: skip
    return results


def measure_sizes(sizes: Mapping[int, int], tell: Callable[[str], None]) -> dict[int, dict[str, Taken]]:
    """Every way at every size, the ways taking turns."""
    from tests.resources.postgresql.server import running_server

    found: dict[int, dict[str, Taken]] = {}
    with running_server() as server:
        url = server.create("bench")
        for rows, repeats in sizes.items():
            tell(f"data: {rows:,} rows in PostgreSQL")
            with server.connect("bench") as connection:
                for table in TABLES:
                    connection.execute(f"DROP TABLE IF EXISTS {table}")  # type: ignore[arg-type]
                    connection.execute(_filled(table, rows // len(TABLES)))  # type: ignore[arg-type]
                connection.execute("VACUUM ANALYZE")
                connection.execute("CHECKPOINT")
            samples: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
            for _ in range(repeats):
                for way in WAYS:
                    tell(f"{way}, {rows:,} rows")
                    samples[way].append(_process(way, url))
            found[rows] = {way: _median(each) for way, each in samples.items()}
    return found


def _filled(table: str, rows: int) -> str:
    """Columns that differ from row to row: a key, names, dates, amounts."""
    texts = ["'P' || lpad(i::text, 20, '0')", "substr(md5(i::text), 1, 18)"]
    texts += [f"(ARRAY['330000', '440000', '510000', '110000'])[1 + (i * {k}) % 4]" for k in range(3, 9)]
    texts += [f"'投保人' || (i * {k}) % 100003" for k in range(9, 9 + _TEXTS - len(texts))]
    columns = [f"{text} AS t{n}" for n, text in enumerate(texts)]
    columns += [f"DATE '2020-01-01' + ((i * {k}) % 2500)::int AS d{k}" for k in range(1, 1 + _DATES)]
    columns += [f"((i * {7919 * k}) % 100000007)::bigint AS c{k}__cents" for k in range(1, 1 + _CENTS)]
    columns += [
        f"(((i * {104729 * k}) % 1000000007) / 100.0)::numeric(20, 2) AS n{k}"
        for k in range(1, 1 + _NUMERICS)
    ]
    columns += [f"((i * {k}) % 97)::int AS i{k}" for k in range(1, 1 + _INTEGERS)]
    return f"CREATE TABLE {table} AS SELECT {', '.join(columns)} FROM generate_series(1, {rows}::bigint) AS i"


def _table(name: str) -> Any:
    from validations.engine.standard import Field, Table, Title

    def fields(prefix: str, first: int, count: int, **kind: Any) -> list[Any]:
        names = [f"{prefix}{n}" for n in range(first, first + count)]
        return [Field(name=name.upper(), title=Title(name, name), **kind) for name in names]

    listed = fields("t", 0, _TEXTS, type="text") + fields("d", 1, _DATES, type="date")
    listed += fields("c", 1, _CENTS, type="decimal", precision=20, scale=2)
    listed += fields("n", 1, _NUMERICS, type="decimal", precision=20, scale=2)
    listed += fields("i", 1, _INTEGERS, type="integer")
    return Table(name=name, title=Title(name, name), key=("T0",), fields=tuple(listed))


def _process(way: str, url: str) -> dict[str, float]:
    folder = tempfile.mkdtemp(prefix="baosong-bench-")
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.extraction", way, folder],
            cwd=_ROOT, check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "CORE_URL": url},
        )  # fmt: skip
        return json.loads(ran.stdout)
    finally:
        shutil.rmtree(folder)


def _median(samples: list[dict[str, float]]) -> Taken:
    wall, cpu = (statistics.median(sample[name] for sample in samples) for name in ("wall", "cpu"))
    return Taken(wall, cpu, max(sample["peak_mb"] for sample in samples))


def _adbc(_: Path) -> int:
    """Plain ADBC, one table after the other, every batch thrown away."""
    import adbc_driver_postgresql.dbapi

    rows = 0
    with adbc_driver_postgresql.dbapi.connect(os.environ["CORE_URL"]) as connection:
        for table in TABLES:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {table}")
                for batch in cursor.fetch_record_batch():
                    rows += batch.num_rows
    return rows


def _extracting(way: str) -> Callable[[Path], int]:
    from concurrent.futures import ThreadPoolExecutor

    import pyarrow as pa

    from pipelines.stages.certificate import Totals, written_totals
    from pipelines.stages.extract import DIGEST_MEMORY
    from resources.deployment import DatabaseSource
    from resources.rounds import RoundStore, RoundWriter
    from resources.sources import Snapshot, open_source
    from validations.engine import arrow_schema, table_digest

    def one(table: Any, snapshot: Snapshot, writer: RoundWriter) -> int:
        sql, schema = f"SELECT * FROM {table.name}", arrow_schema(table)
        with writer.table(table.name, schema) as batches:
            for batch in snapshot.stream(sql, {}, schema):
                batches.write(batch)
        if way != "round":
            decimals = [field.name for field in table.fields if field.type == "decimal"]
            counted = Totals.of(*snapshot.totals(sql, {}, decimals), schema)
            assert counted == written_totals(batches.path)
        return batches.rows

    def work(folder: Path) -> int:
        source = DatabaseSource(name="core", kind="database", url="env:CORE_URL")
        with (
            open_source(source, folder) as snapshot,
            RoundStore(folder).write("bench.bench.bench", 1) as writer,
        ):
            with ThreadPoolExecutor(snapshot.parallel) as pool:
                rows = sum(pool.map(lambda name: one(_table(name), snapshot, writer), TABLES))
            if way == "whole":
                pa.default_memory_pool().release_unused()
                for name in TABLES:
                    table_digest(_table(name), writer.path(name), memory_limit=DIGEST_MEMORY)
            writer.commit()
        return rows

    return work


def main() -> None:
    """A child measures one way; without arguments all are measured and printed."""
    if len(sys.argv) == 3:
        way, folder = sys.argv[1], Path(sys.argv[2])
        work = _adbc if way == "adbc" else _extracting(way)
        began, cpu = time.perf_counter(), time.process_time()
        rows = work(folder)
        peak = high_water_mb()
        taken = {
            "wall": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "peak_mb": peak,
            "rows": rows,
        }
        sys.stdout.write(json.dumps(taken))
        return
    found = measure_sizes({**SIZES, **LARGE}, lambda what: sys.stderr.write(f"{what}\n") and None)
    sys.stdout.write(
        "| rows | way | wall s | × ADBC | CPU s | peak MB |\n| ---: | --- | ---: | ---: | ---: | ---: |\n"
    )
    for rows, taken in found.items():
        for way, each in taken.items():
            ratio = each.wall / taken["adbc"].wall
            sys.stdout.write(
                f"| {rows:,} | {way} | {each.wall:.2f} | {ratio:.2f} | {each.cpu:.2f} | {each.peak_mb:.0f} |\n"
            )


if __name__ == "__main__":
    main()
