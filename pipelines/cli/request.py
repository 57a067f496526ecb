"""`baosong request`: raise a request with its document, review it, list what waits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.errors import text
from pipelines.stages.installation import open_installation
from pipelines.stages.request import RequestDraft, raise_request, review_request

app = typer.Typer(no_args_is_help=True)
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
_DATE = ["%Y-%m-%d"]


@app.command("raise")
def raise_(
    number: Annotated[str, typer.Argument(help="文号 · the document's number")],
    standard: Annotated[str, typer.Option(help="报送规范 · standard")],
    report: Annotated[str, typer.Option(help="报表 · report")],
    authority: Annotated[str, typer.Option(help="监管机构 · authority")],
    date_from: Annotated[datetime, typer.Option("--from", formats=_DATE, help="起始日期 · first day")],
    date_to: Annotated[datetime, typer.Option("--to", formats=_DATE, help="终止日期 · last day")],
    deadline: Annotated[datetime, typer.Option(formats=_DATE, help="报送期限 · deadline")],
    document: Annotated[Path, typer.Option(help="红头文件扫描件 · the regulator's document")],
    organisation: Annotated[list[str], typer.Option(help="机构范围，可重复 · scope, repeatable")],
    key: Annotated[
        str | None, typer.Option(help="任务标识，默认为文号 · key of the filing, default the number")
    ] = None,
    as_user: As = None,
) -> None:
    """登记报送需求 · Register what the regulator's document demands."""
    with open_installation() as installation:
        draft = RequestDraft(
            number=number,
            standard=standard,
            report=report,
            authority=authority,
            date_from=date_from.date(),
            date_to=date_to.date(),
            organisations=tuple(organisation),
            deadline=deadline.date(),
            document=document,
            key=key,
        )
        filing = raise_request(installation, draft, installation.user(as_user))
        typer.echo(text("cli.request_raised", number=number, filing=filing))


@app.command()
def review(
    number: Annotated[str, typer.Argument(help="文号 · number")],
    opinion: Annotated[Literal["accept", "refuse"], typer.Option(help="通过或不通过 · accept or refuse")],
    comment: Annotated[str, typer.Option(help="审核意见 · reason")],
    as_user: As = None,
) -> None:
    """审核报送需求；通过即开启报送任务 · Review a request; acceptance opens the filing."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = review_request(installation, number, user, opinion=opinion, comment=comment)
        if state is None:
            typer.echo(text("cli.request_refused", number=number, comment=comment))
        else:
            opened = state.opened.fact
            typer.echo(
                text("cli.opened", filing=state.id, deadline=opened.deadline, planned=opened.planned_on)
            )


@app.command("list")
def list_() -> None:
    """列出报送需求 · List requests."""
    with open_installation() as installation:
        for stream in installation.ledger.streams("request/"):
            events = installation.ledger.events(stream)
            reviewed = next((e for e in events if e.type == "request_reviewed"), None)
            state = (
                str(reviewed.payload["opinion"])
                if reviewed and reviewed.payload
                else text("cli.waits_for_review")
            )
            raised = events[0].payload or {}
            typer.echo(f"{stream.removeprefix('request/')}\t{raised.get('filing', '—')}\t{state}")
