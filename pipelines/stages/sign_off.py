"""The sign-off (签报): content is put on its route, opinions are given on it, and later stages demand its approval.

An opinion is given on one content digest and signed by the server; preparer, answerers, reviewers and every opinion are different
people, but that a department signs for what it decided itself.
What is computed here is decided by the ledger alone: Dagster only shows it. The gates before are `gates.py`, who may sit where
is `seats.py`.
"""

from __future__ import annotations

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Opinion, OpinionGiven, SignOffOpened
from pipelines.ledger.heads import open_key
from pipelines.ledger.statements import signed
from pipelines.stages.again import asked_again
from pipelines.stages.compliance import compliance, keep_compliance
from pipelines.stages.content import Content, build_content, sign_off_number
from pipelines.stages.filing_documents import write_signed_documents
from pipelines.stages.gates import closed_gates
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.office import office_reference
from pipelines.stages.register import register
from pipelines.stages.rejection import answered
from pipelines.stages.request_gate import require_settled
from pipelines.stages.review import documents_folder
from pipelines.stages.seats import OpenSeat, holds, resolved_steps, seat_name, seats_for
from pipelines.stages.validate import read_findings
from resources.deployment import User

__all__ = ["OpenSeat", "closed_gates", "give_opinion", "open_seats", "open_sign_off", "require_approval"]


def open_sign_off(
    installation: Installation,
    filing: str,
    user: User,
    *,
    reference: str | None = None,
    answer: str = "",
) -> FilingState:
    """The preparer puts the content that exists now on its route. All gates answer at once.

    `reference`: what the office system (EOA) calls it, as a person typed it; by default the office is asked, where there is
    one. `answer`: what was done about the objection; a rejected content does not go on its route again before those to whom it
    was sent back said so. Raises Refused listing every gate that is closed.
    """
    require_role(user, "data_engineer", act="sign_off")
    state = installation.state(filing)
    if state.is_in_sign_off and not state.withdrawn:
        return state
    content, rows = build_content(installation, state), register(installation, state)
    closed, said = closed_gates(installation, state, content, rows=rows), answer.strip()
    if state.decision and state.decision.fact.content == content.digest:
        try:
            said = answered(installation, state, user, answer)
        except Refused as refusal:
            closed.append(refusal)
    if closed:
        raise Refused("sign_off.gates", filing=filing, details=closed)
    steps = resolved_steps(installation, state, rows=rows)
    route = tuple(seat.role for step in steps for seat in step.seats)
    after = state.decision.seq if state.decision else 0
    command = f"sign-off:{content.digest}:{after}"
    fact = SignOffOpened(
        number=sign_off_number(state),
        content=content.digest,
        route=route,
        steps=steps,
        answer=said,
        office_reference=office_reference(
            installation, state, user, command=command, route=route, typed=reference
        ),
        documents=write_signed_documents(
            installation, state, content, documents_folder(installation, state, content.digest), rows=rows
        ),
    )
    return installation.record(state, fact, actor=user.id, command=command)


def open_seats(installation: Installation, state: FilingState, user: User) -> tuple[OpenSeat, ...]:
    """The seats at which the user may give an opinion now; none for the preparer, an answerer, or who acted already."""
    if state.withdrawn or user.id in state.makers or _has_acted(state, user.id):
        return ()
    return seats_for(installation, state, user)


@asked_again
def give_opinion(
    installation: Installation,
    filing: str,
    user: User,
    *,
    opinion: Opinion,
    comment: str,
    department: str | None = None,
    authentication: str = "",
    content: str | None = None,
) -> FilingState:
    """One opinion (意见) at the seat of the current step that is the user's, or that of an absent person.

    `department` says for which, where the user speaks for several; `authentication` how they proved who they are; `content` is
    the digest of what they were shown. Somebody else who signs at the same moment at another seat does no harm: all is asked
    again. Raises BadInput without a comment; Refused when no sign-off is open, none of the open seats is the user's (it lists
    them), the person already acted on this content, or it is another than they were shown.
    """
    if not comment.strip():
        raise BadInput("sign_off.no_comment")
    state = installation.state(filing)
    require_settled(installation, state)
    live = state.live_sign_off
    if live is None:
        code = "sign_off.void" if state.sign_off else "sign_off.none"
        raise Refused(code, filing=filing)
    if content is not None and content != live.fact.content:
        raise Refused(
            "sign_off.other_content", filing=filing, shown=content[:12], content=live.fact.content[:12]
        )
    if state.decision:
        raise Refused("sign_off.decided", filing=filing, opinion=state.decision.fact.opinion)
    seat = _seat(installation, state, user, department)
    at = installation.now()
    fact = OpinionGiven(
        number=live.fact.number,
        content=live.fact.content,
        step=seat.step,
        role=seat.role,
        department=seat.department,
        on_behalf_of=seat.on_behalf_of,
        opinion=opinion,
        comment=comment,
        authentication=authentication,
        compliance=keep_compliance(installation, compliance(installation, state))
        if seat.kind == "compliance"
        else None,
    )
    fact = signed(
        open_key(installation.home),
        fact,
        deployment=installation.deployment.name,
        filing=state.id,
        version=state.version,
        user=user.id,
        at=at,
    )
    command = f"opinion:{live.seq}:{seat.step}:{seat.role}:{seat.department}:{user.id}"
    return installation.record(state, fact, actor=user.id, command=command, at=at)


def _seat(installation: Installation, state: FilingState, user: User, department: str | None) -> OpenSeat:
    """The one seat that the user takes; Refused or BadInput otherwise."""
    seats = [
        seat
        for seat in seats_for(installation, state, user)
        if department is None or seat.department == department
    ]
    has_acted = _has_acted(state, user.id)
    if not seats and not has_acted and _has_reviewed(state, user):
        raise Refused("sign_off.reviewed", user=user.id)
    if not seats and not has_acted:
        role = "、".join(seat_name(installation, seat) for seat in state.open_seats)
        step = state.current_step.place + 1 if state.current_step else 0
        raise Refused("sign_off.role", user=user.id, role=role, step=step)
    if state.live_sign_off and user.id == state.live_sign_off.actor:
        raise Refused("sign_off.preparer", user=user.id)
    if user.id in state.answerers:
        raise Refused("sign_off.answered", user=user.id)
    if has_acted:
        raise Refused("sign_off.twice", user=user.id)
    if len({seat.department for seat in seats}) > 1:
        known = ", ".join(seat.department for seat in seats)
        raise BadInput("sign_off.which_department", user=user.id, departments=known)
    return seats[0]


def _has_reviewed(state: FilingState, user: User) -> bool:
    """Whether one of the open seats would be the user's, had they not reviewed this filing's findings."""
    kind = state.current_step.bound.kind if state.current_step else "opinion"
    theirs = [seat for seat in state.open_seats if holds(user, seat)]
    return any(user.id in state.reviewers_barred(kind, seat.department) for seat in theirs)


def _has_acted(state: FilingState, user: str) -> bool:
    """Whether somebody gave an opinion on this content, or had one given for them."""
    return any(user in (o.actor, o.fact.on_behalf_of) for o in state.live_opinions)


def require_approval(installation: Installation, state: FilingState) -> Content:
    """The content as it is on disk now, if and only if its whole route agreed to exactly this; else Refused."""
    content = build_content(installation, state)
    live = state.live_sign_off
    if live is None or live.fact.content != content.digest or not state.is_approved:
        raise Refused(
            "sign_off.not_approved",
            filing=state.id,
            content=content.digest[:12],
            signed=state.sign_off.fact.content[:12] if state.sign_off else "—",
        )
    read_findings(
        installation, state
    )  # what was signed includes what was found: Tampered when the file was changed
    if not state.has_distinct_people or not state.follows_route:
        raise Refused("sign_off.same_person", filing=state.id)
    return content
