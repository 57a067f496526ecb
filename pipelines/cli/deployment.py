"""`baosong deployment`: start an insurer's configuration, check it; its meaning is `resources/deployment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import text
from pipelines.stages.off_system import check_off_system
from resources.deployment import init_deployment, load_deployment
from resources.settings import Settings

app = typer.Typer(no_args_is_help=True, help="部署：一家公司的配置 · one insurer's configuration")


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="新目录 · a new folder")]) -> None:
    """新建一份带说明的部署 · start a commented deployment in a new folder"""
    for path in init_deployment(folder):
        typer.echo(path)
    typer.echo(text("deployment.started", path=folder))


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="默认 BAOSONG_DEPLOYMENT · default")] = None,
) -> None:
    """检查部署，列出全部错误 · check a deployment and list every mistake"""
    settings = Settings.load()
    deployment = load_deployment(folder or settings.deployment, settings.home)
    check_off_system(deployment)
    typer.echo(
        text(
            "deployment.sound",
            name=deployment.name,
            code=deployment.corporation.code,
            corporation=deployment.corporation.name,
            organisations=len(deployment.organisations),
            users=len(deployment.users),
            filings=", ".join(deployment.filings),
        )
    )
    for standard, filing in deployment.filings.items():
        if filing.off_system:
            typer.echo(text("off_system.configured", standard=standard, tables=", ".join(filing.off_system)))
    if deployment.answers_inbox is not None:
        users = ", ".join(u.id for u in deployment.users.values() if u.has_role("branch_preparer"))
        folder = deployment.answers_inbox.path(deployment.home)
        typer.echo(text("deployment.inbox_at", folder=folder, users=users))
