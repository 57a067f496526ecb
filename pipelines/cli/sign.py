"""`baosong sign-off` and `baosong sign`: put content on its route, give an opinion on it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import open_installation
from pipelines.stages.sign_off import give_opinion, open_sign_off
from pipelines.stages.unjudged import unjudged

As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]


def sign_off(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    office_reference: Annotated[
        str | None,
        typer.Option(help="办公系统（EOA）中的签报编号 · the sign-off's reference in the office system"),
    ] = None,
    as_user: As = None,
) -> None:
    """提请签报：把当前报送内容交付签署 · Put the present content on its route of opinions."""
    with open_installation() as installation:
        state = open_sign_off(installation, filing, installation.user(as_user), reference=office_reference)
        assert state.live_sign_off is not None, "it was just opened"
        fact = state.live_sign_off.fact
        typer.echo(
            text("cli.sign_off", number=fact.number, content=fact.content[:12], route=" → ".join(fact.route))
        )
        _tell_unjudged(state)


def sign(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    opinion: Annotated[Literal["agree", "disagree"], typer.Option(help="同意或不同意 · agree or disagree")],
    comment: Annotated[str, typer.Option(help="意见 · comment")],
    as_user: As = None,
) -> None:
    """签署意见 · Give the opinion that the route asks for next."""
    with open_installation() as installation:
        state = give_opinion(
            installation, filing, installation.user(as_user), opinion=opinion, comment=comment
        )
        outcome = "approved" if state.is_approved else "rejected" if state.is_rejected else "goes_on"
        role = state.live_opinions[-1].fact.role
        typer.echo(text(f"cli.signed.{outcome}", filing=filing, role=role, opinion=text(f"cli.{opinion}")))
        if not state.is_rejected:
            _tell_unjudged(state)


def _tell_unjudged(state: FilingState) -> None:
    """What the content was not checked by, so that nobody takes silence for a pass."""
    if left_out := unjudged(state):
        typer.echo(text("cli.sign_off_unjudged", count=len(left_out)))
        for each in left_out:
            typer.echo(f"  {each.rule} {each}")
