"""Answers for a reverse proxy that asks the desk whether a request may go on to Dagster's web server, which has no login itself.

204: let it through; 401: nobody is logged in; 403: not with these roles. How a proxy asks is told in docs/operations.md.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from pipelines.desk.visit import ASKED_BY_A_PROXY, Visited

router = APIRouter()


@router.get(f"{ASKED_BY_A_PROXY}dagster", name="may_see_dagster")
def may_see_dagster(visit: Visited) -> Response:
    """The read-only web server."""
    return Response(status_code=204)


@router.get(f"{ASKED_BY_A_PROXY}dagster-write", name="may_use_dagster")
def may_use_dagster(visit: Visited) -> Response:
    """The one that launches runs."""
    return Response(status_code=204)
