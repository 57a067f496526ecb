"""The workbook in which a department hands in one off-system table, made from the data dictionary.

Sheets: 说明 (which filing, who, by when, how to type), the table itself, 代码 (every code with its title: a list that is
hidden cannot be looked up). `form_of` tells the reader what stands where, so nothing is defined twice. No ledger, no reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from pipelines.ledger.filing import FilingState
from pipelines.stages.cell_text import cell_text
from pipelines.stages.installation import Installation
from pipelines.stages.off_system import owed_table
from pipelines.stages.workbooks.sealed_book import Book, require_written, sealed_book
from validations.engine import Code, Field, Standard, Table
from validations.engine.cell_values_input import EARLIEST_SERIAL, LATEST_SERIAL
from validations.engine.xlsx_input import Form

GUIDE, CODES = "说明", "代码"
LABEL_OF_FILING = "报送任务"
LAST_ROW = 1_048_576
INLINE_LIMIT, PROMPT_TITLE_LIMIT, PROMPT_LIMIT = 255, 32, 255
"""Characters that Excel holds in a list written into its rule, and in a rule's title and text."""
EXACT = 10**15
"""Below it Excel's numbers are exact."""


@dataclass(frozen=True)
class CodeColumn:
    """The codes that one or more fields may hold, as they stand on the sheet of codes."""

    name: str
    codes: tuple[Code, ...]


def write_template(installation: Installation, filing: str, table: str, path: Path) -> None:
    """Write the workbook for an off-system table of a filing; the same filing and dictionary give the same bytes.

    Raises BadInput when the table is not off-system there.
    """
    state = installation.state(filing)
    owed = owed_table(installation, state, table)
    standard = installation.standard(state.opened.fact.standard)
    department = installation.deployment.departments[owed.department].title.zh
    write_form(path, standard, owed.table, state, f"{department}（{owed.department}）")


def write_form(path: Path, standard: Standard, table: Table, state: FilingState, department: str) -> None:
    """The form itself: what `write_template` writes for a table, whoever owes it."""
    columns = _code_columns(standard, table, state)
    with sealed_book(path) as book:
        _write_guide(book, _guide(table, state, department))
        _write_table(book, table, columns)
        if columns:
            _write_codes(book, list(dict.fromkeys(columns.values())))


def heading(field: Field) -> str:
    """What stands over a column: code, title, and whether it must be filled in."""
    mark = "" if not field.mandatory else "（有条件必填）" if field.mandatory_when else "（必填）"
    return cell_text(f"{field.name}\n{' '.join(field.title.zh.split())}{mark}")


def form_of(table: Table) -> Form:
    """How the workbook of a table is read."""
    headings = {" ".join(heading(field).split()): field.name for field in table.stored_fields}
    return Form(table=table.name, beside=frozenset({GUIDE, CODES}), headings=headings)


def codes_of(standard: Standard, field: Field, state: FilingState) -> tuple[Code, ...]:
    """The codes a field may hold in the filing's period; all of them where another date of the row decides."""
    if field.codes is None:
        return ()
    codes = standard.codes[field.codes]
    known = codes.values if field.as_of else codes.in_force(state.date_from, state.date_to)
    latest = {code.code: code for code in codes.codes}
    return tuple(latest[code] for code in known)


def _code_columns(standard: Standard, table: Table, state: FilingState) -> dict[str, CodeColumn]:
    found: dict[str, CodeColumn] = {}
    for field in table.stored_fields:
        if field.codes is not None and (codes := codes_of(standard, field, state)):
            found[field.name] = CodeColumn(field.codes, codes)
    return found


def _guide(table: Table, state: FilingState, department: str) -> list[tuple[str, str]]:
    return [
        ("系统外数据填报模板", ""),
        (LABEL_OF_FILING, state.id),
        ("表", f"{table.name} {table.title.zh}"),
        ("报送期间", f"{state.date_from} 至 {state.date_to}"),
        ("填报部门", department),
        (
            "何时交回",
            f"计划报送日 {state.planned_on} 之前，并为校验与签报留出时间；报送期限 {state.deadline}。",
        ),
        ("填写何处", f"只填写工作表“{table.name}”，第 2 行起一行一条；不要增删列、改表头，不要合并单元格。"),
        ("必填", "表头为黄色、注明“必填”的列不能留空；没有内容的选填项留空，不要写“无”“-”“NULL”。"),
        ("日期", "写作 2026-01-31，列已设为日期格式；不带时刻。"),
        (
            "金额与比例",
            "只写数字，不带千分位、货币符号、单位和百分号；小数位数不超过列的格式；不要留公式，请粘贴为数值。",
        ),
        (
            "证件号与代码",
            "列已设为文本格式：前导零和第 15 位以后的数字都会保留；从别处复制时请“选择性粘贴—数值”。",
        ),
        ("代码", f"带下拉列表的列只能填写代码；代码的含义见工作表“{CODES}”。"),
        ("交回", "保存为 .xlsx，在审核台打开此报送任务的“系统外数据”，选择此表上传。"),
        ("再次交回", "整表交回：后一次代替前一次。打包或签报之后不再接收。"),
        (
            "确无数据",
            f"不要交空表，请零申报：baosong filing nil-return {state.id} --table {table.name} --reason …",
        ),
    ]


def _write_guide(book: Book, lines: Sequence[tuple[str, str]]) -> None:
    sheet = book.add_sheet(GUIDE, (20, 90))
    sheet.protect()
    (title, _), *rest = lines
    book.put(sheet, 0, 0, title, book.look("title", framed=False))
    looks = (book.look("strong"), book.look())
    for row, (name, said) in enumerate(rest, 1):
        book.put_row(sheet, row, (cell_text(name), cell_text(said)), looks)


def _write_table(book: Book, table: Table, codes: dict[str, CodeColumn]) -> None:
    sheet = book.add_sheet(table.name[:31], (), frozen=(1, 0))
    places = {column: place for place, column in enumerate(dict.fromkeys(codes.values()))}
    looks: list[Any] = []
    for number, field in enumerate(table.stored_fields):
        width = max(14, min(30, 2 * len(field.title.zh) + 8))
        look = book.typed_look(number_format(field))
        require_written(sheet.set_column(number, number, width, look), sheet, 0, number)
        rule = {
            **_restriction(field, codes.get(field.name), places),
            "input_title": f"{field.name} {field.title.zh}"[:PROMPT_TITLE_LIMIT],
            "input_message": _prompt(field)[:PROMPT_LIMIT],
        }
        require_written(sheet.data_validation(1, number, LAST_ROW - 1, number, rule), sheet, 1, number)
        looks.append(book.look("strong", fill="answer" if field.mandatory else "header"))
    book.put_row(sheet, 0, [heading(field) for field in table.stored_fields], looks)


def _write_codes(book: Book, columns: Sequence[CodeColumn]) -> None:
    sheet = book.add_sheet(CODES, [14, 24] * len(columns), frozen=(1, 0))
    sheet.protect()
    header = [cell_text(name) for column in columns for name in (column.name, "名称")]
    book.put_row(sheet, 0, header, [book.look("strong", fill="header")] * len(header))
    looks = [book.look()] * len(header)
    for row, codes in enumerate(zip_longest(*(column.codes for column in columns)), 1):
        pairs = [(code.code, code.title.zh) if code else ("", "") for code in codes]
        book.put_row(sheet, row, [cell_text(said) for pair in pairs for said in pair], looks)


def number_format(field: Field) -> str:
    """The format of a column's cells, so that what is typed is stored as what it is."""
    match field.type:
        case "text":
            return "@"
        case "date":
            return "yyyy-mm-dd"
        case "integer":
            return "0"
        case "decimal":
            return f"0.{'0' * field.scale}" if field.scale else "0"


def _restriction(field: Field, codes: CodeColumn | None, places: dict[CodeColumn, int]) -> dict[str, Any]:
    """What Excel lets be typed. It is a help: what is handed in is judged again, whoever wrote it."""
    title = field.name[:PROMPT_TITLE_LIMIT]
    if codes is not None and field.separator is None:
        error = f"请从列表中选择；代码见工作表“{CODES}”"
        return {
            "validate": "list",
            "source": _listed(codes, places[codes]),
            "error_title": title,
            "error_message": error,
        }
    if field.type == "date":
        return _between("date", EARLIEST_SERIAL, LATEST_SERIAL, title, "请填写日期，写作 2026-01-31")
    if field.type == "text":
        if field.length is None:
            return {"validate": "any"}
        error = f"最长 {field.length} 字节，一个汉字占 2 字节以上"
        length = {"validate": "length", "criteria": "<=", "value": field.length}
        return {**length, "error_title": title, "error_message": error}
    # A number of more digits is handed in as text, so Excel only warns of it.
    kind = "integer" if field.type == "integer" else "decimal"
    error = "应为 15 位以内的数字；更长的数字请确认后以文本填写"
    return {**_between(kind, -EXACT, EXACT, title, error), "error_type": "warning"}


def _between(kind: str, low: int, high: int, title: str, error: str) -> dict[str, Any]:
    limits = {"criteria": "between", "minimum": low, "maximum": high}
    return {"validate": kind, **limits, "error_title": title, "error_message": error}


def _listed(codes: CodeColumn, place: int) -> list[str] | str:
    """The list of a rule: written into it where it fits, else where it stands on the sheet of codes."""
    values = [code.code for code in codes.codes]
    if len(",".join(values)) <= INLINE_LIMIT - 2 and not any(
        "," in value or '"' in value for value in values
    ):
        return values
    letter = xl_col_to_name(2 * place)
    return f"='{CODES}'!${letter}$2:${letter}${len(values) + 1}"


def _prompt(field: Field) -> str:
    kind = {
        "text": f"文本，最长 {field.length} 字节" if field.length else "文本",
        "date": "日期，写作 2026-01-31",
        "integer": "整数",
        "decimal": f"数字，小数 {field.scale or 0} 位以内",
    }[field.type]
    must = "选填" if not field.mandatory else "有条件必填" if field.mandatory_when else "必填"
    several = f"；多个值以“{field.separator}”分隔" if field.separator else ""
    more = f"；{field.description.zh}" if field.description else ""
    return f"{must}；{kind}{several}{more}"
