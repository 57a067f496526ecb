"""Workbooks that LibreOffice opened and saved read back as if it had not: it rewrites everything but the texts.

It makes shared strings of inline ones, `hidden` of `veryHidden`, drops the structure's lock and empty cells, and adds
drawings; none of this is an alteration. `make prove` runs these with the real program.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipelines.stages.workbooks import Answer, GivenAnswer, read_answers, read_identity, write_branch_workbook
from resources.demo.fill_workbook import fill_answers
from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CUSTOMERS,
    DATE,
    IDENTITY,
    KEY,
    PERSON,
    POLICIES,
    PROBLEMS,
    problem,
)

pytestmark = pytest.mark.prove

VALUES = (
    *("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "#N/A", "007", "123456789012345678", "_x0041_", " 空格 "),
    *(
        "<r><t>x</t></r>",
        "a\nb",
        "a\tb",
        "\n",
        " ",
        "\x01x",
        "\r\nq",
        "\ud800",
        "\ufffe",
        "\u202ex",
        "x\u00a0",
    ),
    *(
        "1E5",
        "TRUE",
        "2026-03-01",
        "12:30",
        "1/2",
        "'abc",
        "a  b",
        "㐀𠀀🙂",
        "e\u0301",
        "\u3000全角",
        "&amp;",
        "长" * 32_000,
    ),
)
ODD = [
    problem(100 + n, key=(("BDH", value[:40]),), value=value, expected=value, difference=value)
    for n, value in enumerate(VALUES)
]
EVERYTHING = [*PROBLEMS, *ODD]
GIVEN = {
    DATE: ("源头修正", "", "已在核心系统改正"),
    AMOUNT: ("报表更正", "120.00", "录入错误"),
    PERSON: ("情况说明", "", "=第一行\n第二行"),
}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


def saved_by_libreoffice(path: Path, profile: Path) -> Path:
    """Opened and saved as .xlsx in a profile of its own, so that no other LibreOffice is asked."""
    program = shutil.which("soffice")
    assert program, "make office installs LibreOffice Calc"
    out = path.parent / "saved"
    subprocess.run(
        [
            program,
            "--headless",
            f"-env:UserInstallation={profile.as_uri()}",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(out),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return out / path.name


def test_an_untouched_workbook_reads_back(tmp_path: Path, profile: Path) -> None:
    path = tmp_path / "b.xlsx"
    write_branch_workbook(path, IDENTITY, EVERYTHING, key=KEY)
    saved = saved_by_libreoffice(path, profile)
    with zipfile.ZipFile(saved) as archive:
        assert "xl/sharedStrings.xml" in archive.namelist(), "it was LibreOffice that wrote this"
    assert read_identity(saved, key=KEY) == IDENTITY
    answers = read_answers(saved, IDENTITY, EVERYTHING, key=KEY)
    assert (answers.answers, answers.mistaken, answers.notices) == ((), (), ())
    assert set(answers.unanswered) == {p.finding for p in EVERYTHING}


def test_answers_filled_in_before_come_back(tmp_path: Path, profile: Path) -> None:
    path = tmp_path / "b.xlsx"
    write_branch_workbook(path, IDENTITY, EVERYTHING, key=KEY)
    assert fill_answers(path, tmp_path / "filled.xlsx", GIVEN) == 3
    direct = read_answers(tmp_path / "filled.xlsx", IDENTITY, EVERYTHING, key=KEY)
    saved = read_answers(
        saved_by_libreoffice(tmp_path / "filled.xlsx", profile), IDENTITY, EVERYTHING, key=KEY
    )
    assert saved == direct
    assert [(a.finding, a.handling, a.new_value, a.reason) for a in saved.answers] == [
        (DATE, "source_fix", None, "已在核心系统改正"),
        (AMOUNT, "report_correction", "120.00", "录入错误"),
        (PERSON, "explanation", None, "=第一行\n第二行"),
    ]


def test_a_returned_workbook_survives_and_its_mistakes_are_found_again(tmp_path: Path, profile: Path) -> None:
    path = tmp_path / "b.xlsx"
    given = {DATE: GivenAnswer("报表更正", "", "录入错误"), PERSON: GivenAnswer("情况说明", "", "=客户")}
    remarks = {DATE: "没有填写更正值"}
    write_branch_workbook(path, IDENTITY, PROBLEMS, key=KEY, given=given, remarks=remarks)
    answers = read_answers(saved_by_libreoffice(path, profile), IDENTITY, PROBLEMS, key=KEY)
    assert answers.answers == (Answer(PERSON, "explanation", None, "=客户", CUSTOMERS, 2),)
    assert [(line.finding, line.sheet, line.row, line.given) for line in answers.mistaken] == [
        (DATE, POLICIES, 2, given[DATE])
    ]
