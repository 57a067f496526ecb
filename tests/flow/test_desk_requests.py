"""Requests at the desk: amended and withdrawn from the page, by whose they are, on what they saw."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.visitor import Declined
from pipelines.ledger.request import request_stream
from pipelines.ledger.request_events import RequestAmended, RequestDemand
from pipelines.stages.talk import Talk, record_talk
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.play import SCHEDULE_P, draft
from tests.flow.request_play import NAIC, NUMBER, amend, codes, decide, register

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
    assert refused.status_code == 409 and "在您打开页面后有变化" in refused.text
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


def test_a_deadline_in_a_year_that_the_calendar_lacks_is_not_taken(waiting: Street):
    form = filled(waiting, "requester_440000", f"{PAGE}/amend", deadline="2028-01-14", reason="延期")
    with pytest.raises(Declined, match="期限 2028-01-14 所在的 2028 年，工作日历还没有节假日安排"):
        waiting.visitor("requester_440000").send(f"{PAGE}/amend", f"{PAGE}/amend", form)  # type: ignore[arg-type]
    assert len(waiting.installation.request(NUMBER).demands) == 1


def test_where_such_a_deadline_stands_already_the_time_left_is_unknown_and_all_pages_open(waiting: Street):
    installation = waiting.installation
    request = installation.request(NUMBER)
    demanded: dict[str, Any] = {n: getattr(request.latest.fact, n) for n in RequestDemand.model_fields}
    demanded["deadline"] = date(2028, 1, 14)
    late = RequestAmended(**demanded, changed=("deadline",), reason="延期")
    installation.ledger.append(
        request_stream(NUMBER), late.kind, late.payload(), actor="requester_440000", at=installation.now(),
        command_id="late", expected_seq=request.seq,
    )  # fmt: skip
    for page in ("/", "/requests", PAGE):
        assert "剩余时间不明：工作日历没有 2027 年" in words(waiting.visitor("audit_reviewer").read(page))


def test_the_audit_department_reviews_what_its_page_showed(waiting: Street):
    reviewer = waiting.visitor("audit_reviewer")
    hidden = dict(re.findall(r'name="(csrf|seen)" value="([^"]+)"', reviewer.read(PAGE)))
    amend(waiting.installation, organisations=("440000",))
    given = {"opinion": "accept", "comment": "两家机构均已核对（模拟）"}
    for sent in ({**hidden, **given}, {"csrf": hidden["csrf"], **given}):
        refused = reviewer.client.post(f"{PAGE}/review", data=sent)
        assert refused.status_code == 409 and "在您打开页面后有变化" in refused.text
        assert 'value="accept" required checked' in refused.text and given["comment"] in refused.text
    assert waiting.installation.request(NUMBER).reviews == ()
    reviewer.send(PAGE, f"{PAGE}/review", given)
    assert waiting.installation.request(NUMBER).stage == "accepted"


def test_nothing_is_withdrawn_that_moved_on_after_its_page_was_read(in_review: Street):
    installation, page = in_review.installation, f"/requests/{NAIC}/withdraw"
    requester = in_review.visitor("requester")

    def refused_after(moves: Callable[[], object]) -> None:
        hidden = dict(re.findall(r'name="(csrf|seen)" value="([^"]+)"', requester.read(page)))
        moves()
        answer = requester.client.post(page, data={**hidden, "reason": "监管撤回（模拟）"})
        assert answer.status_code == 409 and "在您打开页面后有变化" in answer.text
        assert "监管撤回（模拟）</textarea>" in answer.text

    refused_after(lambda: amend(installation, NAIC, deadline=date(2026, 5, 18)))
    user, talk = installation.user("data_engineer"), Talk("监管处（模拟）", "是否仍须报送？", "仍须。")
    refused_after(lambda: record_talk(installation, SCHEDULE_P, user, talk))
    with pytest.raises(Declined, match="在您打开页面后有变化"):
        requester.send(page, page, {"reason": "撤回", "seen": ""})
    assert installation.state(SCHEDULE_P).withdrawn is None
    assert installation.request(NAIC).withdrawn is None


def test_an_empty_file_is_called_by_its_name_and_not_by_where_it_was_put_down(
    waiting: Street, tmp_path: Path
):
    empty = tmp_path / "延期通知.pdf"
    empty.touch()
    form = filled(waiting, "requester_440000", f"{PAGE}/amend", reason="附件")
    with pytest.raises(Declined) as caught:
        waiting.visitor("requester_440000").send(
            f"{PAGE}/amend",
            f"{PAGE}/amend",
            form,  # type: ignore[arg-type]
            files=[("document", empty)],
        )
    assert "附件 延期通知.pdf 是空文件" in str(caught.value)


def test_a_documents_date_can_be_taken_out_again(waiting: Street):
    requester, page = waiting.visitor("requester_440000"), f"{PAGE}/amend"
    for dated in ("2026-04-01", ""):
        form = filled(waiting, "requester_440000", page, dated=dated, reason="文件日期有误")
        requester.send(page, page, form)  # type: ignore[arg-type]
        fact = waiting.installation.request(NUMBER).latest.fact
        assert isinstance(fact, RequestAmended)
        assert (str(fact.dated or ""), fact.changed) == (dated, ("dated",))


def test_an_organisation_below_the_branches_stands_in_the_form_by_its_name(waiting: Street):
    deployment = waiting.installation.deployment
    below = next(each for each in deployment.organisations if each.parent == "440000")
    amend(waiting.installation, organisations=("330000", below.code))
    page = waiting.visitor("requester_440000").read(f"{PAGE}/amend")
    assert f'value="{below.code}" checked> {below.name}</label>' in page


def test_a_reason_of_two_thousand_characters_with_line_breaks_is_kept_as_it_was_written(waiting: Street):
    page = f"{PAGE}/amend"
    reason = "甲\r\n" * 999 + "乙甲"
    form = filled(waiting, "requester_440000", page, deadline="2026-05-22", reason=reason)
    waiting.visitor("requester_440000").send(page, page, form)  # type: ignore[arg-type]
    fact = waiting.installation.request(NUMBER).latest.fact
    assert isinstance(fact, RequestAmended)
    assert fact.reason == reason.replace("\r\n", "\n") and len(fact.reason) == 2_000


def test_no_document_takes_the_address_of_the_page_that_registers_one(waiting: Street):
    demand = draft(waiting.installation.home, number="new")
    assert "request.number_taken" in codes(lambda: register(waiting.installation, demand))
