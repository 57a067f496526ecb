"""A workbook that goes back: the answers as they were given, the reason beside each refused line, readable again."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipelines.stages.workbooks import Answer, GivenAnswer, write_branch_workbook
from resources.demo.fill_workbook import fill_answers, read_findings
from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CUSTOMERS,
    DATE,
    IDENTITY,
    KEY,
    PERSON,
    POLICIES,
    PROBLEMS,
    answers_of,
    columns,
    sent,
)

GIVEN = {
    DATE: ("源头修正", "", "已在核心系统改正"),
    AMOUNT: ("报表更正", "", "录入错误"),
    PERSON: ("情况说明", "", "=客户\n证件已注销"),
}


def returned(path: Path, said: dict[str, GivenAnswer], remarks: dict[str, str]) -> Path:
    assert write_branch_workbook(path, IDENTITY, PROBLEMS, key=KEY, given=said, remarks=remarks) == 4
    return path


def test_a_refused_line_comes_back_with_its_reason_and_is_taken_when_mended(tmp_path: Path) -> None:
    path = sent(tmp_path / "out.xlsx")
    fill_answers(path, path, GIVEN)
    first = answers_of(path)
    said = {answer.finding: answer.given for answer in first.answers}
    said |= {line.finding: line.given for line in first.mistaken}
    remarks = {line.finding: line.remark for line in first.mistaken}
    back = returned(tmp_path / "back.xlsx", said, remarks)

    again = answers_of(back)
    assert again.answers == first.answers and again.unanswered == first.unanswered
    assert [(line.finding, line.given) for line in again.mistaken] == [
        (AMOUNT, GivenAnswer("报表更正", "", "录入错误"))
    ]
    assert {line["问题编号"]: line["退回说明"] for line in read_findings(back)}[AMOUNT] == (
        f"工作表“{POLICIES}”K3：处理方式为“报表更正”，但没有填写更正值。请填写正确的值，或改选其他处理方式。"
    )

    fill_answers(back, back, {AMOUNT: ("报表更正", "120.00", "录入错误")})
    mended = answers_of(back)
    assert mended.mistaken == () and len(mended.answers) == 3
    assert mended.answers[1] == Answer(AMOUNT, "report_correction", "120.00", "录入错误", POLICIES, 3)
    assert mended.answers[2].reason == "=客户\n证件已注销", "text that begins with = stays text"


def test_the_answer_cells_of_a_returned_line_are_coloured_and_open(tmp_path: Path) -> None:
    remarks = {DATE: "更正后违反规则 D02：终保日期须晚于起保日期。"}
    path = returned(tmp_path / "b.xlsx", {DATE: GivenAnswer("报表更正", "2025-01-01", "录入错误")}, remarks)
    sheet = load_workbook(path)[POLICIES]
    at = columns(sheet)
    assert list(at)[-1] == "退回说明"
    assert [sheet.cell(2, at[name]).value for name in ("处理方式", "更正值", "原因说明", "退回说明")] == [
        "报表更正",
        "2025-01-01",
        "录入错误",
        remarks[DATE],
    ]
    colours = {
        row: {sheet.cell(row, at[name]).fill.start_color.rgb for name in ("处理方式", "更正值", "原因说明")}
        for row in (2, 3)
    }
    assert colours == {2: {"FFFFD9A8"}, 3: {"FFFFF8DB"}}
    assert [sheet.cell(2, at[name]).protection.locked for name in ("更正值", "退回说明")] == [False, True]
    assert sheet.cell(3, at["退回说明"]).value is None


def test_what_the_remark_says_is_not_compared(tmp_path: Path) -> None:
    path = returned(tmp_path / "b.xlsx", {}, {DATE: "一", PERSON: "二"})
    book = load_workbook(path)
    for name in (POLICIES, CUSTOMERS):
        sheet = book[name]
        sheet.cell(2, columns(sheet)["退回说明"]).value = "看过了"
    book.save(path)
    assert len(answers_of(path).unanswered) == 4


def test_returned_workbooks_have_equal_bytes_too(tmp_path: Path) -> None:
    said, remarks = {DATE: GivenAnswer("源头修正", "", "")}, {DATE: "退回"}
    first = returned(tmp_path / "a.xlsx", said, remarks).read_bytes()
    assert returned(tmp_path / "b.xlsx", said, remarks).read_bytes() == first
    assert sent(tmp_path / "c.xlsx").read_bytes() != first


anything = st.text(max_size=30)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["", "源头修正", "报表更正", "情况说明"]) | anything, anything, anything, anything)
def test_whatever_was_given_the_returned_workbook_is_read(
    tmp_path: Path, handling: str, new_value: str, reason: str, remark: str
) -> None:
    path = returned(
        tmp_path / "b.xlsx", {DATE: GivenAnswer(handling, new_value, reason)}, {DATE: remark, AMOUNT: remark}
    )
    answers = answers_of(path)
    assert len(answers.answers) + len(answers.mistaken) + len(answers.unanswered) == 4
    again = {line.finding: line.given for line in answers.mistaken}
    again |= {answer.finding: answer.given for answer in answers.answers}
    once_more = answers_of(returned(path, again, {line.finding: line.remark for line in answers.mistaken}))
    assert once_more.answers[: len(answers.answers)] == answers.answers
