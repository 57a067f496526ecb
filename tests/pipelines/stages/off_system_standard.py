"""A small standard with a field of every kind, a filing under it, and how a person fills in its template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from pipelines.ledger.filing import FilingState, Recorded
from pipelines.ledger.filing_events import FilingOpened
from pipelines.stages.off_system_template import write_form
from validations.engine import Standard
from validations.engine.loader import load_folder

TABLE = "KEPT"
_STANDARD = """\
name: own
title: {zh: 样例, en: Sample}
version: "1.0"
effective: 2026-01-01
authority: {zh: 样例机关, en: Sample authority}
status: reconstructed
note: {zh: 测试, en: for tests}
reports:
  - {name: detail, title: {zh: 明细, en: Detail}, rhythm: on_request, due: {by: request}, tables: [KEPT, OTHER], package: text}
packages:
  - {name: text, format: delimited, encoding: gb18030, delimiter: "|", header: false, file: "{table}-{date}.txt"}
"""
_KEPT = """\
name: KEPT
title: {zh: 留存表, en: Kept rows}
key: [NO]
organisation: ORG
fields:
  - {name: LSH, title: {zh: 流水号, en: Serial}, type: text, length: 30, assigned: true}
  - {name: ORG, title: {zh: 机构, en: Organisation}, type: text, length: 6, mandatory: true}
  - {name: NO, title: {zh: 编号, en: Number}, type: text, length: 20, mandatory: true}
  - {name: IDNO, title: {zh: 证件号, en: ID}, type: text, length: 18, check: resident_id}
  - {name: KIND, title: {zh: 类型, en: Kind}, type: text, codes: kind, mandatory: "COUNT > 0"}
  - {name: PLACE, title: {zh: 地区, en: Place}, type: text, codes: place}
  - {name: KINDS, title: {zh: 各类型, en: Kinds}, type: text, codes: kind, separator: ";"}
  - {name: NAME, title: {zh: 名称, en: Name}, type: text}
  - {name: POST, title: {zh: 邮编, en: Postcode}, type: text, check: postcode}
  - {name: COUNT, title: {zh: 件数, en: Count}, type: integer}
  - {name: AMOUNT, title: {zh: 金额, en: Amount}, type: decimal, precision: 20, scale: 2}
  - {name: RATE, title: {zh: 比例, en: Rate}, type: decimal, precision: 10, scale: 4}
  - {name: DAY, title: {zh: 日期, en: Day}, type: date, mandatory: true}
"""
_OTHER = """\
name: OTHER
title: {zh: 另一表, en: Another}
key: [NO]
fields:
  - {name: NO, title: {zh: 编号, en: Number}, type: text}
"""
_RULE = """\
- {{id: {id}, severity: {severity}, judges: content, constraint: "{constraint}", message: {{zh: "{zh}", en: "{en}"}}, citation: test}}
"""
_RULES = "".join(
    _RULE.format(id=number, severity=severity, constraint=constraint, zh=zh, en=en)
    for number, severity, constraint, zh, en in (
        ("A01", "block", "mandatory", "必填项为空", "mandatory and empty"),
        ("A02", "block", "length", "太长", "too long"),
        ("A03", "block", "encoding", "不能写入报文", "cannot be sent"),
        ("A04", "block", "date_range", "日期不合理", "no sensible day"),
        ("B01", "block", "codes", "不在代码表内", "not in the list"),
        ("B02", "block", "check:resident_id", "校验位不对", "wrong check digit"),
        ("B03", "explain", "check:postcode", "邮编不对", "no postcode"),
    )
)
PLACES = [f"P{number:04d}" for number in range(300)]
FILING = "own.detail.JH-1"
STATE = FilingState(
    FILING,
    Recorded(
        1,
        "calendar",
        datetime(2026, 5, 6, tzinfo=UTC),
        "",
        FilingOpened(
            standard="own",
            report="detail",
            key="JH-1",
            authority="样例机关",
            date_from=date(2026, 1, 1),
            date_to=date(2026, 3, 31),
            organisations=("000000",),
            deadline=date(2026, 5, 15),
            planned_on=date(2026, 5, 14),
            opened_by="request",
            basis="JH-1",
        ),
    ),
)
GOOD: dict[str, Any] = {
    "ORG": "000000", "NO": "0001", "IDNO": "11010519491231002X", "KIND": "个人", "PLACE": "P0007",
    "KINDS": "个人;单位", "NAME": "某公司", "POST": "100000", "COUNT": 2, "AMOUNT": 12.34, "RATE": 0.125,
    "DAY": date(2026, 3, 31),
}  # fmt: skip


def write_standard(root: Path) -> Standard:
    folder = root / "own"
    files = {
        "standard.yaml": _STANDARD,
        "tables/KEPT.yaml": _KEPT,
        "tables/OTHER.yaml": _OTHER,
        "rules/rules.yaml": _RULES,
        "codes/kind.csv": (
            "code,title_zh,title_en,from,to\n个人,个人,person,,\n单位,单位,company,,\n"
            "军队,军队,army,,2020-12-31\n"
        ),
        "codes/place.csv": "code,title_zh,title_en\n" + "".join(f"{p},地方{p},{p}\n" for p in PLACES),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return load_folder(folder)


def template(standard: Standard, path: Path, table: str = TABLE) -> Path:
    write_form(path, standard, standard.table(table), STATE, "财务会计部（finance）")
    return path


def filled(standard: Standard, path: Path, *rows: dict[str, Any]) -> Path:
    """The template with rows typed into it, field by field; what is None is left empty."""

    def fill(book: Any) -> None:
        sheet = book[TABLE]
        columns = {field.name: n for n, field in enumerate(standard.table(TABLE).stored_fields, 1)}
        for number, row in enumerate(rows, 2):
            for name, value in row.items():
                if value is not None:
                    sheet.cell(number, columns[name], value)

    return edited(template(standard, path), fill)


def edited(path: Path, edit: Callable[[Any], object]) -> Path:
    book = load_workbook(path)
    edit(book)
    book.save(path)
    return path


def headings(path: Path, table: str = TABLE) -> Sequence[str]:
    return [cell.value for cell in load_workbook(path)[table][1]]
