"""Workbooks with parts or cells that nobody who fills one in makes: each is refused with its code and the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.stages.workbooks import write_branch_workbook
from tests.pipelines.stages.workbooks.sent_workbook import (
    IDENTITY,
    KEY,
    POLICIES,
    PROBLEMS,
    answers_of,
    refusal,
    repacked,
    sent,
)

SHEET = "xl/worksheets/sheet3.xml"
BOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Change = Callable[[dict[str, bytes]], None]


def replaced(part: str, old: str, new: str) -> Change:
    def change(parts: dict[str, bytes]) -> None:
        assert old.encode() in parts[part], parts[part][:2000]
        parts[part] = parts[part].replace(old.encode(), new.encode(), 1)

    return change


def added(part: str, content: bytes = b"<x/>") -> Change:
    return lambda parts: parts.update({part: content})


def removed(part: str) -> Change:
    return lambda parts: parts.pop(part) and None


def far_cell(reference: str) -> Change:
    row = re.sub("[A-Z]", "", reference)
    cell = f'<row r="{row}"><c r="{reference}" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    return replaced(SHEET, "</sheetData>", cell)


def name_defined(value: str) -> Change:
    return replaced(BOOK, "<definedNames>", f'<definedNames><definedName name="坏">{value}</definedName>')


def linked(kind: str, target: str) -> Change:
    link = f'<Relationship Id="rId99" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="External"/>'
    return added("xl/worksheets/_rels/sheet3.xml.rels", f"<Relationships>{link}</Relationships>".encode())


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (added("xl/vbaProject.bin"), "macros", "b.xlsx 含有宏 (vbaProject.bin)"),
        (added("XL/VBAPROJECT.BIN"), "macros", "b.xlsx 含有宏"),
        (added("xl/macrosheets/sheet1.xml"), "macros", "b.xlsx 含有宏"),
        (replaced("[Content_Types].xml", "sheet.main", "sheet.macroEnabled.main"), "macros", "含有宏"),
        (replaced(BOOK, "<workbook", '<!DOCTYPE x [<!ENTITY a "b">]><workbook'), "doctype", "DOCTYPE"),
        (
            replaced(SHEET, "<worksheet", f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><worksheet'),
            "doctype",
            "b.xlsx 内的 XML 含有 DOCTYPE",
        ),
        (replaced(SHEET, "<worksheet", "<!DOCTYPE x><worksheet"), "doctype", "DOCTYPE"),
        (
            replaced(SHEET, "<worksheet", "<!--" + "x" * 9000 + "--><!DOCTYPE x><worksheet"),
            "doctype",
            "DOCTYPE",
        ),
        (
            added("xl/sharedStrings.xml", b"<!--" + b"x" * 9000 + b"--><!DOCTYPE x><sst/>"),
            "doctype",
            "DOCTYPE",
        ),
        (
            added("docProps/extra.xml", '<?xml version="1.0"?><!DOCTYPE x><x/>'.encode("utf-16")),
            "doctype",
            "DOCTYPE",
        ),
        (
            added("xl/externalLinks/externalLink1.xml"),
            "foreign_part",
            "（xl/externalLinks/externalLink1.xml）",
        ),
        (added("xl/connections.xml"), "foreign_part", "数据连接或嵌入对象（xl/connections.xml）"),
        (added("xl/queryTables/queryTable1.xml"), "foreign_part", "（xl/queryTables/queryTable1.xml）"),
        (added("xl/embeddings/oleObject1.bin"), "foreign_part", "（xl/embeddings/oleObject1.bin）"),
        (added("xl/activeX/activeX1.xml"), "foreign_part", "（xl/activeX/activeX1.xml）"),
        (linked("oleObject", "file:///C:/a.doc"), "foreign_part", "sheet3.xml.rels → file:///C:/a.doc"),
        (linked("hyperlink", "file://server/share"), "foreign_part", "sheet3.xml.rels → file://server/share"),
        (name_defined("cmd|'/C calc'!A0"), "defined_name", "名称“坏”（cmd|'/C calc'!A0）"),
        (name_defined("[1]Sheet1!$A$1"), "defined_name", "名称“坏”（[1]Sheet1!$A$1）"),
        (name_defined('WEBSERVICE("http://x.invalid")'), "defined_name", "名称“坏”（WEBSERVICE"),
        (added("../../etc/cron.d/x"), "damaged", "part named '../../etc/cron.d/x'"),
        (added("/etc/passwd"), "damaged", "part named '/etc/passwd'"),
        (added("xl\\evil.xml"), "damaged", r"part named 'xl\\evil.xml'"),
        (added("C:evil.xml"), "damaged", "part named 'C:evil.xml'"),
        (added("XL/Workbook.XML"), "damaged", "duplicate parts"),
        (removed(SHEET), "damaged", f"There is no item named '{SHEET}'"),
        (removed(BOOK), "not_xlsx", "b.xlsx 不是 .xlsx 工作簿"),
        (removed(RELATIONS), "damaged", f"There is no item named '{RELATIONS}'"),
        (far_cell("XFD1048576"), "beyond", f"工作表“{POLICIES}”在 XFD1048576 处有内容，超出了应有的"),
        (far_cell("A1048576"), "beyond", "在 A1048576 处有内容"),
        (far_cell("A1048577777"), "damaged", f"{POLICIES}: cell A1048577777 in row 1048577777"),
        (far_cell("A2"), "damaged", f"{POLICIES}: row 2 after row 3"),
        (replaced(SHEET, 'r="B2"', 'r="A2"'), "damaged", f"{POLICIES}: cell A2 out of order"),
        (replaced(SHEET, 'r="B2"', 'r="B3"'), "damaged", f"{POLICIES}: cell B3 in row 2"),
        (replaced(SHEET, "</sheetData>", ""), "damaged", "mismatched tag"),
        (replaced(SHEET, "</is>", "\0</is>"), "damaged", "ExpatError: not well-formed"),
        (
            replaced(SHEET, 't="inlineStr"><is><t', 't="s"><v>99</v><is><t'),
            "damaged",
            "shared string 99 of 0",
        ),
        (
            replaced(SHEET, "</sheetData>", '</sheetData><mergeCells><mergeCell ref="J2:J3"/></mergeCells>'),
            "merged",
            f"工作表“{POLICIES}”合并了单元格 J2:J3",
        ),
        (
            replaced(SHEET, "<t>阻断</t>", f"<t>{'长' * 32_768}</t>"),
            "damaged",
            f"{POLICIES}!D2: 32768 characters",
        ),
    ],
)
def test_what_no_spreadsheet_program_writes_into_a_form_is_refused(
    tmp_path: Path, change: Change, code: str, words: str
) -> None:
    refused = refusal(repacked(sent(tmp_path / "b.xlsx"), change))
    assert (refused.code, words in str(refused)) == (f"workbooks.{code}", True), str(refused)


@pytest.mark.parametrize(
    "change",
    [
        linked("hyperlink", "mailto:a@b.invalid"),
        linked("hyperlink", "https://b.invalid/x"),
        name_defined(f"'{POLICIES}'!$A$1:$N$9,'{POLICIES}'!$1:$1"),
        added("customXml/item1.xml"),
        added("docProps/custom.xml"),
    ],
)
def test_what_spreadsheet_programs_add_by_themselves_is_let_be(tmp_path: Path, change: Change) -> None:
    assert len(answers_of(repacked(sent(tmp_path / "b.xlsx"), change)).unanswered) == 4


def test_a_false_dimension_hides_nothing(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[SHEET] = re.sub(rb"<dimension[^>]*>", b"", parts[SHEET]).replace(
            b"<sheetData>", b'<dimension ref="A1:A1"/><sheetData>'
        )
        parts[SHEET] = parts[SHEET].replace(b"2026-04-01", b"2026-04-02", 1)

    refused = refusal(repacked(sent(tmp_path / "b.xlsx"), change))
    assert [detail.code for detail in refused.details] == ["workbooks.locked_changed"]
    assert "应为“2026-04-01”，现为“2026-04-02”" in str(refused)


def test_shared_strings_with_runs_and_hints_are_read_as_they_show(tmp_path: Path) -> None:
    """What Excel makes of a cell of which a part was coloured, with the reading hints of an East Asian input method."""
    shared = "<sst><si><r><t>起保日期</t></r><r><t>晚于终保日期</t></r><rPh><t>クシ</t></rPh></si></sst>"

    def change(parts: dict[str, bytes]) -> None:
        text = "<is><t>起保日期晚于终保日期</t></is>".encode()
        assert parts[SHEET].count(text) == 2
        parts[SHEET] = parts[SHEET].replace(b't="inlineStr">' + text, b't="s"><v>0</v>')
        parts["xl/sharedStrings.xml"] = shared.encode()

    assert len(answers_of(repacked(sent(tmp_path / "b.xlsx"), change)).unanswered) == 4


def test_a_sheet_listed_twice_is_refused(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        book = parts[BOOK].decode()
        entry = re.search(f'<sheet name="{POLICIES}"[^>]*/>', book)
        assert entry
        parts[BOOK] = book.replace(entry.group(), entry.group() * 2).encode()

    refused = refusal(repacked(sent(tmp_path / "b.xlsx"), change))
    assert "workbooks.sheet_twice" in [detail.code for detail in refused.details]
    assert f"工作表“{POLICIES}”出现了两次" in str(refused)


def test_rows_beyond_those_sent_are_refused(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(4, 200))
    path = repacked(sent(tmp_path / "b.xlsx"), replaced(SHEET, "</sheetData>", rows + "</sheetData>"))
    refused = refusal(path)
    assert refused.code == "workbooks.beyond" and f"工作表“{POLICIES}”在 A118 处" in str(refused)


def test_a_returned_workbook_is_read_with_the_same_care(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    write_branch_workbook(path, IDENTITY, PROBLEMS, key=KEY, remarks={PROBLEMS[0].finding: "退回"})
    formula = replaced(SHEET, 't="inlineStr"><is><t>退回<', 't="str"><f>1+1</f><v>2</v><is><t><')
    refused = refusal(repacked(path, formula))
    assert [detail.code for detail in refused.details] == ["workbooks.locked_changed"]
    assert f"工作表“{POLICIES}”M2" in str(refused) and "现为“=1+1”" in str(refused)
