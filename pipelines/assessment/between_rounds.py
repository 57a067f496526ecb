"""What happened between the rounds of a filing: extractions that a branch needed (SUB-06), findings that vanished without
a reason (SUB-15), rows that changed without one (SUB-16).

All of it belongs to the month of the filing's first extraction.
"""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from pipelines.assessment.counted_findings import accepted_handlings, judged_findings
from pipelines.assessment.keys import KEYS, UNKNOWN, is_unknown, keys, scope, with_branch
from pipelines.assessment.metric import DRIFT, ROUNDS, VANISHED
from pipelines.assessment.records import Books, FilingRecord, changes_of, findings_of
from pipelines.ledger.filing import Recorded
from pipelines.ledger.filing_events import ContentValidated

MENDED = ("source_fix", "report_correction")


def rounds_keys(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """SUB-06: den the filing, once for each branch it is for; num every later round that a source fix of the branch made due.

    A round that other branches' fixes or the head office made due is left out.
    """
    on, state = filing.extracted_on, filing.state
    branches = scope(books.deployment, state.organisations, on)
    fixes = accepted_handlings(books, filing, every=True).filter(pl.col("handling") == "source_fix")
    fixes = with_branch(fixes, books.deployment, on)
    rows: list[tuple[str, str, str, str | None]] = [(code, state.id, "den", None) for code in branches]
    for before, after in pairwise(state.rounds):
        caused = set(fixes.filter(pl.col("seq").is_between(before.seq, after.seq))["branch"])
        for code in branches:
            role = "num" if code in caused else "excluded"
            reason = None if code in caused else "other_branch" if caused else "head_office"
            rows.append((code, f"{state.id}/{after.fact.round}", role, reason))
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(("branch", "key", "role", "reason"), pl.String), orient="row"
    )
    frame = frame.with_columns(
        role=pl.when(is_unknown(books.deployment)).then(pl.lit("excluded")).otherwise("role"),
        reason=pl.when(is_unknown(books.deployment)).then(pl.lit(UNKNOWN)).otherwise("reason"),
    )
    return keys(frame, ROUNDS, pl.col("role"))


def vanished_keys(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """SUB-15: den the findings last seen in a round, num those that the next round's first judging lacks without a reason.

    A reason is a source fix or report correction accepted before it, for the finding or another of the same row; a finding
    that was merely explained has none. Left out beside what never counts: what is no longer
    demanded, rules whose wording changed or that were not judged.
    """
    frames = [pl.DataFrame(schema=dict(KEYS))]
    accepted = accepted_handlings(books, filing, every=True).filter(pl.col("handling").is_in(MENDED))
    for before, after in _judged_rounds(filing):
        found = judged_findings(books, filing, before.fact)
        now = findings_of(books, filing.state.id, after.fact)
        mended = accepted.filter(pl.col("seq") < after.seq)
        found = found.with_columns(
            key=pl.format("{}:{}", pl.lit(after.fact.round), "finding"),
            reason=pl.coalesce("reason", _not_comparable(books, filing, before.fact, after.fact)),
        )
        counted = found.filter(pl.col("reason").is_null())
        gone = counted.join(now, on="finding", how="anti").join(
            mended, on=("table", "row_key"), how="anti", nulls_equal=True
        )
        frames += [
            keys(found.filter(pl.col("reason").is_not_null()), VANISHED, "excluded"),
            keys(counted, VANISHED, "den"),
            keys(gone, VANISHED, "num"),
        ]
    return pl.concat(frames)


def drift_keys(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """SUB-16: den all changes of rows between rounds, counted by table, field and kind; num those that nothing explains.

    What a department declared a cause for stands in the denominator as declared.
    """
    frames = [pl.DataFrame(schema=dict(KEYS))]
    for compared in filing.state.comparisons:
        rows = changes_of(books, filing.state.id, compared.fact).with_columns(
            is_declared=pl.any_horizontal(
                pl.lit(value=False), *_declared(filing, compared.fact.later, compared.seq)
            ),
        )
        rows = with_branch(rows.collect(), books.deployment, filing.extracted_on)
        place = pl.format("{}:{}", pl.lit(compared.fact.later), "table")
        kind = pl.format("{}:{}:{}", place, pl.col("field").fill_null("*"), "kind")
        reason = (
            pl.when(is_unknown(books.deployment)).then(pl.lit(UNKNOWN))
            .when(pl.col("explanation").is_not_null()).then(pl.lit("source_fix"))
            .when("is_declared").then(pl.lit("declared"))
        )  # fmt: skip
        rows = rows.with_columns(reason=reason)
        counted = rows.group_by("branch", "reason", kind.alias("key")).agg(adds=pl.len())
        role = pl.when(pl.col("reason").eq_missing(pl.lit(UNKNOWN))).then(pl.lit("excluded"))
        single = rows.filter(pl.col("reason").is_null()).with_columns(
            key=pl.format("{}:{}", kind, pl.col("key"))
        )
        frames += [keys(counted, DRIFT, role.otherwise(pl.lit("den"))), keys(single, DRIFT, "num")]
    return pl.concat(frames)


def _judged_rounds(
    filing: FilingRecord,
) -> list[tuple[Recorded[ContentValidated], Recorded[ContentValidated]]]:
    """The last judging of each judged round with the first of the next."""
    pairs = pairwise(filing.state.contents)
    return [(before, after) for before, after in pairs if before.fact.round < after.fact.round]


def _not_comparable(
    books: Books, filing: FilingRecord, before: ContentValidated, after: ContentValidated
) -> pl.Expr:
    """Why a finding cannot be expected in the later judging, as a column."""
    state = filing.state
    has_left = pl.col("branch").is_in(state.left_organisations)
    if state.tables:
        has_left = has_left | ~pl.col("table").is_in(state.tables)
    why = pl.when(has_left).then(pl.lit("no_longer_demanded"))
    why = why.when(~pl.col("rule").is_in(list(after.counts))).then(pl.lit("not_judged"))
    if before.standard_digest == after.standard_digest:
        return why.otherwise(pl.lit(None, dtype=pl.String))
    standard = books.standard(filing.state.opened.fact.standard)
    now = (
        {rule.id: rule.digest for rule in standard.rules} if standard.digest == after.standard_digest else {}
    )
    is_same = pl.col("rule").replace_strict(now, default=None, return_dtype=pl.String) == pl.col(
        "rule_digest"
    )
    return why.when(~is_same.fill_null(value=False)).then(pl.lit("rule_changed"))


def _declared(filing: FilingRecord, later: int, since: int) -> list[pl.Expr]:
    """What departments declared causes for: the changes of a table, of one organisation, field or kind where named."""
    declared: list[pl.Expr] = []
    for each in filing.state.drift_explained:
        if each.fact.later != later or each.seq < since:
            continue
        meant = pl.col("table") == each.fact.table
        named = {"organisation": each.fact.organisation, "field": each.fact.field, "kind": each.fact.change}
        for column, value in named.items():
            if value is not None:
                meant = meant & pl.col(column).eq_missing(pl.lit(value))
        declared.append(meant)
    return declared
