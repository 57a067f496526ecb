"""An audit filing from the regulator's document to its receipt, in Chinese, by thirteen people of nine roles at their browsers.

The stages between run by themselves in production, and what has no page (the core system's repair, change requests, drift,
handover) is done by the stage functions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.stages.change_request import raise_changes
from pipelines.stages.installation import Installation
from resources.demo.fill_workbook import fill_answers
from tests.browser.conftest import Receive
from tests.browser.every_page import Looked, look
from tests.browser.reception import PASSWORD, Person, Reception
from tests.flow.conftest import Resume
from tests.flow.play import (
    AUDIT,
    Cores,
    answer_audit,
    asked_of,
    declare_causes,
    first_report,
    fix_core,
    hand_over_to_bureau,
    preparer,
    run,
)

NUMBER = "粤保监发〔2026〕17号"
BRANCHES = {"330000": "浙江分公司", "440000": "广东分公司"}
DEPARTMENTS = ("underwriting_reviewer", "claims_reviewer", "accounting_reviewer")


@pytest.fixture
def company(begin: Resume, receive: Receive, servers: Path) -> Reception:
    return receive(begin(servers=servers))


def test_eight_roles_take_an_audit_filing_from_request_to_receipt(
    company: Reception, cores: Cores, servers: Path, tmp_path: Path
) -> None:
    installation = company.street.installation
    register_document(company, tmp_path)
    accept_request(company.person("audit_reviewer"))
    assert (installation.state(AUDIT).stage, installation.state(AUDIT).opened.actor) == (
        "opened",
        "audit_reviewer",
    )

    run(installation, AUDIT, "extract", "validate", "review")
    confirm_findings(company.person("audit_reviewer"), installation)
    for department in DEPARTMENTS:
        issue_findings(company.person(department))
    assert installation.state(AUDIT).holds("issue") == 0

    look_at_progress(company.person("branch_it_440000"), answered=False)
    fix_core(installation, cores, AUDIT)
    for person in answering_people(installation):
        answer_findings(company.person(person), installation, tmp_path / person)
    look_at_progress(company.person("branch_it_manager_440000"), answered=True)
    for department in DEPARTMENTS:
        accept_answers(company.person(department))
    raise_changes(installation, AUDIT, preparer(installation))

    run(installation, AUDIT, "extract", "validate", "compare", "review")
    declare_causes(installation, AUDIT)
    first_report(installation, AUDIT)
    open_sign_off(company.person("data_engineer"))
    for signer in ("audit_reviewer", *DEPARTMENTS, "executive"):
        sign(company.person(signer), "意见已记录，签报继续。")
    sign(company.person("president"), "意见已记录，签报同意，将自动打包报送。")
    signed = [opinion.actor for opinion in installation.state(AUDIT).live_opinions]
    assert signed == ["audit_reviewer", *DEPARTMENTS, "executive", "president"]

    run(installation, AUDIT, "package", "deliver")
    hand_over_to_bureau(installation, AUDIT, servers, tmp_path / "bureau")
    state = run(installation, AUDIT, "archive")
    assert (state.stage, state.receipt and state.receipt.fact.result) == ("archived", "accepted")
    for reader in ("requester", "branch_it_440000", "data_engineer"):
        read_receipt(company.person(reader), installation)
        assert look(company.person(reader)) == Looked([], 0, 0)
    company.person("data_engineer").follow("两轮比较")
    assert look(company.person("data_engineer")) == Looked([], 0, 0)


def register_document(company: Reception, folder: Path) -> None:
    """The requester comes for the first time, sets a password, and registers the document with its scan."""
    requester = company.stranger("requester")
    company.persons["requester", "zh"] = requester
    company.known.add("requester")
    requester.open("/login")
    requester.follow("首次使用，设置口令")
    requester.fill("用户编号", "requester")
    requester.fill("注册码", company.street.accounts.invite("requester", "administrator"))
    requester.fill("新口令", PASSWORD)
    requester.fill("再次输入新口令", PASSWORD)
    requester.press("设置口令")
    requester.is_told("口令已设置，请登录。")
    requester.log_in()
    requester.follow("报送需求")
    requester.follow("登记报送需求")
    scan = folder / "粤保监发17号.pdf"
    scan.write_bytes(b"%PDF-1.4 simulated")
    requester.fill("文号", NUMBER)
    requester.fill("监管机构", "广东保监局（模拟）")
    requester.page.get_by_label("报表", exact=True).select_option("circ_audit.detail")
    for label, day in (("期间起", "2026-01-01"), ("期间止", "2026-03-31"), ("期限", "2026-05-15")):
        requester.fill(label, day)
    for name in BRANCHES.values():
        requester.tick(name)
    requester.fill("任务标识", "JH-2026-003")
    requester.upload("红头文件及附件", scan)
    requester.press("登记")
    requester.is_told("需求已登记，等待稽核部门审核。")
    requester.reads(NUMBER, "待审核", "浙江分公司", "粤保监发17号.pdf")


def accept_request(reviewer: Person) -> None:
    reviewer.begin("审核报送需求", NUMBER)
    reviewer.reads("广东保监局（模拟）", "2026-01-01 … 2026-03-31")
    reviewer.choose("通过")
    reviewer.fill("说明", "范围与期限无误（模拟）")
    reviewer.press("审核")
    reviewer.is_told("已通过。")
    reviewer.reads("范围与期限无误（模拟）")


def confirm_findings(reviewer: Person, installation: Installation) -> None:
    reviewer.begin("初审问题数据", AUDIT)
    total = installation.state(AUDIT).holds("first_review")
    reviewer.tick(f"对筛选出的全部 {total:,} 条操作")
    reviewer.press("确认为问题")
    reviewer.is_told("已确认，交责任部门下发。")
    assert installation.state(AUDIT).holds("first_review") == 0


def issue_findings(reviewer: Person) -> None:
    reviewer.begin("下发问题数据", AUDIT)
    reviewer.tick("对筛选出的全部")
    reviewer.press("下发机构")
    reviewer.is_told("已下发，工作簿已生成。")


def answering_people(installation: Installation) -> list[str]:
    others = {"000000": "head_office_preparer", "000001": "head_office_preparer"}
    return sorted({others.get(code, f"branch_{code}") for code in asked_of(installation, AUDIT)})


def answer_findings(preparer: Person, installation: Installation, folder: Path) -> None:
    """Download the branch's workbooks, fill them in, and upload them together."""
    preparer.begin("答复问题数据", AUDIT)
    folder.mkdir()
    answers = {
        problem.finding: answer_audit(organisation, problem)
        for organisation, problems in asked_of(installation, AUDIT).items()
        for problem in problems
    }
    names = preparer.page.locator("tbody th a").all_inner_texts()
    assert names, "the branch has workbooks"
    filled = [folder / f"{place}-已填.xlsx" for place, _ in enumerate(names)]
    for name, target in zip(names, filled, strict=True):
        fill_answers(preparer.download(name, folder), target, answers)
    preparer.upload("填好的工作簿", *filled)
    preparer.press("上传")
    for target in filled:
        preparer.is_told(target.name)
    preparer.reads("退回 0 条，尚未答复 0 条")


def accept_answers(reviewer: Person) -> None:
    reviewer.begin("裁定答复", AUDIT)
    reviewer.tick("对筛选出的全部")
    reviewer.press("接受答复")
    reviewer.is_told("答复已接受。")


def look_at_progress(person: Person, *, answered: bool) -> None:
    """The branch's IT posts read of their own branch, and answer nothing themselves."""
    person.open("/")
    person.follow("报送任务")
    person.follow(AUDIT)
    person.follow("答复")
    row = person.page.locator("table").last.locator("tbody tr")
    cells = row.get_by_role("cell").all_inner_texts()
    assert row.count() == 1 and row.get_by_role("rowheader").inner_text() == BRANCHES["440000"]
    asked, given = cells[0], cells[1]
    assert (given == asked) is answered and int(asked) > 0
    assert person.page.get_by_role("button", name="上传", exact=True).count() == 0


def open_sign_off(engineer: Person) -> None:
    engineer.begin("提请签报", AUDIT)
    engineer.follow("提请签报")
    engineer.press("提请签报")
    engineer.is_told("签报已提请，按路线送签。")


def sign(signer: Person, told: str) -> None:
    signer.begin("签署意见", AUDIT)
    signer.choose("同意")
    signer.fill("说明", "同意报送（模拟）")
    signer.fill("口令", PASSWORD)
    signer.press("签署意见")
    signer.is_told(told)


def read_receipt(person: Person, installation: Installation) -> None:
    """The receipt's number on the page of the filing; every stage is done."""
    state = installation.state(AUDIT)
    assert state.receipt is not None
    person.open("/")
    person.follow("报送任务")
    person.follow(AUDIT)
    person.reads(state.receipt.fact.number)
    assert person.page.get_by_text("✓ 已完成").count() == 9
