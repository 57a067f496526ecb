"""Proving at the moment of an act that it is still the same person: by password and code, or anew at the OpenID provider.

Whoever came in by the provider goes there again; no password of theirs is asked for. What may be done then is the page's matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.desk.visit import Visit, session_token
from pipelines.errors import Refused
from resources.accounts import Account, Session

_WORDS = {"password": "password", "totp": "password and code", "recovery": "password and recovery code"}


@dataclass(frozen=True)
class Proof:
    """What is asked of the person: `by_provider` a visit there, which `is_given` if it was just made; else a password."""

    by_provider: bool
    is_given: bool
    has_totp: bool
    minutes: int


def proof_of(visit: Visit) -> Proof:
    """What this person is asked for before an act that matters."""
    accounts, own = visit.desk.accounts, own_account(visit)
    return Proof(
        by_provider=visit.session.means == "oidc",
        is_given=accounts.is_vouched_anew(visit.session),
        has_totp=own is not None and own.has_totp,
        minutes=int(accounts.policy.fresh_within.total_seconds() // 60),
    )


def prove(visit: Visit) -> tuple[str, Session]:
    """The session as it was proved now, and its new token, empty where it keeps the one it has.

    Refused `desk.provider_first` for who came by the provider and was not there again just now; else as
    `Accounts.reauthenticate`.
    """
    accounts = visit.desk.accounts
    if visit.session.means != "oidc":
        token = session_token(visit.request)
        return accounts.reauthenticate(token, visit.secret("password"), visit.text("code") or None)
    if not accounts.is_vouched_anew(visit.session):
        raise Refused("desk.provider_first")
    return "", visit.session


def told(visit: Visit, session: Session) -> str:
    """What is kept with a signature: by what the person proved who they are."""
    config = visit.installation.deployment.oidc
    by = f"OpenID Connect, {config.issuer if config else ''}"
    return f"desk: {_WORDS.get(session.means, by)}, session {session.id}"


def own_account(visit: Visit) -> Account | None:
    """The account of the person who visits."""
    return next((each for each in visit.desk.accounts.accounts() if each.user_id == visit.user.id), None)
