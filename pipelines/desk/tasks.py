"""Where in the desk a thing is done that waits for a person, or that they were told of. What waits is told by the stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from pipelines.desk.visit import Desk
from pipelines.stages import tasks
from resources.deployment import User

_ROUTES = {
    "review_request": "request",
    "mend_request": "request",
    "first_review": "findings",
    "issue": "findings",
    "answer": "workbooks",
    "decide": "findings",
    "open_sign_off": "filing",
    "again": "filing",
    "sign": "sign_page",
    "confirm_person": "appointment",
    "hand_in": "off_system",
    "decide_extension": "talks",
    "decide_waiver": "waivers",
    "review_change": "change",
    "execute_change": "change",
}
"""The page of each kind of task; of whatever else is told, that of the filing, request or change request."""
_KEYS = {"request": "key", "filing": "filing", "people": "user", "change": "number"}


@dataclass(frozen=True)
class Place:
    """A page of the desk: its route with the parts of its path and its query."""

    route: str
    path: dict[str, str]
    query: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Task:
    """A task with the page where it is done."""

    kind: str
    subject: str
    since: datetime
    due: date
    count: int
    route: str
    path: dict[str, str]
    query: dict[str, str]


def place_of(kind: str, stream: str) -> Place:
    """Where something of this kind about a stream `filing/…`, `request/…`, `change/…`, `people/…` or `account/…` is done or seen."""
    of, _, key = stream.partition("/")
    path = {_KEYS[of]: key} if of in _KEYS else {}
    route = _ROUTES.get(kind, of)
    return Place(route, path, {"holder": kind} if route == "findings" else {})


def tasks_of(desk: Desk, user: User) -> list[Task]:
    """Everything that waits for the user, the earliest due first."""
    read = desk.reading
    waiting = tasks.tasks_of(desk.installation, read.filings(), read.requests(), read.changes(), user)
    return [_placed(each) for each in waiting]


def _placed(task: tasks.Task) -> Task:
    place = place_of(task.kind, task.stream)
    return Task(
        task.kind, task.subject, task.since, task.due, task.count, place.route, place.path, place.query
    )
