"""What waits for a person (我的任务), over all filings and requests: computed from the ledger, never assigned by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pipelines.desk.scope import sees_filing, sees_request, visible_branches
from pipelines.desk.visit import Desk
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Held
from pipelines.ledger.request import RequestState
from pipelines.stages.sign_off import open_seats
from resources.deployment import User

Kind = Literal[
    "review_request", "mend_request", "first_review", "issue", "answer", "decide", "open_sign_off", "again", "sign",
]  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One thing to do: of which filing or request, how many findings, by when, since when. `route` is where it is done."""

    kind: Kind
    subject: str
    route: str
    path: dict[str, str]
    since: datetime
    due: date
    count: int = 0
    query: dict[str, str] = field(default_factory=dict[str, str])


def tasks_of(desk: Desk, user: User) -> list[Task]:
    """Everything that waits for the user, the earliest due first."""
    found = [task for request in desk.reading.requests() for task in _of_request(desk, user, request)]
    for state in desk.reading.filings():
        if sees_filing(desk.installation.deployment, user, state) and not state.withdrawn:
            found.extend(_of_filing(desk, user, state))
    return sorted(found, key=lambda task: (task.due, task.since))


def _of_request(desk: Desk, user: User, request: RequestState) -> Iterator[Task]:
    demand, path = request.latest, {"key": request.key}
    waits = request.stage in ("waiting", "amendment_waiting")
    if waits and user.has_role("audit_reviewer") and user.id not in request.authors:
        yield Task("review_request", request.number, "request", path, demand.at, demand.fact.deadline)
    returned = request.stage in ("returned", "amendment_returned")
    if returned and user.has_role("requester") and sees_request(desk.installation.deployment, user, request):
        at = request.decision.at if request.decision else demand.at
        yield Task("mend_request", request.number, "request", path, at, demand.fact.deadline)


def _of_filing(desk: Desk, user: User, state: FilingState) -> Iterator[Task]:
    installation, path = desk.installation, {"filing": state.id}
    at = state.listings[-1].at if state.listings else state.opened.at
    held = [each for each in state.held if _is_theirs(desk, user, state, each)]
    by_holder: dict[str, int] = {}
    for each in held:
        by_holder[each.holder] = by_holder.get(each.holder, 0) + each.count
    is_at_work = state.is_listed and not state.is_in_sign_off and not state.packages
    for holder, count in by_holder.items() if is_at_work else ():
        due = (state.answer_by or state.planned_on) if holder == "answer" else state.planned_on
        route = "workbooks" if holder == "answer" else "findings"
        query = {} if holder == "answer" else {"holder": holder}
        yield Task(holder, state.id, route, path, at, due, count, query)  # type: ignore[arg-type]
    if user.has_role("data_engineer") and state.stage in ("reviewed", "rejected"):
        kind: Kind = "open_sign_off" if state.stage == "reviewed" else "again"
        since = state.decision.at if state.decision else at
        yield Task(kind, state.id, "filing", path, since, state.planned_on)
    if state.live_sign_off and open_seats(installation, state, user):
        last = state.live_opinions[-1].at if state.live_opinions else state.live_sign_off.at
        yield Task("sign", state.id, "sign_page", path, last, state.planned_on)


def _is_theirs(desk: Desk, user: User, state: FilingState, held: Held) -> bool:
    if held.holder == "first_review":
        role = desk.installation.filing_config(state.opened.fact.standard).first_review
        return role is not None and user.has_role(role)
    if held.holder == "answer":
        branches = visible_branches(desk.installation.deployment, user)
        return user.has_role("branch_preparer") and (branches is None or held.organisation in branches)
    return user.speaks_for(held.department)
