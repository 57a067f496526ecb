"""What people did about findings: the latest first review, question, answer and decision of each, read from the bulk facts.

What follows from it for a finding is `finding_state`'s matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.stages.bulk_facts import ANSWERS, CELL, DECIDED, REVIEWED, kept
from pipelines.stages.installation import Installation

MOMENT = pl.Datetime("us", "UTC")


def moment(at: datetime) -> pl.Expr:
    """A moment as a value of a column."""
    return pl.lit(at.astimezone(UTC), dtype=MOMENT)


def first_reviews(installation: Installation, state: FilingState) -> pl.DataFrame:
    """The latest first review of each finding; an assignment holds until the next."""
    frames = [
        kept(installation, state.id, recorded.fact.decisions)
        .select(*REVIEWED)
        .with_columns(review_seq=pl.lit(recorded.seq, dtype=pl.Int64))
        for recorded in state.first_reviews
    ]
    columns = {
        "decision": "review", "value": "reviewed_value", "rule_digest": "reviewed_digest", "reason": "review_reason",
        "department": "assigned_department", "organisation": "assigned_branch",
    }  # fmt: skip
    return _latest(frames, {**REVIEWED, "review_seq": pl.Int64}, "review_seq", columns)


def waived_since(installation: Installation, state: FilingState) -> pl.DataFrame:
    """What waivers cover that were granted here since the content was judged, with the sign-off: the next judging says it too."""
    assert state.content is not None, "findings come from a content"
    revoked = {each.fact.number for each in state.revocations}
    frames = [
        kept(installation, state.id, waiver.fact.findings)
        .select("finding")
        .with_columns(granted=pl.lit(waiver.fact.sign_off), granted_seq=pl.lit(waiver.seq, dtype=pl.Int64))
        for waiver in state.waivers
        if waiver.seq > state.content.seq and waiver.fact.findings and waiver.fact.number not in revoked
    ]
    schema = {"finding": pl.String, "granted": pl.String, "granted_seq": pl.Int64}
    return _latest(frames, schema, "granted_seq", {})


def asked(installation: Installation, state: FilingState) -> pl.DataFrame:
    """The latest time that each finding was put to a branch: issued, or sent back."""
    frames = [
        kept(installation, state.id, recorded.fact.problems)
        .select("finding")
        .with_columns(
            asked_seq=pl.lit(recorded.seq, dtype=pl.Int64),
            asked_at=moment(recorded.at),
            due=pl.lit(recorded.fact.answer_by),
        )
        for recorded in (*state.dispatches, *state.answer_reviews)
        if recorded.fact.problems
    ]
    schema = {"finding": pl.String, "asked_seq": pl.Int64, "asked_at": MOMENT, "due": pl.Date}
    return _latest(frames, schema, "asked_seq", {})


def latest_answers(
    installation: Installation, state: FilingState, asked: pl.DataFrame, decided: pl.DataFrame
) -> pl.DataFrame:
    """The latest answer to each finding, and whether people answered differently since it was last `asked` or `decided`:
    another handling, another value or, of explanations, other words."""
    frames = answers_given(installation, state)
    last_asked = asked.select("finding", "asked_seq")
    last_decided = decided.select("finding", "decided_seq")
    each_person = (
        pl.concat([pl.DataFrame(schema=_answer_schema()), *frames])
        .sort("answer_seq")
        .unique(["finding", "user"], keep="last", maintain_order=True)
        .join(last_asked, on="finding", how="left")
        .join(last_decided, on="finding", how="left")
        .with_columns(
            is_live=pl.col("answer_seq") > pl.max_horizontal("asked_seq", "decided_seq").fill_null(0)
        )
    )
    is_explained = pl.col("handling") == "explanation"
    said = pl.struct("handling", "new_value", pl.when(is_explained).then("reason"))
    conflicts = each_person.filter("is_live").group_by("finding").agg(conflict=said.n_unique() > 1)
    latest = each_person.unique("finding", keep="last", maintain_order=True)
    return (
        latest.join(conflicts, on="finding", how="left")
        .select(
            "finding", "handling", "new_value", "answer_seq", "answered_at", "answered_round",
            pl.col("reason").alias("answer_reason"), pl.col("user").alias("answered_by"),
            pl.col("value").alias("answered_value"), pl.col("rule_digest").alias("answered_digest"),
            pl.col("expected").alias("answered_expected"), pl.col("difference").alias("answered_difference"),
            pl.col("conflict").fill_null(value=False),
        )
    )  # fmt: skip


def answers_given(installation: Installation, state: FilingState) -> list[pl.DataFrame]:
    """All answers in the order they came, with `answer_seq`, `answered_at` and `answered_round`."""
    return [
        kept(installation, state.id, recorded.fact.answers)
        .select(*ANSWERS)
        .with_columns(
            answer_seq=pl.lit(recorded.seq, dtype=pl.Int64),
            answered_at=moment(recorded.at),
            answered_round=pl.lit(recorded.fact.round, dtype=pl.Int32),
        )
        for recorded in state.answers
        if recorded.fact.answers
    ]


def answers_beside(installation: Installation, state: FilingState, row: Mapping[str, Any]) -> pl.DataFrame:
    """The last answer of each person to a finding since it was last asked or decided, in the order they came; `row` is the finding's
    of the register."""
    since = max(row["asked_seq"] or 0, row["decided_seq"] or 0)
    frames = [pl.DataFrame(schema=_answer_schema()), *answers_given(installation, state)]
    theirs = pl.concat(frames).filter(pl.col("finding") == row["finding"], pl.col("answer_seq") > since)
    return theirs.sort("answer_seq").unique("user", keep="last", maintain_order=True)


def _answer_schema() -> dict[str, Any]:
    return {**ANSWERS, "answer_seq": pl.Int64, "answered_at": MOMENT, "answered_round": pl.Int32}


def decisions(installation: Installation, state: FilingState) -> pl.DataFrame:
    """The latest decision of a department on each finding's answer, with the answer that it accepted."""
    frames = [
        kept(installation, state.id, recorded.fact.decisions)
        .select(*DECIDED)
        .with_columns(
            decided_seq=pl.lit(recorded.seq, dtype=pl.Int64),
            decided_at=moment(recorded.at),
            decided_by=pl.lit(recorded.actor),
            decided_round=pl.lit(recorded.fact.round, dtype=pl.Int32),
        )
        for recorded in state.answer_reviews
    ]
    schema = {
        **DECIDED, "decided_seq": pl.Int64, "decided_at": MOMENT, "decided_by": pl.String, "decided_round": pl.Int32,
    }  # fmt: skip
    columns = {
        "value": "decided_value", "rule_digest": "decided_digest", "expected": "decided_expected",
        "difference": "decided_difference", "handling": "decided_handling", "new_value": "decided_new_value",
        "reason": "decided_reason", "user": "accepted_of",
    }  # fmt: skip
    return _latest(frames, schema, "decided_seq", columns)


def _latest(
    frames: Sequence[pl.DataFrame], schema: dict[str, Any], order: str, renamed: dict[str, str]
) -> pl.DataFrame:
    """The last row of each finding over all frames, its columns renamed, those of the cell that nobody asked for dropped."""
    rows = (
        pl.concat([pl.DataFrame(schema=schema), *frames])
        .sort(order)
        .unique("finding", keep="last", maintain_order=True)
    )
    unwanted = [
        name for name in (*CELL, "department", "organisation") if name in rows.columns and name != "finding"
    ]
    return rows.rename(renamed).drop(name for name in unwanted if name not in renamed)
