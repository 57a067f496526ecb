"""What is written when a content's findings are listed: problem list, data description, key indicators.

People read them before they decide; nothing here depends on what they decide about this content.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.baseline import rows_before
from pipelines.stages.canonical import file_digest
from pipelines.stages.filing_documents.pages import bars, write_page
from pipelines.stages.filing_documents.rows import write_rows
from pipelines.stages.filing_documents.scope import scope_of
from pipelines.stages.installation import Installation
from pipelines.stages.issue import problem
from pipelines.stages.key_indicators import Indicator, key_indicators
from pipelines.stages.register import register
from pipelines.stages.unjudged import unjudged
from pipelines.stages.workbooks import Problem, write_problem_list
from validations.engine import Standard

_UNUSUAL_PERCENT = 20
_FEW_WORKING_DAYS = 3


@dataclass(frozen=True)
class TableLine:
    """A table as the description lists it."""

    name: str
    title: str
    origin: str
    rows: int
    before: int | None
    sums: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RuleLine:
    """A rule that found something."""

    rule: str
    message: str
    severity: str
    count: int
    per_10k: str


def write_listed_documents(installation: Installation, state: FilingState, folder: Path) -> dict[str, str]:
    """Write them into `folder`; file name → SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    assert state.content is not None, "documents are written for a judged content"
    found = register(installation, state)
    if not found.is_empty():
        found = found.filter("is_present")
    name = f"{state.id}-{state.content.fact.round}"
    problems = folder / f"问题数据清单-{name}.xlsx"
    _write_problem_list(installation, state, found, problems)
    whole = problems.with_suffix(".parquet")
    found.drop([c for c in found.columns if c.endswith("_seq")]).write_parquet(whole, statistics=False)
    description = folder / f"数据说明-{name}.html"
    _write_description(installation, state, found, description)
    indicators = folder / f"关键指标-{name}.xlsx"
    _write_indicators(key_indicators(installation, state), indicators)
    return {path.name: file_digest(path) for path in (problems, whole, description, indicators)}


def _write_problem_list(
    installation: Installation, state: FilingState, found: pl.DataFrame, path: Path
) -> None:
    deployment = installation.deployment
    standard = installation.standard(state.opened.fact.standard)
    departments = {code: department.title.zh for code, department in deployment.departments.items()}
    grouped: dict[str, list[Problem]] = {}
    for row in found.iter_rows(named=True):
        said = {**row, "department": departments[row["department"]]}
        grouped.setdefault(row["branch"], []).append(problem(standard, said))
    write_problem_list(
        path,
        f"{state.id} 第 {state.round} 轮问题数据清单",
        dict(sorted(grouped.items())),
        names={o.code: o.name for o in deployment.organisations},
        details_per_rule=installation.filing_config(standard.name).listed_findings,
    )


def _write_description(
    installation: Installation, state: FilingState, found: pl.DataFrame, path: Path
) -> None:
    assert state.content is not None, "documents are written for a judged content"
    judged, extracted = state.content.fact, state.rounds[-1].fact
    standard = installation.standard(state.opened.fact.standard)
    before = rows_before(installation, state)
    tables = _tables(installation, state, standard, before)
    severities = {rule.id: rule.severity for rule in standard.rules}
    findings = [
        RuleLine(rule, standard.rule(rule).message.zh, severities[rule], count, _per_10k(count, judged.rows))
        for rule, count in sorted(judged.counts.items(), key=lambda each: (-each[1], each[0]))
        if count
    ]
    names = {o.code: o.name for o in installation.deployment.organisations}
    by_branch = {} if found.is_empty() else dict(found.group_by("branch").len().iter_rows())
    write_page(
        path,
        "data_description.html",
        filing=state.id,
        round=judged.round,
        at=state.content.at,
        scope=scope_of(installation, state),
        tables=tables,
        rules_judged=len(judged.counts),
        not_judged=[(each.rule, str(each)) for each in unjudged(state)],
        findings=findings,
        branches=bars({f"{names.get(code) or ''} {code}": count for code, count in by_branch.items()}),
        risks=_risks(installation, state, tables, has_previous=bool(before)),
        content=judged.content,
        standard=f"{standard.title.zh} {standard.name} {standard.version}（{standard.digest[:12]}）",
        manifest=extracted.manifest,
    )


def _tables(
    installation: Installation, state: FilingState, standard: Standard, before: dict[str, int]
) -> list[TableLine]:
    extracted = state.rounds[-1].fact.tables
    return [
        TableLine(
            name=name,
            title=standard.table(name).title.zh,
            origin=text("documents.description.extracted"),
            rows=facts.rows,
            before=before.get(name),
            sums=tuple(
                (f"{standard.table(name).field(field).title.zh} {field}", value)
                for field, value in facts.sums.items()
            ),
        )
        for name, facts in extracted.items()
    ]


def _risks(
    installation: Installation, state: FilingState, tables: list[TableLine], *, has_previous: bool
) -> list[str]:
    """What a reader must know before he decides, most serious first."""
    assert state.content is not None, "documents are written for a judged content"
    judged, calendar = state.content.fact, installation.calendar
    risks: list[str] = []
    if judged.block:
        risks.append(text("documents.risk.block", count=f"{judged.block:,}"))
    if judged.explain:
        risks.append(text("documents.risk.explain", count=f"{judged.explain:,}"))
    if judged.not_judged:
        risks.append(text("documents.risk.not_judged", count=len(judged.not_judged)))
    if state.comparison and state.comparison.fact.missing_fixes:
        risks.append(text("documents.risk.missing", count=state.comparison.fact.missing_fixes))
    if state.unexplained_drift:
        risks.append(text("documents.risk.drift", count=f"{state.unexplained_drift:,}"))
    if not has_previous:
        risks.append(text("documents.risk.no_previous"))
    for each in tables:
        if each.before and abs(each.rows - each.before) * 100 > _UNUSUAL_PERCENT * each.before:
            change = Decimal(abs(each.rows - each.before) * 100) / each.before
            direction = "documents.risk.more" if each.rows > each.before else "documents.risk.less"
            percent = change.quantize(Decimal("0.1"), ROUND_HALF_UP)
            risks.append(
                text(
                    "documents.risk.rows",
                    table=f"{each.title} {each.name}",
                    direction=text(direction),
                    percent=percent,
                )
            )
    planned = state.planned_on
    day, left = state.content.at.date(), 0
    while day < planned and left <= _FEW_WORKING_DAYS:
        day = calendar.add_workdays(day, 1)
        left += 1
    if left <= _FEW_WORKING_DAYS:
        risks.append(text("documents.risk.deadline", planned=planned, days=left))
    return risks


def _write_indicators(indicators: list[Indicator], path: Path) -> None:
    columns = ("name", "value", "last_period", "change_period", "last_year", "change_year", "note")
    rows = [
        (
            each.title,
            _amount(each.value),
            _amount(each.last_period.value),
            _amount(each.change_on_period),
            _amount(each.last_year.value),
            _amount(each.change_on_year),
            "；".join(
                dict.fromkeys(r for r in (each.reason, each.last_period.reason, each.last_year.reason) if r)
            ),
        )
        for each in indicators
    ]
    headers = [text(f"documents.indicators.{name}") for name in columns]
    write_rows(path, text("documents.indicators.title"), headers, rows, widths=(40, 20, 20, 14, 20, 14, 50))


def _amount(value: Decimal | None) -> str:
    return "—" if value is None else f"{value:,}"


def _per_10k(count: int, rows: int) -> str:
    if not rows:
        return "—"
    return f"{(Decimal(count) * 10_000 / rows).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"
