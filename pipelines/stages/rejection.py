"""What a rejection sends back, and to whom: the step's `rejection` names the preparer, the departments or the branches.

They have the task, and nobody else. The same content goes up again only once one of them has said what was done about the
objection; content that became another one needs no word. Putting it up is `sign_off.py`'s work.
"""

from __future__ import annotations

from pipelines.errors import BadInput, Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import ObjectionAnswered, Rejection
from pipelines.stages.again import asked_again
from pipelines.stages.installation import Installation
from pipelines.stages.scope import sees_filing, visible_branches
from pipelines.stages.seats import absent_of
from resources.deployment import User


def went_back_to(state: FilingState) -> Rejection | None:
    """To whom the live sign-off's rejection sent the content; None while it is not rejected.

    Where nobody was ever asked about a finding there are no departments or branches to send it to: it goes to the preparer.
    """
    if not state.is_rejected or state.decision is None:
        return None
    rejection = state.steps[state.decision.fact.step].bound.rejection
    return rejection if rejection == "preparer" or _asked(state, rejection) else "preparer"


def is_theirs(installation: Installation, state: FilingState, user: User) -> bool:
    """Whether the rejected content went back to this person."""
    rejection = went_back_to(state)
    if rejection is None or not sees_filing(installation.deployment, user, state):
        return False
    if rejection == "preparer":
        return _is_preparer(installation, state, user)
    asked = _asked(state, rejection)
    if rejection == "departments":
        return any(user.speaks_for(code) for code in asked)
    visible = visible_branches(installation.deployment, user)
    return user.has_role("branch_preparer") and (visible is None or bool(visible & asked))


@asked_again
def answer_objection(installation: Installation, filing: str, user: User, *, answer: str) -> FilingState:
    """Say what was done about the objection, where the content itself did not change.

    Raises Refused when nothing is rejected or it did not go back to the user; BadInput without words.
    """
    state = installation.state(filing)
    decision = state.decision
    if decision is None or not state.is_rejected:
        raise Refused("sign_off.not_rejected", filing=filing)
    if not is_theirs(installation, state, user):
        to, people = text(f"sign_off.rejection.{went_back_to(state)}"), _people(installation, state)
        raise Refused("sign_off.not_sent_back_to", user=user.id, to=to, people=people)
    if not answer.strip():
        raise BadInput("sign_off.no_answer")
    fact = ObjectionAnswered(
        number=decision.fact.number,
        content=decision.fact.content,
        decision=decision.seq,
        answer=answer.strip(),
    )
    command = f"objection:{decision.seq}:{len(state.objection_answers)}"
    return installation.record(state, fact, actor=user.id, command=command)


def answered(installation: Installation, state: FilingState, user: User, answer: str) -> str:
    """What was done about the objection to the live content, as it goes up again: the user's words where it went back to them,
    else what was said by those it went back to. Raises Refused while nobody said it."""
    if is_theirs(installation, state, user) and answer.strip():
        return answer.strip()
    if state.objection_answer is None:
        assert state.decision is not None, "only what was decided is rejected"
        raise Refused(
            "sign_off.answer_missing",
            user=state.decision.actor,
            comment=state.decision.fact.comment,
            to=text(f"sign_off.rejection.{went_back_to(state)}"),
            people=_people(installation, state),
        )
    return "\n".join(each for each in (state.objection_answer.fact.answer, answer.strip()) if each)


def _asked(state: FilingState, rejection: Rejection) -> set[str]:
    """The departments or branches that hold, or held, findings."""
    held = [held for listing in state.listings for held in listing.fact.held]
    return {each.department if rejection == "departments" else each.organisation for each in held}


def _is_preparer(installation: Installation, state: FilingState, user: User) -> bool:
    """Whoever opened the sign-off, or their substitute while they are away; anybody of the role where they left."""
    assert state.live_sign_off is not None, "rejected"
    opener = installation.deployment.users.get(state.live_sign_off.actor)
    if opener is None or not opener.has_role("data_engineer"):
        return user.has_role("data_engineer")
    return user.id == opener.id or absent_of(installation, [opener], user) is not None


def _people(installation: Installation, state: FilingState) -> str:
    people = installation.deployment.users.values()
    return ", ".join(each.id for each in people if is_theirs(installation, state, each)) or "—"
