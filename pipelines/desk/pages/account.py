"""Coming in and going out: login, the first password, one's own password, second factor and sessions. Language."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pipelines.desk.answering import onward, page, status_of
from pipelines.desk.forms import sent_form
from pipelines.desk.proof import own_account, proof_of
from pipelines.desk.protection import LANGUAGE_COOKIE
from pipelines.desk.rendering import filled
from pipelines.desk.table_view import TABLE_COOKIE, chosen_view
from pipelines.desk.visit import SESSION_COOKIE, Visited, client_of, desk_of, own_cookie, session_token
from pipelines.errors import LANGUAGE, BadInput, BaosongError, Refused, text
from resources.deployment import SIGNERS, User

router = APIRouter()
_ONE_YEAR = 31_536_000
_LONGEST = 300


@router.get("/login", name="login")
def login(request: Request) -> HTMLResponse:
    """The form to come in."""
    return _login_page(request)


@router.post("/login", name="log_in")
async def log_in(request: Request) -> Response:
    """Check the password and, where there is one, the second factor; the way back is told by `next`."""
    form = await _own_form(request)
    try:
        token, _ = await run_in_threadpool(
            desk_of(request).accounts.log_in,
            form["user"],
            form["password"],
            form["code"] or None,
            client_of(request),
            previous=session_token(request) or None,
        )
    except BaosongError as error:
        return _login_page(request, error=error, given=form)
    answer = RedirectResponse(own_page(form["next"]), status_code=303)
    keep_session(request, answer, token)
    return answer


@router.get("/enrol", name="enrol_page")
def enrol_page(request: Request) -> HTMLResponse:
    """The form for the first password."""
    if not desk_of(request).accounts.takes_passwords:
        raise Refused("account.passwords_off")
    return HTMLResponse(
        filled("enrol.html", request, error=None, user=request.query_params.get("user", "")[:64])
    )


@router.post("/enrol", name="enrol")
async def enrol(request: Request) -> Response:
    """Set a password with the code that an administrator handed over."""
    form = await _own_form(request)
    accounts = desk_of(request).accounts
    try:
        if form["password"] != form["again"]:
            raise BadInput("desk.passwords_differ")
        await run_in_threadpool(
            accounts.enrol, form["user"], form["code"], form["password"], client_of(request)
        )
    except BaosongError as error:
        body = filled("enrol.html", request, error=error, user=form["user"])
        return HTMLResponse(body, status_code=status_of(error))
    return RedirectResponse(f"{request.url_for('login').path}?done=enrolled", status_code=303)


@router.post("/logout", name="log_out")
def log_out(visit: Visited) -> RedirectResponse:
    """End this session."""
    visit.desk.accounts.log_out(session_token(visit.request))
    answer = RedirectResponse(visit.request.url_for("login").path, status_code=303)
    keep_session(visit.request, answer, "", max_age=0)
    return answer


@router.get("/account", name="account")
def account(visit: Visited) -> HTMLResponse:
    """One's own account."""
    return account_page(visit)


@router.post("/account/password", name="change_password")
def change_password(visit: Visited) -> Response:
    """Another password; the one in use must be given."""
    try:
        if visit.secret("password") != visit.secret("again"):
            raise BadInput("desk.passwords_differ")
        token, _ = visit.desk.accounts.change_password(
            session_token(visit.request), visit.secret("old"), visit.secret("password")
        )
    except BaosongError as error:
        return account_page(visit, error=error)
    answer = onward(visit, "account", done="password_changed")
    keep_session(visit.request, answer, token)
    return answer


@router.post("/account/totp", name="begin_totp")
def begin_totp(visit: Visited) -> HTMLResponse:
    """A new secret for the second factor, after the password; it counts once a code of it is confirmed."""
    accounts = visit.desk.accounts
    try:
        token, session = accounts.reauthenticate(
            session_token(visit.request), visit.secret("password"), visit.text("code") or None
        )
    except BaosongError as error:
        return account_page(visit, error=error)
    answer = account_page(replace(visit, session=session), enrolment=accounts.begin_totp(visit.user.id))
    keep_session(visit.request, answer, token)
    return answer


@router.post("/account/totp/confirm", name="confirm_totp")
def confirm_totp(visit: Visited) -> HTMLResponse:
    """The first code; the recovery codes are shown this once."""
    try:
        codes = visit.desk.accounts.confirm_totp(visit.user.id, visit.text("code", is_needed=True))
    except BaosongError as error:
        return account_page(visit, error=error)
    return account_page(visit, recovery=codes)


@router.post("/account/sessions", name="end_sessions")
def end_sessions(visit: Visited) -> RedirectResponse:
    """End all sessions of one's own, this one too."""
    visit.desk.accounts.end_all(visit.user.id, visit.user.id)
    return onward(visit, "login", done="sessions_ended")


@router.get("/language/{code}", name="language")
def language(request: Request, code: str) -> RedirectResponse:
    """Keep the language, and go back to the page."""
    answer = RedirectResponse(own_page(request.query_params.get("next", "/")), status_code=303)
    if code in ("zh", "en"):
        answer.set_cookie(
            LANGUAGE_COOKIE,
            code,
            max_age=_ONE_YEAR,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return answer


@router.post("/account/tables", name="keep_table_view")
def keep_table_view(visit: Visited) -> RedirectResponse:
    """Keep how tables are to look, and go back to the page."""
    view = chosen_view(visit.text("density"), visit.texts("column"))
    answer = RedirectResponse(own_page(visit.text("next")), status_code=303)
    answer.set_cookie(
        TABLE_COOKIE,
        view.cookie,
        max_age=_ONE_YEAR,
        httponly=True,
        samesite="lax",
        secure=visit.request.url.scheme == "https",
    )
    return answer


@router.get("/healthy", name="healthy")
def healthy(request: Request) -> PlainTextResponse:
    """Whether the desk can read its ledger: for whoever watches over it."""
    desk_of(request).installation.ledger.standing("ledger")
    return PlainTextResponse("ok")


def keep_session(request: Request, answer: Response, token: str, *, max_age: int | None = None) -> None:
    """Hand the session's token to the browser: not to scripts, not to other sites, over TLS only where the desk is behind it."""
    answer.set_cookie(
        own_cookie(request, SESSION_COOKIE),
        token,
        max_age=max_age,
        httponly=True,
        samesite="strict",
        path="/",
        secure=request.url.scheme == "https",
    )


def could_stand_in(visit: Visited, person: User) -> list[User]:
    """Whom the person may name: colleagues who sign or do the same work; of other branches than their own nobody is listed."""
    deployment = visit.installation.deployment
    return sorted(
        (
            each
            for each in deployment.users.values()
            if each.id != person.id
            and each.roles & (SIGNERS | person.roles)
            and ("*" in person.organisations or each.organisations & person.organisations)
        ),
        key=lambda user: user.id,
    )


def account_page(visit: Visited, *, error: BaosongError | None = None, **values: object) -> HTMLResponse:
    """One's own account: password, second factor, sessions, substitutes."""
    sessions = visit.desk.accounts.sessions(visit.user.id)
    values = {"enrolment": None, "recovery": (), **values}
    return page(
        visit,
        "account",
        error=error,
        own=own_account(visit),
        sessions=sessions,
        people=could_stand_in(visit, visit.user),
        proof_asked=proof_of(visit),
        **values,
    )


def _login_page(
    request: Request, *, error: BaosongError | None = None, given: dict[str, str] | None = None
) -> HTMLResponse:
    given = given or {"user": "", "next": request.query_params.get("next", "/")}
    done = request.query_params.get("done", "")
    desk, label = desk_of(request), None
    if desk.sign_on is not None:
        named = desk.sign_on.config.label
        label = getattr(named, LANGUAGE.get()) if named else text("desk.sign_on")
    body = filled(
        "login.html",
        request,
        error=error,
        given=given,
        done=done,
        sign_on=label,
        takes_passwords=desk.accounts.takes_passwords,
    )
    return HTMLResponse(body, status_code=status_of(error) if error else 200)


async def _own_form(request: Request) -> dict[str, str]:
    """The fields of a form that comes before any session. Refused when another site sent it."""
    if _is_foreign(request):
        raise Refused("desk.stale_form")
    names = ("user", "password", "again", "code", "next")
    async with sent_form(request, max_files=0, max_fields=10, max_part_size=4096) as form:
        return {name: str(form.get(name, ""))[:_LONGEST] for name in names}


def own_page(path: str) -> str:
    """A page of the desk, never another site's."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"


def _is_foreign(request: Request) -> bool:
    """Whether the browser says that another site's page sent this."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")
