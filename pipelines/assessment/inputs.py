"""All that a result was computed from, by digests: whoever has the same inputs must get the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from pipelines.assessment.records import Books, FilingRecord
from pipelines.ledger.chain import canonical_json, digest
from resources.deployment import Deployment

FORMULAS = 1
"""Raised when a formula changes, so that old results keep their names."""


def inputs_of(
    books: Books, month: str, filings: Sequence[FilingRecord], *, not_due: int, failures: list[list[str]]
) -> dict[str, Any]:
    """The streams as far as they were read, standards, organisations, calendar, limits.

    Time itself is none of the inputs, but what it decides is: how many answers were not due yet. So a month in which nothing
    is open has the same result on any day. `failures` tells a result that lacks something from one that does not.
    """
    standards = sorted({filing.state.opened.fact.standard for filing in filings})
    return {
        "month": month,
        "formulas": FORMULAS,
        "streams": {f"filing/{each.state.id}": {"seq": each.state.seq, "hash": each.head} for each in filings},
        "standards": {name: books.standard(name).digest for name in standards},
        "organisations": _organisations(books.deployment),
        "calendar": _calendar(books.deployment),
        "limits": digest("baosong limits 1", (canonical_json(books.deployment.assessment.model_dump(mode="json")),)),
        "not_due": not_due,
        "failures": failures,
    }  # fmt: skip


def _organisations(deployment: Deployment) -> str:
    listed = [each.model_dump(mode="json") for each in deployment.organisations]
    mergers = [each.model_dump(mode="json") for each in deployment.mergers]
    return digest("baosong organisations 1", (canonical_json(listed), canonical_json(mergers)))


def _calendar(deployment: Deployment) -> str:
    """The published calendar's version with the deployment's days; sets have no order of their own."""
    days = {
        "workdays": sorted(day.isoformat() for day in deployment.calendar.workdays),
        "holidays": sorted(day.isoformat() for day in deployment.calendar.holidays),
        "years": sorted(deployment.calendar.years),
        "hours": [each.model_dump(mode="json") for each in deployment.calendar.hours],
        "timezone": deployment.timezone,
    }
    return digest("baosong calendar 1", (version("chinesecalendar"), canonical_json(days)))
