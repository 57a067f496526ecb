"""What script adds to the desk's pages: a stage bar that follows the filing, files dropped onto a form, how far their sending is."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from playwright.sync_api import expect

from pipelines.stages.issue import dispatch_folder
from pipelines.stages.request_amend import withdraw_request
from resources.demo.fill_workbook import fill_answers
from tests.browser.conftest import Receive
from tests.flow.conftest import Resume
from tests.flow.play import SCHEDULE_P, asked_of, explain
from tests.flow.request_play import NAIC

DROP = """([form, files]) => {
  const given = new DataTransfer();
  for (const [name, text] of files)
    given.items.add(new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], name));
  form.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
}"""
PAGE = f"/filings/{SCHEDULE_P}"


def test_an_open_page_follows_its_filing_and_offers_to_be_loaded_anew(
    resume: Resume, receive: Receive, schedule_p_in_review: Path
) -> None:
    reception = receive(resume(schedule_p_in_review))
    engineer, installation = reception.person("data_engineer"), reception.street.installation
    engineer.open(PAGE)
    reload = engineer.page.get_by_role("link", name="重新载入", exact=True)
    expect(reload).to_be_hidden()
    expect(engineer.page.locator(".stages [aria-current]")).to_contain_text("修正")
    withdraw_request(installation, NAIC, installation.user("requester"), reason="监管撤回（模拟）")
    expect(engineer.page.locator(".stages [aria-current]")).to_contain_text("需求")
    engineer.reads("已撤回：监管撤回（模拟）")
    reload.click()
    expect(reload).to_be_hidden()


def test_workbooks_are_dropped_and_the_servers_page_says_what_was_taken(
    resume: Resume, receive: Receive, schedule_p_in_review: Path, tmp_path: Path
) -> None:
    reception = receive(resume(schedule_p_in_review))
    installation = reception.street.installation
    (dispatch,) = installation.state(SCHEDULE_P).dispatches
    sent = dispatch.fact.workbooks[0]
    book = dispatch_folder(installation, SCHEDULE_P, dispatch.seq) / sent.file
    problems = asked_of(installation, SCHEDULE_P)[sent.organisation]
    answers = {each.finding: explain(sent.organisation, each) for each in problems}
    fill_answers(book, tmp_path / "filled.xlsx", answers)
    files = [
        ("填好的.xlsx", b64encode((tmp_path / "filled.xlsx").read_bytes()).decode()),
        ("坏.xlsx", b64encode(b"PK no workbook").decode()),
    ]
    person = reception.person("filer_correspondent")
    person.open(f"{PAGE}/workbooks")
    person.reads("也可以把文件拖到这里。")
    form = person.page.locator("form[data-sending]")
    person.page.evaluate(DROP, [form.element_handle(), files])
    person.reads("填好的.xlsx、坏.xlsx")
    person.press("上传")
    expect(person.page.locator("section.said")).to_contain_text(f"受理 {sent.problems} 条")
    expect(person.page.locator("section.wrong")).to_contain_text("坏.xlsx")
    expect(person.page.locator("section.said, section.wrong").first).to_be_focused()
    person.reads("也可以把文件拖到这里。")
    expect(person.page).to_have_url(f"{person.url}{PAGE}/workbooks")
    assert (
        sum(sum(each.fact.handlings.values()) for each in installation.state(SCHEDULE_P).answers)
        == sent.problems
    )


def test_what_is_no_page_of_the_desk_is_said_beside_the_form_which_stays(
    resume: Resume, receive: Receive, schedule_p_in_review: Path
) -> None:
    reception = receive(resume(schedule_p_in_review))
    person = reception.person("filer_correspondent")
    person.open(f"{PAGE}/workbooks")
    form = person.page.locator("form[data-sending]")
    person.page.evaluate(DROP, [form.element_handle(), [("a.xlsx", b64encode(b"PK").decode())]])
    of_proxy = {"status": 200, "content_type": "text/plain", "body": "Request Entity Too Large"}
    person.page.route("**/answers", lambda route: route.fulfill(**of_proxy))
    person.press("上传")
    expect(form.get_by_role("status")).to_have_text("Request Entity Too Large")
    expect(person.page.locator("main form[data-sending]")).to_have_count(1)
    expect(form.get_by_role("button", name="上传")).to_be_enabled()


def test_a_form_that_leads_on_leads_on(resume: Resume, receive: Receive, schedule_p_in_review: Path) -> None:
    reception = receive(resume(schedule_p_in_review))
    requester = reception.person("requester")
    requester.open(f"/requests/{NAIC}/amend")
    scan = reception.street.installation.home / "延期.pdf"
    scan.write_bytes(b"%PDF-1.4 simulated")
    requester.fill("期限", "2026-06-30")
    requester.fill("变更原因", "监管延期（模拟）")
    requester.upload("变更后的文件", scan)
    requester.press("变更需求")
    requester.is_told("变更已提交，等待稽核部门审核。")
    expect(requester.page).to_have_url(f"{requester.url}/requests/{NAIC}?done=request_amended")
