"""`baosong change`: production is to be corrected where a report was; raised, approved, executed by different people."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import Annotated, Literal

import typer

from pipelines.cli.finding_options import As, Filing
from pipelines.errors import text
from pipelines.ledger.change import ChangeState
from pipelines.stages.change_request import change_requests, execute_change, raise_changes, review_change
from pipelines.stages.installation import open_installation
from pipelines.stages.masking import masked, masked_key, personal_fields

app = typer.Typer(no_args_is_help=True)
Number = Annotated[str, typer.Argument(help="改库签报编号 · number")]


@app.callback()
def change() -> None:
    """改库签报 · Change requests."""


@app.command("raise")
def raise_(filing: Filing, as_user: As = None) -> None:
    """信息技术部门为报表更正提请改库 · IT raises a request for every report correction that has none."""
    with open_installation() as installation:
        for each in raise_changes(installation, filing, installation.user(as_user)):
            _tell(each)


@app.command()
def review(
    number: Number,
    opinion: Annotated[Literal["approve", "refuse"], typer.Option(help="批准或不批准 · approve or refuse")],
    comment: Annotated[str, typer.Option(help="意见 · comment")],
    role: Annotated[str | None, typer.Option(help="可坐多个席位时：以哪个角色 · as which role")] = None,
    department: Annotated[
        str | None, typer.Option(help="代表多个部门时：为哪个部门 · for which, who speaks for several")
    ] = None,
    on_behalf_of: Annotated[
        str | None, typer.Option("--for", help="代理多人时：代谁 · for whom, who stands in for several")
    ] = None,
    as_user: As = None,
) -> None:
    """路线上的审批席位批准或不批准 · A seat of its route approves or refuses."""
    with open_installation() as installation:
        user = installation.user(as_user)
        _tell(
            review_change(
                installation,
                number,
                user,
                opinion=opinion,
                comment=comment,
                role=role,
                department=department,
                on_behalf_of=on_behalf_of,
            )
        )


@app.command()
def executed(
    number: Number,
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="执行日 · day of execution")],
    reference: Annotated[str, typer.Option(help="工单号 · work order")],
    as_user: As = None,
) -> None:
    """登记：第三人已在系统外改库 · Record that a third person corrected production, outside Baosong."""
    with open_installation() as installation:
        user = installation.user(as_user)
        _tell(execute_change(installation, number, user, day=day.date(), reference=reference))


@app.command("list")
def list_() -> None:
    """全部改库签报，到了哪一步 · All change requests and how far they are."""
    with open_installation() as installation:
        found = change_requests(installation)
        for each in found:
            hides = personal_fields(installation.standard(each.raised.standard), each.raised.table)
            _tell(each, hides)
    if not found:
        typer.echo(text("change.none"))


def _tell(each: ChangeState, personal: Set[str] = frozenset()) -> None:
    """One line; personal fields are masked for those who need not act on it."""
    raised, hides = each.raised, each.raised.field in personal
    typer.echo(
        text(
            "change.line", number=each.number, stage=text(f"change.stage.{each.stage}"), table=raised.table,
            field=raised.field, key=masked_key(raised.key, personal), old=masked(raised.old, hides) or "—",
            new=masked(raised.new, hides), shown=_shown_in(each),
        )
    )  # fmt: skip


def _shown_in(each: ChangeState) -> str:
    return f"{each.shown.fact.filing} {each.shown.fact.round}" if each.shown else ""
