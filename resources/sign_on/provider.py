"""What the provider publishes of itself: its endpoints (OpenID Connect Discovery 1.0) and the keys that it signs with.

Both are kept for an hour. A key that is not known is asked for once more, since providers change their keys.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pipelines.errors import Unavailable
from resources.deployment.notices import LOOPBACK
from resources.sign_on.transport import document

_KEPT_SECONDS = 3_600
_MOST_KEYS = 50
_ASYMMETRIC = frozenset({"RSA", "EC", "OKP"})
_PRIVATE = frozenset({"d", "k"})


@dataclass(frozen=True)
class Endpoints:
    """Where people are sent, where a code is exchanged, where the keys are; and whether the secret travels in the header."""

    authorization: str
    token: str
    keys: str
    takes_basic: bool


class Provider:
    """The OpenID provider at `issuer`. Threads may share it. `seconds` gives seconds that never go back."""

    def __init__(
        self, issuer: str, client: httpx.Client, *, seconds: Callable[[], float] = monotonic
    ) -> None:
        self.issuer = issuer
        self._client, self._seconds, self._lock = client, seconds, threading.Lock()
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def endpoints(self) -> Endpoints:
        """Unavailable `sign_on.down`, and `sign_on.wrong_provider` where what is published is not of this issuer or not safe."""
        with self._lock:
            kept = self._endpoints
        if kept is None or self._seconds() - kept[0] > _KEPT_SECONDS:
            url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            kept = (self._seconds(), self._read(document(self._client, url)))
            with self._lock:
                self._endpoints = kept
        return kept[1]

    def keys(self, *, anew: bool = False) -> KeySet:
        """The public keys; `anew` asks the provider even if some are kept. Errors as `endpoints`."""
        with self._lock:
            kept = self._keys
        if anew or kept is None or self._seconds() - kept[0] > _KEPT_SECONDS:
            kept = (self._seconds(), self._key_set(document(self._client, self.endpoints().keys)))
            with self._lock:
                self._keys = kept
        return kept[1]

    def _read(self, published: Mapping[str, object]) -> Endpoints:
        if published.get("issuer") != self.issuer:
            raise Unavailable("sign_on.wrong_provider", issuer=self.issuer, field="issuer")
        found: list[str] = []
        for field in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            url = published.get(field)
            if not isinstance(url, str) or not self._is_safe(url):
                raise Unavailable("sign_on.wrong_provider", issuer=self.issuer, field=field)
            found.append(url)
        methods = published.get("token_endpoint_auth_methods_supported")
        takes_basic = "client_secret_basic" in methods if isinstance(methods, list) else True
        return Endpoints(*found, takes_basic=takes_basic)

    def _is_safe(self, url: str) -> bool:
        """https; http only on this machine, and only where the issuer itself is."""
        try:
            parts = urlsplit(url)
            host, is_local = parts.hostname, self.issuer.startswith("http://")
        except ValueError:
            return False
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local and host in LOOPBACK)
        return is_safe and bool(host) and url.isprintable() and parts.username is None

    def _key_set(self, published: Mapping[str, object]) -> KeySet:
        """Public keys to verify with. What is symmetric, private or for encryption never verifies anything."""
        listed = published.get("keys")
        keys: list[Any] = listed[:_MOST_KEYS] if isinstance(listed, list) else []
        usable = [
            each
            for each in keys
            if isinstance(each, dict)
            and each.get("kty") in _ASYMMETRIC
            and not _PRIVATE & each.keys()
            and each.get("use", "sig") == "sig"
        ]
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError) as error:
            raise Unavailable("sign_on.wrong_provider", issuer=self.issuer, field="jwks_uri") from error
