"""Mail goes out over a verified TLS connection or not at all; what a server says is told; no name writes a header."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines.errors import BadInput
from resources.notifier import Digest, Item, MailClient
from tests.resources.notifier.certificates import Certificates, certificates
from tests.resources.notifier.mail_server import PASSWORD, USER, MailServer

AT = datetime(2026, 5, 6, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
DIGEST = Digest(
    id="d" * 32,
    at=AT,
    title="报送系统：2 项通知",
    text="待签署的意见（2）\n  circ_audit.detail.JH-2026-003\n",
    markdown="",
    items=(Item("sign", "circ_audit.detail.JH-2026-003", 0, "2026-05-12"),),
)
TO = "zhang@example.cn"


def client(server: MailServer | int, **options: object) -> MailClient:
    port = server if isinstance(server, int) else server.port
    given: dict[str, object] = {
        "sender": "baosong@example.cn",
        "starttls": False,
        "timeout_seconds": 5,
        **options,
    }
    return MailClient("127.0.0.1", port, **given)  # type: ignore[arg-type]


def encrypted(server: MailServer, made: Certificates, **options: object) -> MailClient:
    given = {"starttls": True, "username": USER, "password": PASSWORD, "ca_file": made.authority, **options}
    return client(server, **given)


def test_a_mail_arrives_over_tls_after_a_login(tls_server: MailServer, made: Certificates) -> None:
    assert encrypted(tls_server, made).send(TO, "张三（模拟）", DIGEST).result == "sent"
    (mail,) = tls_server.mails()
    assert (tls_server.taken[0][0], tls_server.log_ins) == (TO, 1)
    assert mail["subject"] == "报送系统：2 项通知"
    assert mail["from"] == "Baosong 报送 <baosong@example.cn>"
    assert mail["to"] == f"张三（模拟） <{TO}>"
    assert mail["message-id"] == f"<{'d' * 32}@example.cn>"
    assert mail["date"].datetime == AT
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == DIGEST.text
    assert tls_server.taken[0][1].isascii(), "any server takes it"


def test_a_mail_arrives_without_tls_on_this_machine(server: MailServer) -> None:
    assert client(server).send(TO, "", DIGEST).result == "sent"
    assert [mail["to"] for mail in server.mails()] == [TO]


def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_mail(
    tls_server: MailServer, made: Certificates, tmp_path: Path
) -> None:
    for ca_file in (None, certificates(tmp_path).authority):
        outcome = encrypted(tls_server, made, ca_file=ca_file).send(TO, "", DIGEST)
        assert outcome.result == "down"
        assert "CERTIFICATE_VERIFY_FAILED" in outcome.reason
    assert (tls_server.taken, tls_server.log_ins) == ([], 0)


def test_a_server_without_starttls_gets_nothing_where_it_is_required(
    server: MailServer, made: Certificates
) -> None:
    outcome = encrypted(server, made).send(TO, "", DIGEST)
    assert (outcome.result, server.taken) == ("down", [])
    assert "STARTTLS" in outcome.reason


def test_a_wrong_password_is_given_over_one_connection_and_not_told(
    tls_server: MailServer, made: Certificates
) -> None:
    outcome = encrypted(tls_server, made, password="not this one").send(TO, "", DIGEST)
    assert outcome.result == "down"
    assert outcome.reason.startswith("(535")
    assert "not this one" not in outcome.reason
    assert (tls_server.calls, tls_server.taken) == (2, []), "one connection: greeted before and after TLS"


def test_a_recipient_refused_for_good_and_one_refused_for_now(server: MailServer) -> None:
    server.refused = {TO: "550 no such user", "li@example.cn": "450 mailbox busy"}
    refused, busy = (client(server).send(address, "", DIGEST) for address in (TO, "li@example.cn"))
    assert (refused.result, refused.reason) == ("refused", "550 no such user")
    assert (busy.result, busy.reason) == ("failed", "450 mailbox busy")
    assert client(server).send("wang@example.cn", "", DIGEST).result == "sent"


def test_a_server_that_is_not_there_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = client(port).send(TO, "", DIGEST)
    assert outcome.result == "down"
    assert "refused" in outcome.reason


def test_a_server_that_never_greets_is_down_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        outcome = client(mute.getsockname()[1], timeout_seconds=0.2).send(TO, "", DIGEST)
    assert outcome.result == "down"
    assert "timed out" in outcome.reason


def test_a_server_that_takes_a_mail_and_falls_silent_may_have_it(server: MailServer) -> None:
    server.is_silent = True
    outcome = client(server, timeout_seconds=0.5).send(TO, "", DIGEST)
    assert outcome.result == "unknown"
    assert len(server.taken) == 1, "and it is not sent again at once"


@pytest.mark.parametrize(
    "name",
    [
        "张三\r\nBcc: evil@example.com",
        "张三\nSubject: other",
        "a\x00b\u2028c",
        "<evil@example.com>,",
        '"',
        "名" * 500,
    ],
)
def test_no_name_becomes_a_header_or_a_recipient(server: MailServer, name: str) -> None:
    assert client(server).send(TO, name, DIGEST).result == "sent"
    (mail,) = server.mails()
    assert set(map(str.lower, mail.keys())) == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "content-type",
        "content-transfer-encoding", "mime-version",
    }  # fmt: skip
    assert mail["subject"] == DIGEST.title
    assert [(address.addr_spec) for address in mail["to"].addresses] == [TO]
    assert [address for address, _ in server.taken] == [TO]


def test_a_title_is_one_line(server: MailServer) -> None:
    hostile = Digest(**{**DIGEST.__dict__, "title": "x\r\nBcc: evil@example.com"})
    assert client(server).send(TO, "", hostile).result == "sent"
    (mail,) = server.mails()
    assert (mail["subject"], mail["bcc"]) == ("x Bcc: evil@example.com", None)


def test_a_lost_certificate_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        client(25, starttls=True, ca_file=tmp_path / "nothing.pem")
    assert caught.value.code == "notices.ca_file"


def test_no_secret_is_shown() -> None:
    assert repr(client(25, username=USER, password=PASSWORD)) == "MailClient(127.0.0.1:25)"
