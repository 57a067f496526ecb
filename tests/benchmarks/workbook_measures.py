"""What is measured on workbooks of problem data: writing those of a large branch, reading one that came back answered."""

from __future__ import annotations

from tests.benchmarks import measuring
from tests.benchmarks.data import answered, cache
from tests.benchmarks.measures import Bench, cpu
from tests.benchmarks.measuring import Failed, task
from tests.benchmarks.results import Result

FINDINGS = 200_000
ANSWERED = 50_000
"""As many as one part holds."""


def workbooks(bench: Bench) -> list[Result]:
    """A branch's 200,000 findings as workbooks, and one full workbook read; both against openpyxl on the same cells."""
    bench.tell(f"data: a workbook with {ANSWERED:,} answers")
    folder = cache.made(bench.cache, f"answered-{ANSWERED}", lambda folder: answered.write(folder, ANSWERED))
    path = folder / "answered.xlsx"
    (many,) = measuring.measure(
        {"dispatch": task("dispatch", count=FINDINGS)}, bench.noted, repeats=1
    ).values()
    taken = measuring.measure(
        {
            "writing": task("dispatch", count=ANSWERED),
            "openpyxl, writing": task("plain_writing", workbook=path),
            "reading": task("reading", workbook=path, count=ANSWERED),
            "openpyxl, reading": task("plain_reading", workbook=path),
        },
        bench.noted,
        repeats=1,
    )
    if taken["reading"].said != {"answers": ANSWERED} or many.said["parts"] != FINDINGS // ANSWERED:
        raise Failed(f"{taken['reading'].said}, {many.said}")
    return [
        Result(
            f"{FINDINGS:,} findings of one branch written as {many.said['parts']} workbooks",
            f"{many.wall:.1f} s, {many.cpu:.1f} CPU s", "–", many.wall, goal=60, unit="s",
            note="locked, coloured, with lists and a signed identity",
        ),
        Result(
            "the same: peak memory", f"{many.peak_mb:,.0f} MB", "–", many.peak_mb, goal=300, unit="MB",
            note="the findings themselves included",
        ),
        cpu(
            f"a workbook of {ANSWERED:,} findings written", taken["writing"],
            "openpyxl (write-only), the same texts without formats", taken["openpyxl, writing"],
        ),
        cpu(
            f"a workbook of {ANSWERED:,} answers proved, read and checked cell by cell", taken["reading"],
            "openpyxl (read-only), every cell once", taken["openpyxl, reading"],
        ),
    ]  # fmt: skip
