"""A home with more than a million findings: every customer of a core of 250,000 policies has something wrong, and was judged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.reference_core import generate
from tests.flow.play import AUDIT, DEMO, START, draft, open_by_request, opened, run, seeds_of

POLICIES = 250_000
_WRONG = (
    "UPDATE customer SET mobile = '123', id_no = '110101199001010000', name = NULL",
    "UPDATE customer SET address = '甲' || char(10) || '乙'",
    "UPDATE customer SET industry = 'ZZZ', occupation = 'ZZZ', country = 'ZZZ'",
)


def write(home: Path) -> None:
    """Generate, spoil, extract, judge, list: the state in which the first review begins."""
    deployment = load_deployment(DEMO, home)
    generate(
        home / "core.db",
        policies=POLICIES,
        seed=7,
        organisations=seeds_of(deployment),
        defects=None,
        answer_key=home / "nothing.csv",
        progress=lambda what, done, total: None,
    )
    with closing(sqlite3.connect(home / "core.db")) as connection, connection:
        for statement in _WRONG:
            connection.execute(statement)
    FileClock(home / "clock").start(START)
    everywhere = tuple(organisation.code for organisation in deployment.level_one())
    with opened(home) as installation:
        demand = replace(draft(home), organisations=everywhere, date_from=date(2025, 1, 1))
        open_by_request(installation, demand)
        run(installation, AUDIT, "extract", "validate", "review")
