"""The problem data of a content is listed for people (问题数据清单 and the documents beside it), once per content.

Where nobody reviews first it goes out at once; else the first reviewer begins. Neither is done here. With the list it is
noted which change requests the round shows.
"""

from __future__ import annotations

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import ProblemsListed
from pipelines.stages.canonical import file_digest
from pipelines.stages.change_request import note_shown
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.issue import issue_all, problem
from pipelines.stages.register import register
from pipelines.stages.workbooks import Problem, write_problem_list


def review(installation: Installation, filing: str) -> FilingState:
    """Write the documents of the content judged last and record them; issue what needs no first review."""
    state = installation.state(filing)
    if state.content is None:
        raise Refused("review.not_validated", filing=filing)
    if not state.is_listed:
        fact = ProblemsListed(
            content=state.content.fact.content,
            round=state.content.fact.round,
            documents=_write_documents(installation, state),
            held=(),
        )
        state = record_with_held(
            installation, state, fact, actor=SYSTEM, command=f"listed:{state.content.seq}"
        )
    note_shown(installation, state)
    if installation.filing_config(state.opened.fact.standard).first_review is None:
        state = issue_all(installation, state)
    return state


def _write_documents(installation: Installation, state: FilingState) -> dict[str, str]:
    assert state.content is not None, "documents are written for a judged content"
    folder = installation.folder("documents", state.id) / state.content.fact.content[:12]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"问题数据清单-{state.id}-{state.round}.xlsx"
    write_problem_list(
        path, f"{state.id} 第 {state.round} 轮问题数据清单", problems_by_branch(installation, state)
    )
    return {path.name: file_digest(path)}


def problems_by_branch(installation: Installation, state: FilingState) -> dict[str, list[Problem]]:
    """What the content judged last has, by the branch that answers for it."""
    standard = installation.standard(state.opened.fact.standard)
    rows = register(installation, state)
    grouped: dict[str, list[Problem]] = {}
    if not rows.is_empty():
        for row in rows.filter("is_present").iter_rows(named=True):
            grouped.setdefault(row["branch"], []).append(problem(standard, row))
    return dict(sorted(grouped.items()))
