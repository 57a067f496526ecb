"""The first page: what waits for the person, and by when."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipelines.desk.answering import page
from pipelines.desk.lights import due_on
from pipelines.desk.paging import paged
from pipelines.desk.tasks import tasks_of
from pipelines.desk.visit import Visited

router = APIRouter()


@router.get("/", name="tasks")
def tasks(visit: Visited) -> HTMLResponse:
    """Everything that waits for the person, the earliest due first."""
    listed = paged(visit.request, tasks_of(visit.desk, visit.user))
    waiting = [(task, due_on(visit.installation, task.due)) for task in listed.rows]
    return page(visit, "tasks", waiting=waiting, listed=listed)
