"""`baosong clock`: show the time Baosong goes by; start and advance it where the deployment's clock is a file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipelines.errors import Refused
from resources.clock import Clock, FileClock, open_clock
from resources.deployment import load_deployment
from resources.settings import Settings

app = typer.Typer(no_args_is_help=True)
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@app.command()
def show() -> None:
    """显示当前时间 · Show the time."""
    typer.echo(_clock().now().isoformat(sep=" ", timespec="seconds"))


@app.command()
def start(at: Annotated[datetime, typer.Argument(formats=_FORMATS)]) -> None:
    """让演示时钟从某时起走 · Start the demo's clock."""
    typer.echo(_file_clock().start(at).isoformat(sep=" ", timespec="seconds"))


@app.command()
def advance(to: Annotated[datetime, typer.Argument(formats=_FORMATS)]) -> None:
    """把演示时钟拨快到某时 · Advance the demo's clock; it never goes back."""
    typer.echo(_file_clock().advance(to=to).isoformat(sep=" ", timespec="seconds"))


def _clock() -> Clock:
    settings = Settings.load()
    return open_clock(load_deployment(settings.deployment, settings.home))


def _file_clock() -> FileClock:
    clock = _clock()
    if not isinstance(clock, FileClock):
        raise Refused("cli.system_clock")
    return clock
