"""What the first extraction of a filing showed: findings per row (SUB-03), and findings that come again (SUB-07).

Which findings count at all is said in `counted_findings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from pipelines.assessment.counted_findings import accepted_handlings, judged_findings
from pipelines.assessment.keys import KEYS, UNKNOWN, is_unknown, keys, scope, with_branch
from pipelines.assessment.metric import FIRST_FINDINGS, REPEATED
from pipelines.assessment.records import Books, FilingRecord, findings_of, moment, stacked
from resources.rounds import RoundStore

PERIODS = 3
"""So many earlier filings of the same report are looked through for what was corrected."""

_SAME = ("rule", "table", "row_key", "branch")


def first_findings_keys(books: Books, filing: FilingRecord) -> pl.DataFrame:
    """SUB-03: num the findings, den the rows of each table, by branch. A branch of the filing without rows has a row of 0."""
    if filing.first is None:
        return pl.DataFrame(schema=dict(KEYS))
    found = judged_findings(books, filing, filing.first.fact)
    rows = _rows(books, filing, filing.first.fact.round)
    is_left_out = pl.col("reason").is_not_null()
    asked = scope(books.deployment, filing.state.organisations, filing.extracted_on)
    without = pl.DataFrame({"branch": sorted(set(asked) - set(rows["branch"]))}, schema={"branch": pl.String})
    return pl.concat(
        [
            keys(found, FIRST_FINDINGS, pl.when(is_left_out).then(pl.lit("excluded")).otherwise(pl.lit("num"))),
            keys(rows, FIRST_FINDINGS, pl.when(is_left_out).then(pl.lit("excluded")).otherwise(pl.lit("den"))),
            keys(without.with_columns(key=pl.lit("*"), adds=0, reason=pl.lit("no_rows")), FIRST_FINDINGS, "den"),
        ]
    )  # fmt: skip


def repeated_keys(books: Books, filing: FilingRecord, earlier: Sequence[FilingRecord]) -> pl.DataFrame:
    """SUB-07: den the findings of the first extraction, num those whose rule broke for the same row before and was corrected.

    `earlier` are the filings of the same report before this one, latest first. Without any, nothing can come again.
    """
    if filing.first is None:
        return pl.DataFrame(schema=dict(KEYS))
    found = judged_findings(books, filing, filing.first.fact)
    if not earlier:
        nothing = found.with_columns(reason=pl.coalesce("reason", pl.lit("no_earlier_filing")))
        return keys(nothing, REPEATED, "excluded")
    began = filing.state.rounds[0].at
    before = pl.concat([_corrected(books, each, began) for each in earlier]).unique(_SAME)
    counted = found.filter(pl.col("reason").is_null())
    again = counted.join(before, on=_SAME, how="semi", nulls_equal=True)
    return pl.concat(
        [
            keys(found.filter(pl.col("reason").is_not_null()), REPEATED, "excluded"),
            keys(counted, REPEATED, "den"),
            keys(again, REPEATED, "num"),
        ]
    )


def earlier_filings(filing: FilingRecord, filings: Sequence[FilingRecord]) -> list[FilingRecord]:
    """The last PERIODS of the same report whose period ended before this one's and that were extracted before, latest first."""
    opened = filing.state.opened.fact
    same = [
        each
        for each in filings
        if (each.state.opened.fact.standard, each.state.opened.fact.report)
        == (opened.standard, opened.report)
        and each.state.date_to < filing.state.date_to
        and each.state.rounds[0].at < filing.state.rounds[0].at
    ]
    return sorted(same, key=lambda each: (each.state.date_to, each.state.id), reverse=True)[:PERIODS]


def _corrected(books: Books, filing: FilingRecord, began: datetime) -> pl.DataFrame:
    """What was mended at the source or corrected in the report by then, and was not found any more in what was judged last."""
    frames = [pl.DataFrame(schema=dict.fromkeys(_SAME, pl.String))]
    contents = [each.fact for each in filing.state.contents if each.at < began]
    if contents:
        mended = accepted_handlings(books, filing).filter(
            pl.col("at") < moment(began), pl.col("handling").is_in(["source_fix", "report_correction"])
        )
        left = findings_of(books, filing.state.id, contents[-1]).select("finding")
        for content in {each.content: each for each in contents}.values():
            found = judged_findings(books, filing, content).join(mended, on="finding", how="semi")
            frames.append(found.join(left, on="finding", how="anti").select(*_SAME))
    return pl.concat(frames)


def _rows(books: Books, filing: FilingRecord, number: int) -> pl.DataFrame:
    """Rows of each table of a round by branch: `branch`, `key` (the table), `adds`, `reason`."""
    fact = filing.state.rounds[number - 1].fact
    store = RoundStore(books.home / "rounds")
    store.verify(filing.state.id, number, digest=fact.manifest)
    standard = books.standard(filing.state.opened.fact.standard)
    frames: list[pl.DataFrame] = []
    for name, path in sorted(store.tables(filing.state.id, number).items()):
        field = standard.tables[name].organisation if name in standard.tables else None
        owner = pl.lit(None, dtype=pl.String) if field is None else pl.col(field).cast(pl.String)
        counted = pl.scan_parquet(path).select(owner.alias("organisation")) if field else None
        by_owner = (
            pl.DataFrame(
                {"organisation": [None], "adds": [fact.tables[name].rows]},
                schema={"organisation": pl.String, "adds": pl.Int64},
            )
            if counted is None
            else counted.group_by("organisation").agg(adds=pl.len().cast(pl.Int64)).collect()
        )
        frames.append(by_owner.with_columns(key=pl.lit(name)))
    columns = {"organisation": pl.String, "adds": pl.Int64, "key": pl.String}
    rows = with_branch(stacked(frames, columns), books.deployment, filing.extracted_on)
    return (
        rows.group_by("branch", "key").agg(pl.col("adds").sum()).filter(pl.col("adds") > 0)
        .with_columns(reason=pl.when(is_unknown(books.deployment)).then(pl.lit(UNKNOWN)))
        .sort("branch", "key")
    )  # fmt: skip
