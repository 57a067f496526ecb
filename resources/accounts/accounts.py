"""How people come in and prove that it is still them: log in, enrol, authenticate anew, change password, second factor.

Every refusal of a log-in is the same, whoever was named and whatever was wrong, and takes the same work. What
administrators do is `administration.py`, coming in by an OpenID provider `by_provider.py`; rules, hashes, codes, sessions
and lock-out have rooms of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Self

from argon2 import PasswordHasher
from sqlalchemy import Engine, update

from pipelines.errors import BadInput, Refused
from resources.accounts import second_factor, sessions, throttle
from resources.accounts.administration import Tell, enrolment_hash, row_of, tell_nobody
from resources.accounts.by_provider import ByProvider
from resources.accounts.database import open_engine, reading, writing
from resources.accounts.models import account
from resources.accounts.passwords import Passwords
from resources.accounts.policy import AccountPolicy
from resources.accounts.proving import proved
from resources.accounts.sealing import Seal
from resources.accounts.shapes import Client, Session, TotpEnrolment
from resources.accounts.trail import AccountEvent


class Accounts(ByProvider):
    """The accounts of one installation. Threads may share it. Use as a context manager or call `close`."""

    def __init__(
        self,
        engine: Engine,
        policy: AccountPolicy,
        now: Callable[[], datetime],
        is_user: Callable[[str], bool],
        seal: Seal,
        passwords: Passwords,
        *,
        provider: str | None = None,
        takes_passwords: bool = True,
        tell: Tell = tell_nobody,
    ) -> None:
        super().__init__(
            engine, policy, now, is_user, seal, provider=provider, takes_passwords=takes_passwords, tell=tell
        )
        self._passwords = passwords

    @classmethod
    def open(
        cls,
        url: str,
        home: Path,
        now: Callable[[], datetime],
        is_user: Callable[[str], bool],
        *,
        policy: AccountPolicy | None = None,
        hasher: PasswordHasher | None = None,
        provider: str | None = None,
        takes_passwords: bool = True,
        tell: Tell = tell_nobody,
    ) -> Accounts:
        """The accounts at `url`, made if there are none; the key of second factors is `keys/accounts` in `home`.

        `now` must be the real time, which authenticators go by. `is_user` says whether the deployment has the user:
        whoever left it has no account in effect. `provider` is the issuer of the OpenID provider that may vouch for people;
        without `takes_passwords` there is no other way in. `tell` hears of what others could use to come in in the person's
        place, before it holds. For errors see `database.open_engine` and `Seal.open`.
        """
        policy = policy or AccountPolicy()
        engine = open_engine(url, home)
        return cls(
            engine,
            policy,
            now,
            is_user,
            Seal.open(home),
            Passwords(policy, hasher),
            provider=provider,
            takes_passwords=takes_passwords,
            tell=tell,
        )

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def log_in(
        self, user_id: str, password: str, code: str | None, client: Client, *, previous: str | None = None
    ) -> tuple[str, Session]:
        """A new session and its token; the session of the token `previous`, if that browser had one, ends.

        Refused `account.totp_needed` after a right password without the code that the account asks for, which counts
        neither as failure nor as success; `account.locked_out` after too many failures; `account.passwords_off` where none are
        taken; else `account.login_failed`.
        """
        self._require_passwords()
        tried = self._proving.begin(user_id, client)
        is_right = self._passwords.verify(tried.password_hash, password)
        rehashed = self._rehashed(tried.password_hash, password) if is_right else None
        with writing(self._engine) as connection:
            verdict = self._proving.judge(connection, tried, is_right, code, AccountEvent.LOGIN_FAILED)
            if means := proved(verdict):
                if previous is not None:
                    self._end_token(connection, previous, "logged in anew")
                now = self._now()
                changed = {"last_login_at": now} | ({"password_hash": rehashed} if rehashed else {})
                connection.execute(update(account).where(account.c.user_id == user_id).values(**changed))
                token, begun = sessions.begin(connection, user_id, tried.client, now, means)
                detail = {"client": begun.client.address, "session": begun.id, "by": verdict}
                self._append(connection, user_id, AccountEvent.LOGGED_IN, detail)
                return token, begun
        raise Refused("account.totp_needed" if verdict == "totp_needed" else "account.login_failed")

    def has_account(self, user_id: str) -> bool:
        """Whether the user was ever invited."""
        with reading(self._engine) as connection:
            return row_of(connection, user_id) is not None

    def has_totp(self, user_id: str) -> bool:
        """Whether the account asks for a second factor."""
        with reading(self._engine) as connection:
            row = row_of(connection, user_id)
        return row is not None and row.totp_secret is not None

    def reauthenticate(self, token: str, password: str, code: str | None) -> tuple[str, Session]:
        """A new token for the session after password and code were given again; the old one holds no more.

        Refused as `log_in`, and `account.session_over`. The session keeps its beginning, and so its longest life.
        """
        self._require_passwords()
        current = self._current(token)
        tried = self._proving.begin(current.user_id, current.client)
        is_right = self._passwords.verify(tried.password_hash, password)
        fresh = None
        with writing(self._engine) as connection:
            verdict = self._proving.judge(
                connection, tried, is_right, code, AccountEvent.REAUTHENTICATION_FAILED
            )
            if means := proved(verdict):
                fresh = sessions.rotate(connection, token, self._now(), means)
                detail = {"client": current.client.address, "session": current.id, "by": verdict}
                if fresh is not None:
                    self._append(connection, current.user_id, AccountEvent.REAUTHENTICATED, detail)
        if means is None:
            raise Refused("account.totp_needed" if verdict == "totp_needed" else "account.login_failed")
        return self._rotated(fresh)

    def change_password(self, token: str, old: str, new: str) -> tuple[str, Session]:
        """Another password; the session gets a new token, all others of the user end.

        BadInput `account.password_unfit` with every reason; Refused `account.login_failed` for a wrong old password,
        `account.locked_out`, `account.session_over`, `account.passwords_off`.
        """
        self._require_passwords()
        current = self._current(token)
        self._passwords.check(new, current.user_id)
        tried = self._proving.begin(current.user_id, current.client)
        is_right = self._passwords.verify(tried.password_hash, old)
        hashed = self._passwords.hash(new) if is_right else None
        fresh = None
        with writing(self._engine) as connection:
            verdict = self._proving.judge(
                connection, tried, is_right, None, AccountEvent.PASSWORD_CHANGE_FAILED, asks_code=False
            )
            if verdict == "password" and (
                fresh := sessions.rotate(connection, token, self._now(), "password")
            ):
                changing = update(account).where(account.c.user_id == current.user_id)
                connection.execute(
                    changing.values(password_hash=hashed, password_number=account.c.password_number + 1)
                )
                ended = sessions.end_of_user(connection, current.user_id, keep=current.id)
                detail = {"client": current.client.address, "sessions": str(ended)}
                self._append(connection, current.user_id, AccountEvent.PASSWORD_CHANGED, detail)
        if verdict == "wrong":
            raise Refused("account.login_failed")
        return self._rotated(fresh)

    def enrol(self, user_id: str, code: str, password: str, client: Client) -> None:
        """Set the password with the one-time code of an invitation or a reset; the code is then used up.

        BadInput `account.password_unfit` with every reason, which leaves the code unused. Refused
        `account.enrolment_refused` whatever was wrong, `account.locked_out` for a client with too many failures,
        `account.passwords_off`.
        """
        self._require_passwords()
        self._passwords.check(password, user_id)
        client, is_user = client.cleaned(), self._is_user(user_id)
        with writing(self._engine) as connection:
            attempt = throttle.reserve(connection, [self._proving.counted_client(client)], self._now())
        if attempt is None:
            raise Refused("account.locked_out")
        hashed = self._passwords.hash(password)
        with writing(self._engine) as connection:
            now, is_done = self._now(), False
            if is_user:
                enrolled = (
                    update(account)
                    .where(
                        account.c.user_id == user_id,
                        account.c.enrolment_hash == enrolment_hash(user_id, code),
                        account.c.enrolment_until > now,
                        account.c.is_locked.is_(False),
                    )
                    .values(
                        password_hash=hashed,
                        password_number=account.c.password_number + 1,
                        enrolment_hash=None,
                        enrolment_until=None,
                    )
                )
                is_done = connection.execute(enrolled).rowcount == 1
            detail = {"client": client.address}
            if is_done:
                throttle.withdraw(connection, attempt)
                throttle.forgive(connection, throttle.account_subject(user_id))
                self._append(connection, user_id, AccountEvent.ENROLLED, detail)
            else:
                known = user_id if is_user and row_of(connection, user_id) is not None else None
                self._append(connection, known, AccountEvent.ENROLMENT_FAILED, detail)
                self._proving.let_stand(connection, attempt, known, client)
        if not is_done:
            raise Refused("account.enrolment_refused")

    def begin_totp(self, user_id: str) -> TotpEnrolment:
        """A provisional secret for an authenticator, in force once `confirm_totp` has had a code of it.

        The desk asks for a fresh authentication before; a second factor in force stays until then. Refused
        `account.passwords_off`: it goes with a password.
        """
        self._require_passwords()
        with writing(self._engine) as connection:
            self._existing(connection, user_id)
            return second_factor.begin(connection, self._seal, user_id)

    def confirm_totp(self, user_id: str, code: str) -> tuple[str, ...]:
        """Put the provisional secret into force; the recovery codes, shown this once, replace all earlier ones.

        BadInput `account.code_wrong` where the code is not of the provisional secret.
        """
        with writing(self._engine) as connection:
            codes = second_factor.confirm(
                connection, self._seal, user_id, code, self._now(), self.policy.recovery_codes
            )
            if codes is None:
                raise BadInput("account.code_wrong")
            self._append(connection, user_id, AccountEvent.TOTP_ON, {})
            return codes

    def _rehashed(self, kept: str | None, password: str) -> str | None:
        return self._passwords.hash(password) if kept and self._passwords.is_outdated(kept) else None

    def _require_passwords(self) -> None:
        if not self.takes_passwords:
            raise Refused("account.passwords_off")
