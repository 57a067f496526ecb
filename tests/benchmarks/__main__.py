"""`make bench`: what judging and extracting cost, as ratios within one run, held against goals.

Writes docs/benchmarks.md and docs/images/bench.png. `make bench FULL=1` adds 50,000,000 rows, compares two rounds of
10,000,000 and reads the desk over a million findings; `make bench ONLY=row_rules` runs one part and prints it without
writing. Data and the peers' environments are kept in BAOSONG_BENCH_CACHE (.bench).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from tests.benchmarks import compare_measures, desk_measures, flow_measures, measures, workbook_measures
from tests.benchmarks.measures import Bench
from tests.benchmarks.measuring import ROOT
from tests.benchmarks.plot import draw
from tests.benchmarks.report import machine, markdown
from tests.benchmarks.results import Result

PARTS: dict[str, Callable[[Bench], list[Result]]] = {
    "row_rules": measures.row_rules,
    "all_rules": measures.all_rules,
    "size": measures.size,
    "compare": compare_measures.compare,
    "workbooks": workbook_measures.workbooks,
    "small_filing": flow_measures.small_filing,
    "extraction": flow_measures.extraction,
    "desk": desk_measures.desk,
}


def main() -> None:
    """Measure the parts, print the table, write the page and the plot."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument(
        "--full", action="store_true", help="50,000,000 rows too, and two rounds of 10,000,000"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; nothing is written")
    parser.add_argument(
        "--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="the day the page names"
    )
    given = parser.parse_args()
    cache = Path(os.environ.get("BAOSONG_BENCH_CACHE") or ROOT / ".bench").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    load_before = os.getloadavg()[0]
    bench = Bench(cache, given.full, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    results: list[Result] = []
    for name, part in PARTS.items():
        if given.only is None or name in given.only:
            bench.tell(name)
            results += part(bench)
    page = markdown(
        results,
        machine(load_before),
        day=given.date or datetime.now().astimezone().date(),
        is_full=given.full,
    )
    sys.stdout.write(page)
    if given.only is None:
        draw(results, ROOT / "docs" / "images" / "bench.png")
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
