"""The results as Markdown, with the machine they were taken on. Nothing is measured here."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.results import Result

METHOD = (
    "Every measurement is a process of its own, run at least three times in turn with what it is compared to; medians. "
    "CPU seconds are user + system of the work, imports left out on all sides; memory is the peak of the whole process. "
    "Noise is (largest − smallest) / median of the CPU seconds, the noisier side's."
)
_FLOOR = (
    "- Scan floor: DuckDB reads the same file and sums every column (lengths of texts); min and max would come from "
    "Parquet's statistics without reading."
)
_DATA = (
    "- The data are made row by row with random, valid identity numbers, credit codes, names and amounts; no row is a "
    "copy. Every 700th row has one defect that breaks exactly one rule; engines must find all of them and nothing else."
)
_PEERS = (
    "- Peers run in environments of their own (tests/benchmarks/peers). Byte lengths, check digits and conditions they "
    "have no judge for are prepared for them in whole columns with numpy, which flatters them."
)
NOTES = (_FLOOR, _DATA, _PEERS)


@dataclass(frozen=True)
class Machine:
    """Where the run took place, and how busy others kept it."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    load_before: float
    load_after: float


def machine(load_before: float) -> Machine:
    """This machine, at the end of a run."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        load_before=load_before,
        load_after=os.getloadavg()[0],
    )


def markdown(results: Sequence[Result], on: Machine, *, day: date, is_full: bool) -> str:
    """The page docs/benchmarks.md, whole."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars", "pandera", "pyarrow"))
    taken_on = (
        f"{day.isoformat()}, {on.processor}, {on.cores} cores, {on.memory_gb:.0f} GB, {on.system}; Python {on.python}, "
        f"{libraries}. Load average {on.load_before:.1f} before and {on.load_after:.1f} after the run, whose own share is 1 to 2."
    )
    lines = [
        "# Benchmarks 性能",
        "",
        "Written by `make bench`; no figure is entered by hand. 由 `make bench` 生成，数字不手工填写。",
        "",
        taken_on,
        "",
        METHOD,
        "",
        "![measured against goals](images/bench.png)",
        "",
        "| what | measured | against | figure | goal | met | noise | notes |",
        "| --- | --- | --- | ---: | ---: | --- | ---: | --- |",
        *(_line(result) for result in results),
        "",
        *NOTES,
    ]
    if not is_full:
        lines += [
            "- Left out: 50,000,000 rows, and comparing rounds of 10,000,000 (`make bench FULL=1`, an hour and more and 10 GB of disk)."
        ]
    return "\n".join(lines) + "\n"


def _line(result: Result) -> str:
    met = {None: "–", True: "yes", False: "**no**"}[result.is_met]
    cells = (
        result.what, result.measured, result.against, f"**{result.shown_figure}**", result.shown_goal, met,
        f"{result.noise:.0%}", result.note,
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
