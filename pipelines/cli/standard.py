"""`baosong standard`: which standards there are, and whether one is well written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import standard_kit
from pipelines.cli.standards_named import standards_folders, where_named
from pipelines.errors import LANGUAGE, BadInput, text
from validations.engine import Standard, list_standards, load_standard

app = typer.Typer(no_args_is_help=True)
app.command()(standard_kit.test)
app.command()(standard_kit.docs)
app.command()(standard_kit.new)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """列出报送规范 · List the standards."""
    folders = standards_folders()
    standards = [load_standard(name, folders) for name in list_standards(folders)]
    if as_json:
        typer.echo(json.dumps([_summary(standard) for standard in standards], ensure_ascii=False, indent=2))
        return
    for standard in standards:
        title = getattr(standard.title, LANGUAGE.get())
        reports = ", ".join(report.name for report in standard.reports)
        typer.echo(
            f"{standard.name:<16} {standard.version:<8} {standard.status:<13} "
            f"{len(standard.tables)}/{len(standard.rules)}  {title}  [{reports}]"
        )


@app.command()
def check(
    standard: Annotated[
        str | None, typer.Argument(help="名称或目录 · name or folder; all without it")
    ] = None,
) -> None:
    """检查报送规范的写法，一次列出全部错误 · Check standards; lists every mistake with file and line."""
    problems: list[BadInput] = []
    for name, folders in _wanted(standard):
        try:
            loaded = load_standard(name, folders)
        except BadInput as problem:
            problems.append(problem)
            continue
        typer.echo(
            text(
                "validations.standard_fine",
                name=name,
                version=loaded.version,
                tables=len(loaded.tables),
                rules=len(loaded.rules),
            )
        )
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise BadInput("validations.standards_invalid", details=problems, count=len(problems))


def _wanted(standard: str | None) -> list[tuple[str, tuple[Path, ...]]]:
    """Names with the folders to look in; all standards without an argument."""
    if standard is not None:
        return [where_named(standard)]
    folders = standards_folders()
    return [(name, folders) for name in list_standards(folders)]


def _summary(standard: Standard) -> dict[str, object]:
    return {
        "name": standard.name,
        "version": standard.version,
        "status": standard.status,
        "title": {"zh": standard.title.zh, "en": standard.title.en},
        "effective": standard.effective,
        "tables": list(standard.tables),
        "reports": [report.name for report in standard.reports],
        "rules": len(standard.rules),
        "digest": standard.digest,
    }
