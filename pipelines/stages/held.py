"""Recording what people did about findings: every such event says who holds what afterwards, computed before it is appended."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from pipelines.errors import Refused, text
from pipelines.ledger.filing import FilingState, after
from pipelines.ledger.filing_events import FilingEvent
from pipelines.stages.installation import Installation
from pipelines.stages.register import register, tally

F = TypeVar("F", bound=FilingEvent)


def with_held(installation: Installation, state: FilingState, fact: F, *, actor: str) -> F:
    """The fact with `held` as it will be once it is recorded."""
    then = after(state, fact, actor=actor, at=installation.now())
    return fact.model_copy(update={"held": tally(register(installation, then))})


def record_with_held(
    installation: Installation, state: FilingState, fact: FilingEvent, *, actor: str, command: str
) -> FilingState:
    """Append the fact with who holds what after it."""
    return installation.record(
        state, with_held(installation, state, fact, actor=actor), actor=actor, command=command
    )


def require_people_at_work(state: FilingState, *, act: str) -> None:
    """Raises Refused when nothing is listed yet, while people are signing, and after packaging."""
    if not state.is_listed or state.is_in_sign_off or state.packages:
        now = text(f"cli.stage.{state.stage}")
        raise Refused("held.not_at_work", filing=state.id, stage=now, act=text(f"act.{act}"))


def require_any(rows: pl.DataFrame, refusal: Refused) -> pl.DataFrame:
    """The rows; raises the refusal when there are none."""
    if rows.is_empty():
        raise refusal
    return rows
