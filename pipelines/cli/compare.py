"""`baosong compare` and `baosong drift`: what changed between two rounds, what explains it, and who says why."""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
import typer

from pipelines.cli.finding_options import As, Filing, Reason
from pipelines.errors import text
from pipelines.stages.compare import compare as compare_rounds
from pipelines.stages.compare import compare_again, read_comparison
from pipelines.stages.drift import Kind, explain_drift, unexplained_changes
from pipelines.stages.installation import open_installation
from validations.engine import Standard

drift = typer.Typer(no_args_is_help=True)


def compare(
    filing: Filing,
    earlier: Annotated[
        int | None, typer.Argument(help="轮次，不给则为上一轮 · a round, else the last but one")
    ] = None,
    later: Annotated[
        int | None, typer.Argument(help="轮次，不给则为最新一轮 · a round, else the latest")
    ] = None,
) -> None:
    """两轮之间的差异及其依据 · What changed between two rounds, and what explains it"""
    with open_installation() as installation:
        state = installation.state(filing)
        first = state.round - 1 if earlier is None else earlier
        second = state.round if later is None else later
        if (first, second) == (state.round - 1, state.round):
            state = compare_rounds(installation, filing)
            details, unexplained = read_comparison(installation, state), state.unexplained_drift
        else:
            details = compare_again(installation, filing, first, second)
            unexplained = sum(details["unexplained"].values())
            typer.echo(text("compare.not_recorded"))
        _tell(installation.standard(state.opened.fact.standard), details, first, second, unexplained)


def _tell(standard: Standard, details: dict[str, Any], earlier: int, later: int, unexplained: int) -> None:
    typer.echo(text("compare.rounds_told", earlier=earlier, later=later))
    changed = [each for each in details["tables"] if each["added"] or each["removed"] or each["changed"]]
    for each in changed:
        typer.echo(
            text(
                "compare.table", table=each["table"], title=standard.table(each["table"]).title.zh,
                added=f"{each['added']:,}", removed=f"{each['removed']:,}", changed=f"{each['changed']:,}",
                unexplained=f"{details['unexplained'].get(each['table'], 0):,}",
                fields="，".join(f"{name} {count:,}" for name, count in each["fields"].items()),
            )
        )  # fmt: skip
    if same := len(details["tables"]) - len(changed):
        typer.echo(text("compare.same", count=same))
    for place, number in (("only_earlier", earlier), ("only_later", later)):
        for table, rows in details.get(place, {}).items():
            title = standard.table(table).title.zh
            typer.echo(text("compare.only", table=table, title=title, round=number, rows=f"{rows:,}"))
    typer.echo(
        text(
            "compare.findings", resolved=len(details["resolved"]), remaining=len(details["remaining"]),
            appeared=len(details["appeared"]), missing=len(details["missing_fixes"]), unexplained=f"{unexplained:,}",
        )
    )  # fmt: skip
    for finding in details["missing_fixes"]:
        typer.echo(text("compare.missing", finding=finding))


@drift.callback()
def drift_() -> None:
    """未说明的变化 · Unexplained drift."""


@drift.command("list")
def list_(filing: Filing) -> None:
    """哪些变化没有依据 · Which changes nothing explains."""
    with open_installation() as installation:
        state = installation.state(filing)
        counted = (
            unexplained_changes(installation, state)
            .group_by("table", "organisation", "kind", "field")
            .agg(pl.len().alias("count"))
            .sort("table", "organisation", "kind", "field")
            .collect()
        )
        for row in counted.iter_rows(named=True):
            shown = {name: "—" if value is None else value for name, value in row.items()}
            typer.echo(text("drift.line", **shown))


@drift.command()
def explain(
    filing: Filing,
    table: Annotated[str, typer.Option(help="表 · table")],
    reason: Reason,
    organisation: Annotated[str | None, typer.Option(help="仅此机构 · this organisation only")] = None,
    field: Annotated[str | None, typer.Option(help="仅此字段 · this field only")] = None,
    kind: Annotated[
        Kind | None, typer.Option(help="仅新增、删除或变化 · added, removed or changed only")
    ] = None,
    as_user: As = None,
) -> None:
    """责任部门说明变化的原因 · The department declares why rows changed."""
    with open_installation() as installation:
        state = explain_drift(
            installation, filing, installation.user(as_user),
            table=table, organisation=organisation, field=field, kind=kind, reason=reason,
        )  # fmt: skip
        fact = state.drift_explained[-1].fact
        typer.echo(text("drift.explained", count=f"{fact.explained:,}", left=f"{fact.unexplained:,}"))
