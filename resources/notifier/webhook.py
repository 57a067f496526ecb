"""Webhooks: WeCom's and DingTalk's group robots, and plain JSON that whoever receives it can prove to be ours.

WeCom: developer.work.weixin.qq.com/document/path/91770. DingTalk: open.dingtalk.com, custom robot, 加签. Neither tells one
message from its copy, so what may have arrived is never sent again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import httpx
import stamina

from resources.notifier.mail import trusting
from resources.notifier.message import Digest, Outcome

_ATTEMPTS = 3
_MOST_ANSWER_BYTES = 64 * 1024
_WECOM_BYTES, _DINGTALK_BYTES = 4096, 20_000
"""The longest markdown that each takes, in UTF-8."""
_BUSY = frozenset({429, 502, 503, 504})
_BUSY_CODES = frozenset({-1, 45009, 130101, 660026})
"""Error codes of the robots for: busy, or too many messages."""


class _AgainError(Exception):
    """Nothing took effect; worth another attempt. `outcome` is what is told when there is none."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class WebhookClient:
    """A client of one webhook; its secrets are never shown. `now` is the real time: signatures are only good for an hour."""

    def __init__(
        self,
        url: str,
        kind: Literal["json", "wecom", "dingtalk"],
        *,
        now: Callable[[], datetime],
        secret: str = "",
        token: str = "",
        ca_file: Path | None = None,
        timeout_seconds: float = 10,
    ) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it writes addresses, which hold tokens
        self._url, self._kind, self._now = url, kind, now
        self._secret, self._token = secret, token
        self._client = httpx.Client(
            timeout=timeout_seconds,
            verify=trusting(ca_file) if ca_file else True,
            trust_env=False,  # the deployment's address is the whole truth, not a proxy of the environment
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"WebhookClient({self._url})"

    def close(self) -> None:
        self._client.close()

    def send(self, digest: Digest) -> Outcome:
        """One message. Never raises for what a server or a network does."""
        try:
            for attempt in stamina.retry_context(
                on=_AgainError,
                attempts=_ATTEMPTS,
                timeout=None,
                wait_initial=0.1,
                wait_max=2.0,
                wait_jitter=0.1,
            ):
                with attempt:
                    return self._try(digest)
        except _AgainError as last:
            return last.outcome
        raise AssertionError("a retry context either returns or raises")

    def _try(self, digest: Digest) -> Outcome:
        body, headers, query = self._request(digest)
        try:
            with self._client.stream(
                "POST", self._url, content=body, headers=headers, params=query
            ) as answer:
                status, said = answer.status_code, _beginning(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _AgainError(Outcome("down", self._words(error))) from error
        except httpx.HTTPError as error:
            return Outcome("unknown", self._words(error))
        if status in _BUSY:
            raise _AgainError(Outcome("failed", f"HTTP {status}"))
        if not 200 <= status < 300:
            return Outcome("failed", f"HTTP {status}")
        return Outcome("sent") if self._kind == "json" else _robot_outcome(said)

    def _request(self, digest: Digest) -> tuple[bytes, dict[str, str], dict[str, str]]:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        at = self._now()
        match self._kind:
            case "wecom":
                content = {"content": fitting(digest.markdown, _WECOM_BYTES)}
                return _json({"msgtype": "markdown", "markdown": content}), headers, {"key": self._token}
            case "dingtalk":
                content = {"title": digest.title, "text": fitting(digest.markdown, _DINGTALK_BYTES)}
                milliseconds = str(int(at.timestamp() * 1000))
                query = {
                    "access_token": self._token,
                    "timestamp": milliseconds,
                    "sign": dingtalk_signature(self._secret, milliseconds),
                }
                return _json({"msgtype": "markdown", "markdown": content}), headers, query
            case _:
                body = _json(
                    {
                        "id": digest.id,
                        "at": digest.at.isoformat(timespec="seconds"),
                        "title": digest.title,
                        "items": [asdict(item) for item in digest.items],
                        "link": digest.link,
                    }
                )
                seconds = str(int(at.timestamp()))
                headers["X-Baosong-Timestamp"] = seconds
                headers["X-Baosong-Signature"] = "sha256=" + json_signature(self._secret, seconds, body)
                return body, headers, {}

    def _words(self, error: Exception) -> str:
        """What went wrong, never with an address: it holds a token."""
        said = str(error) or type(error).__name__
        for secret in (self._token, self._secret):
            said = said.replace(secret, "…") if secret else said
        return said[:300]


def dingtalk_signature(secret: str, milliseconds: str) -> str:
    """加签: Base64 of HMAC-SHA256 over `milliseconds\\nsecret` with the secret as key; encoded for the address by whoever sends it."""
    signed = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def json_signature(secret: str, seconds: str, body: bytes) -> str:
    """Hexadecimal HMAC-SHA256 over `seconds.body`: neither can be changed, nor the body be sent again much later."""
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def fitting(text: str, most_bytes: int) -> str:
    """The lines that fit into so many bytes of UTF-8, and a dot line where some did not."""
    if len(text.encode()) <= most_bytes:
        return text
    kept, size = list[str](), len("…".encode())
    for line in text.splitlines():
        size += len(line.encode()) + 1
        if size > most_bytes:
            break
        kept.append(line)
    return "\n".join([*kept, "…"])


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _beginning(answer: httpx.Response) -> bytes:
    said = bytearray()
    for block in answer.iter_bytes():
        said += block
        if len(said) > _MOST_ANSWER_BYTES:
            break
    return bytes(said[:_MOST_ANSWER_BYTES])


def _robot_outcome(said: bytes) -> Outcome:
    """What a robot means by its answer: HTTP 200 with an `errcode`, 0 for done."""
    try:
        answer: Any = json.loads(said)
    except ValueError:
        return Outcome("unknown", said[:100].decode("utf-8", "replace"))
    if not isinstance(answer, dict):
        return Outcome("unknown", said[:100].decode("utf-8", "replace"))
    told = cast("dict[str, object]", answer)
    code = told.get("errcode")
    if code == 0:
        return Outcome("sent")
    outcome = Outcome("failed", f"errcode {code} {told.get('errmsg', '')}"[:300])
    if code in _BUSY_CODES:
        raise _AgainError(outcome)
    return outcome
