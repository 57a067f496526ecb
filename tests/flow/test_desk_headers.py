"""What surrounds the desk's answers: headers, cookies, languages, and bodies that are too large."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.desk import protection
from pipelines.desk.pages import tasks
from pipelines.desk.serving import serve
from pipelines.errors import Refused
from resources.settings import Settings
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk


@pytest.fixture
def street(begin: Resume) -> Iterator[Street]:
    with at_desk(begin()) as street:
        yield street


def test_every_answer_forbids_foreign_content_framing_and_keeping(street: Street):
    visitor = street.visitor("data_engineer")
    for path in ("/login", "/", "/nowhere", "/static/desk.css"):
        headers = visitor.client.get(path).headers
        policy = headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert ("cache-control" in headers) == (not path.startswith("/static"))
        assert "server" not in headers


def test_no_page_has_inline_script_or_style(street: Street):
    visitor = street.visitor("data_engineer")
    for path in ("/login", "/enrol", "/", "/calendar", "/requests", "/filings", "/account"):
        page = visitor.client.get(path).text
        assert "<style" not in page and " style=" not in page and " onclick=" not in page
        assert "<script>" not in page


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(street: Street):
    street.visitor("data_engineer")
    answer = street.new_client().post(
        "/login",
        headers={"x-forwarded-proto": "https"},
        data={"user": "data_engineer", "password": PASSWORD, "code": "", "next": "/"},
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "secure" in cookie
    assert "strict-transport-security" in answer.headers


def test_a_body_that_is_too_large_is_refused_whatever_it_says_of_itself(street: Street, monkeypatch):
    monkeypatch.setattr(protection, "LARGEST_BODY", 1_000)
    client = street.new_client()
    assert client.post("/login", content=b"x" * 1_001).status_code == 413
    parts = (b"x" * 600 for _ in range(3))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/login", content=parts, headers=kind).status_code == 413


def test_the_language_is_kept_and_both_have_every_page(street: Street):
    visitor = street.visitor("data_engineer")
    assert "我的任务" in visitor.read("/") and 'lang="zh-CN"' in visitor.read("/")
    visitor.client.get("/language/en?next=/filings")
    page = visitor.read("/")
    assert "My tasks" in page and 'lang="en"' in page and "我的任务" not in page
    assert visitor.client.get("/language/en?next=//evil.example").headers["location"] == "/"


def test_it_does_not_listen_where_others_reach_it_without_tls(tmp_path):
    for host in ("0.0.0.0", "192.0.2.1", "::"):  # noqa: S104 - refused, which is the point
        with pytest.raises(Refused) as refused:
            serve(Settings(home=tmp_path), host=host, port=0)
        assert refused.value.code == "desk.unprotected"
    assert not (tmp_path / "ledger.db").exists()


def test_a_fault_is_logged_told_in_words_and_protected_like_every_answer(street: Street, monkeypatch, caplog):
    visitor = street.visitor("data_engineer")

    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(tasks, "tasks_of", broken)
    answer = visitor.client.get("/")
    assert answer.status_code == 500 and "Baosong 内部故障" in answer.text and "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "a secret of the inside" in caplog.text
