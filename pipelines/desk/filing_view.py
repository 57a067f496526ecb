"""What the page of a filing shows beside its state: charts of what was found, how far each branch is, its documents, its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.desk.charts import bars, heat_map
from pipelines.desk.findings_view import scope_of, visible_rows
from pipelines.desk.rendering import label, said
from pipelines.desk.visit import Visit
from pipelines.ledger.filing import FilingState
from pipelines.stages.finding_state import CLOSED
from pipelines.stages.installation import Installation
from pipelines.stages.review import documents_folder
from validations.engine import Standard

MOST_BARS, MOST_COLUMNS = 15, 14


@dataclass(frozen=True)
class FindingsCharts:
    """Findings present now: by rule, and by branch and rule; `counts` has (rule, message, severity, open, present)."""

    by_rule: str
    by_branch: str
    counts: tuple[tuple[str, str, str, int, int], ...]
    branches: tuple[tuple[str, tuple[int, ...]], ...]
    rules: tuple[str, ...]
    is_cut: bool


@dataclass(frozen=True)
class Progress:
    """How far one branch is: findings put to it, answered, accepted or else done with, still open there."""

    branch: str
    name: str
    asked: int
    answered: int
    done: int
    open: int
    due: datetime | None


@dataclass(frozen=True)
class ReviewDocument:
    """A document that an event of the filing names; `is_there`: its file lies where it should."""

    content: str
    name: str
    at: datetime
    kind: str
    sha256: str
    is_there: bool


def findings_charts(visit: Visit) -> FindingsCharts | None:
    """Charts of what the person sees; None where nothing was judged or found."""
    if visit.state.content is None:
        return None
    counted = visit.desk.reading.remembered(visit.state, ("charts", scope_of(visit)), lambda: _counted(visit))
    if counted.is_empty():
        return None
    standard = visit.installation.standard(visit.state.opened.fact.standard)
    by_rule = (
        counted.group_by("rule", "severity")
        .agg(pl.col("present", "open").sum())
        .sort("present", "rule", descending=[True, False])
    )
    messages = _messages(standard)
    counts = tuple(
        (row["rule"], messages.get(row["rule"], ""), row["severity"], row["open"], row["present"])
        for row in by_rule.iter_rows(named=True)
    )
    names = {each.code: each.name for each in visit.installation.deployment.organisations}
    rules = tuple(rule for rule, *_ in counts[:MOST_COLUMNS])
    values = {
        (str(names.get(row["branch"], row["branch"])), str(row["rule"])): row["present"]
        for row in counted.iter_rows(named=True)
    }
    branches = sorted({branch for branch, _ in values})
    return FindingsCharts(
        bars(label("filing.by_rule"), {rule: present for rule, *_, present in counts[:MOST_BARS]}, unit=label("unit.findings")),
        heat_map(label("filing.by_branch"), branches, rules, values),
        counts,
        tuple((branch, tuple(values.get((branch, rule), 0) for rule in rules)) for branch in branches),
        rules,
        is_cut=len(counts) > MOST_COLUMNS,
    )  # fmt: skip


def _counted(visit: Visit) -> pl.DataFrame:
    rows = visible_rows(visit).filter(pl.col("is_present"))
    grouped = rows.group_by("rule", "severity", "branch")
    return grouped.agg(present=pl.len(), open=pl.col("holder").is_not_null().sum()).collect()


def branch_progress(visit: Visit) -> list[Progress]:
    """Each branch that was asked something, as far as the person sees it."""
    if visit.state.content is None:
        return []
    names = {each.code: each.name for each in visit.installation.deployment.organisations}
    rows = visit.desk.reading.remembered(
        visit.state, ("progress", scope_of(visit)), lambda: _asked_and_answered(visit)
    )
    return [
        Progress(name=str(names.get(row["branch"], row["branch"])), **row)
        for row in rows.iter_rows(named=True)
    ]


def _asked_and_answered(visit: Visit) -> pl.DataFrame:
    return (
        visible_rows(visit)
        .filter(pl.col("asked_seq").is_not_null())
        .group_by("branch")
        .agg(
            asked=pl.len(),
            answered=pl.col("handling").is_not_null().sum(),
            done=pl.col("state").is_in(CLOSED).sum(),
            open=(pl.col("holder") == "answer").sum(),
            due=pl.col("due").filter(pl.col("holder") == "answer").min(),
        )
        .sort("branch")
        .collect()
    )


def review_documents(installation: Installation, state: FilingState) -> list[ReviewDocument]:
    """Every document written for people, the newest first."""
    acts = [(act, act.fact.content, act.fact.documents) for act in state.listings]
    if state.sign_off:
        acts.append((state.sign_off, state.sign_off.fact.content, state.sign_off.fact.documents))  # type: ignore[arg-type]
    found = [
        ReviewDocument(
            content,
            name,
            act.at,
            act.fact.kind,
            sha256,
            is_there=(documents_folder(installation, state, content) / name).is_file(),
        )
        for act, content, documents in acts
        for name, sha256 in documents.items()
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)


def timeline(installation: Installation, state: FilingState) -> list[tuple[datetime, str, str]]:
    """What happened, who did it: the newest first."""
    events = installation.ledger.events(f"filing/{state.id}")
    return [(event.at, event.actor, event.type) for event in reversed(events)]


def _messages(standard: Standard) -> dict[str, str]:
    return {rule.id: said(rule.message) for rule in standard.rules}
