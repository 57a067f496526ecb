"""`baosong talk`: the log of talks with the regulator, and the deadlines that come of them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.recorded import Document
from pipelines.stages.installation import open_installation
from pipelines.stages.talk import Talk, decide_extension, propose_extension, record_talk

app = typer.Typer(no_args_is_help=True)
Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
_TIME = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


@app.command()
def add(
    filing: Filing,
    counterpart: Annotated[str, typer.Option("--with", help="对方部门 · with whom")],
    question: Annotated[str, typer.Option(help="所问 · what was asked")],
    answer: Annotated[str, typer.Option(help="答复 · what was answered")],
    at: Annotated[
        datetime | None, typer.Option(formats=_TIME, help="时间，默认现在 · when, default now")
    ] = None,
    document: Annotated[list[Path] | None, typer.Option(help="凭证，可重复 · proof, repeatable")] = None,
    as_user: As = None,
) -> None:
    """登记一次监管沟通 · Record a talk with the regulator."""
    with open_installation() as installation:
        held_at = at.replace(tzinfo=installation.now().tzinfo) if at else None
        talk = Talk(counterpart, question, answer, held_at, tuple(document or ()))
        state = record_talk(installation, filing, installation.user(as_user), talk)
        typer.echo(text("cli.talk_recorded", filing=filing, number=len(state.talks)))


@app.command()
def extend(
    filing: Filing,
    deadline: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="新期限 · the other deadline")],
    document: Annotated[list[Path], typer.Option(help="监管同意的凭证，可重复 · proof, repeatable")],
    reason: Annotated[str, typer.Option(help="原因 · why")],
    as_user: As = None,
) -> None:
    """提出期限调整，审核同意后生效 · Propose another deadline; it holds once it is agreed to."""
    with open_installation() as installation:
        state = propose_extension(
            installation,
            filing,
            installation.user(as_user),
            deadline=deadline.date(),
            reason=reason,
            documents=document,
        )
        fact = state.extensions[-1].fact
        typer.echo(text("cli.extension_proposed", filing=filing, number=fact.number, deadline=fact.deadline))


@app.command()
def opine(
    filing: Filing,
    number: Annotated[int, typer.Argument(help="期限调整的编号 · number of the proposal")],
    opinion: Annotated[Literal["agree", "disagree"], typer.Option(help="同意或不同意 · agree or disagree")],
    comment: Annotated[str, typer.Option(help="意见 · comment")],
    as_user: As = None,
) -> None:
    """审核期限调整 · Give the opinion on a proposed deadline."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = decide_extension(installation, filing, user, number=number, opinion=opinion, comment=comment)
        outcome = "agreed" if opinion == "agree" else "disagreed"
        values = {"deadline": state.deadline}
        if opinion == "agree":
            values["planned"] = state.planned_on
        typer.echo(text(f"cli.extension_{outcome}", filing=filing, **values))


@app.command("list")
def list_(
    filing: Filing,
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")] = False,
) -> None:
    """列出沟通记录和期限调整 · List talks and proposed deadlines."""
    with open_installation() as installation:
        state = installation.state(filing)
    if as_json:
        typer.echo(json.dumps(_as_values(state), ensure_ascii=False, indent=2))
        return
    if not state.talks and not state.extensions:
        typer.echo(text("cli.no_talks", filing=filing))
    for talk in state.talks:
        fact = talk.fact
        typer.echo(
            text(
                "cli.talk",
                number=fact.number,
                at=fact.held_at.isoformat(sep=" ", timespec="minutes"),
                counterpart=fact.counterpart,
                actor=talk.actor,
                question=fact.question,
                answer=fact.answer,
            )
        )
        _tell_proof(fact.documents)
    decisions = {each.fact.number: each for each in state.extension_decisions}
    for proposal in state.extensions:
        decided = decisions.get(proposal.fact.number)
        decision = (
            text(
                "cli.extension_decision",
                actor=decided.actor,
                opinion=text(f"cli.{decided.fact.opinion}"),
                comment=decided.fact.comment,
            )
            if decided
            else text("cli.waits_for_review")
        )
        fact = proposal.fact
        typer.echo(
            text(
                "cli.extension",
                number=fact.number,
                deadline=fact.deadline,
                actor=proposal.actor,
                reason=fact.reason,
                decision=decision,
            )
        )
        _tell_proof(fact.documents)


def _tell_proof(documents: tuple[Document, ...]) -> None:
    for each in documents:
        typer.echo(text("cli.proof", name=each.name, sha256=each.sha256))


def _as_values(state: FilingState) -> dict[str, list[dict[str, Any]]]:
    """Each event's own fields, with who recorded it and when."""
    return {
        name: [
            {**each.fact.payload(), "actor": each.actor, "recorded_at": each.at.isoformat()}
            for each in recorded
        ]
        for name, recorded in (
            ("talks", state.talks),
            ("extensions", state.extensions),
            ("decisions", state.extension_decisions),
        )
    }
