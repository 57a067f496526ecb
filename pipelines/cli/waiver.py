"""`baosong waiver`: findings are accepted under a sign-off until a day; a department proposes it, somebody else agrees."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer

from pipelines.cli.finding_options import As, Filing, Reason
from pipelines.errors import text
from pipelines.stages.installation import open_installation
from pipelines.stages.waiver_granting import WaiverDraft, decide_waiver, propose_waiver
from pipelines.stages.waivers import revoke_waiver, waivers_in_force

app = typer.Typer(no_args_is_help=True)


@app.callback()
def waiver() -> None:
    """豁免 · Waivers."""


@app.command()
def propose(
    filing: Filing,
    rule: Annotated[str, typer.Option(help="规则 · rule")],
    sign_off: Annotated[str, typer.Option(help="签报号 · number of the sign-off")],
    expires: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="有效期至 · last day")],
    reason: Reason,
    table: Annotated[str | None, typer.Option(help="仅此表 · this table only")] = None,
    key: Annotated[
        str | None, typer.Option(help="仅此主键（问题清单中的写法）· this key only, as findings write it")
    ] = None,
    as_user: As = None,
) -> None:
    """提出经签报接受一条规则的问题数据，另一人同意后生效 · Propose to accept a rule's findings; it holds once somebody else agrees."""
    draft = WaiverDraft(rule, sign_off, reason, expires.date(), table, key)
    with open_installation() as installation:
        number = propose_waiver(installation, filing, draft, installation.user(as_user))
        typer.echo(text("waivers.proposed", number=number, rule=rule, expires=expires.date()))


@app.command()
def decide(
    filing: Filing,
    number: Annotated[str, typer.Argument(help="豁免编号 · number of the waiver")],
    opinion: Annotated[Literal["agree", "disagree"], typer.Option(help="同意或不同意 · agree or disagree")],
    comment: Annotated[str, typer.Option(help="意见，不同意时必填 · comment, needed to disagree")] = "",
    as_user: As = None,
) -> None:
    """对提出的豁免给出意见，提出人只能收回 · Agree to a proposed waiver, or not; its proposer can only take it back."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = decide_waiver(installation, filing, number, user, opinion=opinion, comment=comment)
        if opinion == "disagree":
            typer.echo(text("waivers.not_granted", number=number))
            return
        fact = next(each.fact for each in state.waivers if each.fact.number == number)
        typer.echo(text("waivers.granted", number=number, rule=fact.rule, expires=fact.expires))


@app.command()
def revoke(
    filing: Filing,
    number: Annotated[str, typer.Argument(help="豁免编号 · number of the waiver")],
    reason: Reason,
    as_user: As = None,
) -> None:
    """撤销豁免 · A waiver no longer holds."""
    with open_installation() as installation:
        revoke_waiver(installation, filing, number, installation.user(as_user), reason=reason)
        typer.echo(text("waivers.revoked", number=number))


@app.command("list")
def list_(filing: Filing) -> None:
    """对此任务有效的豁免 · Waivers in force for a filing."""
    with open_installation() as installation:
        for each in waivers_in_force(installation, installation.state(filing)):
            typer.echo(
                text(
                    "waivers.line", number=each.number, rule=each.rule, table=each.table or "*", key=each.key or "*",
                    sign_off=each.sign_off, expires=each.expires, reason=each.reason,
                )
            )  # fmt: skip
