"""What findings' departments asked last, and whether a person of a branch may answer it now. Nothing is judged or recorded here."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.errors import Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.bulk_facts import PROBLEMS, kept
from pipelines.stages.installation import Installation
from resources.deployment import User

ASKED = {**PROBLEMS, "asked_seq": pl.Int64}


def questions(
    installation: Installation, state: FilingState, known: pl.DataFrame, findings: Sequence[str], user: User
) -> tuple[pl.DataFrame, list[Refused]]:
    """The rows that were asked last about these findings, with `asked_seq`, in the order given; and why others await no answer of
    this person. `known` is the register.

    Raises Refused when nothing is awaited, Tampered when what was asked is not what was recorded.
    """
    require_awaited(state)
    columns = ("finding", "branch", "holder", "asked_seq")
    rows = {
        row["finding"]: row
        for row in known.filter(pl.col("finding").is_in(list(findings))).select(columns).iter_rows(named=True)
    } if state.content else {}  # fmt: skip
    asking = {act.seq: act.fact for act in (*state.dispatches, *state.answer_reviews)}
    by_act: dict[int, list[str]] = {}
    refusals: list[Refused] = []
    for finding in findings:
        row = rows.get(finding)
        fact = asking.get(row["asked_seq"]) if row else None
        if row and not user.may_see(row["branch"]):
            refusals.append(Refused("correct.other_branch", user=user.id, organisation=row["branch"]))
        elif row is None or fact is None or row["holder"] not in ("answer", "decide"):
            refusals.append(Refused("correct.not_asked", finding=finding))
        elif state.content and fact.content != state.content.fact.content:
            refusals.append(Refused("correct.asked_before", round=fact.round, now=state.round))
        else:
            by_act.setdefault(row["asked_seq"], []).append(finding)
    frames = [
        kept(installation, state.id, asking[seq].problems)
        .filter(pl.col("finding").is_in(theirs))
        .with_columns(asked_seq=pl.lit(seq, dtype=pl.Int64))
        for seq, theirs in by_act.items()
    ]
    asked = pl.concat([pl.DataFrame(schema=ASKED), *(each.select(*ASKED) for each in frames)])
    return asked, refusals


def require_awaited(state: FilingState) -> None:
    """Raises Refused while people are signing, and after packaging."""
    if state.is_in_sign_off or state.packages:
        raise Refused("correct.not_awaited", filing=state.id, stage=text(f"cli.stage.{state.stage}"))
