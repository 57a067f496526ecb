"""What is attached to the sign-off: opinions on modifications, the final confirmation plan, the handlings of all findings and,
where the route has one, the compliance review.

They are written when the sign-off opens, from what people decided until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.canonical import file_digest
from pipelines.stages.change_request import changes_of
from pipelines.stages.content import Content, sign_off_number
from pipelines.stages.filing_documents.compliance_page import (
    is_reviewed_for_compliance,
    write_compliance_page,
)
from pipelines.stages.filing_documents.pages import write_page
from pipelines.stages.filing_documents.rows import write_rows
from pipelines.stages.filing_documents.scope import scope_of
from pipelines.stages.installation import Installation
from pipelines.stages.register import register
from pipelines.stages.waivers import waivers_in_force
from pipelines.stages.workbooks.model import HANDLING_WORDS, SEVERITY_WORDS
from validations.engine import Standard

_OPINIONS = (
    "department", "branch", "finding", "message", "rule", "severity", "table", "key", "field", "value", "expected",
    "review", "review_reason", "decision", "remark", "state",
)  # fmt: skip
_HANDLINGS = (
    "department", "branch", "finding", "message", "rule", "severity", "table", "key", "field", "value", "state",
    "handling", "new_value", "answer_reason", "answered_by", "decided_by", "resolved_round", "waiver",
)  # fmt: skip
_WIDTHS = {"message": 36, "key": 34, "finding": 34, "answer_reason": 40, "review_reason": 30, "remark": 30}


@dataclass(frozen=True)
class CorrectionLine:
    """A report correction as the plan lists it."""

    table: str
    key: str
    field: str
    old: str
    new: str
    reason: str
    who: str
    change: str


@dataclass(frozen=True)
class Act:
    """Who did what when."""

    at: datetime
    who: str
    act: str


def write_signed_documents(
    installation: Installation,
    state: FilingState,
    content: Content,
    folder: Path,
    *,
    rows: pl.DataFrame | None = None,
) -> dict[str, str]:
    """Write them into `folder`; file name → SHA-256. `rows` is the register, where somebody has it already."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{state.id}-V{state.version}-{state.round}"
    rows = register(installation, state) if rows is None else rows
    opinions = folder / f"问题修改意见-{name}.xlsx"
    _write_findings(installation, state, rows, opinions, "opinions", _OPINIONS)
    handlings = folder / f"问题数据处理方式-{name}.xlsx"
    _write_findings(installation, state, rows, handlings, "handlings", _HANDLINGS)
    whole = handlings.with_suffix(".parquet")
    rows.drop([c for c in rows.columns if c.endswith("_seq")]).write_parquet(whole, statistics=False)
    plan = folder / f"最终确认方案-{name}.html"
    _write_plan(installation, state, content, rows, plan)
    written = [opinions, handlings, whole, plan]
    if is_reviewed_for_compliance(installation, state):
        written.append(folder / f"审核流程合规审查-{name}.html")
        write_compliance_page(installation, state, written[-1], rows)
    return {path.name: file_digest(path) for path in written}


def _write_findings(
    installation: Installation,
    state: FilingState,
    rows: pl.DataFrame,
    path: Path,
    document: str,
    columns: Sequence[str],
) -> None:
    """The findings that somebody had to do something about, capped by configuration; the count is always said."""
    standard = installation.standard(state.opened.fact.standard)
    most = installation.filing_config(standard.name).listed_findings
    due = rows if rows.is_empty() else rows.filter(pl.col("severity") != "note")
    left = max(due.height - most, 0)
    write_rows(
        path,
        f"{text(f'documents.{document}.title')} {state.id}",
        [text(f"documents.column.{name}") for name in columns],
        (
            [_said(installation, standard, row, name) for name in columns]
            for row in due.head(most).iter_rows(named=True)
        ),
        widths=[_WIDTHS.get(name, 16) for name in columns],
        more=text("documents.more", count=f"{left:,}") if left else "",
    )


def _said(installation: Installation, standard: Standard, row: dict[str, Any], name: str) -> str | None:
    """A cell in words."""
    value = row.get(name)
    words: dict[str, str] = {
        "message": next((r.message.zh for r in standard.rules if r.id == row["rule"]), row["rule"]),
        "department": installation.deployment.departments[row["department"]].title.zh,
        "severity": SEVERITY_WORDS[row["severity"]],
        "state": text(f"findings.state.{row['state']}"),
    }
    if name in words:
        return words[name]
    if name in ("review", "decision") and value:
        return text(f"documents.{name}.{value}")
    if name == "handling" and value:
        return next(word for word, handling in HANDLING_WORDS.items() if handling == value)
    return None if value is None else str(value)


def _write_plan(
    installation: Installation, state: FilingState, content: Content, rows: pl.DataFrame, path: Path
) -> None:
    counted = Counter[str]() if rows.is_empty() else Counter(rows["state"].to_list())
    requests = {(c.raised.finding, c.raised.new): c for c in changes_of(installation, state.id)}
    corrections = [
        CorrectionLine(
            table=each.table,
            key=each.key,
            field=each.field or "—",
            old=each.value or "—",
            new=each.new_value or "—",
            reason=each.reason,
            who=each.user,
            change=requests[each.finding, each.new_value or ""].number
            if (each.finding, each.new_value or "") in requests
            else "—",
        )
        for each in content.overlays
    ]
    causes = [
        text(
            "documents.plan.cause", round=d.fact.later, table=d.fact.table, who=d.actor, count=f"{d.fact.explained:,}",
            scope=" ".join(each for each in (d.fact.organisation, d.fact.field, d.fact.change) if each) or "*",
            reason=d.fact.reason,
        )
        for d in state.drift_explained
    ]  # fmt: skip
    write_page(
        path,
        "confirmation_plan.html",
        filing=state.id,
        sign_off=sign_off_number(state),
        round=state.round,
        content=content.digest,
        scope=scope_of(installation, state),
        states=[(text(f"findings.state.{name}"), count) for name, count in sorted(counted.items())],
        corrections=corrections,
        waivers=waivers_in_force(installation, state),
        rounds=[c.fact for c in state.comparisons],
        causes=causes,
        people=sorted(_acts(state), key=lambda act: act.at),
    )


def _acts(state: FilingState) -> Iterator[Act]:
    for each in state.rounds:
        yield Act(each.at, each.actor, text("documents.act.extracted", round=each.fact.round))
    for reviewed in state.first_reviews:
        fact = reviewed.fact
        said = text(
            "documents.act.first_review",
            confirmed=fact.confirmed,
            dismissed=fact.dismissed,
            assigned=fact.assigned,
        )
        yield Act(reviewed.at, reviewed.actor, said)
    for issued in state.dispatches:
        count = sum(workbook.problems for workbook in issued.fact.workbooks)
        said = text("documents.act.issued", department=issued.fact.department, count=f"{count:,}")
        yield Act(issued.at, issued.actor, said)
    for answered in state.answers:
        count = sum(answered.fact.handlings.values())
        said = text(
            "documents.act.answered",
            branch=answered.fact.organisation,
            department=answered.fact.department,
            count=count,
        )
        yield Act(answered.at, answered.actor, said)
    for decided in state.answer_reviews:
        accepted = sum(decided.fact.accepted.values())
        said = text(
            "documents.act.decided",
            department=decided.fact.department,
            accepted=accepted,
            sent_back=decided.fact.sent_back,
        )
        yield Act(decided.at, decided.actor, said)
