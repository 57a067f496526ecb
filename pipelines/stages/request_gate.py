"""Whether what is demanded of a filing stands: no amendment waits, none was accepted and not applied, nothing was withdrawn.

Asked by every stage that signs or sends. Deciding on an amendment is `request.py`'s work.
"""

from __future__ import annotations

from pipelines.errors import BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation


def request_gates(installation: Installation, state: FilingState) -> list[BaosongError]:
    """Why nothing may be signed or sent for now, as far as the demand is the reason."""
    if state.withdrawn:
        return [Refused("request.filing_withdrawn", filing=state.id, reason=state.withdrawn.fact.reason)]
    if state.opened.fact.opened_by != "request":
        return []
    request = installation.request(state.opened.fact.basis)
    if request.withdrawn:
        return [Refused("request.filing_withdrawn", filing=state.id, reason=request.withdrawn.fact.reason)]
    applied = {each.fact.request_seq for each in state.amendments}
    is_applied = all(each.seq in applied for each in request.accepted[1:])
    if request.is_under_review or not is_applied:
        return [Refused("request.under_review", filing=state.id, number=request.number)]
    return []


def require_settled(installation: Installation, state: FilingState) -> None:
    """Raise Refused unless the demand stands."""
    for gate in request_gates(installation, state):
        raise gate
