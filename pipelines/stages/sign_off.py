"""The sign-off (签报): content is put on its route, opinions are given on it, and later stages demand its approval.

An opinion is given on one content digest and signed by the server; preparer, answerers, reviewers and every opinion are different
people, but that a department signs for what it decided itself.
What is computed here is decided by the ledger alone: Dagster only shows it. The gates before are `gates.py`, who may sit where
is `seats.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState, Recorded
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

__all__ = [
    "OpenSeat",
    "Shown",
    "closed_gates",
    "give_opinion",
    "open_seats",
    "open_sign_off",
    "require_approval",
]


@dataclass(frozen=True)
class Shown:
    """What somebody had before them when they gave an opinion: the content's digest, the seat (`OpenSeat.key`), and, for who
    judges the process, the digest of the compliance review; None where they were shown none."""

    content: str
    seat: str
    review: str | None = None


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
    if state.is_rejected and state.decision and state.decision.fact.content == content.digest:
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


def give_opinion(
    installation: Installation,
    filing: str,
    user: User,
    *,
    opinion: Opinion,
    comment: str,
    department: str | None = None,
    role: str | None = None,
    authentication: str = "",
    shown: Shown | None = None,
) -> FilingState:
    """One opinion (意见) at the seat of the current step that is the user's, or that of an absent person.

    `shown`: what they had before them; by default what is there now, at the seat that `department` or `role` says where the user
    has several. `authentication`: how they proved who they are. Somebody else who signs at the same moment at another seat does
    no harm: all is asked again, for the same content and seat. Raises BadInput without a comment and where several seats are
    meant; Refused when no sign-off is open, none of the open seats is the user's (it lists them), the person already acted on
    this content, or it, the seat or the review is another than they were shown.
    """
    if not comment.strip():
        raise BadInput("sign_off.no_comment")
    if shown is None:
        state, live = _open_to_opinions(installation, filing)
        seats = _own_seats(installation, state, user, department, role)
        shown = Shown(live.fact.content, _the_one(user, seats).key)
    return _give(
        installation, filing, user, shown, opinion=opinion, comment=comment, authentication=authentication
    )


@asked_again
def _give(
    installation: Installation,
    filing: str,
    user: User,
    shown: Shown,
    *,
    opinion: Opinion,
    comment: str,
    authentication: str,
) -> FilingState:
    state, live = _open_to_opinions(installation, filing)
    if shown.content != live.fact.content:
        raise Refused(
            "sign_off.other_content",
            filing=filing,
            shown=shown.content[:12],
            content=live.fact.content[:12],
        )
    seat = _seat_shown(installation, state, user, shown.seat)
    review = compliance(installation, state) if seat.kind == "compliance" else None
    if review and shown.review is not None and shown.review != review.digest:
        raise Refused("sign_off.review_moved")
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
        compliance=keep_compliance(installation, review) if review else None,
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


def _open_to_opinions(installation: Installation, filing: str) -> tuple[FilingState, Recorded[SignOffOpened]]:
    """A filing with the sign-off in which opinions are awaited; Refused where there is none."""
    state = installation.state(filing)
    require_settled(installation, state)
    live = state.live_sign_off
    if live is None:
        raise Refused("sign_off.void" if state.sign_off else "sign_off.none", filing=filing)
    if state.decision:
        raise Refused("sign_off.decided", filing=filing, opinion=state.decision.fact.opinion)
    return state, live


def _seat_shown(installation: Installation, state: FilingState, user: User, shown: str) -> OpenSeat:
    """The seat that the user was shown, by its key; Refused where it is another by now."""
    seats = _own_seats(installation, state, user)
    for seat in seats:
        if seat.key == shown:
            return seat
    now = "、".join(seat_name(installation, seat) for seat in seats)
    raise Refused("sign_off.other_seat", filing=state.id, step=seats[0].step + 1, seats=now)


def _own_seats(
    installation: Installation,
    state: FilingState,
    user: User,
    department: str | None = None,
    role: str | None = None,
) -> list[OpenSeat]:
    """The seats that the user may take, at least one, of a department or role where it is given; else Refused."""
    seats = [
        seat
        for seat in seats_for(installation, state, user)
        if department in (None, seat.department) and role in (None, seat.role)
    ]
    has_acted = _has_acted(state, user.id)
    if not seats and not has_acted and _has_reviewed(state, user):
        raise Refused("sign_off.reviewed", user=user.id)
    if not seats and not has_acted:
        awaited = "、".join(seat_name(installation, seat) for seat in state.open_seats)
        step = state.current_step.place + 1 if state.current_step else 0
        raise Refused("sign_off.role", user=user.id, role=awaited, step=step)
    if state.live_sign_off and user.id == state.live_sign_off.actor:
        raise Refused("sign_off.preparer", user=user.id)
    if user.id in state.answerers:
        raise Refused("sign_off.answered", user=user.id)
    if has_acted:
        raise Refused("sign_off.twice", user=user.id)
    return seats


def _the_one(user: User, seats: list[OpenSeat]) -> OpenSeat:
    """The only seat; BadInput where the user has to say which."""
    if len(seats) == 1:
        return seats[0]
    if seats[0].department:
        departments = ", ".join(seat.department for seat in seats)
        raise BadInput("sign_off.which_department", user=user.id, departments=departments)
    raise BadInput("sign_off.which_role", user=user.id, roles=", ".join(seat.role for seat in seats))


def _has_reviewed(state: FilingState, user: User) -> bool:
    """Whether one of the open seats would be the user's, had they not reviewed this filing's findings."""
    kind = state.current_step.bound.kind if state.current_step else "opinion"
    theirs = [seat for seat in state.open_seats if holds(user, seat)]
    return any(user.id in state.barred_at(kind, seat.department) for seat in theirs)


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
