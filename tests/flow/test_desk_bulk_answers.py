"""One answer of a branch to many findings: checked as a whole, shown before it is given, taken for all or for none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.demo.visitor import Declined, Visitor, said
from pipelines.errors import BadInput
from pipelines.stages.answer_page import MOST_AT_ONCE, answer_findings
from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, form_of, words
from tests.flow.life import events, one, rows, standing
from tests.flow.play import AUDIT

LIST = f"/filings/{AUDIT}/findings"
ACTION = f"/filings/{AUDIT}/answers/together"
REASON = "业务实际如此（模拟）"


@pytest.fixture
def installation(resume: Resume, audit_in_review: Path) -> Installation:
    return resume(audit_in_review)


@pytest.fixture
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


def explainable(installation: Installation, branch: str = "330000") -> list[str]:
    return list(rows(installation, severity="explain", branch=branch, holder="answer")["finding"])


def test_a_branch_answers_many_after_it_saw_what_will_happen(
    installation: Installation, people: Street
) -> None:
    chosen, visitor = explainable(installation), people.visitor("branch_330000")
    assert len(chosen) > 1
    assert f'formaction="{ACTION}"' in visitor.read(LIST)
    recorded = events(installation)
    given = {"finding": chosen, "handling": "explanation", "answer_reason": REASON}
    page = visitor.send(LIST, ACTION, given)
    assert f"将对下列 {len(chosen)} 条问题答复“情况说明”" in words(page) and REASON in page
    assert events(installation) == recorded, "nothing happens before it is confirmed"
    page = confirm(visitor, page)
    assert "答复已全部受理" in page
    assert {standing(installation, each) for each in chosen} == {("answered", "decide")}
    answered = rows(installation, answered_by="branch_330000")
    assert set(answered["finding"]) == set(chosen) and set(answered["answer_reason"]) == {REASON}
    assert len(events(installation)) == len(recorded) + 1, "one act, one event"
    again = visitor.send(LIST, ACTION, {**given, "confirmed": "1"})
    assert "与此前的答复相同，未作改动。" in again and len(events(installation)) == len(recorded) + 1


def confirm(visitor: Visitor, shown: str) -> str:
    """Send what the page that asks for it holds, and nothing else; the page that follows."""
    answer = visitor.client.post(ACTION, data=form_of(shown, ACTION))
    if answer.status_code != 303:
        raise Declined(said(answer.text))
    return visitor.read(answer.headers["location"])


def test_what_another_answered_after_the_page_was_shown_is_not_overwritten(
    installation: Installation, people: Street
) -> None:
    chosen, visitor = explainable(installation), people.visitor("branch_330000")
    given = {"finding": chosen, "handling": "explanation", "answer_reason": REASON}
    shown = visitor.send(LIST, ACTION, given)
    branch = installation.user("branch_330000")
    answer_findings(installation, AUDIT, branch, chosen[:1], handling="source_fix", reason="")
    recorded = events(installation)
    with pytest.raises(Declined, match="1 条"):
        confirm(visitor, shown)
    assert events(installation) == recorded
    assert "答复已全部受理" in confirm(visitor, visitor.send(LIST, ACTION, given))


def test_all_that_the_filters_show_can_be_answered(installation: Installation, people: Street) -> None:
    wanted = rows(installation, rule="B07", branch="330000")
    given = {"all": "1", "rule": "B07", "handling": "source_fix", "answer_reason": ""}
    visitor = people.visitor("branch_330000")
    confirm(visitor, visitor.send(f"{LIST}?rule=B07", ACTION, given))
    answered = rows(installation, answered_by="branch_330000")
    assert set(answered["finding"]) == set(wanted["finding"])
    assert set(answered["handling"]) == {"source_fix"}


def test_corrections_take_each_findings_expected_value(installation: Installation, people: Street) -> None:
    row = one(installation, rule="D05", branch="440000")
    given = {"finding": row["finding"], "handling": "report_correction", "answer_reason": REASON}
    visitor = people.visitor("branch_440000")
    page = visitor.send(LIST, ACTION, given)
    assert f'<span class="old">{row["value"]}</span> → <strong>{row["expected"]}</strong>' in page
    confirm(visitor, page)
    assert one(installation, finding=row["finding"])["new_value"] == row["expected"]


def test_one_that_cannot_be_taken_refuses_all_with_every_reason(
    installation: Installation, people: Street
) -> None:
    chosen = explainable(installation, "440000")
    blocking = one(installation, rule="D05", branch="440000")["finding"]
    recorded, visitor = events(installation), people.visitor("branch_440000")
    for confirmed in ("", "1"):
        with pytest.raises(Declined) as caught:
            given = {"finding": [*chosen, blocking], "handling": "explanation", "answer_reason": REASON}
            visitor.send(LIST, ACTION, {**given, "confirmed": confirmed})
        said = str(caught.value)
        assert f"所选 {len(chosen) + 1} 条问题不能作同样的答复，一条也没有受理" in said
        assert f"1 条（{blocking[:12]}）" in said and "不能只作情况说明" in said
    with pytest.raises(Declined, match=f"{len(chosen)} 条（.*请写明原因"):
        visitor.send(LIST, ACTION, {"finding": chosen, "handling": "explanation", "answer_reason": ""})
    with pytest.raises(Declined, match="“处理方式”没有填写"):
        visitor.send(LIST, ACTION, {"finding": chosen, "handling": "", "answer_reason": REASON})
    with pytest.raises(Declined, match="没有选中问题"):
        visitor.send(LIST, ACTION, {"handling": "explanation", "answer_reason": REASON})
    assert events(installation) == recorded


def test_nobody_answers_for_another_branch(installation: Installation, people: Street) -> None:
    others, recorded = explainable(installation, "440000"), events(installation)
    given = {"finding": others, "handling": "explanation", "answer_reason": REASON, "confirmed": "1"}
    with pytest.raises(Declined, match="没有选中问题"):
        people.visitor("branch_330000").send(LIST, ACTION, given)
    own = explainable(installation)
    with pytest.raises(BadInput) as caught:
        answer_findings(
            installation, AUDIT, installation.user("branch_330000"), [*own, others[0]],
            handling="explanation", reason=REASON,
        )  # fmt: skip
    assert "不属于机构 440000" in str(caught.value)
    for user in ("business_reviewer", "audit_reviewer", "branch_it_440000", "requester_440000"):
        assert ACTION not in people.visitor(user).read(LIST)
        with pytest.raises(Declined, match="不能使用此页面"):
            people.visitor(user).send(LIST, ACTION, given)
    assert events(installation) == recorded


def test_the_number_at_once_is_bounded(installation: Installation) -> None:
    user = installation.user("branch_330000")
    for findings in ([], [f"{place:032x}" for place in range(MOST_AT_ONCE + 1)]):
        with pytest.raises(BadInput) as caught:
            answer_findings(installation, AUDIT, user, findings, handling="explanation", reason=REASON)
        assert caught.value.code == "correct.together_many"
