"""An administrator at the desk: invites, resets, locks, each under their own password at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def test_an_examiner_looks_and_changes_nothing(street: Street):
    examiner = street.visitor("auditor")
    assert "administer" not in examiner.read(PAGE) and "系统管理员" in examiner.read("/users")
    fields = {"act": "lock", "password": PASSWORD, "csrf": "x"}
    assert examiner.client.post(PAGE, data=fields).status_code == 403
