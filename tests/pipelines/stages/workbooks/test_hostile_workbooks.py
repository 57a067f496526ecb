"""Workbooks that are not what was sent out: each is refused with the reason, the place and the way out."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import BadInput
from pipelines.stages.workbooks import read_answers
from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CUSTOMERS,
    IDENTITY,
    PAYMENTS,
    POLICIES,
    PROBLEMS,
    edited,
    put,
    repacked,
    sent,
)
from validations.engine import raw_cells_input as raw_cells

SHEET = "xl/worksheets/sheet3.xml"


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as refused:
        read_answers(path, IDENTITY, PROBLEMS)
    return str(refused.value)


def replaced(part: str, old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        assert old.encode() in parts[part], parts[part][:2000]
        parts[part] = parts[part].replace(old.encode(), new.encode(), 1)

    return change


def added(part: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({part: content})


def far_cell(reference: str) -> Callable[[dict[str, bytes]], None]:
    row = re.sub("[A-Z]", "", reference)
    cell = f'<row r="{row}"><c r="{reference}" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    return replaced(SHEET, "</sheetData>", cell)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (added("xl/vbaProject.bin", b"x"), "含有宏 (vbaProject.bin)"),
        (added("XL/VBAPROJECT.BIN", b"x"), "含有宏"),
        (added("xl/macrosheets/sheet1.xml", b"<x/>"), "含有宏"),
        (replaced("[Content_Types].xml", "sheet.main", "sheet.macroEnabled.main"), "含有宏"),
        (replaced("xl/workbook.xml", "<workbook", '<!DOCTYPE x [<!ENTITY a "b">]><workbook'), "DOCTYPE"),
        (replaced(SHEET, "<worksheet", "<!DOCTYPE x><worksheet"), "DOCTYPE"),
        (replaced(SHEET, "<worksheet", "<!--" + "x" * 9000 + "--><!DOCTYPE x><worksheet"), "DOCTYPE"),
        (added("docProps/extra.xml", '<?xml version="1.0"?><!DOCTYPE x><x/>'.encode("utf-16")), "DOCTYPE"),
        (far_cell("XFD1048576"), f"工作表“{POLICIES}”在 XFD1048576 处有内容"),
        (far_cell("A1048576"), "A1048576 处有内容"),
        (far_cell("A1048577777"), "已损坏"),
        (far_cell("A2"), "已损坏或结构不正常"),
        (replaced(SHEET, 'r="B2"', 'r="A2"'), "out of order"),
        (replaced(SHEET, 'r="B2"', 'r="B3"'), "cell B3 in row 2"),
        (replaced(SHEET, "</sheetData>", ""), "已损坏"),
        (
            replaced(SHEET, "</sheetData>", '</sheetData><mergeCells><mergeCell ref="J2:J3"/></mergeCells>'),
            "合并了单元格 J2:J3",
        ),
        (lambda parts: parts.pop(SHEET), "已损坏"),
        (lambda parts: parts.pop("xl/workbook.xml"), "不是 .xlsx 工作簿"),
        (replaced(SHEET, 't="inlineStr"><is><t', 't="s"><v>99</v><is><t'), "shared string 99 of 0"),
    ],
)
def test_a_file_that_no_spreadsheet_program_writes_is_refused(tmp_path: Path, change, expected: str) -> None:
    assert expected in refusal(repacked(sent(tmp_path / "b.xlsx"), change))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "不是 .xlsx 工作簿"),
        (b"\xef\xbb\xbfa,b\n1,2\n", "不是 .xlsx 工作簿"),
        (b"PK\x03\x04 but nothing else", "已损坏"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "已加密"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "旧版 .xls"),
    ],
)
def test_what_is_not_a_workbook_is_called_by_its_name(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    assert expected in refusal(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "找不到反馈工作簿" in refusal(tmp_path / "none.xlsx")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = repacked(sent(tmp_path / "b.xlsx"), added("xl/media/zero.bin", b"\0" * (20 << 20)))
    assert path.stat().st_size < 100_000
    assert "压缩比异常" in refusal(path)


def test_shared_strings_that_multiply_are_stopped(tmp_path: Path) -> None:
    """A small file whose one long string is referred to again and again would print gigabytes."""
    cells = "".join(f'<c r="{column}{{0}}" t="s"><v>0</v></c>' for column in "ABCDEFGHIJKLMNOPQRSTUV")
    rows = "".join(f'<row r="{n}">{cells.format(n)}</row>' for n in range(4, 104))
    strings = f"<sst><si><t>{'一' * 32_000}</t></si></sst>"

    def change(parts: dict[str, bytes]) -> None:
        replaced(SHEET, "</sheetData>", rows + "</sheetData>")(parts)
        parts["xl/sharedStrings.xml"] = strings.encode()

    path = repacked(sent(tmp_path / "b.xlsx"), change)
    assert path.stat().st_size < 20_000
    assert "的内容超过 400 MB" in refusal(path)


def test_a_part_listed_twice_is_refused(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(SHEET, b"<worksheet/>")
    assert "duplicate parts" in refusal(path)


def test_a_false_dimension_hides_nothing(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[SHEET] = re.sub(rb"<dimension[^>]*>", b"", parts[SHEET]).replace(
            b"<sheetData>", b'<dimension ref="A1:A1"/><sheetData>'
        )
        parts[SHEET] = parts[SHEET].replace(b"2026-04-01", b"2026-04-02", 1)

    assert "应为“2026-04-01”，现为“2026-04-02”" in refusal(repacked(sent(tmp_path / "b.xlsx"), change))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"filing": "circ_audit.detail.JH-2026-004"}, "这是报送任务 circ_audit.detail.JH-2026-004 的工作簿"),
        ({"round": 2}, "这是第 2 轮的工作簿，现在是第 1 轮"),
        ({"organisation": "440000"}, "这是机构 440000 的工作簿，现在要的是机构 330000 的"),
        ({"content": "dd" * 32}, "已被新内容"),
        ({"sign_off": "QB-2026-9999"}, "_meta 被改动过（sign_off、sha256）"),
    ],
)
def test_a_workbook_of_something_else_is_refused(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    assert expected in refusal(sent(tmp_path / "b.xlsx", identity=replace(IDENTITY, **change)))


def test_a_workbook_of_other_problems_is_refused(tmp_path: Path) -> None:
    assert "_meta 被改动过（problems、sha256）" in refusal(sent(tmp_path / "b.xlsx", PROBLEMS[:2]))


def rename(old: str, new: str) -> Callable[[Any], None]:
    def change(workbook: Any) -> None:
        workbook[old].title = new

    return change


def swap_columns(workbook: Any) -> None:
    sheet = workbook[POLICIES]
    for row in sheet.iter_rows():
        row[1].value, row[2].value = row[2].value, row[1].value


def duplicate_row(workbook: Any) -> None:
    sheet = workbook[POLICIES]
    sheet.append([cell.value for cell in sheet[2]])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda w: w.remove(w["_meta"]), "_meta 不见了"),
        (lambda w: put_meta(w, "filing", None), "_meta 被改动过（filing）"),
        (lambda w: put_meta(w, "sha256", "0" * 64), "_meta 被改动过（sha256）"),
        (rename(POLICIES, "保单"), f"缺少工作表“{POLICIES}”（多出的工作表：保单）"),
        (lambda w: w.remove(w[CUSTOMERS]), f"缺少工作表“{CUSTOMERS}”（多出的工作表：—）"),
        (lambda w: w.create_sheet("备注").append(["x"]), "多出工作表“备注”"),
        (swap_columns, f"工作表“{POLICIES}”B1：列标题应为“规则说明”，现为“规则编号”"),
        (lambda w: w[POLICIES].insert_cols(5), f"工作表“{POLICIES}”E1：列标题应为“主键 BDH”，现为“—”"),
        (lambda w: w[POLICIES].delete_cols(11), f"工作表“{POLICIES}”K1：列标题应为“更正值”"),
        (lambda w: w[POLICIES].delete_rows(3), f"问题 {AMOUNT}（起保日期晚于终保日期）所在的行被删除了"),
        (duplicate_row, "与第 2 行重复"),
        (lambda w: put(w[POLICIES], 2, "问题编号", "f" * 32), "A2：问题编号“" + "f" * 32),
        (
            lambda w: put(w[POLICIES], 2, "主键 BDH", "P9999"),
            "E2：锁定的单元格被改动，应为“P0001”，现为“P9999”",
        ),
        (lambda w: put(w[POLICIES], 2, "当前值", None), "现为“—”"),
        (lambda w: put(w[PAYMENTS], 2, "主键 JSSH", "=1+1"), "F2：锁定的单元格被改动"),
        (lambda w: put(w[PAYMENTS], 2, "主键 ZFXH", 1), "G2：锁定的单元格被改动"),
        (lambda w: put(w[POLICIES], 2, "当前值", "2026-03-01 "), "锁定的单元格被改动"),
        (lambda w: w["汇总"].cell(2, 5, 99), "工作表“汇总”E2：锁定的单元格被改动，应为“1”，现为“99”"),
        (lambda w: w["说明"].cell(30, 1, "旁注"), "工作表“说明”A30"),
        (lambda w: w[POLICIES].cell(2, 15, "旁注"), "O2：锁定的单元格被改动，应为“—”，现为“旁注”"),
        (lambda w: w[POLICIES].cell(9, 14, "旁注"), "A9：问题编号“—”不在本表"),
    ],
)
def test_whatever_was_locked_must_be_as_it_was(tmp_path: Path, change, expected: str) -> None:
    assert expected in refusal(edited(sent(tmp_path / "b.xlsx"), change))


def put_meta(workbook: Any, name: str, value: str | None) -> None:
    sheet = workbook["_meta"]
    for row in sheet.iter_rows():
        if row[0].value == name:
            row[0].value, row[1].value = (name, value) if value else (None, None)


def test_hundreds_of_changes_are_counted_but_not_all_listed(tmp_path: Path) -> None:
    def change(workbook: Any) -> None:
        for row in range(16, 115):
            for column in (1, 2, 3):
                workbook["说明"].cell(row, column, "x")

    assert "另有 97 处问题未逐条列出" in refusal(edited(sent(tmp_path / "b.xlsx"), change))


def test_a_reader_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(raw_cells, "_PROGRAM", slow)
    monkeypatch.setattr(raw_cells, "PATIENCE", 0.003)
    assert "超出了内存或时间限制" in refusal(sent(tmp_path / "b.xlsx"))


def test_the_reader_gets_no_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text("import os, sys\nsys.exit('|'.join(sorted(os.environ)))\n")
    monkeypatch.setenv("BAOSONG_SECRET_FOR_TEST", "hidden")
    monkeypatch.setattr(raw_cells, "_PROGRAM", spy)
    assert "BAOSONG_SECRET_FOR_TEST" not in refusal(sent(tmp_path / "b.xlsx"))
