"""`baosong validate`: judge files by a standard, without ledger, deployment or Dagster. For people who try out data."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from pipelines.errors import LANGUAGE, BadInput, text
from resources.settings import Settings
from validations.engine import STANDARDS, Judgement, Standard, derive, judge, load_standard
from validations.engine.csv_input import convert_csv

FINDINGS = 1
"""Exit code where something was found; 0 is clean, 2 cannot judge."""


def validate(
    tables: Annotated[
        list[str], typer.Option("--tables", help="表=文件，或以表名命名的 CSV/Parquet · TABLE=FILE or FILE")
    ],
    standard: Annotated[str, typer.Option(help="报送规范 · standard")],
    out: Annotated[Path, typer.Option(help="问题数据写到此目录 · folder for the findings", file_okay=False)],
    more: Annotated[
        list[str] | None, typer.Argument(help="更多文件 · more files", show_default=False)
    ] = None,
    report: Annotated[str | None, typer.Option(help="报表 · report; without it all tables are due")] = None,
    param: Annotated[list[str] | None, typer.Option(help="参数 名称=值 · parameter name=value")] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="缺表时只判断其余规则 · judge what can be judged")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """按报送规范判断 CSV 或 Parquet 文件：0 无问题，1 有问题数据，2 无法判断。

    Judge CSV or Parquet files by a standard: exit 0 clean, 1 findings, 2 cannot judge.
    """
    loaded = load_standard(standard, (Settings.load().deployment / "standards", STANDARDS))
    if report is not None and report not in [known.name for known in loaded.reports]:
        known = ", ".join(known.name for known in loaded.reports)
        raise BadInput("validations.report_unknown", report=report, standard=loaded.name, known=known)
    parameters = _parameters(param or [])
    files = _files(loaded, [*tables, *(more or [])])
    out.mkdir(parents=True, exist_ok=True)
    for stale in ("findings.parquet", "findings.csv"):
        (out / stale).unlink(missing_ok=True)
    working = Path(tempfile.mkdtemp(prefix=".tmp-tables-", dir=out))
    try:
        typed = _typed(loaded, files, working)
        derived = derive(loaded, typed, parameters=parameters, out=working)
        judgement = judge(
            loaded,
            {**derived, **typed},
            report=report,
            parameters=parameters,
            findings=out / "findings.parquet",
            partial=partial,
        )
    finally:
        shutil.rmtree(working, ignore_errors=True)
    pl.read_parquet(judgement.findings).write_csv(out / "findings.csv")
    _print_json(loaded, judgement, report) if as_json else _print(loaded, judgement)
    if judgement.total:
        raise typer.Exit(FINDINGS)


def _parameters(given: list[str]) -> dict[str, str]:
    wrong = [item for item in given if not item.partition("=")[1] or item.startswith("=")]
    if wrong:
        raise BadInput("validations.parameter_form", given=", ".join(wrong))
    return {name: value for name, _, value in (item.partition("=") for item in given)}


def _files(standard: Standard, given: list[str]) -> dict[str, Path]:
    """The file of each table; every mistake at once."""
    files: dict[str, Path] = {}
    problems: list[BadInput] = []
    for item in given:
        name, equals, rest = item.partition("=")
        path = Path(rest) if equals and name in standard.tables else Path(item)
        table = name if equals and name in standard.tables else path.stem
        if table not in standard.tables:
            known = ", ".join(standard.tables)
            problems.append(BadInput("validations.table_unknown", given=item, table=table, known=known))
        elif table in files:
            problems.append(BadInput("validations.table_twice", table=table, first=files[table], second=path))
        elif not path.is_file():
            problems.append(BadInput("validations.no_such_file", path=path, table=table))
        elif path.suffix.lower() not in (".csv", ".parquet"):
            problems.append(BadInput("validations.neither_csv_nor_parquet", path=path, table=table))
        files.setdefault(table, path)
    if problems:
        raise BadInput("validations.files_invalid", details=problems, standard=standard.name)
    return files


def _typed(standard: Standard, files: dict[str, Path], folder: Path) -> dict[str, Path]:
    typed: dict[str, Path] = {}
    problems: list[BadInput] = []
    for name, path in files.items():
        if path.suffix.lower() == ".parquet":
            typed[name] = path
            continue
        typed[name] = folder / f"{name}.parquet"
        try:
            convert_csv(standard.table(name), path, typed[name])
        except BadInput as problem:
            problems.append(problem)
    if problems:
        raise BadInput("validations.files_invalid", details=problems, standard=standard.name)
    return typed


def _print_json(standard: Standard, judgement: Judgement, report: str | None) -> None:
    said = {
        "standard": standard.name,
        "version": judgement.standard_version,
        "digest": judgement.standard_digest,
        "report": report,
        "rows": judgement.rows,
        "counts": judgement.counts,
        "by_severity": judgement.by_severity,
        "total": judgement.total,
        "not_judged": {each.rule: str(each) for each in judgement.not_judged},
        "findings": str(judgement.findings),
    }
    typer.echo(json.dumps(said, ensure_ascii=False, indent=2))


def _print(standard: Standard, judgement: Judgement) -> None:
    language = LANGUAGE.get()
    typer.echo(f"{standard.name} {standard.version} {getattr(standard.title, language)}")
    for table, rows in judgement.rows.items():
        typer.echo(f"  {table} {rows:,}")
    for rule_id, count in judgement.counts.items():
        rule = standard.rule(rule_id)
        typer.echo(f"  {rule_id:<5} {rule.severity:<8} {count:>9,}  {getattr(rule.message, language)}")
    for each in judgement.not_judged:
        typer.echo(f"  {each.rule:<5} {each}")
    typer.echo(text("validations.summary", total=f"{judgement.total:,}", path=judgement.findings))
