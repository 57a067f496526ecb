"""Nil returns (零申报): a due table is rightly empty because somebody says so, never because it came out empty."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import NilReturnDeclared, NilReturnWithdrawn
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.next_step import due_round
from resources.deployment import User


def declare_nil_return(
    installation: Installation, filing: str, user: User, *, table: str, reason: str
) -> FilingState:
    """State that a due table is rightly empty; extraction refuses an empty table without this, and one with rows under it.

    Raises Refused when the round at hand has rows of it and no other is due.
    """
    require_role(user, "requester", "data_engineer", act="nil_return")
    state = installation.state(filing)
    if table not in installation.tables(state):
        raise BadInput("request.nil_return_table", table=table, filing=filing)
    if table in state.nil_returns:
        return state
    extracted = state.rounds[-1].fact.tables.get(table) if state.rounds else None
    if extracted and extracted.rows and due_round(state, installation) is None:
        raise Refused(
            "request.nil_return_rows", table=table, filing=filing, round=state.round, rows=extracted.rows
        )
    fact = NilReturnDeclared(table=table, reason=reason)
    return installation.record(state, fact, actor=user.id, command=f"nil:{table}:{state.seq}")


def withdraw_nil_return(
    installation: Installation, filing: str, user: User, *, table: str, reason: str
) -> FilingState:
    """Take a nil return back; the table must have rows then. Raises BadInput when none is declared."""
    require_role(user, "requester", "data_engineer", act="nil_return")
    state = installation.state(filing)
    if table not in state.nil_returns:
        raise BadInput("request.no_nil_return", table=table, filing=filing)
    fact = NilReturnWithdrawn(table=table, reason=reason)
    return installation.record(state, fact, actor=user.id, command=f"not-nil:{table}:{state.seq}")


def declare_of_request(
    installation: Installation, state: FilingState, nil_returns: Mapping[str, str], actor: str, *, demand: int
) -> FilingState:
    """Record what was declared with the demand of this sequence number, each once."""
    for table, reason in nil_returns.items():
        fact = NilReturnDeclared(table=table, reason=reason)
        state = installation.record(state, fact, actor=actor, command=f"nil:{table}:demand-{demand}")
    return state
