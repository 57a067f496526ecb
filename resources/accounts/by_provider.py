"""Coming in by an OpenID provider: ways there and back, which account an identity opens, what was written meanwhile.

Whether a provider is to be believed is not judged here but in `resources/sign_on`. Nobody gets an account by it: the first
identity that comes under a person's name is kept with the account, and no other opens it until an administrator unlinks it. To
an account that a password opens, an identity is linked only by who just came in by that password.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import compare_digest
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from pipelines.errors import Refused, Tampered
from resources.accounts import sessions, throttle
from resources.accounts.administration import Tell, row_of
from resources.accounts.codes import digest, new_token
from resources.accounts.database import reading, writing
from resources.accounts.live import LiveSessions
from resources.accounts.models import account, spent_flow
from resources.accounts.models import session as kept_session
from resources.accounts.policy import AccountPolicy
from resources.accounts.proving import Proving
from resources.accounts.sealing import Seal
from resources.accounts.shapes import Client, Flow, Identity, Session
from resources.accounts.trail import AccountEvent

_FLOW = "a way to the provider"
"""What flows are sealed for: no user id has blanks."""
_LONGEST_SHOWN = 200


class ByProvider(LiveSessions):
    """The accounts of one installation, as they are opened by `provider`, the issuer that the deployment trusts, if any."""

    def __init__(
        self,
        engine: Engine,
        policy: AccountPolicy,
        now: Callable[[], datetime],
        is_user: Callable[[str], bool],
        seal: Seal,
        *,
        provider: str | None,
        takes_passwords: bool,
        tell: Tell,
    ) -> None:
        super().__init__(
            engine, policy, now, is_user, provider=provider, takes_passwords=takes_passwords, tell=tell
        )
        self._seal = seal
        self._proving = Proving(engine, policy, now, is_user, seal)

    def begin_flow(self, next_page: str, *, session: str = "") -> tuple[Flow, str]:
        """A new way to the provider, and the same sealed, to be kept by that person's browser alone."""
        flow = Flow(new_token(), new_token(), new_token(), next_page, session, self._now())
        written = json.dumps({**vars(flow), "begun_at": flow.begun_at.isoformat()})
        return flow, self._seal.close(written, _FLOW)

    def end_flow(self, sealed: str, state: str) -> Flow:
        """The way that this browser began. Refused `account.flow_over` if it began none, took too long, or comes back twice."""
        try:
            written = json.loads(self._seal.reveal(sealed, _FLOW))
        except Tampered:
            raise Refused("account.flow_over") from None
        flow = Flow(begun_at=datetime.fromisoformat(written.pop("begun_at")), **written)
        now, until = self._now(), flow.begun_at + self.policy.flow_lasts
        if not compare_digest(flow.state.encode(), state.encode()) or now >= until:
            raise Refused("account.flow_over")
        spent = digest("flow", flow.state)
        with writing(self._engine) as connection:
            connection.execute(delete(spent_flow).where(spent_flow.c.until <= now))
            asked = select(spent_flow.c.state_hash).where(spent_flow.c.state_hash == spent)
            is_spent = connection.execute(asked).one_or_none() is not None
            if not is_spent:
                connection.execute(insert(spent_flow).values(state_hash=spent, until=until))
        if is_spent:
            raise Refused("account.flow_over")
        return flow

    def log_in_by_provider(
        self, identity: Identity, client: Client, *, previous: str | None = None
    ) -> tuple[str, Session]:
        """A new session of whom the provider vouched for; the session of the token `previous`, if there was one, ends.

        The first time the identity is linked to the account, and that is told; where a password opens the account, only if
        `previous` was opened by it just now.

        Refused `account.locked_out` for a client with too many failures; else `account.provider_refused`, whatever it was.
        """
        client, begun = client.cleaned(), None
        with writing(self._engine) as connection:
            attempt, now = self._counted(connection, client), self._now()
            if attempt is not None:
                why, user = self._why_not(connection, identity), identity.user_id
                if why is None and user is not None:
                    why = self._link(connection, identity, user, previous)
                if why is None and user is not None:
                    throttle.withdraw(connection, attempt)
                    if previous is not None:
                        self._end_token(connection, previous, "logged in anew")
                    begun = sessions.begin(connection, user, client, now, "oidc")
                    used = update(account).where(account.c.user_id == user)
                    connection.execute(used.values(last_login_at=now))
                    detail = {"client": client.address, "session": begun[1].id, "by": "oidc"}
                    self._append(connection, user, AccountEvent.LOGGED_IN, detail)
                else:
                    self._failed(connection, attempt, user, client, AccountEvent.LOGIN_FAILED, why)
        if attempt is None:
            raise Refused("account.locked_out")
        if begun is None:
            raise Refused("account.provider_refused")
        return begun

    def reauthenticate_by_provider(self, token: str, identity: Identity, flow: Flow) -> tuple[str, Session]:
        """A new token for the session whose person just proved it again at the provider; the old one holds no more.

        Refused `account.session_over`; `account.locked_out`; `account.provider_stale` where the provider does not say that it
        was asked of the person now; `account.provider_other` where it vouches for somebody else.
        """
        current = self._current(token)
        if current.id != flow.session:
            raise Refused("account.session_over")
        fresh, refusal = None, "account.session_over"
        with writing(self._engine) as connection:
            attempt = self._counted(connection, current.client)
            if attempt is not None:
                why = self._why_not_again(connection, current, identity, flow)
                if why is None:
                    throttle.withdraw(connection, attempt)
                    if fresh := sessions.rotate(connection, token, self._now(), "oidc"):
                        detail = {"client": current.client.address, "session": current.id, "by": "oidc"}
                        self._append(connection, current.user_id, AccountEvent.REAUTHENTICATED, detail)
                else:
                    refusal = f"account.provider_{why}"
                    failed = AccountEvent.REAUTHENTICATION_FAILED
                    self._failed(connection, attempt, current.user_id, current.client, failed, why)
        if attempt is None:
            raise Refused("account.locked_out")
        if fresh is None:
            raise Refused(refusal)
        return self._rotated(fresh)

    def provider_failed(self, client: Client, why: str) -> None:
        """What came back from the provider was not to be believed: a failure of that client, and an entry of the trail."""
        client = client.cleaned()
        with writing(self._engine) as connection:
            if attempt := self._counted(connection, client):
                self._failed(connection, attempt, None, client, AccountEvent.LOGIN_FAILED, why)

    def is_vouched_anew(self, session: Session) -> bool:
        """Whether the person went to the provider *again* after the log-in, recently enough to sign without a password."""
        is_again = session.means == "oidc" and session.authenticated_at > session.begun_at
        return is_again and self.is_fresh(session)

    def keep_draft(self, session: Session, page: str, written: Mapping[str, str]) -> None:
        """Keep what was written on a page until the person is back from the provider; one draft per session."""
        sealed = self._seal.close(json.dumps({"page": page, "written": dict(written)}), session.user_id)
        with writing(self._engine) as connection:
            connection.execute(
                update(kept_session).where(kept_session.c.id == session.id).values(draft=sealed)
            )

    def draft(self, session: Session, page: str) -> dict[str, str]:
        """What was written on this page and kept; empty where nothing was."""
        with reading(self._engine) as connection:
            asked = select(kept_session.c.draft).where(kept_session.c.id == session.id)
            sealed = connection.execute(asked).scalar()
        kept = json.loads(self._seal.reveal(sealed, session.user_id)) if sealed else {}
        return kept["written"] if kept.get("page") == page else {}

    def _counted(self, connection: Connection, client: Client) -> throttle.Attempt | None:
        return throttle.reserve(connection, [self._proving.counted_client(client)], self._now())

    def _failed(
        self,
        connection: Connection,
        attempt: throttle.Attempt,
        user_id: str | None,
        client: Client,
        event: AccountEvent,
        why: str | None,
    ) -> None:
        known = user_id if user_id and self._is_user(user_id) and row_of(connection, user_id) else None
        detail = {"client": client.address, "by": "oidc", "why": why or ""}
        self._append(connection, known, event, detail)
        self._proving.let_stand(connection, attempt, known, client)

    def _why_not(self, connection: Connection, identity: Identity) -> str | None:
        """What keeps the identity from opening the account of its name; a word for the trail."""
        user = identity.user_id
        if identity.issuer != self._provider:
            return "issuer"
        if user is None or not self._is_user(user):
            return "user"
        row = row_of(connection, user)
        if row is None:
            return "account"
        if row.is_locked:
            return "locked"
        held = _who(row)
        return "other" if held not in (None, (identity.issuer, identity.subject)) else None

    def _link(
        self, connection: Connection, identity: Identity, user: str, previous: str | None
    ) -> str | None:
        """Keep the identity with the account, if it is the first; a word for the trail where another account has it, or where
        the account has a password that was not given. A one-time code that was not used is void: nothing else opens it now."""
        of_identity = select(account.c.user_id).where(
            account.c.provider_issuer == identity.issuer, account.c.provider_subject == identity.subject
        )
        holder = connection.execute(of_identity).scalar()
        if holder is None:
            if not self._may_link(connection, user, previous):
                return "password"
            self._tell(AccountEvent.LINKED, user, None)
            linking = update(account).where(account.c.user_id == user)
            connection.execute(
                linking.values(
                    provider_issuer=identity.issuer,
                    provider_subject=identity.subject,
                    enrolment_hash=None,
                    enrolment_until=None,
                )
            )
            detail = {"issuer": identity.issuer, "subject": identity.subject[:_LONGEST_SHOWN]}
            self._append(connection, user, AccountEvent.LINKED, detail)
        return None if holder in (None, user) else "other"

    def _may_link(self, connection: Connection, user: str, previous: str | None) -> bool:
        """Whether no password opens the account, or the session of the token `previous` was opened by it just now."""
        row = row_of(connection, user)
        if row is None or row.password_hash is None or not self.takes_passwords:
            return True
        held = sessions.find(connection, previous, self.policy, self._now()) if previous else None
        return held is not None and held.user_id == user and held.means != "oidc" and self.is_fresh(held)

    def _why_not_again(
        self, connection: Connection, current: Session, identity: Identity, flow: Flow
    ) -> str | None:
        row, at = row_of(connection, current.user_id), identity.authenticated_at
        if row is None or row.is_locked or _who(row) != (identity.issuer, identity.subject):
            return "other"
        aside = self.policy.clocks_differ
        is_now = at is not None and flow.begun_at - aside <= at <= self._now() + aside
        return None if is_now else "stale"


def _who(row: Any) -> tuple[str, str] | None:
    """Whom the account is linked to: issuer and subject."""
    return None if row.provider_subject is None else (row.provider_issuer, row.provider_subject)
