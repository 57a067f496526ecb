"""`baosong waiver`: a department accepts findings under a sign-off until a day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipelines.cli.finding_options import As, Filing, Reason
from pipelines.errors import text
from pipelines.stages.installation import open_installation
from pipelines.stages.waivers import WaiverDraft, grant_waiver, revoke_waiver, waivers_in_force

app = typer.Typer(no_args_is_help=True)


@app.callback()
def waiver() -> None:
    """豁免 · Waivers."""


@app.command()
def grant(
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
    """经签报接受一条规则的问题数据 · Accept a rule's findings under a sign-off."""
    draft = WaiverDraft(rule, sign_off, reason, expires.date(), table, key)
    with open_installation() as installation:
        fact = grant_waiver(installation, filing, draft, installation.user(as_user))
        typer.echo(text("waivers.granted", number=fact.number, rule=fact.rule, expires=fact.expires))


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
