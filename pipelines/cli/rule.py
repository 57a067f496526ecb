"""`baosong rule run`: the loop of someone who writes a rule – its SQL, its time, its count, the first rows that fail.

It runs on files, or on a round of a filing, and reads only: no finding is recorded, no filing moves. Personal data is
masked, since a terminal is no place for it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import judging_options as options
from pipelines.cli.failing_rows import failing_rows
from pipelines.cli.rule_words import RuleRun, as_json, as_text
from pipelines.cli.standards_named import standard_named
from pipelines.cli.table_files import Reading, declare_nil, read_tables
from pipelines.errors import BadInput, BaosongError, text
from validations.engine import Standard, judge, show_sql

FINDINGS, NOT_JUDGED = 1, 2
POLL_SECONDS = 0.5

app = typer.Typer(no_args_is_help=True)


@app.callback()
def rules() -> None:
    """规则 · Rules."""


@dataclass(frozen=True)
class _Subject:
    """What a rule is run on: tables (derived ones included), parameters, references, declared nil returns."""

    standard: Standard
    report: str | None
    tables: Mapping[str, Path]
    parameters: Mapping[str, str]
    references: Mapping[str, Mapping[str, Path]]
    nil_returns: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """The options of one call."""

    rule: str
    standard: str | None
    tables: tuple[str, ...]
    filing: str | None
    round: int | None
    report: str | None
    period: str | None
    param: tuple[str, ...]
    reference: tuple[str, ...]
    nil: tuple[str, ...]
    encoding: str
    rows: int


@app.command()
def run(
    rule: Annotated[str, typer.Argument(help="规则编号 · rule id")],
    standard: Annotated[
        str | None, typer.Option(help="报送规范，名称或目录 · standard, its name or folder")
    ] = None,
    tables: Annotated[
        list[str] | None, typer.Option("--tables", help="表=文件 · TABLE=FILE or FILE; CSV, Parquet, XLSX")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="更多文件 · more files", show_default=False)
    ] = None,
    filing: Annotated[str | None, typer.Option(help="报送任务 · filing")] = None,
    round_: Annotated[int | None, typer.Option("--round", help="轮次 · round of the filing")] = None,
    report: Annotated[str | None, typer.Option(help="报表 · report")] = None,
    period: Annotated[str | None, typer.Option(help="报送期间 · 2026Q1, 2026-03 …")] = None,
    param: Annotated[list[str] | None, typer.Option(help="参数 名称=值 · parameter name=value")] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="对照数据 previous=目录 · previous=DIR, standard=DIR")
    ] = None,
    nil: Annotated[
        list[str] | None, typer.Option(help="零申报的表 · table without anything to report")
    ] = None,
    encoding: Annotated[str, typer.Option(help="CSV 的编码 · utf-8, gb18030")] = "utf-8",
    rows: Annotated[int, typer.Option(min=0, help="列出的问题行数 · failing rows shown")] = 5,
    watch: Annotated[
        bool, typer.Option("--watch", help="规范文件一改就重跑 · run again whenever the standard changes")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """运行一条规则，只读：SQL、用时、问题数与首批问题行 · Run one rule, reading only: exit 0 clean, 1 findings, 2 not judged."""
    asked = _Asked(
        rule,
        standard,
        (*(tables or []), *(more or [])),
        filing,
        round_,
        report,
        period,
        tuple(param or ()),
        tuple(reference or ()),
        tuple(nil or ()),
        encoding,
        rows,
    )
    _require_one_subject(asked)

    def once() -> tuple[Path, int]:
        done = run_rule(asked)
        typer.echo(as_json(done) if json_ else as_text(done))
        return done.standard.path, NOT_JUDGED if done.not_judged else FINDINGS if done.count else 0

    folder, code = once()
    if watch:
        code = run_again(folder, lambda: once()[1], lambda: time.sleep(POLL_SECONDS))
    if code:
        raise typer.Exit(code)


def run_rule(asked: _Asked) -> RuleRun:
    """Judge one rule and look up the rows it failed first."""
    with tempfile.TemporaryDirectory(prefix="baosong-rule-") as name:
        folder = Path(name)
        subject = _round(asked, folder) if asked.filing else _files(asked, folder)
        standard = subject.standard
        options.require_report(standard, subject.report)
        options.require_rules(standard, [asked.rule])
        rule = standard.rule(asked.rule)
        if rule.constraint is not None:
            import_module("validations.engine.contract")  # so that the time shown is the rule's
        started = time.perf_counter()
        judgement = judge(
            standard,
            subject.tables,
            report=subject.report,
            parameters=subject.parameters,
            findings=folder / "findings.parquet",
            references=subject.references,
            rules=[asked.rule],
            nil_returns=subject.nil_returns,
            partial=True,
        )
        seconds = time.perf_counter() - started
        if asked.rule not in judgement.counts and not judgement.not_judged:
            raise BadInput("validations.rule_not_due", rule=asked.rule, report=subject.report or "*")
        return RuleRun(
            standard=standard,
            rule=rule,
            sql=show_sql(standard, asked.rule, subject.report),
            rows=dict(judgement.rows),
            count=judgement.total,
            seconds=seconds,
            not_judged="; ".join(str(each) for each in judgement.not_judged) or None,
            failing=failing_rows(standard, rule, judgement.findings, subject.tables, asked.rows),
        )


def run_again(folder: Path, once: Callable[[], int], pause: Callable[[], None]) -> int:
    """Run again whenever a file of the standard changes, until interrupted; what the last run said.

    A standard that is being written is wrong half of the time: its mistakes are printed, and the wait goes on.
    """
    code = 0
    seen = _stamps(folder)
    typer.echo(text("validations.rule.watching", path=folder), err=True)
    try:
        while True:
            pause()
            now = _stamps(folder)
            if now == seen:
                continue
            seen = now
            try:
                code = once()
            except BaosongError as error:
                typer.echo(str(error), err=True)
                code = error.exit_code
            sys.stdout.flush()
    except KeyboardInterrupt:
        return code


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    stamps: dict[Path, tuple[int, int]] = {}
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except FileNotFoundError:  # an editor put another file in its place
            continue
        stamps[path] = (status.st_mtime_ns, status.st_size)
    return stamps


def _require_one_subject(asked: _Asked) -> None:
    is_files, is_round = bool(asked.tables), asked.filing is not None or asked.round is not None
    if is_files == is_round or (is_round and (asked.filing is None or asked.round is None)):
        raise BadInput("validations.rule.subject")
    if is_files and asked.standard is None:
        raise BadInput("validations.rule.standard")


def _files(asked: _Asked, folder: Path) -> _Subject:
    standard, _ = standard_named(asked.standard or "")
    parameters = options.read_parameters(asked.period, asked.param, asked.report)
    how = Reading(asked.encoding)
    given = declare_nil(standard, read_tables(standard, asked.tables, folder, how), asked.nil, folder)
    references = options.read_references(standard, asked.reference, parameters, folder, how)
    derived = options.derive_missing(standard, given, parameters, folder)
    return _Subject(standard, asked.report, {**derived, **given}, parameters, references, asked.nil)


def _round(asked: _Asked, folder: Path) -> _Subject:
    """A round as it was extracted, its files verified; neither corrections nor handlings are laid over it."""
    from pipelines.stages.baseline import references  # noqa: PLC0415 - stages load what files do not need
    from pipelines.stages.content import parameters_of  # noqa: PLC0415
    from pipelines.stages.installation import open_installation  # noqa: PLC0415

    filing, number = str(asked.filing), int(asked.round or 0)
    with open_installation() as installation:
        state = installation.state(filing)
        opened = state.opened.fact
        name = opened.standard
        standard = standard_named(asked.standard)[0] if asked.standard else installation.standard(name)
        known = state.rounds[number - 1].fact.manifest if 0 < number <= len(state.rounds) else None
        installation.rounds.verify(filing, number, digest=known)
        extracted = installation.rounds.tables(filing, number)
        compared = references(installation, state, standard)
        said = options.read_parameters(asked.period, asked.param, asked.report)
        parameters = {**parameters_of(state), **compared.parameters, **said}
        nil_returns = tuple(sorted({*state.nil_returns, *asked.nil}))
    given = {table: path for table, path in extracted.items() if table in standard.tables}
    how = Reading(asked.encoding)
    others = options.read_references(standard, asked.reference, parameters, folder, how)
    derived = options.derive_missing(standard, given, parameters, folder)
    report = asked.report or opened.report
    tables = {**derived, **given}
    return _Subject(standard, report, tables, parameters, {**compared.tables, **others}, nil_returns)
