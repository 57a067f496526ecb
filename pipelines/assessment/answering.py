"""How branches answered: in time (SUB-04), and how long it took them (SUB-05).

What is counted of SUB-04 is a finding each time it is put to a branch, issued or sent back, since each has a day of its own by
which it is due; of SUB-05 a finding each time it is issued, with the working time of all its stays at the branch and none
of the time at a department. All of it belongs to the month of the filing. Left out and listed: what is not due yet, and what
was waived or overtaken by a new content before it was due, so that the branch had not to answer any more.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from pipelines.assessment.counted_findings import granted_waivers
from pipelines.assessment.keys import UNKNOWN, is_unknown, keys
from pipelines.assessment.metric import IN_TIME, TURNAROUND
from pipelines.assessment.records import MOMENT, Books, FilingRecord, facts_of, moment, stacked
from pipelines.ledger.filing_events import FindingsDispatched
from resources.calendar import open_calendar

NOT_DUE = "not_due_yet"
NOT_RETURNED = "not_returned"
OVERTAKEN = "overtaken"
WAIVED = "waived"
LATE = "late"
BACKWARDS = "clock_went_back"

_ASKED = {
    "finding": pl.String, "branch": pl.String, "asked_seq": pl.Int64, "asked_at": MOMENT, "due": pl.Date,
    "is_issue": pl.Boolean, "overtaken_on": pl.Date,
}  # fmt: skip
_ANSWERED = {"finding": pl.String, "answer_seq": pl.Int64, "answered_at": MOMENT}


def in_time_keys(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """SUB-04: den what was due, num what was returned on or before its day; a miss says late or not_returned."""
    rows = _stays(books, filing).with_columns(key=pl.format("{}:{}", "asked_seq", "finding"))
    left_out = rows.filter(pl.col("reason").is_not_null() & (pl.col("reason") != NOT_RETURNED))
    due = rows.join(left_out, on="key", how="anti")
    is_hit = pl.col("answered_on").is_not_null() & (pl.col("answered_on") <= pl.col("due"))
    told = due.with_columns(
        reason=pl.when(is_hit)
        .then(pl.lit(None, dtype=pl.String))
        .otherwise(pl.coalesce("reason", pl.lit(LATE)))
    )
    return pl.concat(
        [keys(left_out, IN_TIME, "excluded"), keys(told, IN_TIME, "den"), keys(told.filter(is_hit), IN_TIME, "num")]
    )  # fmt: skip


def turnaround_keys(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """SUB-05: den what came back, its value the working seconds at the branch."""
    stays = _with_working_seconds(books, filing, _stays(books, filing))
    issued = (
        stays.sort("asked_seq")
        .with_columns(
            issue_seq=pl.when("is_issue")
            .then("asked_seq")
            .forward_fill()
            .over("finding", order_by="asked_seq")
        )
        .group_by("finding", "issue_seq")
        .agg(
            pl.col("branch").last(),
            pl.col("reason").drop_nulls().last(),
            adds=pl.col("seconds").sum(),
            is_backwards=(pl.col("seconds") < 0).any(),
        )
        .sort("issue_seq", "finding")
        .with_columns(
            key=pl.format("{}:{}", "issue_seq", "finding"),
            reason=pl.coalesce("reason", pl.when(pl.col("is_backwards")).then(pl.lit(BACKWARDS))),
        )
    )
    is_left_out = pl.col("reason").is_not_null()
    return pl.concat(
        [
            keys(issued.filter(is_left_out).drop("adds"), TURNAROUND, "excluded"),
            keys(issued.filter(~is_left_out), TURNAROUND, "den"),
        ]
    )


def _stays(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """A row per finding and time it was put to a branch: `asked_at`, `due`, `answered_at`, and why it did not come back
    (`reason`: not due yet, waived, overtaken, not returned, nobody's)."""
    asked = _asked(books, filing).with_columns(
        next_seq=pl.col("asked_seq").shift(-1).over("finding", order_by="asked_seq")
    )
    is_between = (pl.col("answer_seq") > pl.col("asked_seq")) & (
        pl.col("next_seq").is_null() | (pl.col("answer_seq") < pl.col("next_seq"))
    )
    answered = (
        asked.select("finding", "asked_seq", "next_seq")
        .join(_answers(books, filing), on="finding")
        .filter(is_between)
        .sort("answer_seq")
        .unique(["finding", "asked_seq"], keep="first", maintain_order=True)
        .select("finding", "asked_seq", "answered_at")
    )
    zone, today = str(filing.zone), pl.lit(filing.today)
    return (
        asked.join(answered, on=("finding", "asked_seq"), how="left")
        .join(_waived(books, filing, asked), on=("finding", "asked_seq"), how="left")
        .with_columns(answered_on=pl.col("answered_at").dt.convert_time_zone(zone).dt.date())
        .with_columns(
            reason=pl.when(is_unknown(books.deployment)).then(pl.lit(UNKNOWN))
            .when(pl.col("answered_at").is_not_null()).then(pl.lit(None, dtype=pl.String))
            .when(pl.col("waived_on") <= pl.col("due")).then(pl.lit(WAIVED))
            .when(pl.col("overtaken_on") <= pl.col("due")).then(pl.lit(OVERTAKEN))
            .when(pl.col("due") >= today).then(pl.lit(NOT_DUE))
            .otherwise(pl.lit(NOT_RETURNED))
        )
        .sort("asked_seq", "finding")
    )  # fmt: skip


def _waived(books: Books, filing: FilingRecord, asked: pl.DataFrame) -> pl.DataFrame:
    """The day on which a finding was waived first after it was asked; a waiver that was revoked had freed nobody."""
    granted = granted_waivers(books, filing).with_columns(
        waived_on=pl.col("at").dt.convert_time_zone(str(filing.zone)).dt.date()
    )
    return (
        asked.select("finding", "asked_seq")
        .join(granted, on="finding")
        .filter(pl.col("seq") > pl.col("asked_seq"))
        .group_by("finding", "asked_seq")
        .agg(pl.col("waived_on").min())
    )


def _asked(books: Books, filing: FilingRecord) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    for act in sorted((*filing.state.dispatches, *filing.state.answer_reviews), key=lambda act: act.seq):
        if not act.fact.problems:
            continue
        overtaken = next((c.at for c in filing.state.contents if c.seq > act.seq), None)
        frames.append(
            facts_of(books, filing.state.id, act.fact.problems).with_columns(
                branch=pl.col("organisation"),
                asked_seq=pl.lit(act.seq, dtype=pl.Int64),
                asked_at=moment(act.at),
                due=pl.lit(act.fact.answer_by),
                is_issue=pl.lit(isinstance(act.fact, FindingsDispatched)),
                overtaken_on=pl.lit(
                    overtaken.astimezone(filing.zone).date() if overtaken else None, dtype=pl.Date
                ),
            )
        )
    return stacked(frames, _ASKED)


def _answers(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """What was taken in; a line that came back to its branch is no answer."""
    frames = [
        facts_of(books, filing.state.id, received.fact.answers).with_columns(
            answer_seq=pl.lit(received.seq, dtype=pl.Int64), answered_at=moment(received.at)
        )
        for received in filing.state.answers
        if received.fact.answers
    ]
    return stacked(frames, _ANSWERED)


def _with_working_seconds(books: Books, filing: FilingRecord, stays: pl.DataFrame) -> pl.DataFrame:
    """Add `seconds` of working time from question to answer; a branch has many answers of one moment."""
    spans = stays.select("asked_at", "answered_at").drop_nulls().unique().sort("asked_at", "answered_at")
    pairs: list[tuple[datetime, datetime]] = list(spans.iter_rows())
    calendar = open_calendar(books.deployment)
    seconds = [calendar.working_seconds(start, end) for start, end in pairs]
    worked = spans.with_columns(seconds=pl.Series(seconds, dtype=pl.Int64))
    return stays.join(worked, on=("asked_at", "answered_at"), how="left", maintain_order="left")
