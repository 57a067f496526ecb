"""The options by which a person chooses findings, the same for every command that acts on some."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.stages.selection import Selection

Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
Reason = Annotated[str, typer.Option(help="原因 · reason")]
Rules = Annotated[list[str] | None, typer.Option("--rule", help="规则，可重复 · rules, repeatable")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="表，可重复 · tables, repeatable")]
Branches = Annotated[
    list[str] | None, typer.Option("--branch", help="答复机构，可重复 · answering branches, repeatable")
]
Departments = Annotated[
    list[str] | None, typer.Option("--department", help="责任部门，可重复 · departments, repeatable")
]
Findings = Annotated[
    list[str] | None, typer.Option("--finding", help="问题编号，可重复 · finding keys, repeatable")
]


def selection(
    rules: list[str] | None,
    tables: list[str] | None,
    branches: list[str] | None,
    departments: list[str] | None,
    findings: list[str] | None,
    states: list[str] | None = None,
) -> Selection:
    """What was chosen; nothing means all."""
    given = (rules, tables, branches, departments, findings, states)
    return Selection(*(tuple(values or ()) for values in given))
