"""`baosong baseline`: what a filing is compared with, where no accepted filing stands before it."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.table_files import read_tables
from pipelines.errors import text
from pipelines.stages import baseline as stage
from pipelines.stages.installation import open_installation

app = typer.Typer(no_args_is_help=True)
Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
Reason = Annotated[str, typer.Option(help="原因 · reason")]


@app.command("none")
def none(filing: Filing, reason: Reason, as_user: As = None) -> None:
    """首次报送：此前没有报送过 · Declare that nothing was reported before."""
    with open_installation() as installation:
        stage.declare_none(installation, filing, installation.user(as_user), reason=reason)
    typer.echo(text("cli.baseline_none", filing=filing))


@app.command()
def adopt(
    filing: Filing,
    tables: Annotated[
        list[str],
        typer.Argument(
            help="CSV、Parquet 或 XLSX，以表名命名，或 表名=文件 · files named after their tables, or TABLE=FILE"
        ),
    ],
    date_from: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="上期起日 · its first day")
    ],
    date_to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="上期止日 · its last day")],
    reason: Reason,
    as_user: As = None,
) -> None:
    """采用在别处已报送的上期数据，供跨期规则对照 · Adopt what was reported elsewhere as the previous content."""
    with open_installation() as installation, tempfile.TemporaryDirectory(prefix="baosong-adopt-") as folder:
        standard = installation.standard(installation.state(filing).opened.fact.standard)
        state = stage.adopt(
            installation,
            filing,
            installation.user(as_user),
            read_tables(standard, tables, Path(folder)),
            date_from=date_from.date(),
            date_to=date_to.date(),
            reason=reason,
        )
        assert state.baseline is not None, "just declared"
        typer.echo(text("cli.baseline_adopted", filing=filing, digest=state.baseline.fact.digest))
