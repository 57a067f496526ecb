"""`baosong sign-off`, `sign` and `objection`: put content on its route, give an opinion on it, answer an objection."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipelines.cli.sign_words import opinion_line, seat_lines
from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.rejection import answer_objection
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
    answer: Annotated[
        str,
        typer.Option(
            help="曾被退回而内容未变时：如何处理了异议 · after a rejection of this content: what was done about it"
        ),
    ] = "",
    as_user: As = None,
) -> None:
    """提请签报：把当前报送内容交付签署 · Put the present content on its route of opinions."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = open_sign_off(installation, filing, user, reference=office_reference, answer=answer)
        assert state.live_sign_off is not None, "it was just opened"
        fact = state.live_sign_off.fact
        route = " → ".join(
            " + ".join(f"{seat.role} {seat.department}".strip() for seat in step.seats)
            for step in fact.bound_steps
        )
        typer.echo(text("cli.sign_off", number=fact.number, content=fact.content[:12], route=route))
        _tell_unjudged(state)
        if void := state.void_opinions:
            typer.echo(text("cli.void_opinions", count=len(void)))
            for each in void:
                typer.echo(f"  {opinion_line(each)}")
        _tell_seats(installation, state)


def objection(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    answer: Annotated[str, typer.Option(help="如何处理了异议 · what was done about it")],
    as_user: As = None,
) -> None:
    """答复异议：签报退回而内容未变时 · Say what was done about the objection to a rejected content."""
    with open_installation() as installation:
        answer_objection(installation, filing, installation.user(as_user), answer=answer)
        typer.echo(text("cli.objection_answered", filing=filing))


def sign(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    opinion: Annotated[Literal["agree", "disagree"], typer.Option(help="同意或不同意 · agree or disagree")],
    comment: Annotated[str, typer.Option(help="意见 · comment")],
    department: Annotated[
        str | None, typer.Option(help="为哪个部门签署 · for which department the opinion is")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(help="以哪个角色签署（有多个席位时） · as which role, for who has several seats"),
    ] = None,
    as_user: As = None,
) -> None:
    """签署意见 · Give an opinion at one's seat of the step whose turn it is."""
    with open_installation() as installation:
        state = give_opinion(
            installation,
            filing,
            installation.user(as_user),
            opinion=opinion,
            comment=comment,
            department=department,
            role=role,
            authentication=installation.deployment.identity,
        )
        outcome = "approved" if state.is_approved else "rejected" if state.is_rejected else "goes_on"
        fact = state.live_opinions[-1].fact
        role = f"{fact.role} {fact.department}".strip()
        typer.echo(text(f"cli.signed.{outcome}", filing=filing, role=role, opinion=text(f"cli.{opinion}")))
        if fact.compliance and fact.compliance.deviations:
            typer.echo(text("cli.deviations", count=fact.compliance.deviations, filing=filing))
        if not state.is_rejected:
            _tell_unjudged(state)
        _tell_seats(installation, state)


def _tell_seats(installation: Installation, state: FilingState) -> None:
    """Whose opinion is awaited now."""
    for line in seat_lines(installation, state):
        typer.echo(f"  {text('cli.seat', seat=line)}")


def _tell_unjudged(state: FilingState) -> None:
    """What the content was not checked by, so that nobody takes silence for a pass."""
    if left_out := unjudged(state):
        typer.echo(text("cli.sign_off_unjudged", count=len(left_out)))
        for each in left_out:
            typer.echo(f"  {each.rule} {each}")
