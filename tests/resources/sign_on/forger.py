"""A provider on loopback that says and signs whatever a test wants: a real server for the lies that no honest one tells."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.resources.sign_on.running import CLIENT

Answer = tuple[int, Any, dict[str, str]]


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


OWN, OTHER = new_key("own"), new_key("other")


@dataclass
class Forger:
    """`said` overrides what is published under a path; `token` is the ID token handed out for any code."""

    issuer: str = ""
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public(OWN)])
    said: dict[str, Answer] = field(default_factory=dict[str, Answer])
    token: Any = None
    asked: list[tuple[str, dict[str, list[str]], str]] = field(default_factory=list)

    def claims(self, nonce: str, /, **changed: Any) -> dict[str, Any]:
        """What an honest provider says of actuary; a change to None leaves the claim out."""
        now = int(time.time())
        honest = {
            "iss": self.issuer,
            "sub": "subject-of-actuary",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": nonce,
            "preferred_username": "actuary",
            **changed,
        }
        return {name: value for name, value in honest.items() if value is not None}

    def answer(self, path: str) -> Answer:
        published = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        honest: dict[str, Answer] = {
            "/.well-known/openid-configuration": (200, published, {}),
            "/keys": (200, {"keys": self.keys}, {}),
            "/token": (200, {"access_token": "a", "token_type": "Bearer", "id_token": self.token}, {}),
        }
        return self.said.get(path) or honest.get(path, (404, {}, {}))


def public(key: RSAKey) -> dict[str, Any]:
    return key.as_dict(private=False)


def signed(claims: dict[str, Any], key: RSAKey = OWN, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid, **header}, claims, key, algorithms=["RS256", "PS256"])


def unsigned(claims: dict[str, Any]) -> str:
    """alg none, as RFC 7515 section A.5 has it."""
    return f"{_piece({'alg': 'none'})}.{_piece(claims)}."


def by_public_key(claims: dict[str, Any], secret: bytes) -> str:
    """HS256 with what everybody knows as the secret."""
    body = f"{_piece({'alg': 'HS256', 'kid': OWN.kid})}.{_piece(claims)}"
    mac = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _piece(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@contextmanager
def forger() -> Generator[Forger]:
    made = Forger()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])).decode())

        def _answer(self, body: str) -> None:
            made.asked.append((self.path, parse_qs(body), self.headers.get("authorization", "")))
            status, said, headers = made.answer(self.path)
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"content-length": str(len(raw)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
