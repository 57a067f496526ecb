"""What people are to be told (通知), person by person: what waits for them, and what happened to what they did. Pure over the states.

Tasks are `tasks.py`'s. Here also: opinions that new content voided, rejections, reminders and escalations. When and how it is told
is `notify.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from pipelines.ledger.change import ChangeState
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import HolderReminded
from pipelines.ledger.people import PersonState
from pipelines.ledger.request import RequestState
from pipelines.stages.installation import Installation
from pipelines.stages.rejection import is_theirs
from pipelines.stages.scope import sees_filing, visible_branches
from pipelines.stages.seats import acted_on, sitting
from pipelines.stages.sign_off import open_seats
from pipelines.stages.tasks import (
    TaskKind,
    has_tasks,
    tasks_of_change,
    tasks_of_filing,
    tasks_of_person,
    tasks_of_request,
)
from resources.deployment import User

HappenedKind = Literal[
    "voided",
    "rejected",
    "reminder",
    "escalation",
    "change_refused",
    "account_invited",
    "account_reset",
    "account_linked",
    "account_unlinked",
]
_RECENT = timedelta(days=7)
"""What happened longer ago is no news, also to a deployment that begins to tell people today."""


@dataclass(frozen=True)
class Notice:
    """Something to tell one person, once. `cause` is `stream:sequence` of the event that made it so."""

    person: str
    kind: TaskKind | HappenedKind
    subject: str
    stream: str
    cause: str
    count: int = 0
    due: date | None = None


def notices_of_request(installation: Installation, request: RequestState) -> Iterator[Notice]:
    """What of one request anybody is to be told."""
    for user in installation.deployment.users.values():
        for task in tasks_of_request(installation, request, user):
            cause = f"{task.stream}:{task.cause}"
            yield Notice(user.id, task.kind, task.subject, task.stream, cause, due=task.due)


def notices_of_person(installation: Installation, person: PersonState) -> Iterator[Notice]:
    """Who may confirm what is proposed of a person."""
    for user in installation.deployment.users.values() if person.pending else ():
        for task in tasks_of_person(person, user):
            cause = f"{task.stream}:{task.cause}"
            yield Notice(user.id, task.kind, task.subject, task.stream, cause, due=task.due)


def notices_of_change(
    installation: Installation, change: ChangeState, filing: FilingState
) -> Iterator[Notice]:
    """What of one change request, caused by this filing, anybody is to be told: whose turn it is and, when it was refused, to whom
    the refusal goes."""
    for user in installation.deployment.users.values():
        for task in tasks_of_change(installation, change, filing, user):
            yield Notice(
                user.id, task.kind, task.subject, task.stream, f"{task.stream}:{task.cause}", due=task.due
            )
    refused = change.decision
    if change.stage != "refused" or refused is None or refused.at < installation.now() - _RECENT:
        return
    stream = f"change/{change.number}"
    for user in installation.deployment.users.values():
        if _refusal_is_theirs(installation, change, user):
            yield Notice(user.id, "change_refused", change.number, stream, f"{stream}:{refused.seq}")


def _refusal_is_theirs(installation: Installation, change: ChangeState, user: User) -> bool:
    match change.raised.bound_approval.rejection:
        case "preparer":
            return user.id == change.raised_by
        case "departments":
            return user.speaks_for(change.raised.department)
        case "branches":
            return _answers_for(installation, user, {change.raised.organisation})


def notices_of_filing(installation: Installation, state: FilingState) -> Iterator[Notice]:
    """What of one filing anybody is to be told; nothing of one that was withdrawn."""
    if state.withdrawn:
        return
    for user in installation.deployment.users.values() if has_tasks(installation, state) else ():
        for task in tasks_of_filing(installation, state, user):
            cause = f"{task.stream}:{task.cause}"
            yield Notice(user.id, task.kind, task.subject, task.stream, cause, task.count, task.due)
    since = installation.now() - _RECENT
    yield from _voided(installation, state, since)
    yield from _rejected(installation, state, since)
    yield from _reminded(installation, state, since)
    yield from _late_steps(installation, state, since)


def _voided(installation: Installation, state: FilingState, since: datetime) -> Iterator[Notice]:
    """Who gave an opinion that holds no longer because the content is another, and for whom it was given."""
    for opinion in state.void_opinions:
        voiding = next(
            (c for c in state.contents if c.seq > opinion.seq and c.fact.content != opinion.fact.content),
            None,
        )
        if voiding is None or voiding.at < since:
            continue
        known = installation.deployment.users
        for person in {opinion.actor, opinion.fact.on_behalf_of} & known.keys():  # who left is told nothing
            yield _happened(installation, state, person, "voided", voiding.seq)


def _rejected(installation: Installation, state: FilingState, since: datetime) -> Iterator[Notice]:
    """To whom the step's `rejection` sends the content back; what they are to do is the task `again`."""
    if not state.is_rejected or state.decision is None or state.decision.at < since:
        return
    for user in installation.deployment.users.values():
        if is_theirs(installation, state, user):
            yield _happened(installation, state, user.id, "rejected", state.decision.seq)


def _reminded(installation: Installation, state: FilingState, since: datetime) -> Iterator[Notice]:
    """Who holds what is due; when it is late also who waits for them (`holders.py` recorded it)."""
    for reminder in state.reminders:
        if reminder.at < since:
            continue
        fact = reminder.fact
        for user in installation.deployment.users.values():
            if not sees_filing(installation.deployment, user, state):
                continue
            is_told = _holds(installation, state, user, fact) or (
                fact.level == "escalation" and _is_above(user, fact)
            )
            if is_told:
                yield _happened(
                    installation, state, user.id, fact.level, reminder.seq, count=fact.count, due=fact.due
                )


def _late_steps(installation: Installation, state: FilingState, since: datetime) -> Iterator[Notice]:
    """While a step waits whose limit has passed: who sits there and, at the escalation, whoever waits for it: the next step's
    seats or, at the last, the preparer (`step_limits.py` recorded it)."""
    live, step = state.live_sign_off, state.current_step
    if live is None or step is None:
        return
    following = state.steps[step.place + 1].seats if step.place + 1 < len(state.steps) else ()
    for reminder in state.step_reminders:
        fact = reminder.fact
        if reminder.at < since or reminder.seq < live.seq or fact.step != step.place:
            continue
        waiting = following if fact.level == "escalation" else ()
        users = installation.deployment.users.values()
        people = {user.id for user in users if open_seats(installation, state, user)}
        people |= {user.id for user in sitting(installation, waiting, state.makers | acted_on(state))}
        if fact.level == "escalation" and not following:
            people |= {live.actor} & installation.deployment.users.keys()
        for person in sorted(people):
            yield _happened(installation, state, person, fact.level, reminder.seq, due=fact.due.date())


def _holds(installation: Installation, state: FilingState, user: User, fact: HolderReminded) -> bool:
    match fact.holder:
        case "first_review":
            role = installation.filing_config(state.opened.fact.standard).first_review
            return role is not None and user.has_role(role)
        case "answer":
            return _answers_for(installation, user, {fact.organisation})
        case "issue" | "decide":
            return user.speaks_for(fact.department)


def _is_above(user: User, fact: HolderReminded) -> bool:
    """Who waits for a branch is the department, for a department the audit department, for that whoever keeps the deadline."""
    match fact.holder:
        case "answer":
            return user.speaks_for(fact.department)
        case "issue" | "decide":
            return user.has_role("audit_reviewer")
        case "first_review":
            return user.has_role("data_engineer")


def _answers_for(installation: Installation, user: User, branches: set[str]) -> bool:
    if not user.has_role("branch_preparer"):
        return False
    visible = visible_branches(installation.deployment, user)
    return visible is None or bool(visible & branches)


def _happened(
    installation: Installation,
    state: FilingState,
    person: str,
    kind: HappenedKind,
    seq: int,
    *,
    count: int = 0,
    due: date | None = None,
) -> Notice:
    stream = f"filing/{state.id}"
    return Notice(person, kind, state.id, stream, f"{stream}:{seq}", count, due)
