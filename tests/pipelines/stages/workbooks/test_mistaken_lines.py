"""A mistake inside the answer cells of a line sends that line back and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages.workbooks import GivenAnswer, read_answers
from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CLAIM,
    CUSTOMERS,
    DATE,
    IDENTITY,
    KEY,
    PERSON,
    POLICIES,
    answers_of,
    edited,
    filled,
    problem,
    put,
    refusal,
    repacked,
    sent,
)

CORRECTION = {"处理方式": "报表更正", "原因说明": "录入错误"}


@pytest.mark.parametrize(
    ("cells", "cell", "code", "expected"),
    [
        ({"处理方式": "报表更正", "原因说明": "错"}, "K2", "new_value_missing", "没有填写更正值"),
        ({"处理方式": "报表更正", "更正值": "2026-04-01"}, "L2", "correction_reason_missing", "没有填写原因"),
        (CORRECTION | {"更正值": "2026-03-01"}, "K2", "new_value_same", "与当前值相同"),
        ({"处理方式": "情况说明"}, "L2", "reason_missing", "没有填写原因说明"),
        (
            {"处理方式": "情况说明", "更正值": "2026-04-01", "原因说明": "错"},
            "K2",
            "explanation_with_value",
            "请清空更正值",
        ),
        (
            {"处理方式": "已处理"},
            "J2",
            "handling_unknown",
            "处理方式“已处理”不可识别，应为：源头修正、报表更正、情况说明",
        ),
        ({"处理方式": 1}, "J2", "not_text", "应为文本，现为数值"),
        ({"原因说明": "只有原因"}, "J2", "handling_missing", "没有选择“处理方式”"),
        (CORRECTION | {"更正值": "=A1"}, "K2", "formula", "填写了公式 =A1"),
        ({"处理方式": '=IF(1,"源头修正")'}, "J2", "formula", "填写了公式"),
        (
            {"处理方式": "情况说明", "原因说明": '=HYPERLINK("http://x.invalid","点这里")'},
            "L2",
            "formula",
            "填写了公式 =HYPERLINK",
        ),
        ({"处理方式": "情况说明", "原因说明": "#N/A"}, "L2", "error_value", "错误值 #N/A"),
        (CORRECTION | {"更正值": "#REF!"}, "K2", "error_value", "错误值 #REF!"),
        (CORRECTION | {"更正值": True}, "K2", "not_text", "应为文本，现为逻辑值 TRUE/FALSE（1）"),
        (CORRECTION | {"更正值": 60}, "K2", "number_for_text", "60 以数值保存"),
        (CORRECTION | {"更正值": 46113}, "K2", "number_for_text", "46113 以数值保存"),
        (
            CORRECTION | {"更正值": "a\nb"},
            "K2",
            "control_character",
            "换行、控制字符或其他看不见的字符（\\n）",
        ),
        (CORRECTION | {"更正值": "2026\u200b-04-01"}, "K2", "control_character", "（\\u200b）"),
        (CORRECTION | {"更正值": "_x0000_12"}, "K2", "control_character", "（\\x00）"),
        (
            {"处理方式": "情况说明", "原因说明": "停保_x0007_"},
            "L2",
            "control_character",
            "（\\x07）",
        ),
        (
            {"处理方式": "情况说明", "原因说明": "保单\u202e已注销"},
            "L2",
            "direction_sign",
            "第 3 个字符是文字方向控制符 U+202E",
        ),
        (CORRECTION | {"更正值": "\u20662026-04-01"}, "K2", "direction_sign", "U+2066"),
        ({"处理方式": "情况说明", "原因说明": "长" * 2001}, "L2", "reason_long", "2001 个字符，最多 2000 个"),
    ],
)
def test_a_mistaken_answer_is_named_with_its_cell(
    tmp_path: Path, cells: dict[str, Any], cell: str, code: str, expected: str
) -> None:
    answers = answers_of(filled(tmp_path / "b.xlsx", 2, cells))
    (line,) = answers.mistaken
    (mistake,) = line.mistakes
    assert (line.finding, line.sheet, line.row, mistake.code) == (DATE, POLICIES, 2, f"workbooks.{code}")
    assert f"工作表“{POLICIES}”{cell}" in str(mistake) and expected in str(mistake)
    assert line.remark == str(mistake)
    assert answers.answers == () and answers.unanswered == (AMOUNT, PERSON, CLAIM)


def test_an_id_that_became_a_number_has_lost_its_digits(tmp_path: Path) -> None:
    cells = CORRECTION | {"更正值": 110105194912310021}
    (line,) = answers_of(filled(tmp_path / "b.xlsx", 2, cells, CUSTOMERS)).mistaken
    assert line.mistakes[0].code == "workbooks.number_for_text"
    assert f"工作表“{CUSTOMERS}”K2（更正值）" in line.remark
    assert "以数值保存，证件号、代码、日期会因此丢失位数" in line.remark
    assert line.given == GivenAnswer("报表更正", "", "录入错误"), "lost digits are not given back as a value"


def test_an_array_formula_is_a_formula(tmp_path: Path) -> None:
    """Its cell holds a cached text, which is not taken for an answer."""

    def change(parts: dict[str, bytes]) -> None:
        part = "xl/worksheets/sheet3.xml"
        blank = parts[part].split(b'<c r="L2"')[1].split(b"/>")[0]
        formula = b'<c r="L2" t="str"><f t="array" ref="L2:L3">A2:A3&amp;""</f><v>ok</v></c>'
        parts[part] = parts[part].replace(b'<c r="L2"' + blank + b"/>", formula)

    (line,) = answers_of(repacked(sent(tmp_path / "b.xlsx"), change)).mistaken
    assert line.mistakes[0].code == "workbooks.formula"
    assert f'工作表“{POLICIES}”L2（原因说明）：填写了公式 =A2:A3&""' in line.remark


@pytest.mark.parametrize("stored", ["abc", "1.2.3", "", " 1", "1e", "inf", "nan", "0x10", "9" * 400, "1e999"])
def test_what_is_stored_as_a_number_and_is_none_is_no_amount(tmp_path: Path, stored: str) -> None:
    def change(parts: dict[str, bytes]) -> None:
        part = "xl/worksheets/sheet3.xml"
        parts[part] = re.sub(
            rb'<c r="K3"([^>]*)/>', rf'<c r="K3"\1><v>{stored}</v></c>'.encode(), parts[part]
        )
        assert b"<v>" + stored.encode() in parts[part]

    answers = answers_of(repacked(sent(tmp_path / "b.xlsx"), change))
    if stored:
        (line,) = answers.mistaken
        assert line.mistakes[0].code == "workbooks.number_for_text" and f"{POLICIES}”K3" in line.remark
    else:
        assert answers.unanswered[1] == AMOUNT, "an empty number is an empty cell"


def test_half_a_character_is_shown_as_such_and_breaks_nothing(tmp_path: Path) -> None:
    cells = {"处理方式": "情况说明", "原因说明": "保单_xD83D__xDE00_已_xD800_注销"}
    (answer,) = answers_of(filled(tmp_path / "b.xlsx", 2, cells)).answers
    assert answer.reason == "保单😀已\ufffd注销"


def test_an_amount_takes_no_serial_of_a_date_and_no_exponent(tmp_path: Path) -> None:
    problems = [problem(1, value="1.5", expected=None)]
    path = filled(tmp_path / "b.xlsx", 2, CORRECTION | {"更正值": 1e300})
    sent_here = sent(tmp_path / "c.xlsx", problems)

    def change(workbook: Any) -> None:
        for header, value in (CORRECTION | {"更正值": 1e300}).items():
            put(workbook[POLICIES], 2, header, value)

    (line,) = read_answers(edited(sent_here, change), IDENTITY, problems, key=KEY).mistaken
    assert line.mistakes[0].code == "workbooks.number_for_text"
    assert answers_of(path).mistaken[0].mistakes[0].code == "workbooks.number_for_text"


def test_the_good_lines_are_taken_and_the_others_come_back(tmp_path: Path) -> None:
    def change(workbook: Any) -> None:
        sheet = workbook[POLICIES]
        put(sheet, 2, "处理方式", "源头修正")
        put(sheet, 3, "处理方式", "报表更正")
        put(sheet, 3, "原因说明", "#N/A")

    answers = answers_of(edited(sent(tmp_path / "b.xlsx"), change))
    assert [answer.finding for answer in answers.answers] == [DATE]
    assert [(line.finding, line.row, line.given) for line in answers.mistaken] == [
        (AMOUNT, 3, GivenAnswer("报表更正", "", ""))
    ]
    assert answers.unanswered == (PERSON, CLAIM)
    assert [m.code for m in answers.mistakes] == ["workbooks.error_value"]


def test_what_nobody_can_see_is_left_out_of_what_is_given_back(tmp_path: Path) -> None:
    cells = {"处理方式": "情况说明", "原因说明": "保单\u202e已\n注销_x0007_"}
    (line,) = answers_of(filled(tmp_path / "b.xlsx", 2, cells)).mistaken
    assert line.given == GivenAnswer("情况说明", "", "保单已\n注销")


def test_a_changed_locked_cell_refuses_all_and_names_the_lines_too(tmp_path: Path) -> None:
    def change(workbook: Any) -> None:
        put(workbook[POLICIES], 2, "处理方式", "情况说明")
        put(workbook[POLICIES], 3, "处理方式", "报表更正")
        put(workbook[CUSTOMERS], 2, "当前值", "改掉")

    refused = refusal(edited(sent(tmp_path / "b.xlsx"), change))
    assert [detail.code.removeprefix("workbooks.") for detail in refused.details] == [
        "locked_changed",
        "reason_missing",
        "new_value_missing",
        "correction_reason_missing",
    ]
