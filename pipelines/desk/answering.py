"""How a route answers: a page with the frame around it, a page that says what was wrong, the way on after an act."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.routing import Match

from pipelines.desk.navigation import Frame, frame_of
from pipelines.desk.rendering import filled
from pipelines.desk.table_view import table_view
from pipelines.desk.visit import Visit
from pipelines.errors import BadInput, BaosongError, Refused, Tampered, Unavailable

_STATUS: dict[type[BaosongError], int] = {BadInput: 400, Refused: 409, Unavailable: 503, Tampered: 500}


def page(visit: Visit, template: str, *, error: BaosongError | None = None, **values: object) -> HTMLResponse:
    """A page of the desk; with an error it stands on top, and the status says so.

    `address` may be among the values: where the page is to be had again, if that is not its own address.
    """
    frame: Frame = frame_of(visit)
    done = visit.request.query_params.get("done", "")
    view = table_view(visit.request)
    values.setdefault("address", _address(visit))
    body = filled(
        f"pages/{template}.html",
        visit.request,
        visit=visit,
        frame=frame,
        view=view,
        error=error,
        done=done,
        **values,
    )
    return HTMLResponse(body, status_code=status_of(error) if error else 200)


def _address(visit: Visit) -> str:
    """The page's address to come back to, whatever language it has and whatever was done: a form's is the page above it."""
    request = visit.request
    path = request.url.path
    if request.method not in ("GET", "HEAD"):
        while path != "/" and not _is_page(request, path):
            path = path.rpartition("/")[0] or "/"
    kept = urlencode([each for each in request.query_params.multi_items() if each[0] not in ("done", "lang")])
    return f"{path}?{kept}" if kept else path


def _is_page(request: Request, path: str) -> bool:
    asked = {"type": "http", "method": "GET", "path": path, "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def status_of(error: BaosongError) -> int:
    """The HTTP status of an error. What lies out of a person's scope does not exist for them."""
    if error.code == "desk.out_of_scope" or error.code in ("installation.no_filing", "request.unknown"):
        return 404
    if error.code in ("desk.no_right", "desk.stale_form", "installation.role"):
        return 403
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)


def onward(
    visit: Visit, route: str, *, done: str, path: Mapping[str, object] | None = None, query: str = ""
) -> RedirectResponse:
    """After an act: to the page that shows it. `done` names the text that says what happened; `query` is kept in the address."""
    url = visit.request.url_for(route, **(path or {})).path
    kept = f"{query}&" if query else ""
    return RedirectResponse(f"{url}?{kept}{urlencode({'done': done})}", status_code=303)
