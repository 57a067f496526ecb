"""One request of a person who has logged in: who they are, what they sent, and the way back. Every route but the public ones begins here.

In this order: session, right to the route, second factor, filing or request within the person's scope, the form's secret. All fail
closed. A form takes as long to come as its sender likes, so all is judged before it is read and once more when it is there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from secrets import compare_digest
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from pipelines.desk.forms import STEERING, sent_form
from pipelines.desk.reading import Reading
from pipelines.desk.rights import rights
from pipelines.desk.scope import SEES_ALL, sees_filing, sees_request
from pipelines.errors import BadInput, Refused, catalogue, text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.request import RequestState
from pipelines.stages.installation import Installation
from resources.accounts import Accounts, Client, Session
from resources.deployment import User
from resources.notifier import Outbox, open_outbox
from resources.sign_on import SignOn, open_sign_on

SESSION_COOKIE = "baosong_session"
ASKED_BY_A_PROXY = "/authorised/"
"""What a proxy asks before every request to Dagster."""
_OWN_ACCOUNT = frozenset(
    {"account", "change_password", "begin_totp", "confirm_totp", "end_sessions", "log_out"}
)
"""What is open to whoever has to set up a second factor first."""
UNATTENDED = frozenset({"filing_live", "may_see_dagster", "may_use_dagster"})
"""Routes that a page asks for by itself: they keep no session alive."""
LONGEST_TEXT = 2_000
_MOST_FIELDS, _MOST_FILES = 10_000, 21
_LONGEST_FIELD_BYTES = LONGEST_TEXT * 12 + 256
"""A character outside the basic plane is twelve bytes as a form sends it."""


@dataclass(frozen=True)
class Desk:
    """What all routes share."""

    installation: Installation
    accounts: Accounts
    reading: Reading

    @cached_property
    def outbox(self) -> Outbox:
        """What people were told, opened when it is first asked for; it holds no connection."""
        return open_outbox(self.installation.home)

    @cached_property
    def sign_on(self) -> SignOn | None:
        """The insurer's own sign-on, where the deployment has one. BadInput where its secret is not to be had."""
        return open_sign_on(self.installation.deployment)


class NotSignedIn(Exception):
    """No session, or one that has ended: the person logs in first."""


class SecondFactorFirst(Exception):
    """The person's roles ask for a second factor that their account has not got yet."""


@dataclass(frozen=True)
class Visit:
    """A permitted request. `filing` and `request_state` are there where the route names one."""

    desk: Desk
    request: Request
    user: User
    session: Session
    filing: FilingState | None = None
    request_state: RequestState | None = None
    form: FormData = field(default_factory=FormData)

    @property
    def installation(self) -> Installation:
        return self.desk.installation

    @property
    def state(self) -> FilingState:
        """The filing that the route names."""
        assert self.filing is not None, "the route has the scope filing"
        return self.filing

    @property
    def is_of_whole(self) -> bool:
        """Whether the person's work is whole filings, not one branch's or department's part of them."""
        return bool(self.user.roles & SEES_ALL)

    @property
    def client(self) -> Client:
        return client_of(self.request)

    def may_open(self, route: str) -> bool:
        """Whether a link to the route leads anywhere for this person."""
        return rights().may_open(self.user, route)

    def text(self, name: str, *, is_needed: bool = False) -> str:
        """A field of the form without blanks around it, its lines ended as the ledger keeps them (browsers send CR LF).

        BadInput where it is needed and empty, too long, or would not read as it is.
        """
        value = self.form.get(name)
        given = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
        if is_needed and not given:
            raise missing(name)
        if len(given) > LONGEST_TEXT:
            raise BadInput("desk.field_long", field=_named(name), most=LONGEST_TEXT)
        if unseen := STEERING.search(given):
            raise BadInput("desk.field_unseen", field=_named(name), place=unseen.start() + 1)
        return given

    def secret(self, name: str) -> str:
        """A field as it was typed, blanks included."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a field that may be there several times."""
        return tuple(value for value in self.form.getlist(name) if isinstance(value, str) and value)

    def day(self, name: str) -> date:
        """A field that holds a day."""
        given = self.text(name, is_needed=True)
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise BadInput("desk.field_day", field=_named(name), given=given) from None

    def files(self, name: str) -> list[UploadFile]:
        """The files given under a name; an empty choice is none."""
        given = [each for each in self.form.getlist(name) if not isinstance(each, str)]
        return [each for each in given if each.filename]


def missing(field: str) -> BadInput:
    """A field that must be filled in and is not."""
    return BadInput("desk.field_needed", field=_named(field))


def _named(field: str) -> str:
    """What the form calls a field; one that no form shows goes by its own name."""
    known = f"desk.name.{field}"
    return text(known) if known in catalogue() else field


def desk_of(request: Request) -> Desk:
    return request.app.state.desk


def client_of(request: Request) -> Client:
    """Where the request comes from, for the trail."""
    address = request.client.host if request.client else ""
    return Client(address=address, user_agent=request.headers.get("user-agent", ""))


def own_cookie(request: Request, name: str) -> str:
    """The name of a cookie that counts: under TLS one that no other host, plain page or path can set."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def session_token(request: Request) -> str:
    """What the browser says its session is; empty where it says nothing."""
    return request.cookies.get(own_cookie(request, SESSION_COOKIE), "")


async def visit(request: Request) -> AsyncGenerator[Visit]:
    """Let a person in, or raise: NotSignedIn, Refused `desk.no_right` or `desk.out_of_scope`, Refused `desk.stale_form`."""
    made = await run_in_threadpool(_admitted, request)
    if request.method in ("GET", "HEAD"):
        yield made
        return
    async with sent_form(
        request, max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD_BYTES
    ) as form:
        made = await run_in_threadpool(_admitted, request)
        given = form.get("csrf")
        if not isinstance(given, str) or not compare_digest(
            given.encode(), made.session.csrf_secret.encode()
        ):
            raise Refused("desk.stale_form")
        yield replace(made, form=form)


def _admitted(request: Request) -> Visit:
    desk = desk_of(request)
    route: str = request.scope["route"].name
    session = desk.accounts.session(session_token(request), is_use=route not in UNATTENDED)
    if session is None or session.user_id not in desk.installation.deployment.users:
        raise NotSignedIn
    user = desk.installation.deployment.user(session.user_id)
    if not rights().may_open(user, route):
        raise Refused("desk.no_right", user=user.id)
    asks_twice = _must_prove_twice(desk.installation, user)
    asks_twice &= session.means != "oidc"  # what the provider asks for is the provider's matter
    if asks_twice and route not in _OWN_ACCOUNT and not desk.accounts.has_totp(user.id):
        raise SecondFactorFirst
    scope = rights().routes[route].scope
    filing, request_state = None, None
    if scope == "filing":
        filing = _filing(desk, user, request.path_params)
    elif scope == "request":
        request_state = desk.installation.find_request(request.path_params["key"])
        if request_state is None or not sees_request(desk.installation.deployment, user, request_state):
            raise Refused("desk.out_of_scope")
    return Visit(desk, request, user, session, filing, request_state)


def _must_prove_twice(installation: Installation, user: User) -> bool:
    """Whether the person's roles ask for a second factor, or those of somebody for whom they sign today."""
    deployment, today = installation.deployment, installation.now().date()
    needed = deployment.accounts.second_factor
    if not needed or user.roles & needed:
        return bool(needed)
    people = deployment.users.values()
    return any(each.roles & needed and each.is_represented_by(user.id, today) for each in people)


def _filing(desk: Desk, user: User, given: Mapping[str, Any]) -> FilingState:
    """Refused alike for what does not exist, what is another's, and what only waits to be opened."""
    name = given["filing"]
    if f"filing/{name}" not in desk.installation.ledger.standing("filing/"):
        raise Refused("desk.out_of_scope")
    state = desk.reading.filing(name)
    if not sees_filing(desk.installation.deployment, user, state):
        raise Refused("desk.out_of_scope")
    return state


Visited = Annotated[Visit, Depends(visit)]
