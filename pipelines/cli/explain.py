"""`baosong explain`: what a reported figure is made of, what a finding has been through, which figures matter most.

Reading only: nothing is recorded. What it asks `pipelines.stages` knows; the tree and its words are `explain_words`'.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from pipelines.cli import explain_words as words
from pipelines.cli.explain_json import explained_json, indicators_json, story_json
from pipelines.stages.explain import EVERY_LEVEL
from pipelines.stages.explain import explain as explain_cell
from pipelines.stages.finding_history import tell_finding
from pipelines.stages.installation import open_installation
from pipelines.stages.key_indicators import key_indicators

_FINDING = re.compile(r"[0-9a-f]{32}")


def explain(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    cell: Annotated[
        str | None,
        typer.Argument(
            help="表:主键值[:主键值…]，或问题数据编号；不写则列关键指标 · TABLE:key[:key…] or a finding's id; key indicators without"
        ),
    ] = None,
    field: Annotated[str | None, typer.Option(help="字段 · field of the table")] = None,
    depth: Annotated[int, typer.Option(min=0, help="展开几层 · levels to open")] = 2,
    every: Annotated[bool, typer.Option("--all", help="展开到底 · open every level")] = False,
    rows: Annotated[
        int,
        typer.Option(
            min=0, help="每处列出几行源数据；行数与合计总是全部的 · source rows shown; sums are of all"
        ),
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """数从何来：报送的数展开到提取的行，与上期、上年同期相比 · Open a figure into what it is made of; reads only."""
    with open_installation() as installation:
        state = installation.state(filing)
        if cell is None:
            found = key_indicators(installation, state)
            if as_json:
                typer.echo(indicators_json(found))
            else:
                words.print_indicators(state, found)
        elif _FINDING.fullmatch(cell):
            story = tell_finding(installation, state, cell)
            typer.echo(story_json(story) if as_json else words.story_text(story))
        else:
            levels = EVERY_LEVEL if every else depth
            explained = explain_cell(installation, state, cell, field=field, depth=levels)
            if as_json:
                typer.echo(explained_json(explained, rows))
            else:
                words.print_explained(explained, rows, levels)
