"""Answers given one by one, without a workbook: judged as a line of one is, recorded as one is, refused with the same reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import polars as pl
import pytest

from pipelines.demo.visitor import Declined
from pipelines.errors import BadInput, Refused, catalogue
from pipelines.stages.answer_page import answer_finding
from pipelines.stages.bulk_facts import kept
from pipelines.stages.decide import accept, send_back
from pipelines.stages.handlings import accepted_handlings
from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.life import EXPLAINED, corrected, events, hand_in, one, person, rows, standing, these
from tests.flow.play import AUDIT, own_deployment, run
from tests.flow.test_findings_life import SECOND_OF_440000

REASON = "接口截断所致（模拟）"


@pytest.fixture
def installation(resume: Resume, audit_in_review: Path) -> Installation:
    return resume(audit_in_review)


@pytest.fixture
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


def give(installation: Installation, user: str, finding: str, handling: str, **texts: str):
    return answer_finding(
        installation,
        AUDIT,
        installation.user(user),
        finding,
        handling=handling,
        **{"reason": REASON, **texts},
    )


def page_of(finding: str) -> str:
    return f"/filings/{AUDIT}/findings/{finding}"


# ---- the stage


def test_an_answer_in_the_page_leaves_the_same_as_a_line_of_a_workbook(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    """The facts of both ways differ in nothing but the workbook's digest."""
    installation = resume(audit_in_review)
    row = one(installation, rule="D05", branch="440000")
    done = give(installation, "branch_440000", row["finding"], "report_correction", new_value=row["expected"])
    assert (done.handlings, done.unchanged) == ({"report_correction": 1}, 0)
    first = installation.state(AUDIT).answers[-1]
    assert (first.fact.workbook, first.fact.annotated, first.fact.returned) == ("", "", 0)
    assert standing(installation, row["finding"]) == ("answered", "decide")
    reviewer = installation.user("business_reviewer")
    send_back(installation, AUDIT, reviewer, these(row["finding"]), reason="请附依据")
    hand_in(installation, tmp_path, "branch_440000", {row["finding"]: corrected(row["expected"])})
    second = installation.state(AUDIT).answers[-1]
    assert second.fact.workbook and second.seq > first.seq
    by_page, by_workbook = (kept(installation, AUDIT, act.fact.answers) for act in (first, second))
    assert by_page.equals(by_workbook)
    assert first.fact.model_copy(update={"workbook": "", "held": ()}) == second.fact.model_copy(
        update={"workbook": "", "held": ()}
    )


def test_the_same_answer_twice_changes_nothing_and_another_one_replaces_it(
    installation: Installation,
) -> None:
    finding = rows(installation, rule="B07", branch="330000")["finding"][0]
    give(installation, "branch_330000", finding, "explanation")
    recorded = events(installation)
    again = give(installation, "branch_330000", finding, "explanation", reason=f" {REASON}\r\n")
    assert (again.handlings, again.unchanged) == ({}, 1)
    assert events(installation) == recorded
    give(installation, "branch_330000", finding, "source_fix", reason="")
    assert one(installation, finding=finding)["handling"] == "source_fix"


def test_an_answer_in_the_page_and_the_same_one_in_a_workbook_are_one(
    installation: Installation, tmp_path: Path
) -> None:
    finding = rows(installation, rule="B07", branch="330000")["finding"][0]
    give(installation, "branch_330000", finding, "explanation", reason=EXPLAINED[2])
    recorded = events(installation)
    (done,) = hand_in(installation, tmp_path, "branch_330000", {finding: EXPLAINED})
    assert (done.handlings, done.unchanged) == ({}, 1)
    assert events(installation) == recorded


@pytest.mark.parametrize(
    ("rule", "handling", "texts", "why"),
    [
        ("D05", "", {}, "没有选择处理方式"),
        ("D05", "waiver", {}, "处理方式“waiver”不可识别"),
        ("D05", "report_correction", {}, "没有填写更正值"),
        ("D05", "report_correction", {"new_value": "1.00", "reason": " "}, "请写明更正的原因"),
        ("D05", "report_correction", {"new_value": "600.00"}, "按此更正后，D05 仍不满足"),
        ("D05", "report_correction", {"new_value": "六百"}, "更正值不可用"),
        ("D05", "report_correction", {"new_value": "510.005"}, "更正值不可用"),
        ("D05", "explanation", {}, "不能只作情况说明"),
        ("D05", "source_fix", {"reason": "左\u202e右"}, "“原因说明”第 2 个字符是文字方向控制符"),
        ("D05", "source_fix", {"reason": "字" * 2001}, "有 2001 个字符"),
        ("D05", "report_correction", {"new_value": "1\u200b0"}, "看不见的字符"),
        ("E04", "report_correction", {"new_value": "expected"}, "按此更正会违反 D05"),
        ("A02", "report_correction", {"new_value": "X1"}, "不能用报表更正修改"),
        ("B07", "explanation", {"new_value": "1"}, "却填写了更正值“1”"),
        ("B07", "explanation", {"reason": ""}, "请写明原因"),
    ],
)
def test_what_a_line_would_come_back_for_is_refused_and_records_nothing(
    installation: Installation, rule: str, handling: str, texts: dict[str, str], why: str
) -> None:
    row = rows(installation, rule=rule).row(0, named=True)
    if texts.get("new_value") == "expected":
        texts = {"new_value": row["expected"]}
    recorded = events(installation)
    with pytest.raises(BadInput) as caught:
        give(installation, f"branch_{row['branch']}", row["finding"], handling, **texts)
    assert caught.value.code == "correct.answer_refused" and why in str(caught.value)
    assert "工作表" not in str(caught.value)
    assert events(installation) == recorded


def test_every_mistake_of_a_line_has_its_words_for_a_page() -> None:
    cells = Path("pipelines/stages/workbooks/answer_cells.py").read_text(encoding="utf-8")
    of_files = {"formula", "error_value", "not_text", "number_for_text", "normalised"}
    named = set(re.findall(r'"workbooks\.([a-z_]+)"', cells)) - of_files
    judging = Path("pipelines/stages/answer_judging.py").read_text(encoding="utf-8")
    named |= set(re.findall(r'"correct\.([a-z_]+)"', judging))
    assert len(named) == 13
    assert {f"correct.here.{name}" for name in named} <= catalogue().keys()


def test_what_was_typed_is_taken_as_typed(installation: Installation) -> None:
    finding = rows(installation, rule="B07", branch="330000")["finding"][0]
    give(installation, "branch_330000", finding, "explanation", reason="写作 _x0041_ 的说明\r\n第二行")
    assert one(installation, finding=finding)["answer_reason"] == "写作 _x0041_ 的说明\n第二行"


def test_another_branchs_finding_is_refused_whatever_the_role(installation: Installation) -> None:
    finding = one(installation, rule="D05", branch="440000")["finding"]
    recorded = events(installation)
    for user, code in (
        (installation.user("branch_330000"), "correct.other_branch"),
        (installation.user("business_reviewer"), "installation.role"),
        (person("it", "branch_it"), "installation.role"),
    ):
        with pytest.raises(Refused) as caught:
            answer_finding(installation, AUDIT, user, finding, handling="source_fix")
        assert caught.value.code == code
    with pytest.raises(Refused) as caught:
        give(installation, "branch_440000", "0" * 32, "source_fix")
    assert caught.value.code == "correct.not_asked"
    assert events(installation) == recorded


def test_a_decided_answer_is_no_longer_changed(installation: Installation) -> None:
    finding = one(installation, rule="D05", branch="440000")["finding"]
    give(installation, "branch_440000", finding, "source_fix")
    accept(installation, AUDIT, installation.user("business_reviewer"), these(finding))
    assert accepted_handlings(installation, installation.state(AUDIT))[finding].user == "branch_440000"
    with pytest.raises(Refused) as caught:
        give(installation, "branch_440000", finding, "explanation")
    assert caught.value.code == "correct.not_asked"


def test_what_was_not_issued_yet_waits_for_no_answer(resume: Resume, audit_listed: Path) -> None:
    installation = resume(audit_listed)
    finding = one(installation, rule="D05", branch="440000")["finding"]
    with pytest.raises(Refused) as caught:
        give(installation, "branch_440000", finding, "source_fix")
    assert caught.value.code == "correct.not_asked"


def test_two_people_of_a_branch_who_answer_differently_are_in_conflict(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(
        audit_in_review, deployment=own_deployment(tmp_path / "deployment", SECOND_OF_440000)
    )
    finding = one(installation, rule="D05", branch="440000")["finding"]
    give(installation, "branch_440000", finding, "source_fix")
    expected = one(installation, finding=finding)["expected"]
    give(installation, "second_440000", finding, "report_correction", new_value=expected)
    assert one(installation, finding=finding)["conflict"]
    with pytest.raises(Refused) as caught:
        accept(installation, AUDIT, installation.user("business_reviewer"), these(finding))
    assert caught.value.code == "decide.conflict"


def test_an_accepted_correction_from_the_page_lies_over_the_report(installation: Installation) -> None:
    row = one(installation, rule="D05", branch="440000")
    give(installation, "branch_440000", row["finding"], "report_correction", new_value=row["expected"])
    accept(installation, AUDIT, installation.user("business_reviewer"), these(row["finding"]))
    state = run(installation, AUDIT, "validate")
    assert state.content is not None
    found = rows(installation, finding=row["finding"])
    assert found.filter(pl.col("is_present")).is_empty()


# ---- the page


def test_a_branch_answers_on_the_findings_page(installation: Installation, people: Street) -> None:
    row = one(installation, rule="D05", branch="440000")
    path, visitor = page_of(row["finding"]), people.visitor("branch_440000")
    page = visitor.read(path)
    assert '<label for="new_value">' in page and 'value="report_correction" required' in page
    assert 'value="explanation"' not in page, "what blocks is not explained away"
    given = {"handling": "report_correction", "new_value": row["expected"], "reason": REASON}
    page = visitor.send(path, f"{path}/answer", given)
    assert "答复已受理，等待责任部门裁定。" in page and "已有答复等待责任部门裁定" in page
    assert f'name="new_value" value="{row["expected"]}"' in page, "the answer may be changed"
    assert f"答复 广东分公司填报人（模拟） 报表更正 {row['expected']}" in words(page)
    assert standing(installation, row["finding"]) == ("answered", "decide")
    recorded = events(installation)
    assert "与此前的答复相同，未作改动。" in visitor.send(path, f"{path}/answer", given)
    assert events(installation) == recorded


def test_a_refused_answer_stays_in_the_form_with_its_reason(
    installation: Installation, people: Street
) -> None:
    row = one(installation, rule="D05", branch="440000")
    path, visitor, recorded = page_of(row["finding"]), people.visitor("branch_440000"), events(installation)
    secret = re.search(r'name="csrf" value="([^"]+)"', visitor.read(path))
    assert secret is not None
    fields = {"handling": "report_correction", "new_value": "600.00", "reason": REASON, "csrf": secret[1]}
    answer = visitor.client.post(f"{path}/answer", data=fields)
    assert answer.status_code == 400
    shown = unescape(answer.text)
    assert (
        shown.index('id="answer"') < shown.index("按此更正后，D05 仍不满足") < shown.index('name="new_value"')
    )
    assert 'name="new_value" value="600.00"' in shown and REASON in shown
    assert 'value="report_correction" required checked' in shown
    assert events(installation) == recorded


def test_a_foreign_branch_finds_neither_page_nor_form(installation: Installation, people: Street) -> None:
    path = page_of(one(installation, rule="D05", branch="440000")["finding"])
    own = page_of(rows(installation, rule="B07", branch="330000")["finding"][0])
    recorded = events(installation)
    with pytest.raises(Declined, match="404"):
        people.visitor("branch_330000").read(path)
    with pytest.raises(Declined, match="不在您的机构"):
        people.visitor("branch_330000").send(
            own, f"{path}/answer", {"handling": "source_fix", "reason": REASON}
        )
    assert events(installation) == recorded


@pytest.mark.parametrize("user", ["business_reviewer", "audit_reviewer", "data_engineer", "branch_it_440000"])
def test_only_preparers_have_the_form(installation: Installation, people: Street, user: str) -> None:
    path, recorded = page_of(one(installation, rule="D05", branch="440000")["finding"]), events(installation)
    assert 'name="new_value"' not in people.visitor(user).read(path)
    with pytest.raises(Declined, match="不能使用此页面"):
        people.visitor(user).send(path, f"{path}/answer", {"handling": "source_fix", "reason": REASON})
    assert events(installation) == recorded


def test_a_personal_value_is_typed_again_and_never_shown(installation: Installation, people: Street) -> None:
    row = rows(installation, rule="B07", branch="330000").row(0, named=True)
    path, visitor = page_of(row["finding"]), people.visitor("branch_330000")
    given = {"handling": "report_correction", "new_value": "13912345678", "reason": REASON}
    page = visitor.send(path, f"{path}/answer", given)
    assert "答复已受理" in page and "13912345678" not in page
    assert row["value"] not in words(page)
    assert one(installation, finding=row["finding"])["new_value"] == "13912345678"
