"""Requests at the desk: amended and withdrawn from the page, by whose they are, on what they saw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.demo.visitor import Declined
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.play import SCHEDULE_P, draft
from tests.flow.request_play import NAIC, NUMBER, amend, decide, register

PAGE = f"/requests/{NUMBER}"
KEPT = re.compile(r'<input type="date"[^>]* name="([a-z_]+)" value="([^"]*)"')
TICKED = re.compile(r'name="organisation" value="([^"]+)" checked')


@pytest.fixture
def waiting(begin: Resume) -> Iterator[Street]:
    installation = begin()
    register(installation, draft(installation.home))
    with at_desk(installation) as street:
        yield street


@pytest.fixture
def in_review(resume: Resume, schedule_p_in_review: Path) -> Iterator[Street]:
    with at_desk(resume(schedule_p_in_review)) as street:
        yield street


def filled(street: Street, user: str, page: str, **changes: object) -> dict[str, object]:
    """The form of an amendment as the page shows it, with something typed over."""
    shown = street.visitor(user).read(page)
    seen = re.search(r'name="seen" value="([^"]+)"', shown)
    assert seen
    return {**dict(KEPT.findall(shown)), "organisation": TICKED.findall(shown), "tables": "", **changes}


def test_an_amendment_from_the_page_changes_what_was_typed_over_and_waits_for_its_review(
    waiting: Street, tmp_path: Path
):
    notice = tmp_path / "延期通知.pdf"
    notice.write_bytes(b"%PDF-1.4 simulated notice")
    before = waiting.installation.request(NUMBER).latest.fact
    form = filled(
        waiting, "requester_440000", f"{PAGE}/amend", deadline="2026-05-22", reason="监管来文延期（模拟）"
    )
    page = waiting.visitor("requester_440000").send(
        f"{PAGE}/amend",
        f"{PAGE}/amend",
        form,  # type: ignore[arg-type]
        files=[("document", notice)],
    )
    assert "变更已提交" in page
    request = waiting.installation.request(NUMBER)
    fact = request.latest.fact
    assert (fact.deadline, len(request.demands)) == (date(2026, 5, 22), 2)
    same = {"deadline", "documents", "changed", "reason"}
    assert {n: v for n, v in dict(fact).items() if n not in same} == {
        n: v for n, v in dict(before).items() if n not in same
    }
    assert [each.name for each in fact.documents][-1] == "延期通知.pdf"
    assert "期限、文件 监管来文延期（模拟）" in words(page)


def test_what_is_wrong_with_an_amendment_is_said_and_the_form_keeps_what_was_typed(waiting: Street):
    form = filled(
        waiting,
        "requester_440000",
        f"{PAGE}/amend",
        deadline="2026-05-01",
        date_from="2026-06-01",
        reason="错",
    )
    client = waiting.visitor("requester_440000").client
    shown = waiting.visitor("requester_440000").read(f"{PAGE}/amend")
    hidden = dict(re.findall(r'name="(csrf|seen)" value="([^"]+)"', shown))
    refused = client.post(f"{PAGE}/amend", data={**form, **hidden})
    assert refused.status_code == 400 and "报送期限 2026-05-01 已过" in refused.text
    assert 'value="2026-06-01"' in refused.text and ">错</textarea>" in refused.text
    nothing = filled(waiting, "requester_440000", f"{PAGE}/amend", reason="没有变化")
    assert client.post(f"{PAGE}/amend", data={**nothing, **hidden}).status_code == 400
    assert len(waiting.installation.request(NUMBER).demands) == 1


def test_an_amendment_of_what_somebody_else_changed_meanwhile_is_not_taken(waiting: Street):
    shown = waiting.visitor("requester_440000").read(f"{PAGE}/amend")
    hidden = dict(re.findall(r'name="(csrf|seen)" value="([^"]+)"', shown))
    form = filled(waiting, "requester_440000", f"{PAGE}/amend", deadline="2026-05-22", reason="延期")
    amend(waiting.installation, deadline=date(2026, 5, 18))
    refused = waiting.visitor("requester_440000").client.post(f"{PAGE}/amend", data={**form, **hidden})
    assert refused.status_code == 409 and "已有别的变更" in refused.text
    assert waiting.installation.request(NUMBER).latest.fact.deadline == date(2026, 5, 18)


def test_the_page_before_withdrawing_says_what_stops_and_the_button_does_it(in_review: Street):
    page, requester = f"/requests/{NAIC}/withdraw", in_review.visitor("requester")
    held = sum(each.count for each in in_review.installation.state(SCHEDULE_P).held)
    told = words(requester.read(page))
    assert held and f"报送任务 {SCHEDULE_P}（现为“" in told and f"{held} 条未办结的问题不再处理" in told
    assert "撤回后不能恢复" in told
    with pytest.raises(Declined, match="原因"):
        requester.send(page, page, {"reason": " "})
    assert in_review.installation.state(SCHEDULE_P).withdrawn is None
    assert "需求已撤回" in requester.send(page, page, {"reason": "监管撤回（模拟）"})
    state = in_review.installation.state(SCHEDULE_P)
    assert state.withdrawn is not None and state.withdrawn.fact.reason == "监管撤回（模拟）"
    assert in_review.installation.request(NAIC).stage == "withdrawn"
    closed = requester.client.get(page)
    assert closed.status_code == 409 and "已结束（已撤回）" in closed.text
    assert f"{page}" not in requester.read(f"/requests/{NAIC}")


def test_only_requesters_whose_request_it_is_are_offered_to_change_it(waiting: Street):
    assert f"{PAGE}/amend" in waiting.visitor("requester_440000").read(PAGE)
    reviewer = waiting.visitor("audit_reviewer")
    assert f"{PAGE}/amend" not in reviewer.read(PAGE)
    assert reviewer.client.get(f"{PAGE}/withdraw").status_code == 403
    decide(waiting.installation, "refuse")
    assert f"{PAGE}/amend" not in waiting.visitor("requester_440000").read(PAGE)


def test_a_request_shows_its_report_by_name_in_the_readers_language(waiting: Street):
    visitor = waiting.visitor("audit_reviewer")
    standard = waiting.installation.standard("circ_audit")
    for language, title in (("zh", standard.title.zh), ("en", standard.title.en)):
        name = getattr(standard.report("detail").title, language)
        assert f"{title} · {name}" in words(visitor.read(f"{PAGE}?lang={language}"))
        assert f"{title} · {name}" in words(visitor.read(f"/requests?lang={language}"))
