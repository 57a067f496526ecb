"""The register of a filing's findings (问题数据台账): every finding ever made, how far it is, and who holds it.

It is a projection: computed from the findings of all judged contents and from what people decided, never stored as a
truth of its own. What a state means is `finding_state`'s matter; changing one is that of the stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import polars as pl

from pipelines.errors import Tampered
from pipelines.ledger.filing import FilingState, Recorded
from pipelines.ledger.filing_events import ContentValidated, Held
from pipelines.stages.bulk_facts import CELL
from pipelines.stages.canonical import file_digest
from pipelines.stages.demanded import is_no_longer_demanded, is_unjudged
from pipelines.stages.finding_acts import (
    MOMENT,
    asked,
    decisions,
    first_reviews,
    latest_answers,
    waived_since,
)
from pipelines.stages.finding_state import with_state
from pipelines.stages.installation import Installation
from pipelines.stages.root_causes import hidden_behind
from validations.engine import Standard

FOUND = [*CELL, "organisation", "reason", "waiver"]


def register(installation: Installation, state: FilingState) -> pl.DataFrame:
    """One row per finding of the filing, as of its latest event.

    Beside the finding's own columns (as found last): `state`, `holder`, `department` and `branch` that answer for it,
    `first_round`, `last_round` (found last), `resolved_round`, `since` (of the state), `due`, the latest answer
    (`handling`, `new_value`, `answer_reason`, `answered_by`), `conflict` (people of one branch disagree), `decision`,
    `decided_by`, `remark`, `promised` (a source fix was accepted for it).
    """
    if state.content is None:
        return pl.DataFrame()
    standard = installation.standard(state.opened.fact.standard)
    found = (
        _findings_over_contents(installation, state, standard)
        .join(first_reviews(installation, state), on="finding", how="left")
        .join(waived_since(installation, state), on="finding", how="left")
        .with_columns(waiver=pl.coalesce("waiver", "granted"))
        .drop("granted", "granted_seq")
    )
    put, decided = asked(installation, state), decisions(installation, state)
    frame = (
        _with_owners(installation, state, standard, found)
        .join(put, on="finding", how="left")
        .join(latest_answers(installation, state, put, decided), on="finding", how="left")
        .join(decided, on="finding", how="left")
    )
    config = installation.filing_config(standard.name)
    return with_state(frame, state, is_reviewed_first=config.first_review is not None).sort(
        "rule", "table", "key", "field", "finding"
    )


def tally(rows: pl.DataFrame) -> tuple[Held, ...]:
    """Who holds how many open findings, for an event to say."""
    if rows.is_empty():
        return ()
    counted = (
        rows.filter(pl.col("holder").is_not_null())
        .group_by("holder", "department", "branch")
        .len("count")
        .sort("holder", "department", "branch")
    )
    return tuple(
        Held(holder=r["holder"], department=r["department"], organisation=r["branch"], count=r["count"])
        for r in counted.iter_rows(named=True)
    )


def found_in(installation: Installation, state: FilingState, content: ContentValidated) -> pl.DataFrame:
    """The findings of one judged content. Raises Tampered when the file is not the one recorded."""
    path = installation.folder("contents", state.id) / content.content / "findings.parquet"
    if not path.is_file() or file_digest(path) != content.findings:
        raise Tampered("validate.findings_changed", path=path)
    return pl.read_parquet(path)


def judged_contents(state: FilingState) -> Sequence[Recorded[ContentValidated]]:
    """The judged contents. Where the same content was judged again and other findings took the place of the first ones, it
    is the last judging that counts."""
    last = {recorded.fact.content: recorded.fact.findings for recorded in state.contents}
    return [recorded for recorded in state.contents if last[recorded.fact.content] == recorded.fact.findings]


def _findings_over_contents(
    installation: Installation, state: FilingState, standard: Standard
) -> pl.DataFrame:
    """Each finding as it was found last, with the contents in which it was: a rule that was not judged changes nothing."""
    contents = judged_contents(state)
    latest: pl.DataFrame | None = None
    before: pl.DataFrame | None = None
    seen: list[pl.DataFrame] = []
    for place, recorded in enumerate(contents):
        now = found_in(installation, state, recorded.fact).select(FOUND)
        if before is not None:
            now = pl.concat([now, before.filter(is_unjudged(recorded.fact))])
        seen.append(now.select("finding").with_columns(place=pl.lit(place, dtype=pl.Int32)))
        latest = now if latest is None else pl.concat([now, latest.join(now, on="finding", how="anti")])
        before = now
    assert latest is not None and before is not None, "a judged filing has a content"
    rounds = pl.DataFrame(
        {
            "place": pl.Series(range(len(contents)), dtype=pl.Int32),
            "round": pl.Series([c.fact.round for c in contents], dtype=pl.Int32),
            "seq": pl.Series([c.seq for c in contents], dtype=pl.Int64),
            "at": pl.Series([c.at.astimezone(UTC) for c in contents], dtype=MOMENT),
        }
    )
    run_began = pl.col("place").filter(pl.col("place").diff().fill_null(2) > 1).last()
    places = (
        pl.concat(seen)  # in the order of the contents, which a group keeps
        .group_by("finding")
        .agg(
            first=pl.col("place").first(),
            last=pl.col("place").last(),
            began=run_began,
        )
    )

    def at(place: str, **columns: str) -> pl.DataFrame:
        return rounds.select(
            pl.col("place").alias(place), *(pl.col(name).alias(alias) for name, alias in columns.items())
        )

    digests = {rule.id: rule.digest for rule in standard.rules}
    hidden = hidden_behind(standard, latest.join(before, on="finding", how="anti"), before)
    return (
        latest.join(places, on="finding")
        .join(at("first", round="first_round"), on="first")
        .join(at("last", round="last_round"), on="last")
        .join(at("began", seq="began_seq", at="began_at"), on="began")
        .with_columns(gone=pl.col("last") + 1)
        .join(at("gone", round="resolved_round", at="gone_at"), on="gone", how="left")
        .with_columns(
            is_present=pl.col("last") == len(contents) - 1,
            is_hidden=pl.col("finding").is_in(list(hidden)),
            has_reappeared=pl.col("began") > pl.col("first"),
            is_obsolete=pl.col("rule").replace_strict(digests, default=None, return_dtype=pl.String)
            .ne_missing(pl.col("rule_digest")) | is_no_longer_demanded(installation, state, contents[-1].fact),
        )
        .drop("first", "last", "began", "gone")
    )  # fmt: skip


def _with_owners(
    installation: Installation, state: FilingState, standard: Standard, found: pl.DataFrame
) -> pl.DataFrame:
    """To whom the first review assigned a finding; else the department by rule and table, the branch by organisation, on the
    day of the judging: a merger in force then sends it to the receiving branch. What belongs to none is the head office's."""
    deployment = installation.deployment
    assert state.content is not None, "findings come from a content"
    on = state.content.at.date()
    groups = {rule.id: rule.group for rule in standard.rules}
    owners = [
        {
            "rule": rule,
            "table": table,
            "department": deployment.department_of(
                standard.name, rule=rule, table=table, group=groups.get(rule, "")
            ),
        }
        for rule, table in found.select("rule", "table").unique().iter_rows()
    ]
    codes = {*found["organisation"].unique().drop_nulls(), *found["assigned_branch"].unique().drop_nulls()}
    branches = {code: deployment.answering_branch(code, on) for code in codes}
    owner_frame = pl.DataFrame(
        owners, schema={"rule": pl.String, "table": pl.String, "department": pl.String}
    )
    return found.join(owner_frame, on=("rule", "table"), how="left").with_columns(
        department=pl.coalesce("assigned_department", "department"),
        branch=pl.coalesce("assigned_branch", "organisation").replace_strict(
            branches, default=deployment.head_office.code, return_dtype=pl.String
        ),
    )
