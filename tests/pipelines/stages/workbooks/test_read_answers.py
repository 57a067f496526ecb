"""What a person may write into a workbook, and what the answers mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipelines.errors import BadInput
from pipelines.stages.workbooks import Answer, read_answers
from resources.demo.fill_workbook import fill_answers, read_findings
from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CLAIM,
    CUSTOMERS,
    DATE,
    IDENTITY,
    PERSON,
    POLICIES,
    PROBLEMS,
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
    answers = read_answers(tmp_path / "back.xlsx", IDENTITY, PROBLEMS)
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
    answers = read_answers(sent(tmp_path / "b.xlsx"), IDENTITY, PROBLEMS)
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
    answers = read_answers(path, IDENTITY, PROBLEMS)
    assert answers.answers[0].new_value == taken
    assert answers.notices == (f"工作表“{POLICIES}”K3：“{typed}”已规范为“{taken}”。",)


def test_an_amount_stored_as_a_number_is_taken_exactly(tmp_path: Path) -> None:
    def change(workbook) -> None:
        sheet = workbook[POLICIES]
        for header, value in (("处理方式", "报表更正"), ("更正值", 1120.1), ("原因说明", "录入错误")):
            put(sheet, 3, header, value)

    answers = read_answers(edited(sent(tmp_path / "b.xlsx"), change), IDENTITY, PROBLEMS)
    assert answers.answers[0].new_value == "1120.1" and len(answers.notices) == 1


def test_rows_in_another_order_are_the_same_workbook(tmp_path: Path) -> None:
    def change(workbook) -> None:
        sheet = workbook[POLICIES]
        first, second = ([cell.value for cell in sheet[row]] for row in (2, 3))
        for column, (one, other) in enumerate(zip(first, second, strict=True), 1):
            sheet.cell(2, column).value, sheet.cell(3, column).value = other, one
        put(sheet, 2, "处理方式", "源头修正")

    answers = read_answers(edited(sent(tmp_path / "b.xlsx"), change), IDENTITY, PROBLEMS)
    assert answers.answers == (Answer(AMOUNT, "source_fix", None, "", POLICIES, 2),)


def test_a_reason_may_have_several_lines(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    fill_answers(path, path, {PERSON: ("情况说明", "", "第一行\n第二行")})
    assert read_answers(path, IDENTITY, PROBLEMS).answers[0].reason == "第一行\n第二行"


@pytest.mark.parametrize(
    ("cells", "cell", "expected"),
    [
        ({"处理方式": "报表更正", "原因说明": "错"}, "K2", "没有填写更正值"),
        ({"处理方式": "报表更正", "更正值": "2026-04-01"}, "L2", "没有填写原因说明"),
        ({"处理方式": "报表更正", "更正值": "2026-03-01", "原因说明": "错"}, "K2", "与当前值相同"),
        ({"处理方式": "情况说明"}, "L2", "没有填写原因说明"),
        ({"处理方式": "情况说明", "更正值": "2026-04-01", "原因说明": "错"}, "K2", "请清空更正值"),
        ({"处理方式": "已处理"}, "J2", "处理方式“已处理”不可识别，应为：源头修正、报表更正、情况说明"),
        ({"处理方式": 1}, "J2", "应为文本，现为数值"),
        ({"原因说明": "只有原因"}, "J2", "没有选择“处理方式”"),
        ({"更正值": "=A1"}, "K2", "填写了公式 =A1"),
        ({"处理方式": '=IF(1,"源头修正")'}, "J2", "填写了公式"),
        ({"原因说明": "#N/A"}, "L2", "错误值 #N/A"),
        ({"更正值": True}, "K2", "应为文本，现为逻辑值"),
        ({"处理方式": "报表更正", "更正值": 46113, "原因说明": "错"}, "K2", "46113 以数值保存"),
        ({"处理方式": "报表更正", "更正值": "a\nb", "原因说明": "错"}, "K2", "换行或控制字符"),
        ({"处理方式": "情况说明", "原因说明": "长" * 2001}, "L2", "2001 个字符，最多 2000 个"),
    ],
)
def test_a_mistaken_answer_is_named_with_its_cell(tmp_path: Path, cells, cell: str, expected: str) -> None:
    def change(workbook) -> None:
        for header, value in cells.items():
            put(workbook[POLICIES], 2, header, value)

    with pytest.raises(BadInput) as refused:
        read_answers(edited(sent(tmp_path / "b.xlsx"), change), IDENTITY, PROBLEMS)
    (detail,) = refused.value.details
    assert f"工作表“{POLICIES}”{cell}" in str(detail) and expected in str(detail)


def test_an_id_stored_as_a_number_has_lost_its_digits_and_is_refused(tmp_path: Path) -> None:
    def change(workbook) -> None:
        for header, value in (("处理方式", "报表更正"), ("更正值", 110105194912310021), ("原因说明", "错")):
            put(workbook[CUSTOMERS], 2, header, value)

    with pytest.raises(BadInput, match="以数值保存，证件号、代码、日期会因此丢失位数"):
        read_answers(edited(sent(tmp_path / "b.xlsx"), change), IDENTITY, PROBLEMS)


def test_all_mistakes_are_named_at_once_and_nothing_is_taken(tmp_path: Path) -> None:
    def change(workbook) -> None:
        put(workbook[POLICIES], 2, "处理方式", "情况说明")
        put(workbook[POLICIES], 3, "处理方式", "报表更正")
        put(workbook[CUSTOMERS], 2, "当前值", "改掉")

    with pytest.raises(BadInput) as refused:
        read_answers(edited(sent(tmp_path / "b.xlsx"), change), IDENTITY, PROBLEMS)
    assert [d.code.removeprefix("workbooks.") for d in refused.value.details] == [
        "reason_missing",
        "new_value_missing",
        "correction_reason_missing",
        "locked_changed",
    ]


def test_filling_keeps_the_workbook_protected(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    fill_answers(path, path, {DATE: ("源头修正", "", "")})
    sheet = load_workbook(path)[POLICIES]
    assert sheet.protection.sheet and sheet.cell(2, columns(sheet)["处理方式"]).value == "源头修正"
