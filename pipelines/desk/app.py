"""The web application put together: routes, protection, what a page says when something is wrong. `serving.py` starts it."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

from pipelines.desk.answering import status_of
from pipelines.desk.live import Pace, Streams
from pipelines.desk.pages import ROUTERS
from pipelines.desk.protection import Surroundings
from pipelines.desk.rate import Rate, RateLimit
from pipelines.desk.rendering import filled
from pipelines.desk.rights import rights
from pipelines.desk.visit import ASKED_BY_A_PROXY, UNATTENDED, Desk, NotSignedIn, SecondFactorFirst
from pipelines.errors import BadInput, BaosongError, Refused

STATIC = Path(__file__).parent / "static"
ROUTE_NAMES = frozenset({"static", *(route.name for router in ROUTERS for route in router.routes)})
"""The name of everything that answers."""


def create_app(desk: Desk, *, rate: Rate = Rate(), pace: Pace = Pace()) -> FastAPI:  # noqa: B008 - frozen
    """The desk over an installation and its accounts. ValueError when a route has no entry in rights.yaml.

    BadInput or Refused where the deployment has a sign-on whose secret or certificates are not to be had.
    """
    _ = desk.sign_on  # opened before anybody comes: a desk that cannot does not start
    app = FastAPI(
        title="Baosong",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever host the request says it came to
    )
    app.state.desk = desk
    app.state.streams = Streams(lambda: desk.installation.ledger.standing("filing/"), pace)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(
        Surroundings, language=desk.installation.settings.language, limit=RateLimit(rate, monotonic)
    )
    app.add_exception_handler(NotSignedIn, _to_login)
    app.add_exception_handler(SecondFactorFirst, _to_account)
    app.add_exception_handler(BaosongError, _say)
    app.add_exception_handler(RequestValidationError, _not_there)
    app.add_exception_handler(HTTPException, _not_there)
    if unlisted := ROUTE_NAMES - rights().public - rights().routes.keys():
        raise ValueError(f"rights.yaml does not name the routes {sorted(unlisted)}")
    return app


def _to_login(request: Request, _: Exception) -> Response:
    """A page that was asked for is shown after the login; a form that was sent is not sent again. A proxy is told 401, an open page
    that follows a filing 204: not to ask again."""
    if request.url.path.startswith(ASKED_BY_A_PROXY):
        return Response(status_code=401)
    if request.scope["route"].name in UNATTENDED:
        return Response(status_code=204)
    next_page = request.url.path if request.method == "GET" else _page_of_form(request)
    return RedirectResponse(f"{request.url_for('login').path}?next={quote(next_page)}", status_code=303)


def _page_of_form(request: Request) -> str:
    """Where a form was sent is mostly the page that it stood on; the first page otherwise."""
    asked = {**request.scope, "method": "GET"}
    is_page = any(route.matches(asked)[0] is Match.FULL for route in request.app.router.routes)
    return request.url.path if is_page else "/"


def _to_account(request: Request, _: Exception) -> Response:
    """Where a second factor is set up; a proxy is told 403."""
    if request.url.path.startswith(ASKED_BY_A_PROXY):
        return Response(status_code=403)
    return RedirectResponse(f"{request.url_for('account').path}?done=second_factor_first", status_code=303)


def _say(request: Request, error: Exception) -> Response:
    assert isinstance(error, BaosongError), "registered for it"
    return HTMLResponse(filled("problem.html", request, error=error), status_code=status_of(error))


def _not_there(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    said = Refused("desk.not_there") if status in (404, 405) else BadInput("desk.not_understood")
    headers = error.headers if isinstance(error, HTTPException) else None  # which methods a page knows, say
    return HTMLResponse(filled("problem.html", request, error=said), status_code=status, headers=headers)
