"""What goes in and out of `Accounts`, as frozen dataclasses. No rows, no rules; secrets never show in a `repr`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Literal

import segno

_LONGEST_ADDRESS, _LONGEST_AGENT = 64, 256
Means = Literal["password", "totp", "recovery", "oidc"]
"""By what somebody proved who they are: a password alone, with a code, with a recovery code, or by the OpenID provider."""


@dataclass(frozen=True)
class Client:
    """Where a request comes from; both are what the other side says, so they are cut and cleaned before they are kept."""

    address: str
    user_agent: str = ""

    def cleaned(self) -> Client:
        return Client(_printable(self.address, _LONGEST_ADDRESS), _printable(self.user_agent, _LONGEST_AGENT))


@dataclass(frozen=True)
class Session:
    """One person at one browser. `id` names it in lists and stays over rotations; the token is nowhere kept.

    `authenticated_at` is when the person last proved who they are, `means` by what; `csrf_secret` changes with the token.
    """

    id: str
    user_id: str
    begun_at: datetime
    last_seen_at: datetime
    authenticated_at: datetime
    client: Client
    csrf_secret: str = field(repr=False)
    means: Means


@dataclass(frozen=True)
class Account:
    """The credential of one user as an administrator sees it; `lock_out_until` is a lock that ends by itself.

    `provider_subject` is who the person is at the OpenID provider, once the account is linked to it.
    """

    user_id: str
    has_password: bool
    has_totp: bool
    is_locked: bool
    lock_out_until: datetime | None
    enrolment_until: datetime | None
    recovery_codes_left: int
    last_login_at: datetime | None
    provider_subject: str | None


@dataclass(frozen=True)
class Flow:
    """One way to the OpenID provider and back; `session` is the one to be authenticated anew, empty for a log-in.

    `next_page` is the page of the desk that the person wanted; state, nonce and verifier serve this once.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next_page: str
    session: str
    begun_at: datetime


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouched for, and when the person proved it there, if it says so.

    `user_id` is what the deployment makes of the claim, None where it knows nobody of that name.
    """

    issuer: str
    subject: str
    user_id: str | None
    authenticated_at: datetime | None


@dataclass(frozen=True)
class TotpEnrolment:
    """A provisional second factor: the secret to type in, the `otpauth:` URI of the same."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)

    def qr_svg(self) -> str:
        """The URI as a QR code: an `<svg>` element with classes and without inline style, for a page with a strict CSP."""
        drawn = BytesIO()
        segno.make(self.uri, error="m", micro=False).save(
            drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, light="#fff"
        )
        return drawn.getvalue().decode()


@dataclass(frozen=True)
class TrailEntry:
    """One line of the audit trail; `user` is None where somebody unknown was named."""

    number: int
    at: datetime
    user: str | None
    event: str
    detail: Mapping[str, str]


def _printable(text: str, longest: int) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:longest])
