"""What is measured on a filing of the reference core: judging from the start of a process, extraction against its floor.

Where `tests.benchmarks.extraction` exists its `measure(bench)` is asked as well: extraction from PostgreSQL by ADBC.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks import measuring
from tests.benchmarks.data import filing as core
from tests.benchmarks.measures import Bench
from tests.benchmarks.measuring import task
from tests.benchmarks.results import Result

POLICIES = 20_000
CORE_POLICIES = 100_000
CORE_TABLES = ("organisation", "customer", "product", "policy", "coverage", "endorsement", "claim", "payment")


def small_filing(bench: Bench) -> list[Result]:
    """A filing of 20,000 policies judged by `baosong validate`, from the start of the process to its end."""
    home = _new_home(bench, "filing")
    bench.tell(f"data: a filing of {POLICIES:,} policies")
    extracted = core.extract_round(home, core.open_home(home, POLICIES))
    command: list[str | Path] = [
        sys.executable, "-m", "pipelines.cli.main", "validate", "--standard", "circ_audit", "--report", "detail",
        "--without", "previous", "--out", home / "out", "--json",
    ]  # fmt: skip
    for name, value in extracted.parameters.items():
        command += ["--param", f"{name}={value}"]
    for name, path in extracted.tables.items():
        command += ["--tables", f"{name}={path}"]
    taken = measuring.measure({"validate": command}, bench.noted)["validate"]
    shutil.rmtree(home)
    return [
        Result(
            f"circ_audit, a filing of {POLICIES:,} policies, {extracted.rows:,} rows, judged from the start of the process",
            f"{taken.start_to_end:.2f} s, {taken.whole_cpu:.2f} CPU s, {taken.peak_mb / 1024:.2f} GB", "–",
            taken.start_to_end, goal=5, unit="s", noise=taken.spread, note="`baosong validate`, all rules of the report",
        )
    ]  # fmt: skip


def extraction(bench: Bench) -> list[Result]:
    """Extraction from SQLite against fetching the same tables; from PostgreSQL where that measure is there."""
    home = _new_home(bench, "core")
    bench.tell(f"data: a core of {CORE_POLICIES:,} policies")
    filing = core.open_home(home, CORE_POLICIES)
    commands = {
        "fetch": task("fetch", core=home / "core.db", tables=CORE_TABLES),
        "extraction": task("extraction", home=home, filing=filing),
    }
    taken = measuring.measure(commands, bench.noted)
    ours, floor = taken["extraction"], taken["fetch"]
    shutil.rmtree(home)
    results = [
        Result(
            f"extract, reconcile, digest {ours.said['rows']:,} rows from SQLite",
            f"{ours.cpu:.2f} CPU s, {ours.peak_mb / 1024:.2f} GB", f"fetching the same tables: {floor.cpu:.2f} CPU s",
            ours.cpu / floor.cpu, noise=max(ours.spread, floor.spread),
        )
    ]  # fmt: skip
    if importlib.util.find_spec("tests.benchmarks.extraction") is not None:
        results += import_module("tests.benchmarks.extraction").measure(bench)
    return results


def _new_home(bench: Bench, name: str) -> Path:
    home = bench.cache / "homes" / name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home
