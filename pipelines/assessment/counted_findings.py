"""Which findings of a filing count, whose they are, and which handlings of theirs were accepted.

Counted is what blocks or must be explained, by the branch of the row. Left out and listed: findings waived under a sign-off
(counted by SUB-08), dismissed in the first review, of rules that came into force within the filing's period, of organisations
that nobody here knows. The ledger knows no cause code by which somebody else than the branch could charge a finding to the head
office's extraction; none is guessed.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.assessment.keys import UNKNOWN, is_unknown, with_branch
from pipelines.assessment.records import MOMENT, Books, FilingRecord, facts_of, findings_of, moment, stacked
from pipelines.ledger.filing_events import ContentValidated, CorrectionDecided, FilingOpened
from validations.engine import Standard

COUNTED_SEVERITIES = ("block", "explain")
_AS_IT_WAS = ["finding", "value", "rule_digest"]
"""What a waiver or a dismissal speaks of: another value, or another wording of the rule, is another matter."""
ACCEPTED: dict[str, Any] = {
    "finding": pl.String, "table": pl.String, "row_key": pl.String, "organisation": pl.String, "handling": pl.String,
    "seq": pl.Int64, "at": MOMENT,
}  # fmt: skip
"""Accepted handlings: `seq` and time of the decision."""


def judged_findings(books: Books, filing: FilingRecord, content: ContentValidated) -> pl.DataFrame:
    """The findings of a content that count, with their `branch`, `key` (the finding's) and the `reason` that leaves one out."""
    standard = books.standard(filing.state.opened.fact.standard)
    found = findings_of(books, filing.state.id, content).filter(pl.col("severity").is_in(COUNTED_SEVERITIES))
    found = with_branch(found, books.deployment, filing.extracted_on)
    waived = granted_waivers(books, filing).select(*_AS_IT_WAS).unique().with_columns(is_waived=True)
    dismissed = _dismissed(books, filing).with_columns(is_dismissed=True)
    for spoken_of in (waived, dismissed):
        found = found.join(spoken_of, on=_AS_IT_WAS, how="left", nulls_equal=True)
    return found.rename({"key": "row_key"}).with_columns(
        key=pl.col("finding"),
        reason=pl.when(is_unknown(books.deployment)).then(pl.lit(UNKNOWN))
        .when(pl.col("waiver").is_not_null() | pl.col("is_waived")).then(pl.lit("waived"))
        .when("is_dismissed").then(pl.lit("dismissed"))
        .when(pl.col("rule").is_in(_new_rules(standard, filing.state.opened.fact))).then(pl.lit("new_rule"))
        .otherwise(pl.lit(None, dtype=pl.String)),
    ).drop("is_waived", "is_dismissed")  # fmt: skip


def granted_waivers(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """What waivers of this filing were granted for and not revoked: finding, value and wording of the rule, `seq` and time."""
    revoked = {each.fact.number for each in filing.state.revocations}
    frames = [
        facts_of(books, filing.state.id, waiver.fact.findings).with_columns(
            seq=pl.lit(waiver.seq, dtype=pl.Int64), at=moment(waiver.at)
        )
        for waiver in filing.state.waivers
        if waiver.fact.findings and waiver.fact.number not in revoked
    ]
    return stacked(frames, {**dict.fromkeys(_AS_IT_WAS, pl.String), "seq": pl.Int64, "at": MOMENT})


def accepted_handlings(books: Books, filing: FilingRecord, *, every: bool = False) -> pl.DataFrame:
    """Handlings that departments accepted (ACCEPTED), the latest of each finding, or `every` one; no corrections withdrawn since."""
    frames = [
        facts_of(books, filing.state.id, review.fact.decisions)
        .filter(pl.col("decision") == "accept")
        .rename({"key": "row_key"})
        .with_columns(seq=pl.lit(review.seq, dtype=pl.Int64), at=moment(review.at))
        for review in filing.state.answer_reviews
    ]
    accepted = stacked(frames, ACCEPTED).sort("seq")
    for decided in filing.state.corrections_decided:
        fact: CorrectionDecided = decided.fact
        if fact.decision == "withdraw":
            is_taken_back = (pl.col("finding") == fact.finding) & (pl.col("seq") < decided.seq)
            accepted = accepted.filter(~(is_taken_back & (pl.col("handling") == "report_correction")))
    return accepted if every else accepted.unique("finding", keep="last", maintain_order=True)


def _dismissed(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """Findings whose latest first review of this value and wording says that they are no problem."""
    frames = [
        facts_of(books, filing.state.id, review.fact.decisions).with_columns(
            seq=pl.lit(review.seq, dtype=pl.Int64)
        )
        for review in filing.state.first_reviews
    ]
    schema = {**dict.fromkeys(_AS_IT_WAS, pl.String), "decision": pl.String, "seq": pl.Int64}
    latest = stacked(frames, schema).sort("seq").unique(_AS_IT_WAS, keep="last", maintain_order=True)
    return latest.filter(pl.col("decision") == "dismiss").select(*_AS_IT_WAS)


def _new_rules(standard: Standard, opened: FilingOpened) -> list[str]:
    """Rules that came into force within the filing's own period: they run once before they count."""
    return [
        rule.id
        for rule in standard.rules
        if rule.effective.start and opened.date_from <= rule.effective.start <= opened.date_to
    ]
