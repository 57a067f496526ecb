"""Webhooks: signed as whoever takes them documents it, never sent again where they may have arrived, silent about secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from resources.notifier import WebhookClient
from resources.notifier.webhook import dingtalk_signature, fitting
from tests.resources.notifier.certificates import Certificates
from tests.resources.notifier.hook_server import Hook, hook_server
from tests.resources.notifier.test_mail import AT, DIGEST

SECRET, TOKEN = "SECthis-is-secret", "a-token-of-the-test"
NOW = datetime(2026, 11, 28, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
TOLD = replace(
    DIGEST,
    markdown="### 报送系统：2 项通知\n> circ_audit.detail.JH-2026-003",
    link="https://desk.example.cn/notices",
)


@pytest.fixture
def clients(hook: Hook) -> Iterator[dict[str, WebhookClient]]:
    secrets: dict[str, dict[str, str]] = {
        "json": {"secret": SECRET},
        "wecom": {"token": TOKEN},
        "dingtalk": {"secret": SECRET, "token": TOKEN},
    }
    made: dict[str, WebhookClient] = {}
    for kind, given in secrets.items():
        options: Any = {**given, "now": lambda: NOW, "timeout_seconds": 5}
        made[kind] = WebhookClient(hook.url, kind, **options)  # type: ignore[arg-type]
    yield made
    for client in made.values():
        client.close()


def test_json_is_signed_over_time_and_body(clients: dict[str, WebhookClient], hook: Hook) -> None:
    assert clients["json"].send(TOLD).result == "sent"
    (posted,) = hook.posted
    seconds = str(int(NOW.timestamp()))
    expected = hmac.new(SECRET.encode(), f"{seconds}.".encode() + posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["x-baosong-timestamp"] == seconds
    assert posted.headers["x-baosong-signature"] == f"sha256={expected}"
    assert posted.json == {
        "id": DIGEST.id,
        "at": AT.isoformat(),
        "title": "报送系统：2 项通知",
        "items": [
            {"kind": "sign", "subject": "circ_audit.detail.JH-2026-003", "count": 0, "due": "2026-05-12"}
        ],
        "link": "https://desk.example.cn/notices",
    }


def test_wecom_gets_markdown_under_its_key(clients: dict[str, WebhookClient], hook: Hook) -> None:
    assert clients["wecom"].send(TOLD).result == "sent"
    (posted,) = hook.posted
    assert posted.query == {"key": [TOKEN]}
    assert posted.json == {"msgtype": "markdown", "markdown": {"content": TOLD.markdown}}


def test_dingtalk_gets_markdown_with_time_and_signature(
    clients: dict[str, WebhookClient], hook: Hook
) -> None:
    assert clients["dingtalk"].send(TOLD).result == "sent"
    (posted,) = hook.posted
    milliseconds = str(int(NOW.timestamp()) * 1000)
    signed = hmac.new(SECRET.encode(), f"{milliseconds}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert posted.query == {
        "access_token": [TOKEN],
        "timestamp": [milliseconds],
        "sign": [base64.b64encode(signed).decode()],
    }
    assert posted.json["markdown"] == {"title": TOLD.title, "text": TOLD.markdown}


def test_dingtalks_signature_is_that_of_a_known_case() -> None:
    """Computed with OpenSSL: printf '1700000000000\\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64"""
    assert (
        dingtalk_signature("this is secret", "1700000000000")
        == "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="
    )


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(
    clients: dict[str, WebhookClient], hook: Hook
) -> None:
    hook.answers = [(503, b""), (429, b"")]
    assert clients["json"].send(TOLD).result == "sent"
    assert len(hook.posted) == 3
    hook.answers = [(403, b"no")]
    outcome = clients["json"].send(TOLD)
    assert (outcome.result, outcome.reason, len(hook.posted)) == ("failed", "HTTP 403", 4)


def test_a_robots_no_is_a_no_although_it_comes_with_200(
    clients: dict[str, WebhookClient], hook: Hook
) -> None:
    hook.answers = [(200, {"errcode": 93000, "errmsg": "invalid webhook url"})]
    outcome = clients["wecom"].send(TOLD)
    assert (outcome.result, outcome.reason) == ("failed", "errcode 93000 invalid webhook url")
    hook.answers = [(200, {"errcode": 45009, "errmsg": "too often"})]
    assert clients["wecom"].send(TOLD).result == "sent"
    hook.answers = [(200, b"<html>")]
    assert clients["dingtalk"].send(TOLD).result == "unknown"


def test_what_may_have_arrived_is_not_sent_again(hook: Hook) -> None:
    hook.is_silent = True
    client = WebhookClient(hook.url, "wecom", now=lambda: NOW, token=TOKEN, timeout_seconds=0.3)
    assert client.send(TOLD).result == "unknown"
    client.close()
    assert len(hook.posted) == 1


def test_a_server_that_is_not_there_is_down_and_no_token_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = WebhookClient(f"http://127.0.0.1:{port}/send", "wecom", now=lambda: NOW, token=TOKEN)
    with caplog.at_level(logging.DEBUG):
        outcome = client.send(TOLD)
    client.close()
    assert outcome.result == "down"
    assert TOKEN not in outcome.reason + caplog.text + repr(client)


def test_no_secret_reaches_the_log(
    clients: dict[str, WebhookClient], hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert clients["dingtalk"].send(TOLD).result == "sent"
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text


def test_a_redirect_is_not_followed(clients: dict[str, WebhookClient], hook: Hook) -> None:
    hook.answers = [(307, b"")]
    assert clients["json"].send(TOLD).reason == "HTTP 307"
    assert len(hook.posted) == 1


def test_what_a_robot_cannot_take_is_cut_at_a_line_and_says_so() -> None:
    lines = "\n".join(f"> 报送任务 {number}" for number in range(1000))
    cut = fitting(lines, 4096)
    assert len(cut.encode()) <= 4096
    assert cut.splitlines()[-1] == "…"
    assert lines.startswith(cut.removesuffix("…"))
    assert fitting("报送", 6) == "报送"


def test_over_https_the_certificate_is_verified(made: Certificates) -> None:
    with hook_server(made.context) as hook:
        url = hook.url.replace("http://", "https://")
        for ca_file, result in ((None, "down"), (made.authority, "sent")):
            client = WebhookClient(url, "json", now=lambda: NOW, secret=SECRET, ca_file=ca_file)
            assert client.send(TOLD).result == result
            client.close()
    assert len(hook.posted) == 1
