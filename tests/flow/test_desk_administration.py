"""An administrator at the desk: invites, resets, locks, each under their own password at that moment."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from pipelines.demo.visitor import Declined, Visitor
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk

CODE = re.compile(r'<p class="said"[^>]*>[^<]*<br><code>([^<]+)</code>')
PAGE = "/users/actuary"


@pytest.fixture
def street(begin: Resume) -> Iterator[Street]:
    with at_desk(begin()) as street:
        yield street


def do(street: Street, act: str, password: str = PASSWORD) -> str:
    return street.visitor("administrator").send(PAGE, PAGE, {"act": act, "password": password})


def test_an_invited_person_sets_a_password_with_the_code_that_was_shown_once(street: Street):
    code = CODE.search(do(street, "invite"))
    assert code
    assert code[1] not in street.visitor("administrator").read(PAGE)
    actuary = Visitor(street.new_client(), "actuary")
    actuary.enrol(code[1], "noch ein langer Satz 27")
    actuary.log_in("noch ein langer Satz 27")
    assert "我的任务" in actuary.read("/")
    assert [e.event for e in street.accounts.trail(9, "actuary")] == ["logged_in", "enrolled", "invited"]


def test_a_reset_ends_what_the_person_had_open(street: Street):
    actuary = street.visitor("actuary")
    assert actuary.client.get("/").status_code == 200
    assert CODE.search(do(street, "reset"))
    assert actuary.client.get("/").headers["location"].startswith("/login")
    with pytest.raises(Declined):
        actuary.log_in(PASSWORD)


def test_who_is_locked_does_not_come_in_until_unlocked(street: Street):
    actuary = street.visitor("actuary")
    do(street, "lock")
    with pytest.raises(Declined):
        actuary.log_in(PASSWORD)
    do(street, "unlock")
    actuary.log_in(PASSWORD)


def test_without_the_administrators_own_password_nothing_is_done(street: Street):
    actuary = street.visitor("actuary")
    with pytest.raises(Declined):
        do(street, "lock", password="somebody else is at the keyboard")
    assert actuary.client.get("/").status_code == 200


def give_up_the_role(street: Street) -> None:
    directory = street.installation.directory
    users = directory.deployment.users
    without = users["administrator"].model_copy(update={"roles": frozenset({"auditor"})})
    directory.deployment = directory.deployment.model_copy(
        update={"users": {**users, "administrator": without}}
    )


def end_the_session(street: Street) -> None:
    street.accounts.end_all("administrator", "administrator")


@pytest.mark.parametrize(("happens", "status"), [(give_up_the_role, 403), (end_the_session, 303)])
def test_what_is_lost_while_a_form_is_under_way_counts_when_it_is_there(
    street: Street, happens: Callable[[Street], None], status: int
):
    street.visitor("actuary")
    administrator = street.visitor("administrator").client
    secret = re.search(r'name="csrf" value="([^"]+)"', administrator.get(PAGE).text)
    assert secret
    body = urlencode({"csrf": secret[1], "act": "lock", "password": PASSWORD}).encode()
    at = urlsplit(street.url)
    head = (
        f"POST {PAGE} HTTP/1.1\r\nhost: {at.netloc}\r\nconnection: close\r\nexpect: 100-continue\r\n"
        f"cookie: baosong_session={administrator.cookies['baosong_session']}\r\n"
        f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((at.hostname, at.port), timeout=60) as line, line.makefile("rb") as said:
        line.sendall(head.encode())
        assert said.readline().startswith(b"HTTP/1.1 100 "), "let in, and the form is waited for"
        said.readline()
        happens(street)
        line.sendall(body)
        assert said.readline().startswith(f"HTTP/1.1 {status} ".encode())
    assert not [each.user_id for each in street.accounts.accounts() if each.is_locked]


def test_an_examiner_looks_and_changes_nothing(street: Street):
    examiner = street.visitor("auditor")
    assert "administer" not in examiner.read(PAGE) and "系统管理员" in examiner.read("/users")
    fields = {"act": "lock", "password": PASSWORD, "csrf": "x"}
    assert examiner.client.post(PAGE, data=fields).status_code == 403
