"""An audit filing taken through the desk by its people, with nothing but pages and forms: from the document to the approval."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from pipelines.demo.visitor import Declined, Visitor
from pipelines.desk.downloads import fit_name
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.selection import Selection
from resources.demo.fill_workbook import fill_answers
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk
from tests.flow.play import AUDIT, SCHEDULE_P, answer_audit, asked_of, first_report, own_deployment

FILING = f"/filings/{AUDIT}"
FINDING = re.compile(r'name="finding" value="([^"]+)"')
WORKBOOK = re.compile(r'href="([^"]+/workbooks/\d+/[^"]+\.xlsx)"')


@pytest.fixture
def new(begin: Resume) -> Iterator[Street]:
    with at_desk(begin()) as street:
        yield street


@pytest.fixture
def listed(resume: Resume, audit_listed) -> Iterator[Street]:
    with at_desk(resume(audit_listed)) as street:
        yield street


@pytest.fixture
def in_review(resume: Resume, audit_in_review) -> Iterator[Street]:
    with at_desk(resume(audit_in_review)) as street:
        yield street


@pytest.fixture
def reviewed(resume: Resume, schedule_p_reviewed) -> Iterator[Street]:
    with at_desk(resume(schedule_p_reviewed)) as street:
        yield street


def register_document(street: Street, tmp_path, **changes: str) -> str:
    scan = tmp_path / "粤保监发17号.pdf"
    scan.write_bytes(b"%PDF-1.4 simulated")
    fields = {
        "number": "粤保监发〔2026〕17号", "authority": "广东保监局（模拟）", "report": "circ_audit.detail",
        "date_from": "2026-01-01", "date_to": "2026-03-31", "deadline": "2026-05-15",
        "organisation": ["330000", "440000"], "key": "JH-2026-003", **changes,
    }  # fmt: skip
    return street.visitor("requester_440000").send(
        "/requests/new", "/requests/new", fields, files=[("document", scan)]
    )


def test_a_document_is_registered_and_accepted_and_opens_its_filing(new: Street, tmp_path):
    page = register_document(new, tmp_path)
    assert "需求已登记" in page and "粤保监发〔2026〕17号" in page and "待审核" in page
    reviewer = new.visitor("audit_reviewer")
    key = re.search(r'href="(/requests/[^"]+)"', reviewer.read("/"))
    assert key, "the review is a task on the first page"
    page = reviewer.send(key[1], f"{key[1]}/review", {"opinion": "accept", "comment": "范围与期限无误"})
    assert "已通过" in page
    state = new.desk.installation.state(AUDIT)
    assert (state.stage, state.opened.fact.basis, state.opened.actor) == (
        "opened", "粤保监发〔2026〕17号", "audit_reviewer",
    )  # fmt: skip
    assert state.organisations == ("330000", "440000")


def test_what_is_wrong_with_a_document_is_said_at_once_and_the_form_keeps_what_was_typed(
    new: Street, tmp_path
):
    with pytest.raises(Declined) as said:
        register_document(new, tmp_path, deadline="2026-05-01", date_from="2026-06-01")
    assert "报送期限 2026-05-01 已过" in str(said.value) and "起始日期 2026-06-01 晚于" in str(said.value)
    assert new.desk.installation.requests() == []


def test_the_audit_department_confirms_and_each_department_issues_what_is_its_own(listed: Street):
    reviewer = listed.visitor("audit_reviewer")
    assert "初审问题数据" in reviewer.read("/")
    page = f"{FILING}/findings"
    first = FINDING.findall(reviewer.read(f"{page}?holder=first_review"))[0]
    assert "已确认" in reviewer.send(page, page, {"act": "confirm", "finding": [first], "reason": ""})
    state = listed.desk.installation.state(AUDIT)
    total = sum(state.content.fact.counts.values())
    assert (state.first_reviews[-1].fact.confirmed, state.holds("first_review")) == (1, total - 1)
    reviewer.send(page, page, {"act": "confirm", "all": "1"})
    assert listed.desk.installation.state(AUDIT).holds("first_review") == 0
    underwriting = listed.visitor("underwriting_reviewer")
    underwriting.send(page, page, {"act": "issue", "all": "1"})
    state = listed.desk.installation.state(AUDIT)
    assert {d.fact.department for d in state.dispatches} == {"underwriting"}
    assert {held.department for held in state.held if held.holder == "issue"} == {"claims", "finance"}


def test_dismissing_needs_a_reason_and_nothing_is_done_without_one(listed: Street):
    page = f"{FILING}/findings"
    before = listed.desk.installation.state(AUDIT)
    with pytest.raises(Declined, match=r"理由|原因"):
        listed.visitor("audit_reviewer").send(
            page, page, {"act": "dismiss", "all": "1", "severity": "explain"}
        )
    assert listed.desk.installation.state(AUDIT) == before


def test_a_branch_downloads_its_workbooks_and_its_answers_are_taken_line_by_line(in_review: Street, tmp_path):
    installation, branch = in_review.desk.installation, in_review.visitor("branch_440000")
    links = [unescape(link) for link in WORKBOOK.findall(branch.read(f"{FILING}/workbooks"))]
    assert links and all("-440000-" in link for link in links)
    problems = asked_of(installation, AUDIT)["440000"]
    files = []
    for place, link in enumerate(links):
        book, filled = tmp_path / f"{place}.xlsx", tmp_path / f"{place}-filled.xlsx"
        book.write_bytes(branch.fetch(link))
        fill_answers(book, filled, {p.finding: answer_audit("440000", p) for p in problems})
        files.append(("workbook", filled))
    page = branch.send(f"{FILING}/workbooks", f"{FILING}/answers", {}, files=files)
    assert page.count("受理") >= len(files)
    state = installation.state(AUDIT)
    assert sum(sum(a.fact.handlings.values()) for a in state.answers) == len(problems)
    again = branch.send(f"{FILING}/workbooks", f"{FILING}/answers", {}, files=files)
    assert "受理 0 条" in again and installation.state(AUDIT) == state


def test_a_file_that_is_no_workbook_is_refused_and_the_good_one_beside_it_taken(in_review: Street, tmp_path):
    branch, junk = in_review.visitor("branch_440000"), tmp_path / "../../etc/passwd.xlsx"
    junk = tmp_path / "坏.xlsx"
    junk.write_bytes(b"PK\x03\x04 not a workbook")
    page = branch.send(f"{FILING}/workbooks", f"{FILING}/answers", {}, files=[("workbook", junk)])
    assert "坏.xlsx" in page and 'class="wrong"' in page and "baosong-upload" not in page
    assert in_review.desk.installation.state(AUDIT).answers == ()


def sign(person: Visitor, street: Street, opinion: str, comment: str, password: str = PASSWORD) -> str:
    state = street.desk.installation.state(SCHEDULE_P)
    page = f"/filings/{SCHEDULE_P}/sign"
    content = state.live_sign_off.fact.content if state.live_sign_off else ""
    return person.send(
        page, page, {"opinion": opinion, "comment": comment, "password": password, "content": content}
    )


def test_a_content_is_signed_with_the_password_at_that_moment_and_not_by_its_preparer(reviewed: Street):
    installation = reviewed.desk.installation
    first_report(installation, SCHEDULE_P)
    engineer = reviewed.visitor("data_engineer")
    assert "提请签报" in engineer.read(f"/filings/{SCHEDULE_P}")
    engineer.send(f"/filings/{SCHEDULE_P}", f"/filings/{SCHEDULE_P}/sign-off", {})
    actuary = reviewed.visitor("actuary")
    assert "签署意见" in actuary.read("/")
    with pytest.raises(Declined):
        sign(actuary, reviewed, "agree", "同意", password="not the right one 26")
    assert installation.state(SCHEDULE_P).live_opinions == ()
    assert "签报继续" in sign(actuary, reviewed, "agree", "说明属实")
    assert "签报同意" in sign(reviewed.visitor("executive"), reviewed, "agree", "同意报送")
    state = installation.state(SCHEDULE_P)
    assert state.is_approved and [o.actor for o in state.live_opinions] == ["actuary", "executive"]


def test_a_rejection_shows_its_reason_and_goes_back_to_correction(reviewed: Street):
    first_report(reviewed.desk.installation, SCHEDULE_P)
    engineer = reviewed.visitor("data_engineer")
    engineer.send(f"/filings/{SCHEDULE_P}", f"/filings/{SCHEDULE_P}/sign-off", {})
    assert "签报退回" in sign(reviewed.visitor("actuary"), reviewed, "disagree", "准备金口径未说明")
    assert reviewed.desk.installation.state(SCHEDULE_P).stage == "rejected"
    page = engineer.read(f"/filings/{SCHEDULE_P}")
    assert "签报被精算审核人（模拟）退回：准备金口径未说明" in page and "处理被退回的签报" in engineer.read(
        "/"
    )


def test_all_closed_gates_are_named_at_once(in_review: Street):
    with pytest.raises(Declined) as said:
        in_review.visitor("data_engineer").send(FILING, f"{FILING}/sign-off", {})
    assert len(str(said.value).splitlines()) > 1 and in_review.desk.installation.state(AUDIT).sign_off is None


def test_an_opinion_on_another_content_than_was_read_is_not_recorded(reviewed: Street):
    first_report(reviewed.desk.installation, SCHEDULE_P)
    engineer, actuary = reviewed.visitor("data_engineer"), reviewed.visitor("actuary")
    engineer.send(f"/filings/{SCHEDULE_P}", f"/filings/{SCHEDULE_P}/sign-off", {})
    page = f"/filings/{SCHEDULE_P}/sign"
    fields = {"opinion": "agree", "comment": "同意", "password": PASSWORD, "content": "0" * 64}
    with pytest.raises(Declined):
        actuary.send(page, page, fields)
    assert reviewed.desk.installation.state(SCHEDULE_P).live_opinions == ()


def test_a_rejected_content_goes_on_its_route_again_only_with_an_answer(reviewed: Street):
    installation = reviewed.desk.installation
    first_report(installation, SCHEDULE_P)
    engineer, page = reviewed.visitor("data_engineer"), f"/filings/{SCHEDULE_P}/gates"
    engineer.send(page, f"/filings/{SCHEDULE_P}/sign-off", {})
    sign(reviewed.visitor("actuary"), reviewed, "disagree", "准备金口径未说明")
    with pytest.raises(Declined, match="准备金口径未说明"):
        engineer.send(page, f"/filings/{SCHEDULE_P}/sign-off", {"answer": ""})
    engineer.send(page, f"/filings/{SCHEDULE_P}/sign-off", {"answer": "口径说明见附件第 3 页"})
    state = installation.state(SCHEDULE_P)
    assert state.live_sign_off is not None and state.live_sign_off.fact.answer == "口径说明见附件第 3 页"
    shown = reviewed.visitor("actuary").read(f"/filings/{SCHEDULE_P}/sign")
    assert "口径说明见附件第 3 页" in shown and "准备金口径未说明" in shown


def test_a_department_answers_the_objection_that_came_back_to_it(
    resume: Resume, schedule_p_reviewed, tmp_path
):
    steps = (
        "routes.yaml",
        "steps: [actuarial, executive]",
        "steps: [{role: actuarial, rejection: departments}, executive]",
    )
    installation = resume(schedule_p_reviewed, deployment=own_deployment(tmp_path / "deployment", steps))
    first_report(installation, SCHEDULE_P)
    with at_desk(installation) as street:
        engineer, page = street.visitor("data_engineer"), f"/filings/{SCHEDULE_P}"
        engineer.send(f"{page}/gates", f"{page}/sign-off", {})
        sign(street.visitor("actuary"), street, "disagree", "准备金口径未说明")
        reviewer = street.visitor("accounting_reviewer")
        assert "处理被退回的签报" in reviewer.read("/") and "处理被退回的签报" not in engineer.read("/")
        assert 'name="answer"' not in engineer.read(f"{page}/gates"), "it did not come back to the preparer"
        assert "不同意本报送内容：准备金口径未说明" in reviewer.read(page)
        with pytest.raises(Declined, match="须先由 business_reviewer, accounting_reviewer 中一人写明"):
            engineer.send(f"{page}/gates", f"{page}/sign-off", {})
        with pytest.raises(Declined, match="请写明如何处理了异议"):
            reviewer.send(page, f"{page}/objection", {"answer": " "})
        said = reviewer.send(page, f"{page}/objection", {"answer": "口径见附件"})
        assert "已记录对异议的答复" in said and 'name="answer"' not in said
        assert "提请签报" in engineer.read("/") and "口径见附件" in engineer.read(f"{page}/gates")
        engineer.send(f"{page}/gates", f"{page}/sign-off", {})
        assert "口径见附件" in street.visitor("actuary").read(f"{page}/sign")


def test_after_a_refused_signature_the_form_on_the_page_still_works(reviewed: Street):
    first_report(reviewed.desk.installation, SCHEDULE_P)
    engineer, actuary = reviewed.visitor("data_engineer"), reviewed.visitor("actuary")
    engineer.send(f"/filings/{SCHEDULE_P}/gates", f"/filings/{SCHEDULE_P}/sign-off", {})
    page = f"/filings/{SCHEDULE_P}/sign"
    secret, seat = (
        re.search(rf'name="{name}" value="([^"]+)"', actuary.read(page)) for name in ("csrf", "seat")
    )
    assert secret and seat
    fields = {"opinion": "agree", "comment": "说明属实", "password": PASSWORD, "content": "0" * 64}
    fields["seat"] = seat[1]
    refused = actuary.client.post(page, data={**fields, "csrf": secret[1]})
    assert refused.status_code == 409 and "说明属实" in refused.text
    state = reviewed.desk.installation.state(SCHEDULE_P)
    again = re.search(r'name="csrf" value="([^"]+)"', refused.text)
    assert again and state.live_sign_off is not None
    fields["content"] = state.live_sign_off.fact.content
    assert actuary.client.post(page, data={**fields, "csrf": again[1]}).status_code == 303
    assert len(reviewed.desk.installation.state(SCHEDULE_P).live_opinions) == 1


def test_two_thousand_chinese_characters_are_a_comment(reviewed: Street):
    first_report(reviewed.desk.installation, SCHEDULE_P)
    reviewed.visitor("data_engineer").send(
        f"/filings/{SCHEDULE_P}/gates", f"/filings/{SCHEDULE_P}/sign-off", {}
    )
    sign(reviewed.visitor("actuary"), reviewed, "agree", "审" * 2000)
    assert reviewed.desk.installation.state(SCHEDULE_P).live_opinions[0].fact.comment == "审" * 2000
    with pytest.raises(Declined, match="2000"):
        sign(reviewed.visitor("executive"), reviewed, "agree", "审" * 2001)


def test_an_answer_that_changed_after_the_reviewer_saw_it_is_not_accepted(in_review: Street, tmp_path):
    installation, branch = in_review.desk.installation, in_review.visitor("branch_440000")
    page, reviewer = f"{FILING}/findings", in_review.visitor("business_reviewer")
    problems = asked_of(installation, AUDIT)["440000"]
    (first, *_) = [p for p in problems if p.severity == "explain"]
    answer = f"{page}/{first.finding}"
    branch.send(
        answer, f"{answer}/answer", {"handling": "explanation", "new_value": "", "reason": "第一个说法"}
    )
    shown = dict(re.findall(r'name="(csrf|seen)" value="([^"]+)"', reviewer.read(page)))
    branch.send(
        answer, f"{answer}/answer", {"handling": "explanation", "new_value": "", "reason": "另一个说法"}
    )
    fields = {**shown, "act": "accept", "finding": first.finding}
    refused = reviewer.client.post(page, data=fields)
    assert refused.status_code == 409 and "又有新的答复" in refused.text
    assert installation.state(AUDIT).answer_reviews == ()
    reviewer.send(page, page, {"act": "accept", "finding": [first.finding]})
    assert installation.state(AUDIT).answer_reviews[-1].fact.accepted == {"explanation": 1}


@pytest.mark.parametrize("name", ["长" * 200 + ".pdf", "..", "a/b\\c.pdf", "bad\x01.pdf", ".pdf", "x" * 300])
def test_any_file_name_is_put_down_safely(name: str, tmp_path):
    fit = fit_name(name)
    assert fit not in ("", ".", "..") and "/" not in fit and len(fit.encode()) < 150
    (tmp_path / fit).write_bytes(b"x")
    assert [path.name for path in tmp_path.iterdir()] == [fit]


def test_whoever_issues_for_several_departments_is_told_which_went_out(
    listed: Street, monkeypatch: pytest.MonkeyPatch
):
    installation, reviewer = listed.installation, listed.visitor("business_reviewer")
    review_findings(installation, AUDIT, installation.user("audit_reviewer"), "confirm", Selection())
    asked: list[str] = []

    def after_a_colleague(installation: Installation, filing: str, department: str, *given: Any) -> object:
        asked.append(department)
        if len(asked) == 2:
            issue(installation, filing, department, installation.user("business_reviewer"), Selection())
        return issue(installation, filing, department, *given)

    monkeypatch.setattr("pipelines.desk.pages.findings.issue", after_a_colleague)
    page = f"{FILING}/findings"
    with pytest.raises(Declined) as caught:
        reviewer.send(page, page, {"act": "issue", "all": "1"})
    first, second = (installation.department_name(code) for code in asked)
    assert f"已下发：{first}。{second}及其后的部门没有下发" in str(caught.value)
    assert [each.fact.department for each in installation.state(AUDIT).dispatches] == asked
