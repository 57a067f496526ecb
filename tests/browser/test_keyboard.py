"""The desk by keyboard alone: in at the door, to the first task, through the findings with arrows and the space key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Receive
from tests.browser.reception import PASSWORD, Person
from tests.flow.conftest import Resume
from tests.flow.play import AUDIT

FURTHEST = 40


@pytest.fixture
def reviewer(resume: Resume, receive: Receive, audit_listed: Path) -> Person:
    reception = receive(resume(audit_listed))
    reception.give_account("audit_reviewer")
    person = reception.stranger("audit_reviewer")
    reception.persons["audit_reviewer", "zh"] = person
    return person


def tab_to(page: Page, selector: str) -> int:
    """Press Tab until the element that is meant has the focus, visibly; how often that was."""
    for presses in range(1, FURTHEST + 1):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid", f"{selector} does not show that it has the focus"
            return presses
    raise AssertionError(f"{selector} is not reached within {FURTHEST} presses of Tab")


def test_a_reviewer_comes_in_and_decides_on_two_findings_without_a_mouse(reviewer: Person) -> None:
    page, keyboard = reviewer.page, reviewer.page.keyboard
    reviewer.open("/login")
    keyboard.type("audit_reviewer")
    tab_to(page, "#password")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="我的任务")).to_be_visible()

    assert tab_to(page, ".skip") == 1
    keyboard.press("Enter")
    assert tab_to(page, "main a") <= 2
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="确认为问题")).to_be_visible()

    tab_to(page, ".skip")
    keyboard.press("Enter")
    tab_to(page, 'input[name="finding"]')
    boxes = page.locator('input[name="finding"]')
    expect(boxes.nth(0)).to_be_focused()
    keyboard.press("Space")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(boxes.nth(2)).to_be_focused()
    keyboard.press("Space")
    keyboard.press("ArrowUp")
    expect(boxes.nth(1)).to_be_focused()
    reviewer.reads("已选中 2 条")
    assert [boxes.nth(at).is_checked() for at in range(3)] == [True, False, True]

    chosen = [boxes.nth(at).get_attribute("value") for at in (0, 2)]
    page.get_by_role("button", name="确认为问题").focus()
    keyboard.press("Enter")
    reviewer.is_told("已确认，交责任部门下发。")
    for (
        finding
    ) in chosen:  # what was asked for is still asked for, and they wait for the first review no more
        expect(page.locator(f'input[value="{finding}"]')).to_have_count(0)
    page.get_by_role("link", name="清除").click()
    for finding in chosen:
        row = page.get_by_role("row").filter(has=page.locator(f'input[value="{finding}"]'))
        expect(row).to_contain_text("部门下发")


def test_enter_on_a_ticked_row_opens_its_finding(reviewer: Person) -> None:
    reviewer.log_in()
    reviewer.open(f"/filings/{AUDIT}/findings")
    first = reviewer.page.locator('input[name="finding"]').first
    finding = first.get_attribute("value")
    first.focus()
    reviewer.page.keyboard.press("Enter")
    expect(reviewer.page).to_have_url(re.compile(f"/filings/{AUDIT}/findings/{finding}"))
    reviewer.reads(str(finding))


def test_rows_without_boxes_are_walked_by_arrows_too_and_the_bar_says_what_acts_will_do(
    reviewer: Person,
) -> None:
    page = reviewer.page
    reviewer.log_in()
    reviewer.open(f"/filings/{AUDIT}/findings?group=rule")
    links = page.locator("table[data-rows] tbody a")
    links.nth(0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(links.nth(2)).to_be_focused()
    page.keyboard.press("Home")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    boxes = page.locator('input[name="finding"]')
    rows = page.locator("table[data-rows] tbody a")
    rows.nth(1).focus()
    page.keyboard.press("Space")
    expect(boxes.nth(1)).to_be_checked()
    reviewer.reads("已选中 1 条", "所选待初审的有 1 条：“确认为问题”将其交责任部门下发")
    every = page.locator('input[name="all"]')
    every.check()
    reviewer.reads(f"对筛选出的全部操作时，待初审的有 {boxes.count()} 条")
