"""What the flow does next by itself. People's acts (answers, opinions, handovers) are never due here.

Sensors ask this for every filing; the key of a step is stable while nothing happens, so a step is launched once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import RetryRequested
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.off_system import owed_tables
from pipelines.stages.request_gate import request_gates
from resources.deployment import User

Step = Literal["extract", "validate", "reject", "release", "acknowledge"]


@dataclass(frozen=True)
class NextStep:
    """One automatic step that is due; `key` names the cause, e.g. `extract:round-2:0` (the last part counts retries)."""

    step: Step
    key: str


def next_step(state: FilingState, installation: Installation) -> NextStep | None:
    """The automatic step that is due for a filing, or None while people are at work or all is done."""
    cause: tuple[Step, str] | None = None
    if state.evidence or state.withdrawn:
        cause = None
    elif state.receipt or state.handover or (state.sent and _is_interface(state, installation)):
        cause = "acknowledge", f"version-{state.version}"
        if state.handover and not state.receipt:
            cause = None  # the bureau answers the branch, and the branch records it
    elif (number := due_round(state, installation)) is not None:
        if not _awaits_uploads(state, installation):
            cause = "extract", f"round-{number}"
    elif _has_unjudged_decisions(state, installation):
        cause = "validate", f"decided-{_last_decision(state)}"
    elif state.round and not state.is_in_sign_off and not state.packages and _is_unfinished(state):
        cause = _cause_of_the_last_content(
            state
        )  # its run failed half-way: the same key, until a retry is asked for
    elif state.is_rejected and state.decision:
        cause = "reject", f"decision-{state.decision.seq}"
    elif state.is_approved and state.decision and not state.sent:
        cause = "release", f"decision-{state.decision.seq}"
        if request_gates(installation, state):
            cause = None  # what was approved may not be what is demanded: the review of the amendment decides
    if cause is None:
        return None
    step, why = cause
    return NextStep(step, f"{step}:{why}:{state.retries.get(step, 0)}")


def due_round(state: FilingState, installation: Installation) -> int | None:
    """The number of the round that is to be extracted now, if one is.

    What departments upload may still be missing then: `next_step` waits for it, an extraction by hand names it.
    """
    if state.packages or state.withdrawn:
        return None
    if state.is_round_of_another_demand:
        return state.round + 1
    if state.is_in_sign_off:
        return state.round + 1 if _is_asked(state) else None
    if state.round == 0:
        return 1
    if _is_asked(state):
        return state.round + 1
    last = state.rounds[-1].seq
    promised = any(r.seq > last and r.fact.accepted.get("source_fix", 0) for r in state.answer_reviews)
    return state.round + 1 if promised and _are_people_done(state, installation) else None


def _are_people_done(state: FilingState, installation: Installation) -> bool:
    """Whether everything is answered and decided or, at the cut-off, the day for answers has passed."""
    if state.content is None or not state.is_listed:
        return False
    is_late = state.answer_by is not None and installation.now().date() > state.answer_by
    return not state.held or is_late


def request_retry(installation: Installation, filing: str, user: User, *, reason: str) -> FilingState:
    """Let the automatic step that failed run again."""
    require_role(user, "data_engineer", act="retry")
    state = installation.state(filing)
    step = next_step(state, installation)
    if step is None:
        raise Refused("next_step.nothing", filing=filing)
    fact = RetryRequested(step=step.step, reason=reason)
    return installation.record(state, fact, actor=user.id, command=f"retry:{step.key}")


def _is_asked(state: FilingState) -> bool:
    """Whether a person asks for the next round, by name or by an upload that the latest does not hold."""
    asked = state.extraction_requested
    return state.has_new_upload or (asked is not None and asked.fact.round == state.round + 1)


def _awaits_uploads(state: FilingState, installation: Installation) -> bool:
    """Whether departments are at work on what the round needs: nothing is there, or its source fix is another upload."""
    owed = owed_tables(installation, state)
    is_promised = any(each.is_promised for each in owed) and not _is_asked(state)
    return is_promised or any(each.is_missing for each in owed)


def _is_interface(state: FilingState, installation: Installation) -> bool:
    config = installation.filing_config(state.opened.fact.standard)
    return installation.deployment.channels[config.channel].kind == "interface"


def _is_unfinished(state: FilingState) -> bool:
    """Whether the latest round still has to be judged, compared or listed for people."""
    if not state.content or state.content.fact.round != state.round or not state.is_listed:
        return True
    return state.round > 1 and not state.is_compared


def _cause_of_the_last_content(state: FilingState) -> tuple[Step, str]:
    last = state.rounds[-1].seq
    decided = _last_decision(state)
    if decided > last and not state.held:
        return "validate", f"decided-{decided}"
    return "extract", f"round-{state.round}"


def _has_unjudged_decisions(state: FilingState, installation: Installation) -> bool:
    if state.is_in_sign_off or state.packages or not state.has_new_decisions:
        return False
    return _are_people_done(state, installation)


def _last_decision(state: FilingState) -> int:
    """The sequence of the last act that changes the content without a new round."""
    acts = (*state.answer_reviews, *state.corrections_decided, *state.waivers, *state.revocations)
    return max((act.seq for act in acts), default=0)
