"""What administrators do about accounts: invite, reset, lock, unlock, look, end sessions. May they, is asked by the caller.

Also the audit trail as it is read and added to. How people come in is `accounts.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, insert, select, update

from pipelines.errors import BadInput, Refused
from resources.accounts import second_factor, sessions, throttle, trail
from resources.accounts.codes import digest, new_code, typed
from resources.accounts.database import reading, writing
from resources.accounts.models import account
from resources.accounts.policy import AccountPolicy
from resources.accounts.shapes import Account, Session, TrailEntry
from resources.accounts.trail import AccountEvent

_OWN_EVENTS = frozenset(AccountEvent)
Tell: TypeAlias = Callable[[AccountEvent, str, str | None], None]
"""What was done, to whose account, by which administrator (None: by whoever came in). Called before it holds: what it raises undoes it."""


def tell_nobody(_event: AccountEvent, _user_id: str, _by: str | None) -> None:
    """For accounts that are only set up or measured."""


class Administration:
    """The accounts of one installation, as administrators see them. `by` is the user id of who acts."""

    def __init__(
        self,
        engine: Engine,
        policy: AccountPolicy,
        now: Callable[[], datetime],
        is_user: Callable[[str], bool],
        *,
        takes_passwords: bool,
        tell: Tell,
    ) -> None:
        self._engine, self.policy, self._now, self._is_user = engine, policy, now, is_user
        self.takes_passwords, self._tell = takes_passwords, tell

    def invite(self, user_id: str, by: str) -> str:
        """A one-time enrolment code for a user whose account nothing opens yet; an earlier code is void.

        Where no passwords are taken, the account is made and the code is empty: the person comes in by the provider.
        Told where there was an account before.

        BadInput for who is no user of the deployment, Refused `account.has_password` or `account.is_linked` for whoever
        comes in by a password or by the provider.
        """
        if not self._is_user(user_id):
            raise BadInput("account.no_user", user=user_id)
        with writing(self._engine) as connection:
            row = row_of(connection, user_id)
            if row is None:
                connection.execute(
                    insert(account).values(user_id=user_id, is_locked=False, password_number=0)
                )
            elif row.password_hash is not None:
                raise Refused("account.has_password", user=user_id)
            elif row.provider_subject is not None:
                raise Refused("account.is_linked", user=user_id)
            else:
                self._tell(AccountEvent.INVITED, user_id, by)
            return self._new_enrolment(connection, user_id, AccountEvent.INVITED, {"by": by})

    def reset(self, user_id: str, by: str, *, second_factor_too: bool = False) -> str:
        """Void the password, end all sessions and any lock-out; a new enrolment code. Told.

        The second factor stays unless it is lost too. A lock by an administrator stays.
        """
        with writing(self._engine) as connection:
            self._existing(connection, user_id)
            self._tell(AccountEvent.RESET, user_id, by)
            connection.execute(update(account).where(account.c.user_id == user_id).values(password_hash=None))
            ended = sessions.end_of_user(connection, user_id)
            throttle.forgive(connection, throttle.account_subject(user_id))
            detail = {"by": by, "sessions": str(ended)}
            if second_factor_too:
                second_factor.turn_off(connection, user_id)
                self._append(connection, user_id, AccountEvent.TOTP_OFF, {"by": by})
            return self._new_enrolment(connection, user_id, AccountEvent.RESET, detail)

    def lock(self, user_id: str, by: str) -> None:
        """Nobody comes in with this account until it is unlocked; its sessions end."""
        with writing(self._engine) as connection:
            self._existing(connection, user_id)
            connection.execute(update(account).where(account.c.user_id == user_id).values(is_locked=True))
            ended = sessions.end_of_user(connection, user_id)
            self._append(connection, user_id, AccountEvent.LOCKED, {"by": by, "sessions": str(ended)})

    def unlock(self, user_id: str, by: str) -> None:
        """Take back an administrator's lock, and a lock-out after failures."""
        with writing(self._engine) as connection:
            self._existing(connection, user_id)
            connection.execute(update(account).where(account.c.user_id == user_id).values(is_locked=False))
            throttle.forgive(connection, throttle.account_subject(user_id))
            self._append(connection, user_id, AccountEvent.UNLOCKED, {"by": by})

    def unlink(self, user_id: str, by: str) -> None:
        """Forget who the person is at the provider, and end their sessions: the next identity of their name is kept. Told."""
        with writing(self._engine) as connection:
            row = self._existing(connection, user_id)
            if row.provider_subject is None:
                raise Refused("account.not_linked", user=user_id)
            self._tell(AccountEvent.UNLINKED, user_id, by)
            connection.execute(
                update(account)
                .where(account.c.user_id == user_id)
                .values(provider_issuer=None, provider_subject=None)
            )
            ended = sessions.end_of_user(connection, user_id)
            self._append(connection, user_id, AccountEvent.UNLINKED, {"by": by, "sessions": str(ended)})

    def end_all(self, user_id: str, by: str) -> int:
        """End all sessions of the user; how many there were."""
        with writing(self._engine) as connection:
            self._existing(connection, user_id)
            ended = sessions.end_of_user(connection, user_id)
            self._append(
                connection,
                user_id,
                AccountEvent.SESSION_ENDED,
                {"by": by, "sessions": str(ended), "why": "ended"},
            )
            return ended

    def accounts(self) -> list[Account]:
        """All accounts in the order of their user ids, also those whose user left the deployment."""
        now = self._now()
        with reading(self._engine) as connection:
            rows = connection.execute(select(account).order_by(account.c.user_id)).all()
            return [self._account(connection, row, now) for row in rows]

    def sessions(self, user_id: str) -> list[Session]:
        """The live sessions of the user, the oldest first."""
        with reading(self._engine) as connection:
            return sessions.of_user(connection, user_id, self.policy, self._now())

    def record(self, user: str, event: str, detail: Mapping[str, str]) -> None:
        """Add what the desk has to tell, e.g. `revealed` for masked data that was looked at; never a secret.

        ValueError for a name of the accounts' own, one that is not lower case with underscores, or too long a detail.
        """
        if event in _OWN_EVENTS:
            raise ValueError(f"{event} is recorded by the accounts themselves")
        with writing(self._engine) as connection:
            self._append(connection, user, event, detail)

    def trail(
        self, limit: int, user: str | None = None, *, event: str | None = None, before: int | None = None
    ) -> list[TrailEntry]:
        """The newest entries first, of everybody or of one user, of one event, before the entry of a number."""
        with reading(self._engine) as connection:
            return trail.read(connection, limit, user, event, before)

    def trail_events(self) -> list[str]:
        """Every kind of event that the trail has."""
        with reading(self._engine) as connection:
            return trail.event_names(connection)

    def _new_enrolment(
        self, connection: Connection, user_id: str, event: AccountEvent, detail: Mapping[str, str]
    ) -> str:
        if not self.takes_passwords:
            self._append(connection, user_id, event, detail)
            return ""
        code, until = new_code(), self._now() + self.policy.enrolment_lasts
        connection.execute(
            update(account)
            .where(account.c.user_id == user_id)
            .values(enrolment_hash=enrolment_hash(user_id, code), enrolment_until=until)
        )
        self._append(connection, user_id, event, detail)
        return code

    def _append(
        self, connection: Connection, user_id: str | None, event: str, detail: Mapping[str, str]
    ) -> None:
        trail.append(connection, self._now(), user_id, event, detail)

    def _existing(self, connection: Connection, user_id: str) -> Any:
        row = row_of(connection, user_id)
        if row is None:
            raise BadInput("account.none", user=user_id)
        return row

    @staticmethod
    def _account(connection: Connection, row: Any, now: datetime) -> Account:
        return Account(
            user_id=row.user_id,
            has_password=row.password_hash is not None,
            has_totp=row.totp_secret is not None,
            is_locked=row.is_locked,
            lock_out_until=throttle.locked_until(connection, throttle.account_subject(row.user_id), now),
            enrolment_until=row.enrolment_until if row.enrolment_hash is not None else None,
            recovery_codes_left=second_factor.recovery_codes_left(connection, row.user_id),
            last_login_at=row.last_login_at,
            provider_subject=row.provider_subject,
        )


def enrolment_hash(user_id: str, code: str) -> str:
    return digest("enrolment", user_id, typed(code))


def row_of(connection: Connection, user_id: str) -> Any | None:
    """The account's row."""
    return connection.execute(select(account).where(account.c.user_id == user_id)).one_or_none()
