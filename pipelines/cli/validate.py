"""`baosong validate`: judge files by a standard, without ledger, deployment or Dagster. For people who try out data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from pipelines.cli import judging_options as options
from pipelines.cli.findings_csv import write_csv
from pipelines.cli.judged_words import as_json, as_text
from pipelines.cli.judging_bar import judging_bar
from pipelines.cli.left_out import as_left_out, unexpected
from pipelines.cli.standards_named import standard_named
from pipelines.cli.table_files import Reading, declare_nil, read_tables
from pipelines.errors import BadInput, text
from validations.engine import DueTable, Standard, judge
from validations.engine.parameters import period as period_of
from validations.engine.parameters import require_in_force
from validations.engine.waivers import read_waivers

FINDINGS, NOT_JUDGED = 1, 2
"""Exit codes where something was found, and where nothing was but rules were left out that nobody said may be."""


class Format(StrEnum):
    """How findings are written; Parquet always is."""

    CSV = "csv"
    XLSX = "xlsx"


def validate(
    tables: Annotated[
        list[str],
        typer.Option("--tables", help="表=文件，或以表名命名的 CSV/Parquet/XLSX · TABLE=FILE or FILE"),
    ],
    standard: Annotated[str, typer.Option(help="报送规范，名称或目录 · standard, its name or folder")],
    out: Annotated[Path, typer.Option(help="问题数据写到此目录 · folder for the findings", file_okay=False)],
    more: Annotated[
        list[str] | None, typer.Argument(help="更多文件 · more files", show_default=False)
    ] = None,
    report: Annotated[str | None, typer.Option(help="报表 · report; without it all tables are due")] = None,
    period: Annotated[
        str | None, typer.Option(help="报送期间 · 2026, 2026H1, 2026Q1, 2026-03, 2026-01-01..2026-03-31")
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="参数 名称=值 · parameter name=value")] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="对照数据 previous=目录 或 规范=目录 · folder of the previous or another filing"),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="没有这份对照数据，如首次报送 previous · nothing to compare with: previous for a first report"
        ),
    ] = None,
    waivers: Annotated[
        Path | None, typer.Option(help="豁免清单 CSV · rule,table,key,sign_off,reason,expires")
    ] = None,
    nil: Annotated[
        list[str] | None, typer.Option(help="零申报的表 · table without anything to report")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(help="只判断这些规则 · only these rules")] = None,
    encoding: Annotated[str, typer.Option(help="CSV 的编码 · utf-8, gb18030")] = "utf-8",
    expect_rows: Annotated[
        list[str] | None, typer.Option(help="应有行数 表=N · rows the sender counted, TABLE=N")
    ] = None,
    formats: Annotated[
        list[Format] | None,
        typer.Option("--format", help="除 Parquet 外写出 · besides Parquet: csv, xlsx (both by default)"),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="缺表时只判断其余规则 · judge what can be judged")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """按报送规范判断 CSV、Parquet 或 XLSX 文件：0 无问题，1 有问题数据，2 无法判断或有规则未判断。

    Judge CSV, Parquet or XLSX files by a standard: exit 0 clean, 1 findings, 2 cannot judge, or not all rules.
    """
    loaded, _ = standard_named(standard)
    options.require_report(loaded, report)
    options.require_rules(loaded, rule or [])
    options.require_absent(loaded, without or [], reference or [])
    parameters = options.read_parameters(period, param or [], report)
    if days := period_of(parameters):
        require_in_force(loaded, days[1])
    counts = options.read_counts(expect_rows or [])
    accepted = read_waivers(waivers, (each.id for each in loaded.rules)) if waivers else ()
    out.mkdir(parents=True, exist_ok=True)
    for stale in ("findings.parquet", "findings.csv", "findings.xlsx"):
        (out / stale).unlink(missing_ok=True)
    working = Path(tempfile.mkdtemp(prefix=".tmp-tables-", dir=out))
    try:
        with judging_bar() as progress:
            how = Reading(encoding, counts, progress)
            given = read_tables(loaded, [*tables, *(more or [])], working, how)
            given = declare_nil(loaded, given, nil or [], working)
            references = options.read_references(loaded, reference or [], parameters, working, how)
            present = {**options.derive_missing(loaded, given, parameters, working), **given}
            if not (partial or rule):
                _require_rows(loaded, report, present, nil or [])
            judgement = judge(
                loaded,
                present,
                report=report,
                parameters=parameters,
                findings=out / "findings.parquet",
                references=references,
                rules=rule or None,
                waivers=accepted,
                nil_returns=nil or (),
                partial=partial,
                progress=progress,
            )
            written = formats or list(Format)
            if Format.CSV in written:
                write_csv(judgement.findings, out / "findings.csv")
            if Format.XLSX in written:
                from pipelines.cli.findings_workbook import write_workbook  # noqa: PLC0415 - half a second

                asked = text(
                    "validations.book.asked", report=report or "*", period=parameters.get("key", "–")
                )
                write_workbook(loaded, judgement, out / "findings.xlsx", asked=asked)
    finally:
        shutil.rmtree(working, ignore_errors=True)
    said = as_json(loaded, judgement, report, parameters) if json_ else as_text(loaded, judgement)
    typer.echo(said)
    if judgement.total:
        raise typer.Exit(FINDINGS)
    if left_out := unexpected(judgement.not_judged, without or []):
        typer.echo(as_left_out(left_out), err=True)
        raise typer.Exit(NOT_JUDGED)


def _require_rows(
    standard: Standard, report: str | None, tables: Mapping[str, Path], nil_returns: list[str]
) -> None:
    """An empty table judged is a false all-clear, so it must be declared; where a rule finds it, the rule speaks."""
    due = standard.report(report).tables if report else tuple(standard.tables)
    if any(isinstance(rule.shape, DueTable) for rule in standard.rules) or not set(due) <= tables.keys():
        return  # a table that is missing is refused by the judge
    empty = [name for name in due if name not in nil_returns and not pq.read_metadata(tables[name]).num_rows]
    if empty:
        raise BadInput("validations.empty_tables", tables=", ".join(empty), nil=f"--nil {empty[0]}")
