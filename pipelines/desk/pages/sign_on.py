"""Coming in by the insurer's own sign-on, and proving anew there who one is: to the OpenID provider, and back.

The session's cookie is not sent along when another site leads here, so the page that people come back to leads on to one that
does the work, within the desk. Nothing here is a form: a browser follows no form of ours to another site.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipelines.desk.answering import status_of
from pipelines.desk.pages.account import keep_session, own_page
from pipelines.desk.rendering import filled
from pipelines.desk.visit import Desk, Visited, client_of, desk_of, own_cookie, session_token
from pipelines.errors import BaosongError
from resources.accounts import Flow
from resources.sign_on import SignOn

router = APIRouter()
FLOW_COOKIE = "baosong_sign_on"
_PATH = "/sign-on"
_LONGEST, _LONGEST_NEXT = 2_048, 512
_CAME = ("code", "state", "error", "iss")
_COUNTED = frozenset({"sign_on.untrusted", "sign_on.not_exchanged"})
_log = logging.getLogger("baosong.desk")


@router.get(_PATH, name="sign_on")
def sign_on(request: Request) -> Response:
    """To the provider, to come in."""
    return _leave(request, own_page(request.query_params.get("next", "/")))


@router.get(f"{_PATH}/again", name="sign_on_again")
def sign_on_again(visit: Visited) -> Response:
    """To the provider once more, where the person must prove anew who they are."""
    next_page = own_page(visit.request.query_params.get("next", "/"))
    if visit.session.means != "oidc":
        raise HTTPException(404)
    return _leave(visit.request, next_page, session=visit.session.id)


@router.get(f"{_PATH}/back", name="sign_on_back")
def back(request: Request) -> Response:
    """What the provider sends people to; it leads on by itself."""
    _configured(request)
    onward = f"{request.url_for('sign_on_finish').path}?{urlencode(_came(request))}"
    return HTMLResponse(filled("sign_on_back.html", request, onward=onward))


@router.get(f"{_PATH}/finish", name="sign_on_finish")
def finish(request: Request) -> Response:
    """Judge what came back. Whatever is wrong, the person is told what to do, and nothing is changed."""
    desk, provider, came, flow = desk_of(request), _configured(request), _came(request), None
    try:
        kept = request.cookies.get(own_cookie(request, FLOW_COOKIE), "")
        flow = desk.accounts.end_flow(kept, came.get("state", ""))
        token = _let_in(request, desk, provider, flow, came)
        answer: Response = RedirectResponse(flow.next_page, status_code=303)
        keep_session(request, answer, token)
    except BaosongError as error:
        answer = _problem(request, error, flow)
    _keep_flow(request, answer, "", max_age=0)
    return answer


def _leave(request: Request, next_page: str, *, session: str = "") -> Response:
    desk, provider = desk_of(request), _configured(request)
    wanted = next_page if len(next_page) <= _LONGEST_NEXT else "/"  # a cookie holds four kilobytes
    flow, sealed = desk.accounts.begin_flow(wanted, session=session)
    try:
        address = provider.address(flow, _redirect_uri(request))
    except BaosongError as error:
        return _problem(request, error, flow)
    answer = RedirectResponse(address, status_code=303)
    _keep_flow(request, answer, sealed, max_age=int(desk.accounts.policy.flow_lasts.total_seconds()))
    return answer


def _keep_flow(request: Request, answer: Response, sealed: str, *, max_age: int) -> None:
    """Hand the way to the browser that began it; not "strict", since another site leads back."""
    answer.set_cookie(
        own_cookie(request, FLOW_COOKIE),
        sealed,
        max_age=max_age,
        httponly=True,
        samesite="lax",
        path="/",
        secure=request.url.scheme == "https",
    )


def _let_in(request: Request, desk: Desk, provider: SignOn, flow: Flow, came: Mapping[str, str]) -> str:
    """The token of a session for whom the provider vouches for."""
    accounts, client, held = desk.accounts, client_of(request), session_token(request)
    try:
        identity = provider.identity(flow, came, _redirect_uri(request))
    except BaosongError as error:
        if error.code in _COUNTED:
            why = error.values.get("why", error.values.get("reason", ""))
            accounts.provider_failed(client, f"{error.code}: {why}")
        raise
    if flow.session:
        token, _ = accounts.reauthenticate_by_provider(held, identity, flow)
    else:
        token, _ = accounts.log_in_by_provider(identity, client, previous=held or None)
    return token


def _configured(request: Request) -> SignOn:
    provider = desk_of(request).sign_on
    if provider is None:
        raise HTTPException(404)
    return provider


def _redirect_uri(request: Request) -> str:
    """Where the provider sends people back to: it must know this address of the desk."""
    base = desk_of(request).installation.settings.desk_url or str(request.base_url)
    return f"{base.rstrip('/')}{request.url_for('sign_on_back').path}"


def _came(request: Request) -> dict[str, str]:
    given = request.query_params
    return {name: given[name][:_LONGEST] for name in _CAME if name in given}


def _problem(request: Request, error: BaosongError, flow: Flow | None) -> HTMLResponse:
    _log.warning("sign-on: %s %s", error.code, error.values)
    route = "sign_on_again" if flow and flow.session else "sign_on"
    again = f"{request.url_for(route).path}?{urlencode({'next': flow.next_page if flow else '/'})}"
    body = filled("sign_on_problem.html", request, error=error, again=again)
    return HTMLResponse(body, status_code=status_of(error))
