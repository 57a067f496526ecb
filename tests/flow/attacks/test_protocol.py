"""What stands below the pages: bytes that are no honest request, lengths that contradict each other, bodies that never end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from pipelines.desk import protection
from pipelines.desk.rate import Rate
from tests.flow.attacks.attacker import HEADERS, Attacker, address
from tests.flow.attacks.servers import bare, exchange

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
MULTIPART = b"Content-Type: multipart/form-data; boundary=x; charset="
SECOND = b"GET /healthy HTTP/1.1\r\nHost: desk\r\n\r\n"


def posted(headers: bytes, body: bytes = b"user=x") -> bytes:
    return b"POST /login HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n" + headers + b"\r\n" + body


def got(headers: bytes, path: bytes = b"/login", method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\nConnection: close\r\n" + headers + b"\r\n"


REFUSED = {
    "both lengths": posted(FORM + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SECOND),
    "both lengths, the other way": posted(FORM + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + SECOND),
    "two lengths": posted(FORM + b"Content-Length: 6\r\nContent-Length: 5\r\n"),
    "a list of lengths": posted(FORM + b"Content-Length: 6, 5\r\n"),
    "a signed length": posted(FORM + b"Content-Length: +6\r\n"),
    "a negative length": posted(FORM + b"Content-Length: -6\r\n"),
    "a length in hexadecimal": posted(FORM + b"Content-Length: 0x6\r\n"),
    "a length of thirty digits": posted(FORM + b"Content-Length: " + b"9" * 30 + b"\r\n"),
    "an unknown coding": posted(FORM + b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "a coding after chunked": posted(FORM + b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "a coding before chunked": posted(FORM + b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "chunked twice": posted(FORM + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "a blank before the colon": posted(FORM + b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "a negative chunk": posted(FORM + b"Transfer-Encoding: chunked\r\n", b"-5\r\nabcde\r\n0\r\n\r\n"),
    "a chunk without end": posted(FORM + b"Transfer-Encoding: chunked\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n"),
    "no host": got(b""),
    "two hosts": got(b"Host: a\r\nHost: b\r\n"),
    "NUL in a header": got(b"Host: desk\r\nX: a\0b\r\n"),
    "a header without name": got(b"Host: desk\r\n: x\r\n"),
    "a header without colon": got(b"Host: desk\r\nxyz\r\n"),
    "NUL in the path": got(b"Host: desk\r\n", b"/lo\0gin"),
    "bytes in the path": got(b"Host: desk\r\n", "/登录".encode()),
    "no version": b"GET /login\r\n\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "a header of a megabyte": got(b"Host: desk\r\nX: " + b"a" * 1_000_000 + b"\r\n"),
    "fifty thousand headers": got(b"Host: desk\r\n" + b"X: a\r\n" * 50_000),
    "a path of a megabyte": got(b"Host: desk\r\n", b"/" + b"a" * 1_000_000),
    "an encoding that refuses": posted(
        MULTIPART + b"undefined\r\nContent-Length: 66\r\n",
        b'--x\r\nContent-Disposition: form-data; name="user"\r\n\r\nabc\r\n--x--\r\n'.ljust(66),
    ),
    "half a character": posted(
        MULTIPART + b"unicode_escape\r\nContent-Length: 80\r\n",
        b'--x\r\nContent-Disposition: form-data; name="user"\r\n\r\n\\ud800\r\n--x--\r\n'.ljust(80),
    ),
    "half a character in UTF-7": posted(
        MULTIPART + b"utf-7\r\nContent-Length: 80\r\n",
        b'--x\r\nContent-Disposition: form-data; name="user"\r\n\r\n+2AA-\r\n--x--\r\n'.ljust(80),
    ),
    "parts without boundary": posted(b"Content-Type: multipart/form-data\r\nContent-Length: 6\r\n"),
    "a file to the login": posted(
        MULTIPART + b"utf-8\r\nContent-Length: 90\r\n",
        b'--x\r\nContent-Disposition: form-data; name="user"; filename="a"\r\n\r\nabc\r\n--x--\r\n'.ljust(90),
    ),
    "a field of a megabyte to the login": posted(FORM + b"Content-Length: 1000005\r\n", b"user=" + b"a" * 1_000_000),
    "a thousand fields to the login": posted(FORM + b"Content-Length: 4000\r\n", b"a=b&" * 1_000),
}  # fmt: skip
"""What is answered by 400 or 431, once, and by nothing else."""


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_honest_request_is_refused_once(
    attacker: Attacker, caplog: pytest.LogCaptureFixture, sent: bytes
):
    received = exchange(attacker.street.url, sent)
    assert received.count(b"HTTP/1.1 ") <= 1, "what follows in the body was taken for a request"
    assert received[9:12] in (b"400", b"431") or (not received and len(sent) > 60_000), received[:200]
    assert b"Traceback" not in received and b"site-packages" not in received
    assert [record for record in caplog.records if record.name == "baosong.desk"] == []


@pytest.mark.parametrize(
    "method", [b"TRACE", b"CONNECT", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"PROPFIND", b"get", b"X"]
)
@pytest.mark.parametrize("path", [b"/login", b"/filings", b"/static/desk.css", b"*"])
def test_a_method_that_a_page_does_not_know_is_refused_in_words(
    attacker: Attacker, method: bytes, path: bytes
):
    received = exchange(
        attacker.street.url, got(b"Host: desk\r\nContent-Length: 0\r\nX-Secret: kept\r\n", path, method)
    ).decode()
    head, _, body = received.partition("\r\n\r\n")
    assert head[9:12] in ("404", "405") and 'class="wrong"' in body and "kept" not in body
    assert [name for name in HEADERS if f"\n{name}:" not in head.lower()] == []
    assert head[9:12] == "404" or "\nallow: " in head.lower()


def test_an_upgrade_is_not_taken_up(attacker: Attacker):
    ask = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    for path in (b"/login", b"/filings"):
        received = exchange(attacker.street.url, got(b"Host: desk\r\n" + ask, path))
        assert received[9:12] in (b"200", b"303", b"400"), received[:80]


def test_connections_that_only_wait_keep_nobody_out(attacker: Attacker):
    host, _, port = attacker.street.url.removeprefix("http://").partition(":")
    begun = posted(FORM + b"Content-Length: 1000\r\n", b"user=")
    waiting = [socket.create_connection((host, int(port))) for _ in range(200)]
    try:
        for place, each in enumerate(waiting):
            each.sendall(begun if place % 2 else begun[:40])
        assert (
            httpx.get(f"{attacker.street.url}/healthy", headers={"x-forwarded-for": address()}).text == "ok"
        )
    finally:
        for each in waiting:
            each.close()


def asked_in_vain(
    attacker: Attacker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, httpx.Response]]:
    """An answer of every status that is no page."""
    from pipelines.desk.pages import tasks

    def broken(*_: object) -> None:
        raise RuntimeError("the inside")

    visitor, url = attacker.logged_in(attacker.street.visitor("data_engineer")), attacker.street.url
    yield 400, visitor.client.post("/login", content=b"abc", headers={"content-type": "multipart/form-data"})
    yield 401, httpx.get(f"{url}/authorised/dagster", headers={"x-forwarded-for": address()})
    yield 403, visitor.client.get("/trail")
    yield 404, visitor.client.get("/nowhere")
    yield 405, visitor.client.put("/filings")
    yield 409, visitor.client.post("/login", data={"user": "nobody", "password": "x"})
    with monkeypatch.context() as changed:
        changed.setattr(protection, "LARGEST_BODY", 100)
        yield 413, visitor.client.post("/filings", content=b"x" * 101)
    with monkeypatch.context() as changed:
        changed.setattr(tasks, "tasks_of", broken)
        yield 500, visitor.client.get("/")
    with bare(attacker.street.desk, rate=Rate(requests=0)) as other:
        yield 429, httpx.get(f"{other}/static/desk.css")


def test_every_refusal_bears_the_headers_and_no_inside(attacker: Attacker, monkeypatch: pytest.MonkeyPatch):
    seen: list[int] = []
    for status, answer in asked_in_vain(attacker, monkeypatch):
        assert answer.status_code == status
        assert [name for name in HEADERS if name not in answer.headers] == [], status
        assert answer.headers.get("cache-control") == "no-store" or "/static/" in str(answer.url)
        assert "Traceback" not in answer.text and "the inside" not in answer.text
        assert "server" not in answer.headers and "x-powered-by" not in answer.headers
        seen.append(status)
    assert seen == [400, 401, 403, 404, 405, 409, 413, 500, 429]


def test_every_cookie_is_kept_from_scripts_other_hosts_and_plain_connections(attacker: Attacker):
    from tests.flow.desk_play import PASSWORD

    attacker.street.visitor("it_reviewer")
    client = httpx.Client(
        base_url=attacker.street.url, headers={"x-forwarded-proto": "https", "x-forwarded-for": address()}
    )
    with client:
        form = {"user": "it_reviewer", "password": PASSWORD, "code": "", "next": "/"}
        came = client.post("/login", data=form)
        token = came.headers["set-cookie"].partition("=")[2].partition(";")[0]
        client.headers["cookie"] = f"__Host-baosong_session={token}"
        assert client.get("/account").status_code == 200
        session = attacker.street.accounts.session(token)
        assert session is not None
        secret = session.csrf_secret
        language = client.get("/language/en")
        left = client.post("/logout", data={"csrf": secret})
        client.headers["cookie"] = f"baosong_session={token}"
        assert client.get("/account").status_code == 303, "a cookie that any host may set is none under TLS"
    for answer, name in (
        (came, "__Host-baosong_session"),
        (language, "baosong_language"),
        (left, "__Host-baosong_session"),
    ):
        (cookie,) = answer.headers.get_list("set-cookie")
        attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
        assert cookie.startswith(f"{name}=") and {"httponly", "secure", "path=/"} <= attributes
        assert not any(each.startswith("domain") for each in attributes)
    assert (
        "max-age=0" in left.headers["set-cookie"].lower()
        and "samesite=strict" in came.headers["set-cookie"].lower()
    )
