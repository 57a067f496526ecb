"""`baosong answers`: take in the branches' filled workbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import text
from pipelines.stages.correct import import_answers, latest_import
from pipelines.stages.installation import open_installation

app = typer.Typer(no_args_is_help=True)


@app.callback()
def answers() -> None:
    """问题数据答复 · Branch answers."""


@app.command("import")
def import_(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    workbooks: Annotated[list[Path], typer.Argument(help="填好的工作簿 · filled workbooks")],
    as_user: Annotated[str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts")] = None,
) -> None:
    """接收分公司的答复工作簿 · Take in filled workbooks, each whole or not at all."""
    with open_installation() as installation:
        user = installation.user(as_user)
        for workbook in workbooks:
            state = import_answers(installation, filing, workbook, user)
            imported = latest_import(state, workbook)
            assert imported is not None, "it was just imported"
            received = imported.fact
            counts = "  ".join(
                f"{text(f'cli.handling.{name}')} {count}"
                for name, count in sorted(received.handlings.items())
            )
            typer.echo(
                text(
                    "cli.answers",
                    organisation=received.organisation,
                    counts=counts or "—",
                    unanswered=received.unanswered,
                )
            )
