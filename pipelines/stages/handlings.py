"""What became of each finding (处理方式): the handlings that departments accepted. Answering and accepting are not done here.

A handling holds for the value it was given for: when a later round shows another value, it no longer speaks of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import CorrectionDecided, Handling
from pipelines.stages.bulk_facts import ANSWERS, DECIDED, kept
from pipelines.stages.installation import Installation
from pipelines.stages.typed_value import typed_text
from validations.engine import Standard


@dataclass(frozen=True)
class Handled:
    """One finding's handling: which cell it speaks of, the value it was given for, what was answered, and by whom."""

    finding: str
    rule: str
    rule_digest: str
    severity: str
    table: str
    key: str
    field: str | None
    value: str | None
    expected: str | None
    difference: str | None
    handling: Handling
    new_value: str | None
    reason: str
    department: str
    organisation: str
    user: str


def handled(row: dict[str, Any]) -> Handled:
    """A handling from a row of answers or decisions."""
    return Handled(**{name: row[name] for name in ANSWERS})


def accepted_handlings(
    installation: Installation, state: FilingState, *, before: int | None = None
) -> dict[str, Handled]:
    """The accepted handling of each finding (as of event `before`), by finding key; later ones replace earlier ones.

    A correction that was withdrawn is none; one that was kept speaks of the value that it was kept over, one that replaces
    another of the value under both. Raises Tampered when a file is not what was recorded.
    """
    accepted: dict[str, Handled] = {}
    standard = installation.standard(state.opened.fact.standard)
    acts = sorted((*state.answer_reviews, *state.corrections_decided), key=lambda act: act.seq)
    for act in acts:
        if before is not None and act.seq >= before:
            break
        fact = act.fact
        if isinstance(fact, CorrectionDecided):
            if fact.decision == "withdraw":
                accepted.pop(fact.finding, None)
            elif fact.finding in accepted:
                accepted[fact.finding] = replace(accepted[fact.finding], value=fact.shown)
            continue
        rows = kept(installation, state.id, fact.decisions).select(*DECIDED)
        for row in rows.filter(pl.col("decision") == "accept").iter_rows(named=True):
            accepted[row["finding"]] = _over(accepted.get(row["finding"]), handled(row), standard)
    return accepted


def _over(before: Handled | None, now: Handled, standard: Standard) -> Handled:
    """The handling as it is laid over the round, where the value that was found may be that of the correction before."""
    if before is None or {before.handling, now.handling} != {"report_correction"} or now.field is None:
        return now
    if before.new_value is None or now.value is None:
        return now
    laid, found = (typed_text(standard, now.table, now.field, each) for each in (before.new_value, now.value))
    return replace(now, value=before.value) if laid is not None and laid == found else now
