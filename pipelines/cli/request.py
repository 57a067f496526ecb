"""`baosong request`: raise, amend, review and withdraw a request; list and show them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.request_words import history, shown, summary
from pipelines.errors import BadInput, text
from pipelines.ledger.request_events import RequestAmended, RequestOpinion
from pipelines.stages.installation import open_installation
from pipelines.stages.request import RequestDraft, raise_request, review_request
from pipelines.stages.request_amend import RequestChanges, amend_request, withdraw_request

app = typer.Typer(no_args_is_help=True)
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
Number = Annotated[str, typer.Argument(help="文号或其标识 · the document's number, or its key")]
Json = Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")]
Nil = Annotated[
    list[str] | None,
    typer.Option("--nil", help="零申报：表名=原因，可重复 · nil return TABLE=REASON, repeatable"),
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
    document: Annotated[
        list[Path],
        typer.Option(help="红头文件扫描件及附件，可重复 · the document and its annexes, repeatable"),
    ],
    organisation: Annotated[list[str], typer.Option(help="机构范围，可重复 · scope, repeatable")],
    dated: Annotated[
        datetime | None, typer.Option(formats=_DATE, help="文件日期 · the document's own date")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(help="只要求的表，可重复，默认报表的全部 · tables demanded, repeatable, default all"),
    ] = None,
    nil: Nil = None,
    key: Annotated[
        str | None,
        typer.Option(help="任务标识，默认由文号得出 · key of the filing, default made of the number"),
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
            document=document[0],
            key=key,
            annexes=tuple(document[1:]),
            dated=_day(dated),
            tables=tuple(table or ()),
            nil_returns=_nil_returns(nil),
        )
        filing = raise_request(installation, draft, installation.user(as_user))
        typer.echo(text("cli.request_raised", number=number, filing=filing))


@app.command()
def amend(
    number: Number,
    reason: Annotated[str, typer.Option(help="变更原因 · why")],
    deadline: Annotated[datetime | None, typer.Option(formats=_DATE, help="报送期限 · deadline")] = None,
    dated: Annotated[datetime | None, typer.Option(formats=_DATE, help="文件日期 · document's date")] = None,
    date_from: Annotated[
        datetime | None, typer.Option("--from", formats=_DATE, help="起始日期 · first day")
    ] = None,
    date_to: Annotated[
        datetime | None, typer.Option("--to", formats=_DATE, help="终止日期 · last day")
    ] = None,
    organisation: Annotated[
        list[str] | None, typer.Option(help="全部机构范围，可重复 · the whole scope, repeatable")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="全部要求的表，可重复 · all tables demanded, repeatable")
    ] = None,
    all_tables: Annotated[
        bool, typer.Option("--all-tables", help="要求报表的全部表 · demand all tables of the report")
    ] = False,
    document: Annotated[
        list[Path] | None, typer.Option(help="变更后的文件，可重复 · the changed document, repeatable")
    ] = None,
    nil: Nil = None,
    as_user: As = None,
) -> None:
    """变更报送需求，须重新审核 · Amend a request; it is reviewed again."""
    if all_tables and table:
        raise typer.BadParameter("--table / --all-tables")
    changes = RequestChanges(
        deadline=_day(deadline),
        dated=_day(dated),
        date_from=_day(date_from),
        date_to=_day(date_to),
        organisations=tuple(organisation) if organisation else None,
        tables=() if all_tables else tuple(table) if table else None,
        documents=tuple(document or ()),
        nil_returns=_nil_returns(nil),
    )
    with open_installation() as installation:
        user = installation.user(as_user)
        request = amend_request(installation, number, user, changes=changes, reason=reason)
        fact = request.latest.fact
        changed = fact.changed if isinstance(fact, RequestAmended) else ()
        typer.echo(text("cli.request_amended", number=request.number, changed=", ".join(changed) or "—"))


@app.command()
def review(
    number: Number,
    opinion: Annotated[
        RequestOpinion, typer.Option(help="通过、退回修改或不予通过 · accept, return or refuse")
    ],
    comment: Annotated[str, typer.Option(help="审核意见 · reason")],
    as_user: As = None,
) -> None:
    """审核报送需求及其变更；通过即开启或变更报送任务 · Review a request or its amendment; acceptance opens or amends the filing."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = review_request(installation, number, user, opinion=opinion, comment=comment)
        request = installation.request(number)
        values = {"number": request.number, "comment": comment}
        if opinion == "return":
            typer.echo(text("cli.request_returned", **values))
        elif state is None and request.accepted:
            typer.echo(text("cli.amendment_refused", filing=request.latest.fact.filing, **values))
        elif state is None:
            typer.echo(text("cli.request_refused", **values))
        elif state.amendments and state.amendments[-1].fact.request_seq == request.latest.seq:
            needs_round = state.amendments[-1].fact.new_round
            typer.echo(
                text(
                    "cli.filing_amended",
                    filing=state.id,
                    deadline=state.deadline,
                    planned=state.planned_on,
                    round=text("cli.amended_round" if needs_round else "cli.amended_no_round"),
                )
            )
        else:
            typer.echo(text("cli.opened", filing=state.id, deadline=state.deadline, planned=state.planned_on))


@app.command()
def withdraw(
    number: Number,
    reason: Annotated[str, typer.Option(help="撤回原因 · why")],
    as_user: As = None,
) -> None:
    """撤回报送需求及其报送任务 · Withdraw a request and the filing it opened."""
    with open_installation() as installation:
        request = withdraw_request(installation, number, installation.user(as_user), reason=reason)
        typer.echo(text("cli.request_withdrawn", number=request.number, reason=reason))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """列出报送需求 · List requests."""
    with open_installation() as installation:
        requests = installation.requests()
    if as_json:
        typer.echo(json.dumps([summary(request) for request in requests], ensure_ascii=False, indent=2))
        return
    for request in requests:
        fact = request.latest.fact
        stage = text(f"cli.request_stage.{request.stage}")
        typer.echo(f"{request.number}\t{fact.filing}\t{fact.deadline}\t{stage}")


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """一份报送需求的全貌 · One request: what is demanded, its documents, and everything that was decided."""
    with open_installation() as installation:
        request = installation.request(number)
    said = {**summary(request), "history": history(request)}
    typer.echo(json.dumps(said, ensure_ascii=False, indent=2) if as_json else shown(request))


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _nil_returns(given: Sequence[str] | None) -> dict[str, str]:
    """TABLE=REASON as typed. Raises BadInput for anything else."""
    declared: dict[str, str] = {}
    for each in given or ():
        table, equals, reason = each.partition("=")
        if not (table.strip() and equals and reason.strip()):
            raise BadInput("cli.nil_option", given=each)
        declared[table.strip()] = reason.strip()
    return declared
