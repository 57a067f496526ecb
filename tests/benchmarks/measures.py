"""What is measured: each function prepares its data, runs its processes and returns its lines of the table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import measuring
from tests.benchmarks.data import audit, cache, policies
from tests.benchmarks.measuring import Failed, Measurement, Sample, task
from tests.benchmarks.peers import environments
from tests.benchmarks.results import Result
from tests.benchmarks.tasks import STANDARD
from validations.engine import Standard, arrow_schema, load_standard

ROWS = 2_000_000
DEFECT_EVERY = 700
PEERS = Path(environments.__file__).parent


@dataclass(frozen=True)
class Bench:
    """Where data and environments lie, whether everything is wanted, where progress is told."""

    cache: Path
    is_full: bool
    tell: Callable[[str], None]

    def noted(self, name: str, sample: Sample) -> None:
        """One line per process."""
        self.tell(
            f"  {name}: {sample.cpu:.2f} CPU s, {sample.wall:.2f} s, peak {sample.peak_mb:,.0f} MB, {sample.said}"
        )


def row_rules(bench: Bench) -> list[Result]:
    """The 38 row rules against the scan floor and both peers, all finding the same; then with every row failing."""
    data = _policies(bench, DEFECT_EVERY)
    failing = _policies(bench, 1)
    tables = {"BDXXB": data / "BDXXB.parquet"}
    peers = {
        name: [environments.python_of(name, bench.cache), PEERS / f"{script}.py", tables["BDXXB"], STANDARD]
        for name, script in (
            ("great-expectations", "great_expectations_pandas"),
            ("pandera-pandas", "pandera_pandas"),
        )
    }
    taken = measuring.measure(
        {
            "scan": task("scan", tables=tables),
            "38 rules": task("judging", tables=tables, report="rows"),
            "38 rules, every row failing": task(
                "judging", tables={"BDXXB": failing / "BDXXB.parquet"}, report="rows"
            ),
            "digest": task("digest", tables=tables),
            **peers,
        },
        bench.noted,
    )
    _require_answers(taken["38 rules"], DEFECT_EVERY, "38 rules")
    _require_answers(taken["38 rules, every row failing"], 1, "38 rules, every row failing")
    for peer in peers:
        _require_answers(taken[peer], DEFECT_EVERY, peer)
    found = f"{taken['38 rules'].said['findings']:,} findings, the same by all engines, row by row"
    ours = f"38 row rules, {ROWS:,} rows × 30 columns"
    return [
        cpu(ours, taken["38 rules"], "scan of all columns (DuckDB)", taken["scan"], goal=6, note=found),
        _faster(ours, taken["38 rules"], "great-expectations 1.24.1, COMPLETE", taken["great-expectations"], 8),
        _faster(ours, taken["38 rules"], "pandera 0.35.0 on pandas 3.1.1", taken["pandera-pandas"], 3),
        cpu(
            "the same with 100 % of the rows failing", taken["38 rules, every row failing"],
            f"with {taken['38 rules'].said['findings']:,} failing", taken["38 rules"], goal=2,
            note=f"{taken['38 rules, every row failing'].said['findings']:,} findings",
        ),
        cpu("content digest of the table", taken["digest"], "scan of all columns (DuckDB)", taken["scan"]),
    ]  # fmt: skip


def all_rules(bench: Bench) -> list[Result]:
    """The 38 row rules and 4 rules between tables."""
    data = _policies(bench, DEFECT_EVERY)
    tables = {name: data / f"{name}.parquet" for name in ("BDXXB", "KHXXB", "BDXBB")}
    taken = measuring.measure(
        {
            "scan of three tables": task("scan", tables=tables),
            "42 rules": task("judging", tables=tables, report="all"),
        },
        bench.noted,
    )
    rows = f"{taken['42 rules'].said['rows']:,} rows"
    return [cpu(f"42 rules, 4 of them between tables, {rows}", taken["42 rules"], "scan of all columns (DuckDB)",
                 taken["scan of three tables"], note=f"{taken['42 rules'].said['findings']:,} findings")]  # fmt: skip


def size(bench: Bench) -> list[Result]:
    """circ_audit's own rules on BDXXB alone: memory, and whether five times the rows cost five times the work."""
    small, large = (10_000_000, 50_000_000) if bench.is_full else (2_000_000, 10_000_000)
    standard = load_standard("circ_audit")
    commands = {
        f"BDXXB, {rows:,} rows": task(
            "judging", tables={"BDXXB": _audit(bench, standard, rows)}, standard="circ_audit", report="detail",
            parameters=audit.PARAMETERS, partial=True,
        )
        for rows in (small, large)
    }  # fmt: skip
    few, many = measuring.measure(commands, bench.noted).values()
    left_out = "" if bench.is_full else "; the goal is for 50,000,000 rows: make bench FULL=1"
    what = f"circ_audit, {many.said['rules']} rules on BDXXB alone, {large:,} rows"
    return [
        Result(
            f"{what}: peak memory", f"{many.peak_mb / 1024:.2f} GB, {many.cpu:.0f} CPU s", "–", many.peak_mb / 1024,
            goal=2 if bench.is_full else None, unit="GB", noise=many.spread,
            note=f"{many.said['findings']:,} findings{left_out}",
        ),
        Result(
            f"{what}: CPU per row", f"{many.cpu / large * 1e6:.2f} µs", f"{few.cpu / small * 1e6:.2f} µs at {small:,} rows",
            (many.cpu / large) / (few.cpu / small), goal=1.2 if bench.is_full else None, noise=max(few.spread, many.spread),
            note="1 is linear" + left_out,
        ),
    ]  # fmt: skip


def _policies(bench: Bench, every: int) -> Path:
    bench.tell(f"data: {ROWS:,} policies, a defect in every {every}")
    return cache.made(
        bench.cache,
        f"policies-{ROWS}-{every}",
        lambda folder: policies.write(folder, rows=ROWS, every=every, relations=every > 1),
    )


def _audit(bench: Bench, standard: Standard, rows: int) -> Path:
    bench.tell(f"data: BDXXB of circ_audit, {rows:,} rows")
    fields = standard.table("BDXXB").stored_fields
    codes = {f.name: standard.codes[f.codes].values for f in fields if f.codes is not None}
    folder = cache.made(
        bench.cache,
        f"audit-{rows}",
        lambda folder: audit.write(folder / "BDXXB.parquet", standard, rows),
        of=f"{arrow_schema(standard.table('BDXXB'))}{codes}",
    )
    return folder / "BDXXB.parquet"


def _require_answers(measured: Measurement, every: int, engine: str) -> None:
    lines = sorted(policies.answers(ROWS, every))
    known = hashlib.sha256("".join(f"{rule}\t{row}\n" for rule, row in lines).encode()).hexdigest()
    if measured.said["digest"] != known:
        raise Failed(
            f"{engine}: {measured.said['findings']} findings are not the {len(lines)} defects injected"
        )


def cpu(
    what: str,
    measured: Measurement,
    against: str,
    floor: Measurement,
    *,
    goal: float | None = None,
    note: str = "",
) -> Result:
    return Result(
        what, f"{measured.cpu:.2f} CPU s, {measured.peak_mb / 1024:.2f} GB", f"{against}: {floor.cpu:.2f} CPU s",
        measured.cpu / floor.cpu, goal, noise=max(measured.spread, floor.spread), note=note,
    )  # fmt: skip


def _faster(what: str, ours: Measurement, peer: str, theirs: Measurement, goal: float) -> Result:
    return Result(
        f"{what}: faster than {peer}", f"{ours.cpu:.2f} CPU s, {ours.peak_mb / 1024:.2f} GB",
        f"{theirs.cpu:.2f} CPU s, {theirs.peak_mb / 1024:.2f} GB", theirs.cpu / ours.cpu, goal, "at_least",
        noise=max(ours.spread, theirs.spread),
    )  # fmt: skip
