"""`baosong compare` and `baosong drift`: what changed between two rounds, what explains it, and who says why."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import typer

from pipelines.cli.finding_options import As, Filing, Reason
from pipelines.errors import text
from pipelines.stages.compare import compare as compare_rounds
from pipelines.stages.compare import read_comparison, read_differences
from pipelines.stages.drift import Kind, explain_drift, unexplained_changes
from pipelines.stages.installation import open_installation

drift = typer.Typer(no_args_is_help=True)


def compare(filing: Filing) -> None:
    """两轮之间的差异及其依据 · What the latest round changed, and what explains it"""
    with open_installation() as installation:
        state = compare_rounds(installation, filing)
        details = read_comparison(installation, state)
        standard = installation.standard(state.opened.fact.standard)
        for each in read_differences(installation, state):
            typer.echo(
                text(
                    "compare.table", table=each.table, title=standard.table(each.table).title.zh, added=f"{each.added:,}",
                    removed=f"{each.removed:,}", changed=f"{each.changed:,}",
                    unexplained=f"{details['unexplained'].get(each.table, 0):,}",
                    fields="，".join(f"{name} {count:,}" for name, count in each.fields.items()),
                )
            )  # fmt: skip
        assert state.comparison is not None, "it was just compared"
        fact = state.comparison.fact
        typer.echo(
            text(
                "compare.findings", resolved=fact.resolved, remaining=fact.remaining, appeared=fact.appeared,
                missing=fact.missing_fixes, unexplained=state.unexplained_drift,
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
