"""The desk in a browser that runs no script: filter, tick, confirm and sign work all the same."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from pipelines.stages.sign_off import open_sign_off
from tests.browser.conftest import Receive
from tests.browser.reception import PASSWORD, Person, Reception
from tests.flow.conftest import Resume
from tests.flow.play import AUDIT, SCHEDULE_P, first_report, preparer


def scriptless(reception: Reception, user: str) -> Person:
    reception.give_account(user)
    person = reception.stranger(user, java_script_enabled=False)
    reception.persons[user, "zh"] = person
    person.log_in()
    return person


def test_findings_are_filtered_ticked_and_confirmed(
    resume: Resume, receive: Receive, audit_listed: Path
) -> None:
    reception = receive(resume(audit_listed))
    reviewer = scriptless(reception, "audit_reviewer")
    reviewer.begin("初审问题数据", AUDIT)
    page = reviewer.page
    before = reception.street.installation.state(AUDIT).holds("first_review")
    page.get_by_label("规则", exact=True).select_option("B01")
    reviewer.press("筛选")
    boxes = page.locator('input[name="finding"]')
    found = boxes.count()
    assert 1 < found < before
    reviewer.reads(f"筛选出 {found} 条，共 {before} 条", "勾选问题后，选择下面的操作。")
    for at in range(2):
        boxes.nth(at).check()
    reviewer.press("确认为问题")
    reviewer.is_told("已确认，交责任部门下发。")
    state = reception.street.installation.state(AUDIT)
    assert (state.first_reviews[-1].fact.confirmed, state.holds("first_review")) == (2, before - 2)


def test_dismissing_without_a_reason_is_explained_on_the_page_and_keeps_everything_as_it_was(
    resume: Resume, receive: Receive, audit_listed: Path
) -> None:
    reception = receive(resume(audit_listed))
    reviewer = scriptless(reception, "audit_reviewer")
    reviewer.begin("初审问题数据", AUDIT)
    before = reception.street.installation.state(AUDIT)
    reviewer.page.locator('input[name="finding"]').first.check()
    reviewer.press("排除")
    expect(reviewer.page.get_by_role("alert")).to_contain_text("理由")
    reviewer.forgive("the server responded with a status of 4")
    assert reception.street.installation.state(AUDIT) == before


def test_an_opinion_is_signed(resume: Resume, receive: Receive, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    first_report(installation, SCHEDULE_P)
    open_sign_off(installation, SCHEDULE_P, preparer(installation))
    actuary = scriptless(receive(installation), "actuary")
    actuary.begin("签署意见", SCHEDULE_P)
    actuary.choose("不同意")
    actuary.fill("说明", "准备金口径未说明")
    actuary.fill("口令", PASSWORD)
    actuary.press("签署意见")
    actuary.is_told("意见已记录，签报退回。")
    actuary.reads("签报被精算审核人（模拟）退回：准备金口径未说明")
    given = installation.state(SCHEDULE_P).opinions
    assert [(each.actor, each.fact.opinion, each.fact.comment) for each in given] == [
        ("actuary", "disagree", "准备金口径未说明")
    ]
