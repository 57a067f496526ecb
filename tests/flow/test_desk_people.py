"""Appointments and substitutes at the desk: two people make one, everybody knows at once, and nobody decides about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest

from pipelines.demo.visitor import Declined
from pipelines.stages.installation import open_installation
from pipelines.stages.people import PersonDraft, decide, leave, person_state, propose
from pipelines.stages.tasks import tasks_of
from resources.accounts import Client
from resources.deployment import AccountsConfig
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk

NEW = {
    "user": "actuary2", "name": "精算审核人乙（模拟）", "role": ["actuarial"], "organisation": ["*"],
    "reason": "增设岗位", "password": PASSWORD,
}  # fmt: skip
PROPOSAL = re.compile(r'name="proposal" value="(\d+)"')


@pytest.fixture
def street(begin: Resume) -> Iterator[Street]:
    with at_desk(begin()) as street:
        yield street


def propose_new(street: Street, **other: object) -> str:
    return street.visitor("administrator").send("/users/new", "/users/new", NEW | other)


def confirm(
    street: Street, person: str = "actuary2", by: str = "audit_reviewer", opinion: str = "confirm"
) -> str:
    page = f"/users/{person}/appointment"
    shown = PROPOSAL.search(street.visitor(by).read(page))
    assert shown, "nothing to decide is shown"
    fields = {"proposal": shown[1], "opinion": opinion, "comment": "已核对任命文件", "password": PASSWORD}
    return street.visitor(by).send(page, f"/users/{person}/decision", fields)


def test_a_new_person_works_here_once_a_second_one_confirmed_it(street: Street):
    assert "待第二人确认" in propose_new(street)
    assert "actuary2" not in street.installation.deployment.users
    assert "确认人员任命" in street.visitor("audit_reviewer").read("/")
    assert "已确认" in confirm(street)
    assert "确认人员任命" not in street.visitor("audit_reviewer").read("/")
    assert "我的任务" in street.visitor("actuary2").read("/")
    with open_installation(street.installation.settings) as another:
        assert another.deployment.user("actuary2").roles == {"actuarial"}
        assert [each.fact.kind for each in person_state(another, "actuary2").history] == [
            "person_proposed", "person_decided",
        ]  # fmt: skip
        assert not another.ledger.verify().problems


def test_who_proposed_it_cannot_confirm_it_and_the_page_says_so(street: Street):
    propose_new(street)
    page = street.visitor("administrator").read("/users/actuary2/appointment")
    assert "您不能确认这项提议" in page and not PROPOSAL.search(page)
    fields = {"proposal": "1", "opinion": "confirm", "comment": "x", "password": PASSWORD}
    with pytest.raises(Declined, match="以外的系统管理员或稽核审核人确认"):
        street.visitor("administrator").send(
            "/users/actuary2/appointment", "/users/actuary2/decision", fields
        )
    assert "actuary2" not in street.installation.deployment.users


def test_what_was_replaced_meanwhile_is_not_confirmed(street: Street):
    propose_new(street)
    administrator = street.installation.deployment.user("administrator")
    more = PersonDraft("精算审核人乙", ("actuarial", "executive"), ("*",))
    propose(street.installation, "actuary2", more, administrator, reason="还要批准")
    fields = {"proposal": "1", "opinion": "confirm", "comment": "x", "password": PASSWORD}
    with pytest.raises(Declined, match="已被裁定或替换"):
        street.visitor("audit_reviewer").send(
            "/users/actuary2/appointment", "/users/actuary2/decision", fields
        )


def test_a_refused_proposal_changes_nothing_and_stays_on_record(street: Street):
    propose_new(street)
    assert "不予确认" in confirm(street, opinion="refuse")
    assert "actuary2" not in street.installation.deployment.users
    assert "增设岗位" in street.visitor("auditor").read("/users/actuary2/appointment")


def test_a_changed_role_holds_for_a_session_that_is_open(street: Street):
    actuary = street.visitor("actuary")
    assert actuary.client.get("/users").status_code == 403
    fields = {
        "name": "精算审核人", "role": ["actuarial", "auditor"], "organisation": ["*"], "act": "propose",
        "reason": "兼任检查", "password": PASSWORD,
    }  # fmt: skip
    page = "/users/actuary/appointment"
    street.visitor("administrator").send(page, page, fields)
    assert actuary.client.get("/users").status_code == 403
    assert "<del>" in street.visitor("audit_reviewer").read(page)
    confirm(street, "actuary")
    assert actuary.client.get("/users").status_code == 200


def test_who_leaves_is_out_at_once(street: Street):
    actuary = street.visitor("engineer2")
    assert actuary.client.get("/").status_code == 200
    page = "/users/engineer2/appointment"
    fields = {"name": "x", "act": "leave", "reason": "离职", "password": PASSWORD}
    assert "不再有任何角色" in street.visitor("administrator").send(page, page, fields)
    assert actuary.client.get("/").headers["location"].startswith("/login")
    assert "离职" in street.visitor("administrator").read(page)


def test_the_last_of_a_role_does_not_leave(street: Street):
    page = "/users/president/appointment"
    fields = {"name": "x", "act": "leave", "reason": "离职", "password": PASSWORD}
    with pytest.raises(Declined, match=r"总经理.*无人担任"):
        street.visitor("administrator").send(page, page, fields)
    assert "president" in street.installation.deployment.users


def test_nobody_changes_their_own_post(street: Street):
    page = "/users/administrator/appointment"
    fields = NEW | {"role": ["administrator", "president"], "act": "propose"}
    with pytest.raises(Declined, match="另一位系统管理员"):
        street.visitor("administrator").send("/account", page, fields)


def test_everything_that_is_wrong_is_said_at_once(street: Street):
    with pytest.raises(Declined) as declined:
        propose_new(street, role=[], organisation=[], mail="张三@公司", user="某 人")
    for wrong in ("编号只用字母", "至少选择一个系统认识的角色", "至少选择一个机构", "邮箱须是"):
        assert wrong in str(declined.value)
    with pytest.raises(Declined, match="没有机构 9999"):
        propose_new(street, organisation=[], organisations="9999")


@pytest.mark.parametrize("taken", ["actuary", "baosong", "new"])
def test_an_id_that_is_taken_or_reserved_is_refused(street: Street, taken: str):
    with pytest.raises(Declined, match=r"已有人使用|系统保留"):
        propose_new(street, user=taken)


def test_without_the_own_password_nothing_is_proposed(street: Street):
    with pytest.raises(Declined):
        propose_new(street, password="somebody else sits here")
    assert not street.installation.ledger.standing("people/")


def test_one_names_who_stands_in_and_takes_it_back(street: Street):
    today = street.installation.now().date()
    executive = street.visitor("executive")
    fields = {
        "substitute": "finance_reviewer", "date_from": str(today), "date_to": str(today + timedelta(7)),
        "reason": "休假",
    }  # fmt: skip
    assert "财务审核人" in executive.send("/account", "/users/executive/substitutes", fields)
    assert street.installation.deployment.user("executive").is_represented_by("finance_reviewer", today)
    executive.send("/account", "/users/executive/substitutes", {"reason": "提前返岗"})
    assert not street.installation.deployment.user("executive").substitutes


def test_an_administrator_names_substitutes_but_not_themselves(street: Street):
    today = str(street.installation.now().date())
    page = "/users/executive/appointment"
    fields = {"date_from": today, "date_to": today, "reason": "急病", "substitute": "administrator"}
    with pytest.raises(Declined, match="不能把自己设为"):
        street.visitor("administrator").send(page, "/users/executive/substitutes", fields)
    street.visitor("administrator").send(
        page, "/users/executive/substitutes", fields | {"substitute": "president"}
    )
    assert [each.user for each in street.installation.deployment.user("executive").substitutes] == [
        "president"
    ]
    with pytest.raises(Declined):
        street.visitor("actuary").send("/account", "/users/executive/substitutes", fields)


def test_a_role_that_asks_for_a_second_factor_opens_nothing_without_one(street: Street):
    directory = street.installation.directory
    rule = AccountsConfig(second_factor=frozenset({"actuarial"}))
    directory.deployment = directory.deployment.model_copy(update={"accounts": rule})
    actuary = street.visitor("actuary")
    for page in ("/", "/filings", "/standards"):
        answer = actuary.client.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=second_factor_first")
    assert actuary.client.get("/authorised/dagster").status_code == 403
    begun = actuary.send("/account", "/account/totp", {"password": PASSWORD})
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", begun)
    assert secret
    actuary.send("/account", "/account/totp/confirm", {"code": pyotp.TOTP(secret[1]).now()})
    assert actuary.client.get("/filings").status_code == 200
    assert street.visitor("executive").client.get("/filings").status_code == 200


def test_a_reset_and_another_invitation_are_told_to_the_person_and_to_whoever_watches(street: Street):
    street.visitor("actuary")
    for act in ("reset", "invite"):
        fields = {"act": act, "password": PASSWORD}
        street.visitor("administrator").send("/users/actuary", "/users/actuary", fields)
    both = ["account_invited", "account_reset"]
    told = {
        user: [each.kind for each in street.desk.outbox.told(user, 9)]
        for user in ("actuary", "audit_reviewer", "administrator", "president")
    }
    assert told == {
        "actuary": both, "audit_reviewer": both, "administrator": [], "president": [],
    }  # fmt: skip
    page = street.visitor("audit_reviewer").read("/notices")
    assert "口令被管理员重置" in page and "账号被再次邀请" in page


def test_who_left_comes_back_only_by_two_people(street: Street):
    installation = street.installation
    administrator = installation.deployment.user("administrator")
    leave(installation, "engineer2", administrator, reason="离职")
    draft = PersonDraft("数据工程师乙（模拟）", ("data_engineer",), ("*",))
    state = propose(installation, "engineer2", draft, administrator, reason="返聘")
    assert "engineer2" not in installation.deployment.users and state.pending
    audit = installation.deployment.user("audit_reviewer")
    decide(installation, "engineer2", audit, proposal=state.pending.seq, is_confirmed=True, comment="是")
    assert installation.deployment.user("engineer2").roles == {"data_engineer"}
    assert tasks_of(installation, (), (), audit) == []


def test_an_account_of_who_left_does_not_enrol(street: Street):
    code = street.accounts.invite("engineer2", "administrator")
    leave(
        street.installation, "engineer2", street.installation.deployment.user("administrator"), reason="离职"
    )
    with pytest.raises(Exception, match=r"account\.enrolment_refused|注册码"):
        street.accounts.enrol("engineer2", code, PASSWORD, Client("127.0.0.1", "test"))
