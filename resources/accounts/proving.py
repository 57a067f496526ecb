"""Proving that somebody is who he says: the attempt is counted first, then judged. What may follow is `accounts.py`.

Between the two a slow hash is computed outside any transaction, so `judge` looks again at all that `begin` read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Engine

from pipelines.errors import Refused
from resources.accounts import second_factor, sessions, throttle, trail
from resources.accounts.administration import row_of
from resources.accounts.codes import typed
from resources.accounts.database import writing
from resources.accounts.policy import AccountPolicy
from resources.accounts.sealing import Seal
from resources.accounts.shapes import Client, Means
from resources.accounts.throttle import Attempt, Counted
from resources.accounts.trail import AccountEvent

Verdict = Literal["wrong", "totp_needed", "password", "totp", "recovery"]
"""What became of a proof; the last three say what was right in the end."""


def proved(verdict: Verdict) -> Means | None:
    """By what somebody proved who they are; None where they did not."""
    return None if verdict == "wrong" or verdict == "totp_needed" else verdict  # noqa: PLR1714 - narrows the type


@dataclass(frozen=True)
class Try:
    """A proof under way: counted as a failure until it is found right."""

    user_id: str
    is_user: bool
    client: Client
    attempt: Attempt
    password_hash: str | None
    password_number: int


class Proving:
    """Attempts of all people on one installation's accounts."""

    def __init__(
        self,
        engine: Engine,
        policy: AccountPolicy,
        now: Callable[[], datetime],
        is_user: Callable[[str], bool],
        seal: Seal,
    ) -> None:
        self._engine, self._policy, self._now, self._is_user = engine, policy, now, is_user
        self._seal = seal

    def begin(self, user_id: str, client: Client) -> Try:
        """Count an attempt before anything is verified. Refused `account.locked_out` where none may be made now."""
        client, is_user, now = client.cleaned(), self._is_user(user_id), self._now()
        counted = [
            Counted(throttle.account_subject(user_id), self._policy.account),
            self.counted_client(client),
        ]
        with writing(self._engine) as connection:
            throttle.sweep(connection, [each.limit for each in counted], now)
            for over in sessions.sweep(connection, self._policy, now):
                detail = {"session": over.id, "why": "time"}
                self._append(connection, over.user_id, AccountEvent.SESSION_ENDED, detail)
            attempt = throttle.reserve(connection, counted, now)
            row = row_of(connection, user_id) if is_user else None
        if attempt is None:
            raise Refused("account.locked_out")
        if row is None:
            return Try(user_id, is_user, client, attempt, None, 0)
        return Try(user_id, is_user, client, attempt, row.password_hash, row.password_number)

    def judge(
        self,
        connection: Connection,
        tried: Try,
        is_right: bool,
        code: str | None,
        failed: AccountEvent,
        *,
        asks_code: bool = True,
    ) -> Verdict:
        """Whether the proof holds *now*: what was verified outside this transaction may have been reset or locked since."""
        row = row_of(connection, tried.user_id) if tried.is_user else None
        verdict: Verdict = "wrong"
        is_the_same = row is not None and row.password_hash and row.password_number == tried.password_number
        if row is not None and is_right and is_the_same and not row.is_locked:
            if row.totp_secret is None or not asks_code:
                verdict = "password"
            elif not typed(code or ""):
                verdict = "totp_needed"
            else:
                used = second_factor.use(connection, self._seal, tried.user_id, code or "", self._now())
                verdict = used or "wrong"
        if verdict == "wrong":
            known = None if row is None else tried.user_id
            self._append(connection, known, failed, {"client": tried.client.address})
            self.let_stand(connection, tried.attempt, known, tried.client)
            return verdict
        throttle.withdraw(connection, tried.attempt)
        if verdict != "totp_needed":
            throttle.forgive(connection, throttle.account_subject(tried.user_id))
        if verdict == "recovery":
            left = second_factor.recovery_codes_left(connection, tried.user_id)
            self._append(connection, tried.user_id, AccountEvent.RECOVERY_CODE_USED, {"left": str(left)})
        return verdict

    def let_stand(self, connection: Connection, attempt: Attempt, known: str | None, client: Client) -> None:
        """Let the failure stand, and tell the trail of whoever is locked by it."""
        locked = throttle.fail(connection, attempt, self._now())
        clients = throttle.client_subject(client.address)
        for subject, until in locked.items():
            event = AccountEvent.CLIENT_LOCKED_OUT if subject == clients else AccountEvent.LOCKED_OUT
            detail = {"client": client.address, "until": until.isoformat(timespec="seconds")}
            self._append(connection, known, event, detail)

    def counted_client(self, client: Client) -> Counted:
        return Counted(throttle.client_subject(client.address), self._policy.client)

    def _append(
        self, connection: Connection, user_id: str | None, event: str, detail: Mapping[str, str]
    ) -> None:
        trail.append(connection, self._now(), user_id, event, detail)
