"""The workbooks of a filing that were sent to the branches a person answers for, those that still count marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipelines.desk.scope import visible_branches
from pipelines.desk.visit import Visit
from pipelines.stages.canonical import file_digest
from pipelines.stages.issue import dispatch_folder


@dataclass(frozen=True)
class Workbook:
    """One workbook as it was sent; `counts`: it asks about the content judged now, so its answers can be taken."""

    dispatch: int
    name: str
    path: Path
    sha256: str
    organisation: str
    department: str
    problems: int
    sent_at: datetime
    answer_by: date
    counts: bool
    is_sent_back: bool


def workbooks_of(visit: Visit) -> list[Workbook]:
    """Those of the person's branches, the newest first."""
    state, installation = visit.state, visit.installation
    branches = visible_branches(installation.deployment, visit.user)
    judged = state.content.fact.content if state.content else None
    is_open = not state.is_in_sign_off and not state.packages
    found = [
        Workbook(
            dispatch=act.seq,
            name=sent.file,
            path=dispatch_folder(installation, state.id, act.seq) / sent.file,
            sha256=sent.sha256,
            organisation=sent.organisation,
            department=sent.department,
            problems=sent.problems,
            sent_at=act.at,
            answer_by=act.fact.answer_by,
            counts=is_open and act.fact.content == judged,
            is_sent_back=act.fact.kind == "answers_reviewed",
        )
        for act in (*state.dispatches, *state.answer_reviews)
        for sent in act.fact.workbooks
        if branches is None or sent.organisation in branches
    ]
    return sorted(found, key=lambda each: each.dispatch, reverse=True)


@dataclass(frozen=True)
class Returned:
    """A workbook of which lines came back: the copy that says why beside each, to be mended and uploaded again."""

    seq: int
    organisation: str
    lines: int
    at: datetime
    by: str
    path: Path


def returned_of(visit: Visit) -> list[Returned]:
    """Those of the person's branches on the content judged now, the newest first; a copy that was altered is left out."""
    state, installation = visit.state, visit.installation
    branches = visible_branches(installation.deployment, visit.user)
    judged = state.content.fact.content if state.content else None
    found: list[Returned] = []
    for act in reversed(state.answers):
        fact = act.fact
        if (
            not fact.annotated
            or fact.content != judged
            or not (branches is None or fact.organisation in branches)
        ):
            continue
        folder = installation.folder("returned", state.id) / fact.workbook[:16]
        paths = [path for path in sorted(folder.glob("*.xlsx")) if file_digest(path) == fact.annotated]
        found += [
            Returned(act.seq, fact.organisation, fact.returned, act.at, act.actor, path) for path in paths[:1]
        ]
    return found
