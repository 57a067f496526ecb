"""`baosong office`: what the office system (EOA) says of a sign-off. People's opinions are given by `baosong sign`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipelines.errors import text
from pipelines.stages.installation import open_installation
from pipelines.stages.office import office_status

app = typer.Typer(no_args_is_help=True)


@app.callback()
def office() -> None:
    """Keeps `status` a command of its own: others may follow."""


@app.command()
def status(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")] = False,
) -> None:
    """签报在办公系统中的情况 · What became of the sign-off in the office system."""
    with open_installation() as installation:
        reference, answer = office_status(installation, filing)
    at = answer.at.isoformat(sep=" ", timespec="minutes") if answer.at else None
    if as_json:
        said = {
            "reference": reference,
            "status": answer.status,
            "at": at,
            "by": answer.by,
            "text": answer.text,
        }
        typer.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    shown = text(f"cli.office_status.{answer.status}")
    typer.echo(text("cli.office", filing=filing, reference=reference, status=shown))
    if at or answer.by or answer.text:
        typer.echo(text("cli.office_said", at=at or "—", by=answer.by or "—", words=answer.text or "—"))
