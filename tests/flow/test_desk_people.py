"""Appointments and substitutes at the desk: two people make one, everybody knows at once, and nobody decides about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pyotp.totp import TOTP

from pipelines.demo.visitor import Declined
from pipelines.errors import Refused
from pipelines.ledger.people import StandIn, SubstitutesNamed
from pipelines.stages.installation import open_installation
from pipelines.stages.people import (
    PersonDraft,
    decide,
    leave,
    may_decide,
    person_state,
    propose,
)
from pipelines.stages.tasks import tasks_of
from resources.accounts import Client
from resources.deployment import AccountsConfig, Substitute
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


def propose_new(street: Street, **other: str | list[str]) -> str:
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
    actuary = street.visitor("engineer2")
    assert actuary.client.get("/users").status_code == 403
    fields = {
        "name": "检查人员", "role": ["auditor"], "organisation": ["*"], "act": "propose",
        "reason": "转任检查", "password": PASSWORD,
    }  # fmt: skip
    page = "/users/engineer2/appointment"
    street.visitor("administrator").send(page, page, fields)
    assert actuary.client.get("/users").status_code == 403
    assert "<del>" in street.visitor("audit_reviewer").read(page)
    confirm(street, "engineer2")
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


@pytest.mark.parametrize("roles", [["administrator", "president"], ["auditor", "executive"]])
def test_who_looks_after_accounts_or_only_reads_decides_nothing_else(street: Street, roles: list[str]):
    with pytest.raises(Declined, match="不能同时担任"):
        propose_new(street, role=roles)


def test_an_id_that_differs_from_another_only_in_its_letters_size_is_refused(street: Street):
    with pytest.raises(Declined, match="已有人使用"):
        propose_new(street, user="Actuary")


def test_a_deputy_is_named_for_days_to_come_and_not_for_ever(street: Street):
    executive = street.visitor("executive")
    fields = {"substitute": "president", "reason": "休假", "password": PASSWORD}
    today = street.installation.now().date()
    for start, until in ((today - timedelta(20), today - timedelta(10)), (today, today + timedelta(900))):
        dates = {"date_from": str(start), "date_to": str(until)}
        with pytest.raises(Declined, match="366"):
            executive.send("/account", "/users/executive/substitutes", fields | dates)


def test_nobody_locks_their_own_account(street: Street):
    page = "/users/administrator"
    with pytest.raises(Declined, match="另一位系统管理员"):
        street.visitor("administrator").send(page, page, {"act": "lock", "password": PASSWORD})
    assert street.visitor("administrator").client.get("/users").status_code == 200


def test_without_the_own_password_nothing_is_proposed(street: Street):
    with pytest.raises(Declined):
        propose_new(street, password="somebody else sits here")
    assert not street.installation.ledger.standing("people/")


def test_one_names_who_stands_in_and_takes_it_back(street: Street):
    today = street.installation.now().date()
    executive = street.visitor("executive")
    fields = {
        "substitute": "finance_reviewer", "date_from": str(today), "date_to": str(today + timedelta(7)),
        "reason": "休假", "password": PASSWORD,
    }  # fmt: skip
    assert "财务审核人" in executive.send("/account", "/users/executive/substitutes", fields)
    assert street.installation.deployment.user("executive").is_represented_by("finance_reviewer", today)
    executive.send("/account", "/users/executive/substitutes", {"reason": "提前返岗", "password": PASSWORD})
    assert not street.installation.deployment.user("executive").substitutes


def test_an_administrator_proposes_a_substitute_and_a_second_person_confirms_it(street: Street):
    today = street.installation.now().date()
    page = "/users/executive/appointment"
    fields = {"date_from": str(today), "date_to": str(today), "reason": "急病", "password": PASSWORD}
    administrator = street.visitor("administrator")

    def post(substitute: str) -> str:
        return administrator.send(page, "/users/executive/substitutes", fields | {"substitute": substitute})

    with pytest.raises(Declined, match="不能提出由自己代理"):
        post("administrator")
    with pytest.raises(Declined, match="没有可以签署的角色"):
        post("engineer2")
    assert "待第二人确认" in post("president")
    assert not street.installation.deployment.user("executive").substitutes
    assert "总经理" in street.visitor("auditor").read(page)
    confirm(street, "executive")
    assert street.installation.deployment.user("executive").is_represented_by("president", today)


def test_who_would_stand_in_does_not_confirm_it_themselves(street: Street):
    installation = street.installation
    today = installation.now().date()
    deputy = Substitute.model_validate({"user": "audit_reviewer", "from": today, "until": today})
    executive = installation.deployment.user("executive")
    draft = PersonDraft(executive.name, tuple(executive.roles), tuple(executive.organisations))
    by = installation.deployment.user("administrator")
    state = propose(installation, "executive", draft, by, reason="急病", substitutes=[deputy])
    assert state.pending
    assert not may_decide(state, installation.deployment.user("audit_reviewer"))


def test_another_persons_page_is_not_shown_with_the_refusal(street: Street):
    visitor = street.visitor("branch_440000")
    with pytest.raises(Declined) as declined:
        visitor.send("/account", "/users/president/substitutes", {"reason": "x", "password": PASSWORD})
    assert "总经理" not in str(declined.value)


def test_a_branch_is_not_shown_who_works_elsewhere(street: Street):
    page = street.visitor("branch_440000").read("/account")
    assert "branch_330000" not in page and "executive" not in page


def test_the_account_of_who_left_is_locked_and_the_id_is_never_given_to_another(street: Street):
    street.visitor("engineer2")
    page = "/users/engineer2/appointment"
    fields = {"name": "x", "act": "leave", "reason": "离职", "password": PASSWORD}
    street.visitor("administrator").send(page, page, fields)
    assert next(each for each in street.accounts.accounts() if each.user_id == "engineer2").is_locked
    with pytest.raises(Declined, match="曾有人使用"):
        propose_new(street, user="engineer2")


def test_what_is_erased_gives_nobody_a_role_back(street: Street):
    installation = street.installation
    by = installation.deployment.user("administrator")
    state = leave(installation, "engineer2", by, reason="离职")
    installation.ledger.erase(
        "people/engineer2", state.seq, actor="administrator", at=installation.now(), reason="个人信息"
    )
    with open_installation(installation.settings) as another:
        assert "engineer2" not in another.deployment.users


def test_two_who_may_confirm_appointments_stay(street: Street):
    installation = street.installation
    by = installation.deployment.user("administrator")
    with pytest.raises(Refused) as refused:
        leave(installation, "audit_reviewer", by, reason="离职")
    assert "people.nobody_confirms" in {each.code for each in refused.value.details}


def test_a_substitution_that_is_over_keeps_nobody_here(street: Street):
    installation = street.installation
    past = installation.now().date() - timedelta(days=30)
    by = installation.deployment.user("administrator")
    named = SubstitutesNamed(substitutes=(StandIn(user="engineer2", start=past, until=past),), reason="休假")
    installation.ledger.append(
        "people/data_engineer",
        named.kind,
        named.payload(),
        actor="data_engineer",
        at=installation.now() - timedelta(days=31),
        command_id="last month",
    )
    installation.directory.look()
    assert installation.deployment.user("data_engineer").substitutes
    assert leave(installation, "engineer2", by, reason="离职").has_left


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
    actuary.send("/account", "/account/totp/confirm", {"code": TOTP(secret[1]).now()})
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
    assert tasks_of(installation, (), (), (), audit) == []


def test_an_account_of_who_left_does_not_enrol(street: Street):
    code = street.accounts.invite("engineer2", "administrator")
    leave(
        street.installation, "engineer2", street.installation.deployment.user("administrator"), reason="离职"
    )
    with pytest.raises(Exception, match=r"account\.enrolment_refused|注册码"):
        street.accounts.enrol("engineer2", code, PASSWORD, Client("127.0.0.1", "test"))
