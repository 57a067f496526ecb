"""What is measured on two rounds of one table: writing down what changed, against reading both."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import measuring
from tests.benchmarks.data import cache, two_rounds
from tests.benchmarks.measures import Bench, cpu
from tests.benchmarks.measuring import Failed, Measurement, task
from tests.benchmarks.results import Result

ROWS, ROWS_FULL = 1_000_000, 10_000_000
CHANGED_EVERY = 1_000


def compare(bench: Bench) -> list[Result]:
    """One row in a thousand changed, against the scan floor; then every row changed, for its memory."""
    rows = ROWS_FULL if bench.is_full else ROWS
    few, all_ = (_rounds(bench, rows, every) for every in (CHANGED_EVERY, 1))
    taken = measuring.measure(
        {
            "scan of both rounds": task("scan", tables=few),
            "0.1 % changed": task("compare", table="BDXXB", **few),
        },
        bench.noted,
    )
    floor, ours = taken["scan of both rounds"], taken["0.1 % changed"]
    many = measuring.measure(
        {"100 % changed": task("compare", table="BDXXB", **all_)}, bench.noted, repeats=1
    )["100 % changed"]
    _require_answers(ours, rows, CHANGED_EVERY)
    _require_answers(many, rows, 1)
    what = f"what changed between two rounds of {rows:,} rows × 30 columns"
    return [
        cpu(
            f"{what}, 0.1 % changed", ours, "scan of all columns of both (DuckDB)", floor, goal=4,
            note=f"{ours.said['changed']:,} rows changed, {ours.said['added']:,} added, {ours.said['removed']:,} removed; "
            f"wall {ours.wall:.1f} s, scan {floor.wall:.1f} s",
        ),
        *(_memory(f"{what}, {share} % changed: peak memory", taken) for share, taken in (("0.1", ours), ("100", many))),
    ]  # fmt: skip


def _memory(what: str, taken: Measurement) -> Result:
    return Result(
        what, f"{taken.peak_mb / 1024:.2f} GB, {taken.cpu:.2f} CPU s", "–", taken.peak_mb / 1024, goal=1.5, unit="GB",
        noise=taken.spread, note=f"{taken.said['changed']:,} rows changed; limit of DuckDB's memory: 1 GB",
    )  # fmt: skip


def _rounds(bench: Bench, rows: int, every: int) -> dict[str, Path]:
    bench.tell(f"data: two rounds of {rows:,} policies, a change in every {every}")
    folder = cache.made(
        bench.cache,
        f"two-rounds-{rows}-{every}",
        lambda folder: two_rounds.write(folder, rows=rows, every=every),
    )
    return {name: folder / f"{name}.parquet" for name in ("earlier", "later")}


def _require_answers(measured: Measurement, rows: int, every: int) -> None:
    known = two_rounds.answers(rows, every)
    if measured.said != known:
        raise Failed(f"found {measured.said}, made {known}")
