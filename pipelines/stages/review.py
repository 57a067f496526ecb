"""The problem data of a content is listed for people (问题数据清单 and the documents beside it), once per content.

Where nobody reviews first it goes out at once; else the first reviewer begins. Neither is done here. With the list it is
noted which change requests the round shows.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import ProblemsListed
from pipelines.stages.change_request import note_shown
from pipelines.stages.filing_documents import write_listed_documents
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.issue import issue_all


def review(installation: Installation, filing: str) -> FilingState:
    """Write the documents of the content judged last and record them; issue what needs no first review."""
    state = installation.state(filing)
    if state.content is None:
        raise Refused("review.not_validated", filing=filing)
    if not state.is_listed:
        fact = ProblemsListed(
            content=state.content.fact.content,
            round=state.content.fact.round,
            documents=write_listed_documents(
                installation, state, documents_folder(installation, state, state.content.fact.content)
            ),
            held=(),
        )
        state = record_with_held(
            installation, state, fact, actor=SYSTEM, command=f"listed:{state.content.seq}"
        )
    note_shown(installation, state)
    if installation.filing_config(state.opened.fact.standard).first_review is None:
        state = issue_all(installation, state)
    return state


def documents_folder(installation: Installation, state: FilingState, content: str) -> Path:
    """Where the documents on a content lie."""
    return installation.folder("documents", state.id) / content[:12]
