"""What surrounds every answer of the desk: language, how much and how often is sent to it, the headers that browsers obey.

Plain ASGI, so that nothing is buffered. Who may come in is `visit.py`'s matter.
"""

from __future__ import annotations

import logging
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.desk.rate import RateLimit
from pipelines.errors import LANGUAGE, Language, text

LANGUAGE_COOKIE = "baosong_language"
LARGEST_BODY = 64 * 1024 * 1024
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
}
_log = logging.getLogger("baosong.desk")
_ONE_YEAR = 31_536_000


class Surroundings:
    """Sets the language of the answer, refuses bodies that are too large and clients that ask too often, adds the headers."""

    def __init__(self, app: ASGIApp, *, language: Language, limit: RateLimit) -> None:
        self._app, self._limit = app, limit
        self._language: Language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = LANGUAGE.set(_language_of(scope) or self._language)
        seen, is_begun = 0, False

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > LARGEST_BODY:
                raise TooLarge
            return message

        async def with_headers(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_headers(scope)]}
            await send(message)

        try:
            if wait := self._limit.wait(scope["client"][0] if scope["client"] else ""):
                said = text("desk.too_often", seconds=wait)
                await _refuse(with_headers, 429, said, (b"retry-after", str(wait).encode()))
                return
            if _is_ambiguous(scope):
                await _refuse(with_headers, 400, text("desk.not_understood"), (b"connection", b"close"))
                return
            if _declared_length(scope) > LARGEST_BODY:
                raise TooLarge
            await self._app(scope, limited, with_headers)
        except TooLarge:
            said = text("desk.too_large", most=LARGEST_BODY // (1024 * 1024))
            await _refuse(with_headers, 413, said, (b"connection", b"close"))
        except ClientDisconnect:
            _log.info("gone before the answer: %s", scope["path"])
        except Exception:  # noqa: BLE001 - the border of the desk: the log has it, the person is told whom to tell
            _log.exception("fault at %s", scope["path"])
            if not is_begun:
                await _refuse(with_headers, 500, text("desk.fault"), (b"connection", b"close"))
        finally:
            LANGUAGE.reset(token)


class TooLarge(Exception):
    """More bytes came than a request may have."""


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    headers = dict(_HEADERS)
    if not scope["path"].startswith("/static/"):
        headers["cache-control"] = "no-store"
    if scope["scheme"] == "https":
        headers["strict-transport-security"] = f"max-age={_ONE_YEAR}; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _declared_length(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


def _is_ambiguous(scope: Scope) -> bool:
    """Whether the body's end is told in two ways, of which a proxy before the desk may believe the other."""
    names = {name for name, _ in scope["headers"]}
    return {b"content-length", b"transfer-encoding"} <= names


async def _refuse(send: Send, status: int, said: str, header: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), header]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})


def _language_of(scope: Scope) -> Language | None:
    """What the person chose: in this link, or before (cookie)."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[0]
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    kept = cookies[LANGUAGE_COOKIE].value if LANGUAGE_COOKIE in cookies else ""
    match asked or kept:
        case "zh":
            return "zh"
        case "en":
            return "en"
        case _:
            return None
