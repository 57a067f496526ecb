"""A workbook as it is sent out, and how to damage one; shared by the tests of this folder."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipelines.errors import BadInput
from pipelines.stages.workbooks import (
    Answers,
    Problem,
    WorkbookIdentity,
    read_answers,
    write_branch_workbook,
)

IDENTITY = WorkbookIdentity(
    filing="circ_audit.detail.JH-2026-003",
    round=1,
    content="c0" * 32,
    organisation="330000",
    organisation_name="浙江分公司",
    sign_off="QB-2026-0007",
    answer_by=date(2026, 5, 7),
    department="CX",
    department_name="车险部",
    part=2,
    parts=4,
)
KEY = b"the key of these tests, 32 bytes"


def problem(number: int, **changes: Any) -> Problem:
    facts: dict[str, Any] = {
        "finding": f"{number:032x}",
        "rule": "D01",
        "severity": "block",
        "message": "起保日期晚于终保日期",
        "table": "BDXXB",
        "table_title": "保单信息表",
        "key": (("BDH", f"P{number:04d}"),),
        "field": "ZBRQ",
        "field_title": "终保日期",
        "value": "2026-03-01",
        "expected": "2026-04-01",
        "difference": None,
    }
    return Problem(**facts | changes)


DATE, AMOUNT, PERSON, CLAIM = (f"{n:032x}" for n in (1, 2, 3, 4))
PROBLEMS = [
    problem(1),
    problem(
        2, rule="E04", field="BF", field_title="保费", value="100.00", expected="120.00", difference="20.00"
    ),
    problem(
        3,
        rule="B01",
        severity="explain",
        message="身份证号校验码错误",
        table="KHXXB",
        table_title="客户信息表",
        key=(("KHBH", "K1"),),
        field="ZJHM",
        field_title="证件号码",
        value="110105194912310021",
        expected="11010519491231002X",
    ),
    problem(
        4,
        rule="E06",
        message="赔款支付没有赔案",
        table="PKZFB",
        table_title="赔款支付表",
        key=(("PAH", "A1"), ("JSSH", "=1+1"), ("ZFXH", "1")),
        field="PAH",
        field_title="赔案号",
        value="A1",
        expected=None,
    ),
]
POLICIES, CUSTOMERS, PAYMENTS = "BDXXB 保单信息表", "KHXXB 客户信息表", "PKZFB 赔款支付表"


def sent(
    path: Path,
    problems: list[Problem] | None = None,
    identity: WorkbookIdentity = IDENTITY,
    key: bytes | None = KEY,
) -> Path:
    write_branch_workbook(path, identity, PROBLEMS if problems is None else problems, key=key)
    return path


def answers_of(path: Path, identity: WorkbookIdentity = IDENTITY) -> Answers:
    return read_answers(path, identity, PROBLEMS, key=KEY)


def refusal(path: Path) -> BadInput:
    """The refusal of a workbook, its code and text the only detail where there is one."""
    with pytest.raises(BadInput) as refused:
        answers_of(path)
    return refused.value


def edited(path: Path, change: Callable[[Any], None]) -> Path:
    """Open the workbook as a person would, change it, save it."""
    workbook = load_workbook(path)
    change(workbook)
    workbook.save(path)
    return path


def repacked(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change the parts inside the zip."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def columns(sheet: Any) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[1]}


def filled(path: Path, row: int, cells: dict[str, Any], sheet: str = POLICIES) -> Path:
    """A workbook as sent, with these cells of one line filled in as a spreadsheet program stores them."""

    def change(workbook: Any) -> None:
        for header, value in cells.items():
            put(workbook[sheet], row, header, value)

    return edited(sent(path), change)


def put(sheet: Any, row: int, header: str, value: Any) -> None:
    sheet.cell(row, columns(sheet)[header]).value = value
