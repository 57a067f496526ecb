"""How far a finding is, and whose turn it is: one expression over the columns of the register.

A finding lives: new → confirmed → dispatched → answered → accepted or sent back → resolved, still there, reappeared,
obsolete; beside this way lie dismissed and waived. No files and no events here.
"""

from __future__ import annotations

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.stages.finding_acts import moment

STATES = (
    "new", "confirmed", "dispatched", "answered", "accepted", "sent_back", "resolved", "still_there", "reappeared",
    "obsolete", "dismissed", "waived",
)  # fmt: skip
CLOSED = ("accepted", "resolved", "obsolete", "dismissed", "waived")
"""What nobody has to do anything about now; an accepted source fix or correction still must show."""

_SAME = ("value", "digest", "expected", "difference")


def with_state(frame: pl.DataFrame, state: FilingState, *, is_reviewed_first: bool) -> pl.DataFrame:
    """Add `state`, `holder`, `since`, `promised`; `frame` has a row per finding with all that was decided about it.

    One that the content judged last does not have is obsolete when its rule is no longer worded as it was or what it is about
    is no longer demanded, still there when it only hides behind its root cause, which has appeared since, else resolved.
    One that it has is the first of these that fits, where a cell is the same when value, expected value, difference and
    wording of the rule are:

    - waived: a waiver covers it, be it granted since;
    - dismissed: the first review dismissed this value under this wording, and it does not block;
    - reappeared: it was gone in between, and nobody has done anything about it since;
    - confirmed, new: no branch was ever asked; the first review passed this wording, or has not;
    - accepted: after an explanation while the cell is the same, a promised source fix until the next round, a correction
      until the next judging;
    - sent_back, dispatched: that was done last, and since this judging;
    - answered: that was done last, the cell is the same and, for a promised source fix, so is the round;
    - still_there.

    Nobody holds a note, what is closed, or what hides. The department decides what is answered; the branch answers what is
    dispatched or sent back; what the first review did not pass in this wording, or dismissed with another value, is the
    first reviewer's where there is one; the department issues the rest.
    """
    assert state.content is not None, "findings come from a content"
    judged, round_ = state.content.seq, state.content.fact.round
    reviewed, asked, answered, decided = (
        pl.col(name).fill_null(0) for name in ("review_seq", "asked_seq", "answer_seq", "decided_seq")
    )
    last = pl.max_horizontal(asked, answered, decided)
    is_accepted = (last == decided) & pl.col("decision").eq_missing("accept")
    is_promise = pl.col("decided_handling").eq_missing("source_fix")
    is_same_rule = pl.col("reviewed_digest").eq_missing(pl.col("rule_digest"))
    speaks = is_same_rule & pl.col("reviewed_value").eq_missing(pl.col("value"))
    found = (
        pl.when(pl.col("waiver").is_not_null()).then(pl.lit("waived"))
        .when((pl.col("review") == "dismiss") & speaks & (pl.col("severity") != "block")).then(pl.lit("dismissed"))
        .when(pl.col("has_reappeared") & (pl.col("began_seq") > last) & (pl.col("began_seq") > reviewed))
        .then(pl.lit("reappeared"))
        .when((last == 0) & (pl.col("review").is_in(["confirm", "assign"])) & is_same_rule).then(pl.lit("confirmed"))
        .when(last == 0).then(pl.lit("new"))
        .when(is_accepted & (pl.col("decided_handling") == "explanation"))
        .then(pl.when(_same("decided")).then(pl.lit("accepted")).otherwise(pl.lit("still_there")))
        .when(is_accepted & is_promise)
        .then(pl.when(pl.col("decided_round") == round_).then(pl.lit("accepted")).otherwise(pl.lit("still_there")))
        .when(is_accepted)
        .then(pl.when(decided > judged).then(pl.lit("accepted")).otherwise(pl.lit("still_there")))
        .when((last == decided) & (decided > judged)).then(pl.lit("sent_back"))
        .when((last == answered) & _same("answered")
              & ((pl.col("handling") != "source_fix") | (pl.col("answered_round") == round_)))
        .then(pl.lit("answered"))
        .when((last == asked) & (asked > judged)).then(pl.lit("dispatched"))
        .otherwise(pl.lit("still_there"))
    )  # fmt: skip
    state_of = (
        pl.when(pl.col("is_present")).then(found)
        .when(pl.col("is_obsolete")).then(pl.lit("obsolete"))
        .when(pl.col("is_hidden")).then(pl.lit("still_there"))
        .otherwise(pl.lit("resolved"))
    )  # fmt: skip
    needs_review = pl.lit(is_reviewed_first) & (
        pl.col("review").is_null() | ~is_same_rule | ((pl.col("review") == "dismiss") & ~speaks)
    )  # fmt: skip
    holder = (
        pl.when((pl.col("severity") == "note") | pl.col("state").is_in(CLOSED) | ~pl.col("is_present")).then(pl.lit(None, dtype=pl.String))
        .when(pl.col("state") == "answered").then(pl.lit("decide"))
        .when(pl.col("state").is_in(["dispatched", "sent_back"])).then(pl.lit("answer"))
        .when(needs_review).then(pl.lit("first_review"))
        .otherwise(pl.lit("issue"))
    )  # fmt: skip
    since = (
        pl.when(pl.col("state").is_in(["resolved", "obsolete"])).then(pl.col("gone_at"))
        .when(pl.col("state").is_in(["accepted", "sent_back"])).then(pl.col("decided_at"))
        .when(pl.col("state") == "answered").then(pl.col("answered_at"))
        .when(pl.col("state") == "dispatched").then(pl.col("asked_at"))
        .when(pl.col("state") == "still_there").then(moment(state.content.at))
        .otherwise(pl.col("began_at"))
    )  # fmt: skip
    return (
        frame.with_columns(state=state_of)
        .with_columns(holder=holder, since=since, promised=is_accepted & is_promise)
        .with_columns(
            resolved_round=pl.when(pl.col("state").is_in(["resolved", "obsolete"])).then(
                pl.col("resolved_round")
            ),
            conflict=pl.col("conflict").fill_null(value=False) & (pl.col("state") == "answered"),
        )
    )


def _same(when: str) -> pl.Expr:
    """Whether value, wording of the rule, expected value and difference are those of then."""
    now = {"digest": "rule_digest"}
    return pl.all_horizontal(
        pl.col(f"{when}_{name}").eq_missing(pl.col(now.get(name, name))) for name in _SAME
    )
