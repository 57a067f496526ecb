"""A report correction asks for more than itself: production is to be corrected too (改库签报), by other people.

Baosong never writes to the core: execution happens outside and is recorded; every later round of the standard is asked
whether it shows the value. Correcting the report is `content`'s work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused, text
from pipelines.ledger.change import (
    BoundExecution,
    ChangeEvent,
    ChangeExecuted,
    ChangeRaised,
    ChangeReviewed,
    ChangeShown,
    ChangeState,
    Stage,
    fold_change,
)
from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import Seat
from pipelines.stages.again import asked_again
from pipelines.stages.change_seats import (
    approval_seats,
    execution_seats,
    executor_for,
    who_approves,
    who_executes,
)
from pipelines.stages.content import Content, find_rows, sign_off_number
from pipelines.stages.handlings import Handled, accepted_handlings
from pipelines.stages.installation import SYSTEM, Installation, require_role
from pipelines.stages.seats import bound_step, seat_name
from pipelines.stages.typed_value import typed_value
from resources.deployment import User


def raise_changes(installation: Installation, filing: str, user: User) -> list[ChangeState]:
    """Whoever the route names raises a change request for every accepted report correction of the filing that has none; returns
    all of the filing. The route in force now is bound to each."""
    route = installation.deployment.change_requests
    require_role(user, *route.raised_by, act="raise_change")
    state = installation.state(filing)
    series = f"{sign_off_number(state)}-GK"
    taken = [
        name.removeprefix(f"change/{series}") for name in installation.ledger.streams(f"change/{series}")
    ]
    lacking = _without_request(installation, state, changes_of(installation, filing))
    for number, correction in enumerate(lacking, start=max(map(int, taken), default=0) + 1):
        assert correction.field is not None, "a correction names its field"
        fact = ChangeRaised(
            standard=state.opened.fact.standard,
            filing=filing,
            finding=correction.finding,
            rule=correction.rule,
            table=correction.table,
            key=correction.key,
            field=correction.field,
            old=correction.value,
            new=correction.new_value or "",
            reason=correction.reason,
            department=correction.department,
            organisation=correction.organisation,
            approval=bound_step(installation, route.approval, (correction.department,)),
            execution=BoundExecution(
                roles=route.execution.roles, limit_working_hours=route.execution.limit_working_hours
            ),
        )
        name = f"{series}{number:03d}"
        _append(installation, name, fact, actor=user.id, command=f"{filing}:{fact.finding}:{fact.new}", seq=0)
    return changes_of(installation, filing)


@asked_again
def review_change(
    installation: Installation,
    number: str,
    user: User,
    *,
    opinion: Literal["approve", "refuse"],
    comment: str,
    role: str | None = None,
    department: str | None = None,
    on_behalf_of: str | None = None,
) -> ChangeState:
    """One seat of its route approves or refuses; never who raised it, nor who answered for a branch.

    `role`, `department` and `on_behalf_of` (empty for oneself) say at which seat, needed where the user could take several. Raises
    Refused naming the seats and who could take them where that seat is not, or no longer, the user's; BadInput where it is not said.
    """
    change = change_request(installation, number)
    require_stage(change, "raised")
    if user.id == change.raised_by:
        raise Refused("change.own", number=number, user=user.id)
    filing = installation.state(change.raised.filing)
    if user.id in filing.answerers:
        raise Refused("change.answered", number=number, user=user.id)
    if user.id in change.actors:
        raise Refused("change.twice", number=number, user=user.id)
    seats = [
        (seat, absent)
        for seat, absent in approval_seats(installation, change, filing, user)
        if role in (None, seat.role)
        and department in (None, seat.department)
        and on_behalf_of in (None, absent)
    ]
    if not seats:
        could = who_approves(installation, change, filing)
        raise _not_theirs(installation, change, user, change.open_seats, could, act="review_change")
    if len(seats) > 1:
        known = "、".join(seat_name(installation, seat) for seat, _ in seats)
        raise BadInput("change.which_seat", number=number, user=user.id, seats=known)
    if not comment.strip():
        raise BadInput("change.no_comment")
    seat, absent = seats[0]
    fact = ChangeReviewed(
        opinion=opinion,
        comment=comment.strip(),
        role=seat.role,
        department=seat.department,
        on_behalf_of=absent,
    )
    command = f"review:{seat.role}:{seat.department}:{user.id}"
    return _append(installation, number, fact, actor=user.id, command=command, seq=change.seq)


@asked_again
def execute_change(
    installation: Installation, number: str, user: User, *, day: date, reference: str
) -> ChangeState:
    """Record that a third person corrected production outside Baosong, under a work order."""
    change = change_request(installation, number)
    require_stage(change, "approved")
    if user.id in change.actors:
        raise Refused("change.same_person", number=number, user=user.id)
    filing = installation.state(change.raised.filing)
    absent = executor_for(installation, change, filing, user)
    if absent is None:
        seats, could = execution_seats(change), who_executes(installation, change, filing)
        raise _not_theirs(installation, change, user, seats, could, act="execute_change")
    problems: list[BaosongError] = []
    if not reference.strip():
        problems.append(BadInput("change.no_reference"))
    if not change.raised_at.date() <= day <= installation.now().date():
        problems.append(
            BadInput("change.day", day=day, first=change.raised_at.date(), last=installation.now().date())
        )
    if problems:
        raise BadInput("change.refused", number=number, details=problems)
    fact = ChangeExecuted(day=day, reference=reference.strip(), on_behalf_of=absent)
    return _append(installation, number, fact, actor=user.id, command=f"execute:{user.id}", seq=change.seq)


def require_stage(change: ChangeState, stage: Stage) -> None:
    """Raises Refused when the request is elsewhere on its route."""
    if change.stage != stage:
        raise Refused("change.stage", number=change.number, stage=text(f"change.stage.{change.stage}"))


def _not_theirs(
    installation: Installation,
    change: ChangeState,
    user: User,
    seats: Sequence[Seat],
    could: Sequence[User],
    *,
    act: str,
) -> Refused:
    return Refused(
        "change.not_theirs",
        number=change.number,
        user=user.id,
        act=text(f"act.{act}"),
        seats="、".join(seat_name(installation, seat) for seat in seats),
        people=", ".join(each.id for each in could) or "—",
    )


def note_shown(installation: Installation, state: FilingState) -> list[ChangeState]:
    """Ask the latest round which open change requests of the standard it shows, and record those that it does."""
    shown: list[ChangeState] = []
    waiting = [
        change
        for change in change_requests(installation)
        if change.stage not in ("shown", "refused") and change.raised.standard == state.opened.fact.standard
    ]
    for change in _shown_by(installation, state, waiting):
        fact = ChangeShown(filing=state.id, round=state.round)
        shown.append(
            _append(installation, change.number, fact, actor=SYSTEM, command="shown", seq=change.seq)
        )
    return shown


def change_requests(installation: Installation) -> list[ChangeState]:
    """All change requests, by number."""
    streams = installation.ledger.streams("change/")
    folded = (find_change(installation, stream.removeprefix("change/")) for stream in streams)
    return sorted((state for state in folded if state is not None), key=lambda change: change.number)


def changes_of(installation: Installation, filing: str) -> list[ChangeState]:
    """The change requests that a filing's corrections caused."""
    return [change for change in change_requests(installation) if change.raised.filing == filing]


def change_request(installation: Installation, number: str) -> ChangeState:
    """Raises BadInput when there is none of this number."""
    change = find_change(installation, number)
    if change is None:
        raise BadInput("change.unknown", number=number)
    return change


def find_change(installation: Installation, number: str) -> ChangeState | None:
    """As `change_request`; None where there is none, or what was raised is erased."""
    return fold_change(installation.ledger.events(f"change/{number}"))


def unraised_gates(installation: Installation, state: FilingState, content: Content) -> list[BaosongError]:
    """A correction without its change request closes the sign-off."""
    laid_over = {each.finding for each in content.overlays}
    lacking = [
        each
        for each in _without_request(installation, state, changes_of(installation, state.id))
        if each.finding in laid_over
    ]
    return [Refused("sign_off.change_not_raised", count=len(lacking), filing=state.id)] if lacking else []


def _without_request(
    installation: Installation, state: FilingState, known: Sequence[ChangeState]
) -> list[Handled]:
    asked = {(change.raised.finding, change.raised.new) for change in known if change.stage != "refused"}
    return [
        each
        for each in accepted_handlings(installation, state).values()
        if each.handling == "report_correction" and (each.finding, each.new_value or "") not in asked
    ]


def _shown_by(
    installation: Installation, state: FilingState, waiting: Sequence[ChangeState]
) -> list[ChangeState]:
    """The change requests whose new value stands in every row of their key in the latest round."""
    standard = installation.standard(state.opened.fact.standard)
    folder = installation.rounds.path(state.id, state.round)
    shown: list[ChangeState] = []
    for name in sorted({change.raised.table for change in waiting}):
        path = folder / f"{name}.parquet"
        if name not in standard.tables or not path.is_file():
            continue
        theirs = [change for change in waiting if change.raised.table == name]
        table = standard.table(name)
        columns = [*table.stored_key, *{change.raised.field for change in theirs}]
        frame = pl.read_parquet(path, columns=list(dict.fromkeys(columns)))
        places = find_rows(frame, table, [change.raised.key for change in theirs])
        for change in theirs:
            rows = places.get(change.raised.key, [])
            values = set(frame[rows, change.raised.field].to_list())
            if rows and values == {typed_value(table, change.raised.field, change.raised.new)}:
                shown.append(change)
    return shown


def _append(
    installation: Installation, number: str, fact: ChangeEvent, *, actor: str, command: str, seq: int
) -> ChangeState:
    installation.ledger.append(
        f"change/{number}",
        fact.kind,
        fact.payload(),
        actor=actor,
        at=installation.now(),
        command_id=f"change:{number}:{command}",
        expected_seq=seq,
    )
    return change_request(installation, number)
