"""`baosong off-system`: what departments keep outside the systems – its templates, its uploads, and who still owes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pipelines.errors import text
from pipelines.stages.installation import open_installation
from pipelines.stages.off_system import Owed, owed_tables, shown_state

app = typer.Typer(no_args_is_help=True)
Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
TableName = Annotated[str, typer.Argument(help="表 · table", metavar="TABLE")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]


@app.command()
def template(
    filing: Filing,
    table: TableName,
    out: Annotated[Path, typer.Option(help="写到哪个 .xlsx · the workbook to write")],
) -> None:
    """按数据字典生成填报模板 · Write the workbook that a department fills in."""
    from pipelines.stages.off_system_template import write_template  # noqa: PLC0415 - a list need not wait for it

    with open_installation() as installation:
        write_template(installation, filing, table, out)
    typer.echo(text("off_system.template_written", table=table, path=out))


@app.command()
def upload(
    filing: Filing,
    table: TableName,
    file: Annotated[
        Path, typer.Argument(help="填好的工作簿，或 CSV、Parquet · the filled workbook, or CSV, Parquet")
    ],
    encoding: Annotated[str, typer.Option(help="CSV 的编码 · of a CSV")] = "utf-8",
    as_user: As = None,
) -> None:
    """交回系统外数据，整表代替前一次 · Hand in a whole table; it takes the place of the one before."""
    from pipelines.stages import off_system_upload as stage  # noqa: PLC0415 - a list need not wait for it

    with open_installation() as installation:
        user = installation.user(as_user)
        state = stage.upload(installation, filing, user, table=table, file=file, encoding=encoding)
        fact = state.off_system[table].fact
        typer.echo(
            text("off_system.uploaded", table=table, filing=filing, rows=fact.rows, digest=fact.digest)
        )


@app.command("list")
def list_(
    filing: Filing,
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")] = False,
) -> None:
    """列出系统外数据：谁应交、交了什么，未交的在前 · Who owes what and what is there; what is missing comes first."""
    with open_installation() as installation:
        owed = sorted(
            owed_tables(installation, installation.state(filing)), key=lambda each: not each.is_missing
        )
    if as_json:
        typer.echo(json.dumps([_facts(each) for each in owed], ensure_ascii=False, indent=2))
        return
    if not owed:
        typer.echo(text("off_system.none", filing=filing))
        return
    columns = [
        Column(text(f"off_system.label.{name}"), no_wrap=True) for name in ("table", "title", "department")
    ]
    shown = Table(*columns, Column(text("off_system.label.state")), box=SIMPLE_HEAD)
    for each in owed:
        shown.add_row(each.table.name, each.table.title.zh, each.department, shown_state(each))
    console = Console()
    Console(width=max(console.width, 110)).print(shown)


def _facts(owed: Owed) -> dict[str, Any]:
    upload = owed.upload
    return {
        "table": owed.table.name,
        "department": owed.department,
        "is_missing": owed.is_missing,
        "is_nil": owed.is_nil,
        "rows": upload.fact.rows if upload else None,
        "digest": upload.fact.digest if upload else None,
        "file": upload.fact.file if upload else None,
        "name": upload.fact.name if upload else None,
        "by": upload.actor if upload else None,
        "at": upload.at.isoformat() if upload else None,
    }
