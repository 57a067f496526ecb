"""`baosong notices`: send what is due now, and see what was told to whom. Sending by itself is the daemon's work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipelines.errors import text
from pipelines.stages.installation import open_installation, require_role
from pipelines.stages.notify import notify
from resources.notifier import open_outbox

app = typer.Typer(no_args_is_help=True)


@app.command()
def send() -> None:
    """记下新的通知，发出到时的汇总；有发不出的则退出码为 4 · Note what is new, send what is due; exit 4 if some could not be sent."""
    with open_installation() as installation:
        done = notify(installation)
    if done.is_busy:
        typer.echo(text("cli.notices.busy"))
        return
    for each in done.digests:
        line = text(
            "cli.notices.digest",
            channel=each.channel,
            recipient=each.recipient or "—",
            count=each.notices,
            result=text(f"notices.result.{each.outcome.result}"),
            reason=each.outcome.reason,
        )
        typer.echo(line.rstrip(" ：:"))
    typer.echo(text("cli.notices.done", noted=done.noted, digests=len(done.digests), given_up=done.given_up))
    for problem in done.problems:
        typer.echo(problem, err=True)
    if done.problems:
        raise typer.Exit(4)


@app.command("list")
def list_notices(
    user: Annotated[str | None, typer.Option(help="只看此人 · of this user only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最近几条 · how many, newest first")] = 50,
    as_user: Annotated[
        str | None, typer.Option("--as", help="谁查看（仅限演示部署）· who asks (demo deployment only)")
    ] = None,
) -> None:
    """列出告知过什么、发送情况如何 · List what was told to whom, and how the sending stands."""
    with open_installation() as installation, open_outbox(installation.home) as outbox:
        asks = installation.user(as_user)
        if user != asks.id:
            require_role(asks, "administrator", "auditor", act="notices")
        for each in outbox.deliveries(limit, user):
            state = text(f"notices.state.{each.state}")
            kind = text(f"notices.kind.{each.notice.kind}")
            at = _shown(each.notice.noted_at)
            tried = _shown(each.tried_at) if each.tried_at else "—"
            typer.echo(
                f"{at}  {each.notice.person}  {kind}  {each.notice.subject}  {each.channel}  {state}  {tried}  {each.reason}".rstrip()
            )


def _shown(at: datetime) -> str:
    return at.astimezone().isoformat(sep=" ", timespec="minutes")
