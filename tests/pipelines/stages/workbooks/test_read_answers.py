"""What a person may write into a workbook, and what the answers mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipelines.stages.workbooks import Answer
from resources.demo.fill_workbook import fill_answers, read_findings
from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CLAIM,
    CUSTOMERS,
    DATE,
    IDENTITY,
    PERSON,
    POLICIES,
    answers_of,
    columns,
    edited,
    put,
    sent,
)


def test_answers_come_back_with_their_place(tmp_path: Path) -> None:
    path = sent(tmp_path / "out.xlsx")
    given = {
        DATE: ("源头修正", "", "已在核心系统改正"),
        AMOUNT: ("报表更正", "120.00", "录入错误"),
        PERSON: ("情况说明", "", "客户证件已注销"),
    }
    assert fill_answers(path, tmp_path / "back.xlsx", given) == 3
    answers = answers_of(tmp_path / "back.xlsx")
    assert answers.answers == (
        Answer(DATE, "source_fix", None, "已在核心系统改正", POLICIES, 2),
        Answer(AMOUNT, "report_correction", "120.00", "录入错误", POLICIES, 3),
        Answer(PERSON, "explanation", None, "客户证件已注销", CUSTOMERS, 2),
    )
    assert answers.unanswered == (CLAIM,) and answers.notices == () and answers.identity == IDENTITY


def test_a_simulated_person_reads_what_is_asked(tmp_path: Path) -> None:
    found = read_findings(sent(tmp_path / "out.xlsx"))
    assert [(line["sheet"], line["问题编号"], line["应为"]) for line in found[:2]] == [
        (POLICIES, DATE, "2026-04-01"),
        (POLICIES, AMOUNT, "120.00"),
    ]


def test_an_untouched_workbook_answers_nothing(tmp_path: Path) -> None:
    answers = answers_of(sent(tmp_path / "b.xlsx"))
    assert answers.answers == () and answers.unanswered == (DATE, AMOUNT, PERSON, CLAIM)


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        (" １２０．００ ", "120.00"),
        ("2026－04－01", "2026-04-01"),
        ("\u3000张三\u3000", "张三"),
        ("第１号ＡＢ．", "第1号ＡＢ．"),
    ],
)
def test_full_width_digits_and_spaces_are_normalised_with_a_notice(
    tmp_path: Path, typed: str, taken: str
) -> None:
    path = sent(tmp_path / "b.xlsx")
    fill_answers(path, path, {AMOUNT: ("报表更正", typed, "录入错误")})
    answers = answers_of(path)
    assert answers.answers[0].new_value == taken
    assert answers.notices == (f"工作表“{POLICIES}”K3：“{typed}”已规范为“{taken}”。",)


def test_an_amount_stored_as_a_number_is_taken_exactly(tmp_path: Path) -> None:
    def change(workbook) -> None:
        sheet = workbook[POLICIES]
        for header, value in (("处理方式", "报表更正"), ("更正值", 1120.1), ("原因说明", "录入错误")):
            put(sheet, 3, header, value)

    answers = answers_of(edited(sent(tmp_path / "b.xlsx"), change))
    assert answers.answers[0].new_value == "1120.1" and len(answers.notices) == 1


def test_rows_in_another_order_are_the_same_workbook(tmp_path: Path) -> None:
    def change(workbook) -> None:
        sheet = workbook[POLICIES]
        first, second = ([cell.value for cell in sheet[row]] for row in (2, 3))
        for column, (one, other) in enumerate(zip(first, second, strict=True), 1):
            sheet.cell(2, column).value, sheet.cell(3, column).value = other, one
        put(sheet, 2, "处理方式", "源头修正")

    answers = answers_of(edited(sent(tmp_path / "b.xlsx"), change))
    assert answers.answers == (Answer(AMOUNT, "source_fix", None, "", POLICIES, 2),)


def test_a_reason_may_have_several_lines(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    fill_answers(path, path, {PERSON: ("情况说明", "", "第一行\n第二行")})
    assert answers_of(path).answers[0].reason == "第一行\n第二行"


def test_filling_keeps_the_workbook_protected(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    fill_answers(path, path, {DATE: ("源头修正", "", "")})
    sheet = load_workbook(path)[POLICIES]
    assert sheet.protection.sheet and sheet.cell(2, columns(sheet)["处理方式"]).value == "源头修正"
