"""ID tokens that no desk may believe, each by its name, and the honest one beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.resources.sign_on.forger import OTHER, OWN, Forger, by_public_key, public, signed, unsigned
from tests.resources.sign_on.running import CLIENT

HARD = "a secret: with % and + & ä"
"""The client's secret where it must be written with care."""
Forging = Callable[[Forger, str], str]


def honest(lies: Forger, nonce: str, **changed: Any) -> str:
    return signed(lies.claims(nonce, **changed))


def changed(**claims: Any) -> Forging:
    return lambda lies, nonce: signed(lies.claims(nonce, **claims))


PAST = int(time.time()) - 7_200
FORGED: dict[str, Forging] = {
    "alg none": lambda lies, nonce: unsigned(lies.claims(nonce)),
    "HS256 with the public key as PEM": lambda lies, nonce: by_public_key(
        lies.claims(nonce), OWN.as_pem(private=False)
    ),
    "HS256 with the client's secret": lambda lies, nonce: by_public_key(lies.claims(nonce), HARD.encode()),
    "another key under the known name": lambda lies, nonce: signed(lies.claims(nonce), OTHER, kid=OWN.kid),
    "a key that nobody published": lambda lies, nonce: signed(lies.claims(nonce), OTHER),
    "a key brought along": lambda lies, nonce: signed(lies.claims(nonce), OTHER, jwk=public(OTHER)),
    "another nonce": changed(nonce="another"),
    "no nonce": changed(nonce=None),
    "another audience": changed(aud="another client"),
    "another audience, though issued to us": changed(aud="another client", azp=CLIENT),
    "no audience": changed(aud=None),
    "several audiences without azp": changed(aud=[CLIENT, "another client"]),
    "issued to another party": changed(aud=[CLIENT, "another client"], azp="another client"),
    "another issuer": changed(iss="http://127.0.0.1:1"),
    "expired": changed(iat=PAST, exp=PAST + 300),
    "never expires": changed(exp=None),
    "issued in the future": changed(iat=int(time.time()) + 7_200),
    "not valid yet": changed(nbf=int(time.time()) + 7_200),
    "without a subject": changed(sub=None),
    "with an endless subject": changed(sub="s" * 10_000),
    "without the claim that names the person": changed(preferred_username=None),
    "with a name that is no text": changed(preferred_username=["actuary"]),
    "no token at all": lambda lies, nonce: "",
    "not a token": lambda lies, nonce: "a.b.c",
    "a list for claims": lambda lies, nonce: signed(lies.claims(nonce)).split(".")[0] + ".W10.x",
}
