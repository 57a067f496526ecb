"""`baosong assessment`: the posts' numbers of a month, and the lists behind each of them. Nothing is written."""

from __future__ import annotations

import json
from typing import Annotated, Any

import polars as pl
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pipelines.assessment.measuring import Measured
from pipelines.assessment.showing import (
    excluded_text,
    interval_text,
    reason_text,
    status_text,
    title,
    value_text,
)
from pipelines.assessment.submission_metrics import SubmissionMetrics, submission_metrics
from pipelines.errors import BadInput, text
from pipelines.stages.installation import open_installation

app = typer.Typer(no_args_is_help=True)
_COLUMNS = ("branch", "metric", "count", "raw", "median", "shrunk", "interval", "status", "excluded")
_LISTED = ("metric", "branch", "filing", "role", "value", "key", "reason")


@app.callback()
def assessment() -> None:
    """信息技术岗考核 · The assessment of the IT posts."""


@app.command()
def submissions(
    month: Annotated[str, typer.Option(help="月份，如 2026-05 · the month")],
    branches: Annotated[
        list[str] | None, typer.Option("--branch", help="机构，可重复 · branches, repeatable")
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="指标，可重复 · metrics, repeatable")
    ] = None,
    with_keys: Annotated[
        bool, typer.Option("--keys", help="列出每个数字背后的明细 · the lists behind every number")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")] = False,
) -> None:
    """各分公司当月报送指标 · The submission metrics of a month, per branch."""
    with open_installation() as installation:
        result = submission_metrics(installation, month, as_of=installation.now())
    _require_known(result, branches or [], metrics or [])
    chosen = [
        each
        for each in result.measured
        if (not branches or each.branch in branches) and (not metrics or each.metric in metrics)
    ]
    keys = _chosen_keys(result, branches, metrics) if with_keys else None
    if as_json:
        typer.echo(_as_json(result, chosen, keys))
    else:
        _print(result, chosen if branches else [m for m in chosen if m.status != "not_applicable"])
        if keys is not None:
            _print_keys(keys)
    for failure in result.failures:
        said = text("assessment.failed", metric=failure.metric, filing=failure.filing, error=failure.error)
        typer.echo(said, err=True)
    if result.failures:
        raise typer.Exit(max(each.error.exit_code for each in result.failures))


def _require_known(result: SubmissionMetrics, branches: list[str], metrics: list[str]) -> None:
    if unknown := [code for code in branches if code not in result.branches]:
        raise BadInput("assessment.unknown_branch", branches=", ".join(unknown))
    if unknown := [id_ for id_ in metrics if id_ not in result.metrics]:
        known = ", ".join(result.metrics)
        raise BadInput("assessment.no_such_metric", metrics=", ".join(unknown), known=known)


def _chosen_keys(
    result: SubmissionMetrics, branches: list[str] | None, metrics: list[str] | None
) -> pl.DataFrame:
    rows = result.keys
    for column, values in (("branch", branches), ("metric", metrics)):
        if values:
            rows = rows.filter(pl.col(column).is_in(values))
    return rows


def _as_json(result: SubmissionMetrics, chosen: list[Measured], keys: pl.DataFrame | None) -> str:
    document: dict[str, Any] = json.loads(result.json())
    meant = {(each.branch, each.metric) for each in chosen}
    document["branches"] = {
        code: {id_: said for id_, said in metrics.items() if (code, id_) in meant}
        for code, metrics in document["branches"].items()
        if any(branch == code for branch, _ in meant)
    }
    if keys is not None:
        document["listed"] = keys.to_dicts()
    return json.dumps(document, ensure_ascii=False, indent=2)


def _print(result: SubmissionMetrics, chosen: list[Measured]) -> None:
    typer.echo(text("assessment.result", month=result.month, score=result.score_id))
    if not chosen:
        typer.echo(text("assessment.nothing", month=result.month))
        return
    table = Table(*(Column(text(f"assessment.column.{name}")) for name in _COLUMNS), box=SIMPLE_HEAD)
    for each in chosen:
        metric = result.metrics[each.metric]
        table.add_row(
            f"{each.branch} {result.branches[each.branch]}",
            f"{metric.id} {title(metric)}",
            f"{each.n:,}" if metric.kind == "duration" else f"{each.k:,}/{each.n:,}",
            value_text(metric, each.raw),
            value_text(metric, each.median),
            value_text(metric, each.shrunk),
            interval_text(metric, each),
            status_text(each),
            excluded_text(each),
        )
    _show(table)


def _print_keys(keys: pl.DataFrame) -> None:
    table = Table(
        *(Column(text(f"assessment.column.{name}"), overflow="fold") for name in _LISTED), box=SIMPLE_HEAD
    )
    for row in keys.iter_rows(named=True):
        said = {**row, "role": text(f"assessment.role.{row['role']}"), "reason": reason_text(row["reason"])}
        table.add_row(*(str(said[name]) for name in _LISTED))
    _show(table)


def _show(table: Table) -> None:
    console = Console()
    Console(width=max(console.width, 180)).print(table)
