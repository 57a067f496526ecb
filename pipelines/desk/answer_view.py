"""Answering one finding in the page (分公司答复): whether the person may answer it now, and what they said before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from pipelines.desk.visit import Visit
from pipelines.stages.finding_acts import answers_beside, answers_given
from pipelines.stages.masking import masked, personal_fields

HANDLINGS = ("source_fix", "report_correction", "explanation")


@dataclass(frozen=True)
class AnswerForm:
    """What stands in the form: given before or just now. `is_again`: an answer of this person waits for its department."""

    handling: str = ""
    new_value: str = ""
    reason: str = ""
    is_again: bool = False
    may_correct: bool = True


def answer_form(visit: Visit, finding: str) -> AnswerForm | None:
    """The form of a finding that waits for an answer of the person's branch, or whose answer nobody has decided yet; else None."""
    state = visit.state
    if (
        not visit.may_open("answer_finding")
        or state.content is None
        or state.is_in_sign_off
        or state.packages
    ):
        return None
    rows = visit.desk.reading.register(state).filter(
        pl.col("finding") == finding, pl.col("holder").is_in(["answer", "decide"])
    )
    found = rows.select("branch", "holder", "table", "field", "asked_seq").collect()
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    asked = next((a for a in (*state.dispatches, *state.answer_reviews) if a.seq == row["asked_seq"]), None)
    if (
        asked is None
        or asked.fact.content != state.content.fact.content
        or not visit.user.may_see(row["branch"])
    ):
        return None
    standard = visit.installation.standard(state.opened.fact.standard)
    table = standard.tables.get(row["table"])
    may_correct = (
        table is not None and table.derive is None and bool(row["field"]) and row["field"] not in table.key
    )
    if row["holder"] == "answer":
        return AnswerForm(may_correct=may_correct)
    hides = row["field"] in personal_fields(standard, row["table"])
    return _said_before(visit, finding, hides=hides, may_correct=may_correct)


def _said_before(visit: Visit, finding: str, *, hides: bool, may_correct: bool) -> AnswerForm:
    """The form filled with the person's last answer; a personal value is to be typed again."""
    for answers in reversed(answers_given(visit.installation, visit.state)):
        mine = answers.filter(pl.col("finding") == finding, pl.col("user") == visit.user.id)
        for row in mine.iter_rows(named=True):
            return AnswerForm(
                row["handling"],
                "" if hides else row["new_value"] or "",
                row["reason"],
                is_again=True,
                may_correct=may_correct,
            )
    return AnswerForm(is_again=True, may_correct=may_correct)


@dataclass(frozen=True)
class Beside:
    """One person's answer beside another's: `value` is what they were asked about, `difference` what they would change it by."""

    user: str
    at: datetime
    handling: str
    value: str | None
    new_value: str | None
    difference: Decimal | None
    reason: str


@dataclass(frozen=True)
class Differing:
    """Answers that differ; `may_choose`: this person says whose holds."""

    answers: tuple[Beside, ...]
    may_choose: bool
    is_masked: bool


def differing(visit: Visit, row: Mapping[str, Any], *, is_revealed: bool) -> Differing | None:
    """The answers to a finding of which people of one branch gave several that differ, by its row of the register; else None."""
    if not row["conflict"] or row["holder"] != "decide":
        return None
    state = visit.state
    standard = visit.installation.standard(state.opened.fact.standard)
    hides = row["field"] in personal_fields(standard, row["table"]) and not is_revealed
    given = answers_beside(visit.installation, state, row)
    is_open = not state.is_in_sign_off and not state.packages
    return Differing(
        tuple(
            Beside(
                user=each["user"],
                at=each["answered_at"].astimezone(visit.installation.now().tzinfo),
                handling=each["handling"],
                value=masked(each["value"], hides),
                new_value=masked(each["new_value"], hides),
                difference=None if hides else _change(each["value"], each["new_value"]),
                reason=each["reason"],
            )
            for each in given.iter_rows(named=True)
        ),
        may_choose=is_open and visit.may_open("choose_answer") and visit.user.speaks_for(row["department"]),
        is_masked=hides and given["new_value"].drop_nulls().len() > 0,
    )


def _change(value: str | None, new_value: str | None) -> Decimal | None:
    """By how much a number would change; None where either is none."""
    try:
        change = Decimal(new_value or "") - Decimal(value or "")
    except InvalidOperation:
        return None
    return change if change.is_finite() else None
