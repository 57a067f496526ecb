"""Waivers and answers that differ at the desk: who sees them, who decides, what a refusal leaves behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines.demo.visitor import Declined, said
from pipelines.stages.answer_page import answer_finding
from pipelines.stages.installation import Installation
from pipelines.stages.masking import personal_fields
from pipelines.stages.waivers import waivers_in_force
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, kept_in, refusal, words
from tests.flow.life import corrected, events, key_of, one, rows, standing
from tests.flow.play import AUDIT, own_deployment
from tests.flow.test_findings_life import SECOND_OF_440000

PAGE = f"/filings/{AUDIT}/waivers"
GIVEN = {
    "sign_off": "签报〔2026〕7号（模拟）",
    "reason": "系统升级前的历史证件（模拟）",
    "expires": "2026-06-30",
}

UNDERWRITER_OF_440000 = (
    "users.yaml",
    "  underwriting_reviewer:\n",
    """  underwriter_440000:
    name: 广东承保审核人（模拟）
    roles: [business_reviewer]
    organisations: ["440000"]
    departments: [underwriting]
  underwriting_reviewer:
""",
)
NOW = str(10**9)
"""Who sends it has seen all that was judged."""


@pytest.fixture
def installation(resume: Resume, audit_in_review: Path, tmp_path: Path) -> Installation:
    edits = (SECOND_OF_440000, UNDERWRITER_OF_440000)
    return resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", *edits))


@pytest.fixture
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


def test_a_department_waives_a_rule_in_a_table_and_takes_it_back(
    installation: Installation, people: Street
) -> None:
    covered = list(rows(installation, rule="B01", table="KHXXB")["finding"])
    reviewer = people.visitor("underwriting_reviewer")
    assert "没有豁免。" in words(reviewer.read(PAGE))
    page = words(reviewer.send(PAGE, PAGE, {"what": "B01|KHXXB", **GIVEN}))
    assert "豁免已提出，等待另一人同意。" in page and "有效的豁免 0 项" in page
    assert "签报〔2026〕7号（模拟） 系统升级前的历史证件（模拟） 承保管理部审核人（模拟）" in page
    assert "waived" not in {standing(installation, each)[0] for each in covered}
    assert "审批豁免" not in words(reviewer.read("/")), "nobody agrees to their own"
    page = words(agree(people, installation, "audit_reviewer"))
    assert "豁免已生效" in page and "有效的豁免 1 项。 最早的一项 2026-06-30 到期。" in page
    assert "承保管理部审核人（模拟） → 稽核审核人（模拟）" in page
    assert {standing(installation, each)[0] for each in covered} == {"waived"}
    (fact,) = waivers_in_force(installation, installation.state(AUDIT))
    assert fact.expires.isoformat() == GIVEN["expires"]

    revoke = {"number": fact.number}
    recorded = events(installation)
    with pytest.raises(Declined, match="“撤销的原因”没有填写"):
        reviewer.send(PAGE, f"{PAGE}/revoke", revoke)
    assert events(installation) == recorded
    page = words(reviewer.send(PAGE, f"{PAGE}/revoke", {**revoke, "why": "已补证件（模拟）"}))
    assert "豁免已撤销" in page and "：已补证件（模拟）" in page and "有效的豁免 0 项" in page
    assert "waived" not in {standing(installation, each)[0] for each in covered}


def test_a_proposal_is_agreed_to_by_somebody_else_or_comes_to_nothing(
    installation: Installation, people: Street
) -> None:
    proposer = people.visitor("underwriting_reviewer")
    page = proposer.send(PAGE, PAGE, {"what": "B01|KHXXB", **GIVEN})
    assert 'value="agree"' not in page and "本人提出，只能收回" in page
    number = installation.state(AUDIT).open_waivers[0].fact.number
    recorded = events(installation)
    for user, opinion, why in (
        ("underwriting_reviewer", "agree", "须由他人同意"),
        ("claims_reviewer", "agree", "理赔管理部审核人（模拟） 不代表规则 B01"),
        ("business_reviewer", "disagree", "须写明意见"),
        ("business_reviewer", "", "“意见”没有填写"),
        ("data_engineer", "agree", "不能使用此页面"),
    ):
        with pytest.raises(Declined, match=why):
            given = {"proposal": number, "opinion": opinion}
            people.visitor(user).send(PAGE, f"{PAGE}/opinion", given)
    assert events(installation) == recorded
    second = people.visitor("business_reviewer")
    assert f'<a href="{PAGE}">审批豁免</a>' in second.read("/")
    given = {"proposal": number, "opinion": "disagree", "comment": "证件可以更正（模拟）"}
    page = words(second.send(PAGE, f"{PAGE}/opinion", given))
    assert "未同意" in page and "：证件可以更正（模拟）" in page
    assert installation.state(AUDIT).waivers == () and "审批豁免" not in words(second.read("/"))


def agree(people: Street, installation: Installation, user: str) -> str:
    """Somebody agrees to the waiver that waits; the page that follows."""
    number = installation.state(AUDIT).open_waivers[-1].fact.number
    given = {"proposal": number, "opinion": "agree"}
    return people.visitor(user).send(PAGE, f"{PAGE}/opinion", given)


def test_a_waiver_of_one_finding_takes_its_key_from_the_finding_and_shows_no_personal_value(
    installation: Installation, people: Street
) -> None:
    personal = personal_fields(installation.standard("circ_audit"), "KHXXB")
    row = rows(installation, rule="B01", table="KHXXB").row(0, named=True)
    assert row["field"] in personal and row["value"]
    reviewer = people.visitor("underwriting_reviewer")
    link = f"{PAGE}?finding={row['finding']}"
    assert f'href="{link}#grant"' in reviewer.read(f"/filings/{AUDIT}/findings/{row['finding']}")
    form = reviewer.read(link)
    proposed = reviewer.send(link, PAGE, {"finding": row["finding"], "reach": "finding", **GIVEN})
    agreed = agree(people, installation, "business_reviewer")
    for page in (form, proposed, agreed):
        assert key_of(row) in page and row["value"] not in page
    (fact,) = waivers_in_force(installation, installation.state(AUDIT))
    assert (fact.rule, fact.table, fact.key) == ("B01", "KHXXB", row["key"])
    assert set(rows(installation, rule="B01", state="waived")["key"]) == {row["key"]}, "and no other"


def test_what_is_missing_stays_in_the_form_and_nothing_is_recorded(
    installation: Installation, people: Street
) -> None:
    reviewer, recorded = people.visitor("underwriting_reviewer"), events(installation)
    for given, why in (
        ({"what": "B01|KHXXB", **GIVEN, "sign_off": " "}, "“签报号”没有填写"),
        ({"what": "B01|KHXXB", **GIVEN, "expires": "2026-01-01"}, "须在 2026-05-06 至"),
        ({"what": "B01|KHXXB", **GIVEN, "expires": "Juni"}, "不是日期"),
        ({"what": "", **GIVEN}, "没有选择要豁免的问题"),
        ({"what": "XX|KHXXB", **GIVEN}, "没有规则 XX"),
        ({"finding": "0" * 32, "reach": "finding", **GIVEN}, "没有此页面"),
    ):
        page = refusal(reviewer, PAGE, PAGE, given)
        assert why in said(page)
        typed = {name: value for name, value in given.items() if name in ("what", *GIVEN) and value.strip()}
        if given.get("what") == "XX|KHXXB":
            typed.pop("what")  # no option of the form
        assert kept_in(page, *typed) == typed
    assert events(installation) == recorded


def test_another_department_sees_no_waiver_and_grants_none_and_branches_find_no_page(
    installation: Installation, people: Street
) -> None:
    people.visitor("underwriting_reviewer").send(PAGE, PAGE, {"what": "B01|KHXXB", **GIVEN})
    claims = people.visitor("claims_reviewer")
    assert GIVEN["sign_off"] not in claims.read(PAGE), "nor what is proposed"
    agree(people, installation, "audit_reviewer")
    recorded = events(installation)
    assert GIVEN["sign_off"] not in claims.read(PAGE) and "B01|KHXXB" not in claims.read(PAGE)
    with pytest.raises(Declined, match="理赔管理部审核人（模拟） 不代表规则 B01"):
        claims.send(PAGE, PAGE, {"what": "B01|KHXXB", **GIVEN})
    number = installation.state(AUDIT).waivers[0].fact.number
    with pytest.raises(Declined, match="理赔管理部审核人（模拟） 不代表规则 B01"):
        claims.send(PAGE, f"{PAGE}/revoke", {"number": number, "why": "错"})
    assert GIVEN["sign_off"] in people.visitor("audit_reviewer").read(PAGE)
    for user in ("audit_reviewer", "data_engineer", "executive"):
        with pytest.raises(Declined, match="不能使用此页面"):
            people.visitor(user).send(PAGE, PAGE, {"what": "B01|KHXXB", **GIVEN})
    for user in ("branch_440000", "branch_it_440000"):
        with pytest.raises(Declined, match="403"):
            people.visitor(user).read(PAGE)
    assert events(installation) == recorded


def test_whoever_is_of_one_branch_waives_its_findings_alone(
    installation: Installation, people: Street
) -> None:
    local, reviewer = people.visitor("underwriter_440000"), people.visitor("underwriting_reviewer")
    own = one(installation, rule="D05", branch="440000")
    others = rows(installation, department="underwriting").filter(pl.col("branch") != "440000")
    assert "B01|KHXXB" not in local.read(PAGE) and 'name="expires"' not in local.read(PAGE)
    reviewer.send(PAGE, PAGE, {"what": "B01|KHXXB", **GIVEN})
    recorded, number = events(installation), installation.state(AUDIT).open_waivers[-1].fact.number
    assert 'name="opinion"' not in local.read(PAGE)
    for path, given, why in (
        ("", {"what": "D05|BDXXB", "seen": NOW, **GIVEN}, "只属于部分机构"),
        ("", {"finding": own["finding"], "reach": "table", "seen": NOW, **GIVEN}, "只属于部分机构"),
        ("", {"finding": others["finding"][0], "reach": "finding", "seen": NOW, **GIVEN}, "没有此页面"),
        ("/opinion", {"proposal": number, "opinion": "disagree", "comment": "错"}, "只属于部分机构"),
    ):
        with pytest.raises(Declined, match=why):
            local.send(PAGE, f"{PAGE}{path}", given)
    assert events(installation) == recorded
    agree(people, installation, "audit_reviewer")
    recorded = events(installation)
    with pytest.raises(Declined, match="只属于部分机构"):
        local.send(PAGE, f"{PAGE}/revoke", {"number": number, "why": "错"})
    assert 'name="why"' not in local.read(PAGE) and events(installation) == recorded
    form = local.read(f"{PAGE}?finding={own['finding']}")
    assert 'value="finding"' in form and 'name="reach" value="table"' not in form
    local.send(
        f"{PAGE}?finding={own['finding']}", PAGE, {"finding": own["finding"], "reach": "finding", **GIVEN}
    )
    assert installation.state(AUDIT).open_waivers[-1].fact.key == own["key"]


def test_what_was_judged_after_the_page_was_opened_is_not_waived(
    installation: Installation, people: Street
) -> None:
    content = installation.state(AUDIT).content
    assert content is not None
    reviewer, recorded = people.visitor("underwriting_reviewer"), events(installation)
    for seen in (str(content.seq - 1), "", "x"):
        with pytest.raises(Declined, match="数据又校验过"):
            reviewer.send(PAGE, PAGE, {"what": "B01|KHXXB", "seen": seen, **GIVEN})
    assert events(installation) == recorded


def test_the_department_sees_both_answers_and_chooses_one(installation: Installation, people: Street) -> None:
    row = one(installation, rule="D05", branch="440000")
    finding, path = row["finding"], f"/filings/{AUDIT}/findings/{row['finding']}"
    first, second = installation.user("branch_440000"), installation.user("second_440000")
    _, value, reason = corrected(row["expected"])
    answer_finding(
        installation, AUDIT, first, finding, handling="report_correction", new_value=value, reason=reason
    )
    answer_finding(installation, AUDIT, second, finding, handling="source_fix", reason="已改（模拟）")
    reviewer = people.visitor("underwriting_reviewer")
    page = reviewer.read(path)
    assert f'<span class="old">{row["value"]}</span> → <strong>{value}</strong>' in page
    assert 'name="answer_of" value="branch_440000"' in page and 'value="second_440000"' in page
    assert "已改（模拟）" in words(page)

    recorded = events(installation)
    with pytest.raises(Declined, match="“采用谁的答复”没有填写"):
        reviewer.send(path, f"{path}/choose", {})
    with pytest.raises(Declined, match="branch_330000 没有答复"):
        reviewer.send(path, f"{path}/choose", {"answer_of": "branch_330000"})
    branch = people.visitor("branch_440000")
    shown = branch.read(path)
    assert "等待责任部门选定" in shown and 'name="answer_of"' not in shown
    with pytest.raises(Declined, match="不能使用此页面"):
        branch.send(path, f"{path}/choose", {"answer_of": "branch_440000"})
    with pytest.raises(Declined, match="没有此页面"):
        people.visitor("claims_reviewer").send(PAGE, f"{path}/choose", {"answer_of": "branch_440000"})
    assert events(installation) == recorded

    page = reviewer.send(path, f"{path}/choose", {"answer_of": "second_440000"})
    assert "已采用所选的答复。" in page and 'name="answer_of"' not in page
    row = one(installation, finding=finding)
    assert (row["state"], row["accepted_of"], row["conflict"]) == ("accepted", "second_440000", False)


def test_whoever_chooses_has_seen_the_answers_that_stand(installation: Installation, people: Street) -> None:
    finding = one(installation, rule="D05", branch="440000")["finding"]
    path = f"/filings/{AUDIT}/findings/{finding}"
    for user, reason in (("branch_440000", "甲（模拟）"), ("second_440000", "乙（模拟）")):
        handling = "source_fix" if user == "branch_440000" else "report_correction"
        value = one(installation, finding=finding)["expected"] if handling == "report_correction" else ""
        answer_finding(
            installation, AUDIT, installation.user(user), finding,
            handling=handling, new_value=value, reason=reason,
        )  # fmt: skip
    reviewer = people.visitor("underwriting_reviewer")
    seen = str(installation.state(AUDIT).seq - 1)
    recorded = events(installation)
    secret = re.search(r'name="csrf" value="([^"]+)"', reviewer.read(path))
    assert secret is not None
    given = {"csrf": secret[1], "answer_of": "second_440000", "seen": seen}
    refused = reviewer.client.post(f"{path}/choose", data=given)
    assert refused.status_code == 409 and "有 1 条在您打开页面后又有新的答复" in refused.text
    assert 'value="second_440000" checked' in refused.text, "the choice stays"
    assert events(installation) == recorded
