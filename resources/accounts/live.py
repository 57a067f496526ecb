"""Sessions as they are used: which token still opens one, how fresh it is, how it ends. Whether somebody gets one is told elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from pipelines.errors import Refused
from resources.accounts import sessions
from resources.accounts.administration import Administration, Tell
from resources.accounts.database import reading, writing
from resources.accounts.policy import AccountPolicy
from resources.accounts.shapes import Session
from resources.accounts.trail import AccountEvent


class LiveSessions(Administration):
    """The sessions of one installation. `provider` is the issuer of the OpenID provider that may vouch for people, if any."""

    def __init__(
        self,
        engine: Engine,
        policy: AccountPolicy,
        now: Callable[[], datetime],
        is_user: Callable[[str], bool],
        *,
        provider: str | None,
        takes_passwords: bool,
        tell: Tell,
    ) -> None:
        super().__init__(engine, policy, now, is_user, takes_passwords=takes_passwords, tell=tell)
        self._provider = provider

    def session(self, token: str, *, is_use: bool = True) -> Session | None:
        """The live session of the token; None once it ended, idled too long, or its user left the deployment.

        Also None where the deployment no longer takes what the person came in by. Asking alone (`is_use` false) does not
        keep it alive.
        """
        now = self._now()
        with reading(self._engine) as connection:
            found = sessions.find(connection, token, self.policy, now)
        if found is None or not self._is_user(found.user_id) or not self._takes(found):
            return None
        if not is_use or now - found.last_seen_at < self.policy.seen_every:
            return found
        with writing(self._engine) as connection:
            sessions.see(connection, found, now)
        return replace(found, last_seen_at=now)

    def is_fresh(self, session: Session) -> bool:
        """Whether the person proved recently enough that it is them to sign."""
        return self._now() - session.authenticated_at <= self.policy.fresh_within

    def log_out(self, token: str) -> None:
        """End the session of the token, if there is one."""
        with writing(self._engine) as connection:
            self._end_token(connection, token, "logged out")

    def _takes(self, session: Session) -> bool:
        """Whether people may still come in by what this session was last proved by."""
        return self._provider is not None if session.means == "oidc" else self.takes_passwords

    def _current(self, token: str) -> Session:
        current = self.session(token)
        if current is None:
            raise Refused("account.session_over")
        return current

    def _rotated(self, token: str | None) -> tuple[str, Session]:
        """The session under its new token. Refused where it ended, or was rotated by another request, meanwhile."""
        if token is None:
            raise Refused("account.session_over")
        return token, self._current(token)

    def _end_token(self, connection: Connection, token: str, why: str) -> None:
        found = sessions.find(connection, token, self.policy, self._now())
        if found is not None and sessions.end(connection, found.id) is not None:
            detail = {"session": found.id, "why": why}
            self._append(connection, found.user_id, AccountEvent.SESSION_ENDED, detail)
