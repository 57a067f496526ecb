"""The commission's interface: the whole way against the embedded regulator, and garbage from tiny servers."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stamina

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from resources.channels import InterfaceChannel, Receipt

FILING = "circ_statistics.monthly.2026-04"
DIGEST = "0" * 64
STORED = {
    "id": "F000001",
    "status": "stored",
    "name": "a.xml",
    "filing": FILING,
    "sha256": DIGEST,
    "size": 2,
    "stored_at": "2026-05-09T10:00:00+08:00",
}


@pytest.fixture(autouse=True)
def no_waiting_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def interface(servers: Any, **changes: Any) -> InterfaceChannel:
    url = f"http://127.0.0.1:{servers.port('interface')}/api/v1"
    given: dict[str, Any] = {
        "base_url": url,
        "token": servers.places.secret("interface_token"),
        "timeout_seconds": 10,
    }
    return InterfaceChannel(**(given | changes))


def statistics(value: str = "5.00") -> bytes:
    areas = "".join(
        f"<area><areaid>0099{code}</areaid><item><PK><key>A01</key><intervaltype>2</intervaltype></PK>"
        f"<value>{number}</value><remark/></item></area>"
        for code, number in (("000000", "7.00"), ("310000", value))
    )
    text = f'<?xml version="1.0" encoding="gb2312"?>\n<DATA0099202604>{areas}</DATA0099202604>'
    return text.encode("gb2312")


def receipt_of(channel: InterfaceChannel, file_id: str) -> Receipt:
    deadline = time.monotonic() + 10
    while (receipt := channel.receipt(file_id)) is None:
        assert time.monotonic() < deadline
    return receipt


@pytest.mark.parametrize(("value", "result"), [("5.00", "accepted"), ("7.01", "rejected")])
def test_store_submit_and_receipt(servers: Any, tmp_path: Path, value: str, result: str) -> None:
    path = tmp_path / "DATA00992026042.xml"
    path.write_bytes(statistics(value))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with interface(servers) as channel:
        assert channel.find(digest) is None
        stored = channel.store(path, FILING)
        assert (stored.status, stored.sha256, stored.name) == ("stored", digest, path.name)
        assert channel.find(digest) == stored == channel.store(path, FILING)
        assert channel.receipt(stored.id) is None
        assert channel.submit(stored.id).status == "submitted"
        receipt = receipt_of(channel, stored.id)
        assert (receipt.result, receipt.sha256) == (result, digest)
        assert channel.submit(stored.id).status == result
        assert receipt_of(channel, stored.id).text == receipt.text
    expected = [] if result == "accepted" else [("S11", "310000", "A01")]
    assert [(error.rule, error.organisation, error.item) for error in receipt.errors] == expected


def test_a_wrong_token_and_an_unknown_file_are_refused_in_the_regulators_words(servers: Any) -> None:
    with interface(servers, token="guess") as channel, pytest.raises(Refused) as token:
        channel.find(DIGEST)
    assert token.value.code == "interface.token" and "guess" not in str(token.value)
    with interface(servers) as channel, pytest.raises(Refused) as unknown:
        channel.submit("F999999")
    assert unknown.value.code == "interface.refused" and "F999999" in str(unknown.value)


def test_a_missing_local_file_is_bad_input_before_anything_is_called(tmp_path: Path) -> None:
    with InterfaceChannel("http://127.0.0.1:1", "t") as channel, pytest.raises(BadInput) as missing:
        channel.store(tmp_path / "none.xml", FILING)
    assert missing.value.code == "channel.local_file"


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each connection the next raw answer (the last one again and again) and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(answers[min(len(asked), len(answers)) - 1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def http(body: object, status: str = "200 OK", *, cut: int = 0) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    )
    return (head + raw)[: len(head + raw) - cut]


def found(**changes: Any) -> dict[str, Any]:
    return {"files": [STORED | changes]}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(b"<html><body>Welcome to the proxy</body></html>"), "interface.garbage"),
        (http(b'{"files": [{"id": "F0'), "interface.garbage"),
        (http({"files": []}, "500 Internal Server Error"), "interface.garbage"),
        (http(b"<html>busy</html>", "503 Service Unavailable"), "interface.garbage"),
        (http(found(sha256="1" * 64)), "interface.garbage"),
        (http(found(status="lost")), "interface.garbage"),
        (http(found(size="2")), "interface.garbage"),
        (http(found(stored_at="yesterday")), "interface.garbage"),
        (http(found(more=1)), "interface.garbage"),
        (http(b"\xff\xfe\x00"), "interface.garbage"),
        (http(b"x" * 9_000_000), "interface.garbage"),
        (http({"error": "x"}, "400 Bad Request"), "interface.garbage"),
        (http(found(), cut=20), "interface.down"),
        (b"", "interface.down"),
        (b"SSH-2.0-OpenSSH\r\n", "interface.down"),
        (http({"error": "closed", "message": "今日不受理"}, "403 Forbidden"), "interface.token"),
        (http({"error": "closed", "message": "今日不受理"}, "409 Conflict"), "interface.refused"),
    ],
)
def test_an_answer_that_is_not_as_published_is_named(answer: bytes, code: str) -> None:
    with answering(answer) as (url, asked), InterfaceChannel(url, "secret-token", 5) as channel:
        with pytest.raises(BaosongError) as wrong:
            channel.find(DIGEST)
        assert wrong.value.code == code
        assert (
            url in str(wrong.value) and "secret-token" not in str(wrong.value) and len(str(wrong.value)) < 900
        )
        assert len(asked) == (3 if code == "interface.down" or b" 503 " in answer else 1)


def test_a_short_failure_is_tried_again() -> None:
    with (
        answering(b"", http(b"", "502 Bad Gateway"), http(found())) as (url, asked),
        InterfaceChannel(url, "t", 5) as channel,
    ):
        submission = channel.find(DIGEST)
    assert submission is not None and submission.id == "F000001" and len(asked) == 3


def test_a_silent_regulator_is_down_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with InterfaceChannel(url, "t", 0.2) as channel, pytest.raises(Unavailable) as down:
            channel.find(DIGEST)
    assert down.value.code == "interface.down"


def test_a_receipt_for_other_bytes_is_garbage() -> None:
    receipt = {
        "number": "1", "result": "accepted", "file_name": "a.xml", "sha256": "1" * 64,
        "received_at": "2026-05-09T10:00:01+08:00", "issuer": "x", "errors": [],
    }  # fmt: skip
    with answering(http(STORED | {"status": "accepted"}), http(receipt)) as (url, _):  # noqa: SIM117
        with InterfaceChannel(url, "t", 5) as channel, pytest.raises(Unavailable) as wrong:
            channel.receipt("F000001")
    assert wrong.value.code == "interface.garbage" and "1" * 64 in str(wrong.value)


def test_an_upload_that_is_echoed_with_another_digest_is_garbage(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"hi")
    with answering(http(STORED, "201 Created")) as (url, asked), InterfaceChannel(url, "t", 5) as channel:
        with pytest.raises(Unavailable) as wrong:
            channel.store(path, FILING)
        assert wrong.value.code == "interface.garbage" and len(asked) == 1
        assert b"content-length: 2\r\n" in asked[0].lower()
