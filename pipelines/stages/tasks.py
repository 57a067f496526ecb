"""What waits for a person (我的任务), over filings and requests: computed from the ledger, never assigned by hand.

Pure over the states it is given. Where in the desk something is done is told there; who is told of it, in `notify.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pipelines.ledger.change import ChangeState
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Held, Holder, WaiverProposed
from pipelines.ledger.people import PersonState, people_stream
from pipelines.ledger.recorded import Recorded
from pipelines.ledger.request import RequestState
from pipelines.stages.change_seats import approval_seats, due_by, executor_for
from pipelines.stages.installation import Installation
from pipelines.stages.off_system import keeps_off_system, owed_tables
from pipelines.stages.people import may_decide, pending_people
from pipelines.stages.rejection import is_theirs
from pipelines.stages.scope import sees_filing, sees_request, visible_branches
from pipelines.stages.sign_off import open_seats
from resources.deployment import User

TaskKind = Literal[
    "review_request", "mend_request", "first_review", "issue", "answer", "decide", "open_sign_off", "again", "sign",
    "confirm_person",
    "hand_in", "decide_extension", "decide_waiver",
    "review_change", "execute_change",
]  # fmt: skip
HOLDERS: tuple[Holder, ...] = ("first_review", "issue", "answer", "decide")


@dataclass(frozen=True)
class Task:
    """One thing to do: of which filing, request or person, how many findings, by when, since when.

    `stream` is the filing's, request's or person's, `subject` what people call it, `cause` the sequence of the event in it that made this
    wait.
    """

    kind: TaskKind
    stream: str
    subject: str
    cause: int
    since: datetime
    due: date
    count: int = 0


def tasks_of(
    installation: Installation,
    states: Sequence[FilingState],
    requests: Iterable[RequestState],
    changes: Iterable[ChangeState],
    user: User,
) -> list[Task]:
    """Everything that waits for the user, the earliest due first."""
    found = [task for request in requests for task in tasks_of_request(installation, request, user)]
    for person in pending_people(installation):
        found.extend(tasks_of_person(person, user))
    found.extend(task for state in states for task in tasks_of_filing(installation, state, user))
    filings = {state.id: state for state in states}
    for change in changes:
        if filing := filings.get(change.raised.filing):
            found.extend(tasks_of_change(installation, change, filing, user))
    return sorted(found, key=lambda task: (task.due, task.since))


def tasks_of_person(person: PersonState, user: User) -> Iterator[Task]:
    """A proposed appointment waits for everybody who may confirm it."""
    if person.pending is not None and may_decide(person, user):
        proposed = person.pending
        stream, day = people_stream(person.id), proposed.at.date()
        yield Task("confirm_person", stream, proposed.fact.name, proposed.seq, proposed.at, day)


def tasks_of_change(
    installation: Installation, change: ChangeState, filing: FilingState, user: User
) -> Iterator[Task]:
    """What of one change request, caused by this filing, waits for the user: due by its limit, else before the filing is."""
    due = due_by(installation, change)
    day, stream = (due.date() if due else filing.planned_on), f"change/{change.number}"
    if change.stage == "raised" and approval_seats(installation, change, filing, user):
        yield Task("review_change", stream, change.number, 1, change.raised_at, day)
    approved = change.decision
    if (
        change.stage == "approved"
        and approved
        and executor_for(installation, change, filing, user) is not None
    ):
        yield Task("execute_change", stream, change.number, approved.seq, approved.at, day)


def tasks_of_request(installation: Installation, request: RequestState, user: User) -> Iterator[Task]:
    """What of one request waits for the user."""
    demand, decision = request.latest, request.decision
    stream, due = f"request/{request.key}", demand.fact.deadline
    waits = request.stage in ("waiting", "amendment_waiting")
    is_theirs = sees_request(installation.deployment, user, request)
    if waits and is_theirs and user.has_role("audit_reviewer") and user.id not in request.authors:
        yield Task("review_request", stream, request.number, demand.seq, demand.at, due)
    returned = request.stage in ("returned", "amendment_returned")
    if returned and is_theirs and user.has_role("requester"):
        last = decision or demand
        yield Task("mend_request", stream, request.number, last.seq, last.at, due)


def tasks_of_filing(installation: Installation, state: FilingState, user: User) -> Iterator[Task]:
    """What of one filing waits for the user; nothing of one that is not theirs or was withdrawn."""
    if not has_tasks(installation, state) or not sees_filing(installation.deployment, user, state):
        return
    stream = f"filing/{state.id}"
    yield from _hand_in(installation, state, user, stream)
    proposed = state.open_extension
    if proposed and user.has_role("audit_reviewer") and user.id != proposed.actor:
        yield Task("decide_extension", stream, state.id, proposed.seq, proposed.at, state.planned_on)
    if theirs := _waivers_to_decide(state, user):
        last = theirs[0]
        yield Task("decide_waiver", stream, state.id, last.seq, last.at, state.planned_on, len(theirs))
    if _is_with_people(state):
        yield from _held_tasks(installation, state, user, stream)
    said = state.objection_answer
    if user.has_role("data_engineer") and (state.stage == "reviewed" or said):
        last = said or state.listings[-1]
        yield Task("open_sign_off", stream, state.id, last.seq, last.at, state.planned_on)
    elif state.stage == "rejected" and state.decision and not said and is_theirs(installation, state, user):
        yield Task("again", stream, state.id, state.decision.seq, state.decision.at, state.planned_on)
    if state.live_sign_off and state.current_step and open_seats(installation, state, user):
        place = state.current_step.place
        turn = (state.steps[place - 1].decision if place else None) or state.live_sign_off
        yield Task("sign", stream, state.id, turn.seq, turn.at, state.planned_on)


def has_tasks(installation: Installation, state: FilingState) -> bool:
    """Whether anything of the filing may wait for anybody: cheap to ask before people are gone through."""
    if state.withdrawn:
        return False
    if state.open_extension or (_is_open(state) and state.open_waivers):
        return True
    if _is_open(state) and keeps_off_system(installation, state):
        return True
    is_held = _is_with_people(state) and bool(state.held)
    return is_held or state.current_step is not None or state.stage in ("reviewed", "rejected")


def _is_open(state: FilingState) -> bool:
    return not state.is_in_sign_off and not state.packages


def _waivers_to_decide(state: FilingState, user: User) -> list[Recorded[WaiverProposed]]:
    """Proposed waivers that the user may agree to; nobody to their own."""
    if not _is_open(state):
        return []
    return [
        each
        for each in state.open_waivers
        if each.actor != user.id
        and (user.has_role("audit_reviewer") or all(map(user.speaks_for, each.fact.departments)))
    ]


def _hand_in(installation: Installation, state: FilingState, user: User, stream: str) -> Iterator[Task]:
    """Off-system tables that the user's departments owe, or promised to hand in again."""
    if not _is_open(state) or not any(
        user.speaks_for(department) for department in keeps_off_system(installation, state)
    ):
        return
    owed = [each for each in owed_tables(installation, state) if user.speaks_for(each.department)]
    missing = [each for each in owed if each.is_missing]
    promised = [each for each in owed if each.is_promised and not each.is_nil]
    if not missing and not promised:
        return
    began = state.opened if missing else state.rounds[-1]
    count = len(missing) + len(promised)
    yield Task("hand_in", stream, state.id, began.seq, began.at, state.planned_on, count)


def _is_with_people(state: FilingState) -> bool:
    return state.is_listed and not state.is_in_sign_off and not state.packages


def _held_tasks(installation: Installation, state: FilingState, user: User, stream: str) -> Iterator[Task]:
    for holder in HOLDERS:
        count = _theirs(installation, state, user, holder, state.held)
        if not count:
            continue
        due = (state.answer_by or state.planned_on) if holder == "answer" else state.planned_on
        last = _began_to_wait(installation, state, user, holder)
        yield Task(holder, stream, state.id, last.seq, last.at, due, count)


def _began_to_wait(
    installation: Installation, state: FilingState, user: User, holder: Holder
) -> Recorded[Any]:
    """The event since which the user never was without such findings; for a branch, the last that sent it a workbook."""
    listed = state.listings[-1]
    told: list[Recorded[Any]] = [
        *state.first_reviews, *state.dispatches, *state.answers, *state.answer_reviews, *state.waivers, *state.revocations,
    ]  # fmt: skip
    later = sorted((each for each in told if each.seq > listed.seq), key=lambda each: each.seq)
    if holder == "answer":
        for each in reversed(later):
            if any(
                _is_of_branch(installation, user, w.organisation) for w in getattr(each.fact, "workbooks", ())
            ):
                return each
        return listed
    first = listed
    waits = bool(_theirs(installation, state, user, holder, listed.fact.held))
    for each in later:
        if each.fact.held is None:
            continue
        waited, waits = waits, bool(_theirs(installation, state, user, holder, each.fact.held))
        if waits and not waited:
            first = each
    return first


def _theirs(
    installation: Installation, state: FilingState, user: User, holder: Holder, held: Iterable[Held]
) -> int:
    """How many of the findings wait for the user in this capacity."""
    return sum(h.count for h in held if h.holder == holder and _is_theirs(installation, state, user, h))


def _is_theirs(installation: Installation, state: FilingState, user: User, held: Held) -> bool:
    if held.holder == "first_review":
        role = installation.filing_config(state.opened.fact.standard).first_review
        return role is not None and user.has_role(role)
    if held.holder == "answer":
        return user.has_role("branch_preparer") and _is_of_branch(installation, user, held.organisation)
    return user.speaks_for(held.department)


def _is_of_branch(installation: Installation, user: User, organisation: str) -> bool:
    branches = visible_branches(installation.deployment, user)
    return branches is None or organisation in branches
