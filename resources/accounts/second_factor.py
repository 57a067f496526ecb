"""The second factor: codes of an authenticator (TOTP, RFC 6238) and recovery codes on paper. When one is asked for is told elsewhere.

Both serve once: the time step of the last code is kept and no earlier or equal one taken (RFC 6238 section 5.2), a
recovery code is marked with the time of its use. All functions work inside the caller's writing transaction.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Literal

from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from resources.accounts.codes import digest, new_code, typed
from resources.accounts.models import account, recovery_code
from resources.accounts.sealing import Seal
from resources.accounts.shapes import TotpEnrolment

_DIGITS, _STEP_SECONDS, _STEPS_ASIDE = 6, 30, 1
ISSUER = "Baosong 报送"

Used = Literal["totp", "recovery"]


def begin(connection: Connection, seal: Seal, user_id: str) -> TotpEnrolment:
    """A new provisional secret in place of any other provisional one; the factor in force stays in force."""
    secret = random_base32()
    connection.execute(
        update(account).where(account.c.user_id == user_id).values(totp_pending=seal.close(secret, user_id))
    )
    return TotpEnrolment(secret, TOTP(secret).provisioning_uri(name=user_id, issuer_name=ISSUER))


def confirm(
    connection: Connection, seal: Seal, user_id: str, code: str, now: datetime, count: int
) -> tuple[str, ...] | None:
    """Put the provisional secret into force if the code is of it: the new recovery codes, which replace all others."""
    pending = connection.execute(select(account.c.totp_pending).where(account.c.user_id == user_id)).scalar()
    if pending is None:
        return None
    step = _step_of(seal.reveal(pending, user_id), code, now)
    if step is None:
        return None
    connection.execute(
        update(account)
        .where(account.c.user_id == user_id)
        .values(totp_secret=pending, totp_pending=None, totp_last_step=step)
    )
    codes = tuple(new_code() for _ in range(count))
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    for each in codes:
        connection.execute(insert(recovery_code).values(user_id=user_id, code_hash=_hash(user_id, each)))
    return codes


def use(connection: Connection, seal: Seal, user_id: str, code: str, now: datetime) -> Used | None:
    """Use up a code of the authenticator or a recovery code; None where it is wrong or was used."""
    kept = connection.execute(select(account.c.totp_secret).where(account.c.user_id == user_id)).scalar()
    if kept is None:
        return None
    step = _step_of(seal.reveal(kept, user_id), code, now)
    if step is not None:
        taken = connection.execute(
            update(account)
            .where(
                account.c.user_id == user_id,
                or_(account.c.totp_last_step.is_(None), account.c.totp_last_step < step),
            )
            .values(totp_last_step=step)
        )
        return "totp" if taken.rowcount == 1 else None
    marked = connection.execute(
        update(recovery_code)
        .where(
            recovery_code.c.user_id == user_id,
            recovery_code.c.code_hash == _hash(user_id, code),
            recovery_code.c.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return "recovery" if marked.rowcount == 1 else None


def turn_off(connection: Connection, user_id: str) -> None:
    """Forget secrets and recovery codes."""
    connection.execute(
        update(account)
        .where(account.c.user_id == user_id)
        .values(totp_secret=None, totp_pending=None, totp_last_step=None)
    )
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))


def recovery_codes_left(connection: Connection, user_id: str) -> int:
    counting = select(func.count()).select_from(recovery_code)
    unused = counting.where(recovery_code.c.user_id == user_id, recovery_code.c.used_at.is_(None))
    return connection.execute(unused).scalar_one()


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step within one of now whose code this is."""
    given = typed(code)
    if len(given) != _DIGITS or not given.isdigit():
        return None
    totp, found = TOTP(secret, digits=_DIGITS, interval=_STEP_SECONDS), None
    present = int(now.timestamp()) // _STEP_SECONDS
    for step in range(present - _STEPS_ASIDE, present + _STEPS_ASIDE + 1):
        if hmac.compare_digest(totp.generate_otp(step), given):
            found = step
    return found


def _hash(user_id: str, code: str) -> str:
    return digest("recovery", user_id, typed(code))
