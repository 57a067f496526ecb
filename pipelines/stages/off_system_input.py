"""An upload of off-system data as hostile input: read by the engine's readers, judged by the table's contract, all or nothing.

What a blocking rule says of single values is refused here with its cell, since the department can mend it at once;
what may be explained, and what tables say of each other, is found by the rules when the content is judged.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import LANGUAGE, BadInput, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.off_system import SUFFIXES
from pipelines.stages.off_system_template import CODES, GUIDE, LABEL_OF_FILING, codes_of, form_of
from validations.engine import Field, Rule, Standard, Table
from validations.engine.constraints import constraint_fields, constraints_of
from validations.engine.contract import contract, failures
from validations.engine.csv_input import convert_csv
from validations.engine.file_input import require_file
from validations.engine.parquet_input import check_parquet
from validations.engine.raw_cells_input import open_raw_book
from validations.engine.values_input import Mistakes, visible
from validations.engine.xlsx_input import AREA, LIMITS, Form, cell_name, convert_workbook, header_names

CODES_SHOWN = 8

Place = Callable[[int, str], str]
"""Where a value stands, by its row (from 0 among those read) and its field."""


def read_upload(
    standard: Standard, state: FilingState, table: Table, file: Path, folder: Path, *, encoding: str = "utf-8"
) -> Path:
    """What an upload holds, as `folder/<TABLE>.parquet` with the dictionary's types.

    Raises BadInput listing every mistake with its cell (in files other than workbooks its row), and for a file without rows.
    """
    require_file(file)
    form = form_of(table)
    target = folder / f"{table.name}.parquet"
    match file.suffix.lower():
        case ".xlsx":
            _require_filing(file, state.id)
            rows = convert_workbook(standard, file, folder, form=form).get(table.name, 0)
        case ".csv":
            rows = convert_csv(table, file, target, encoding=encoding)
        case ".parquet":
            rows = check_parquet(table, file)
            shutil.copyfile(file, target)
        case _:
            raise BadInput("off_system.suffix", path=file, suffixes=", ".join(SUFFIXES))
    if not rows:
        raise BadInput("off_system.no_rows", path=file, table=table.name, filing=state.id)
    mistakes = _judged(standard, state, table, target, lambda: _places(file, form))
    if mistakes.count:
        raise BadInput(
            "input.invalid", details=mistakes.shown, path=file, table=table.name, count=mistakes.count
        )
    return target


def _require_filing(file: Path, filing: str) -> None:
    """A template says which filing it was made for; last period's is not this one's. Other workbooks say nothing."""
    with open_raw_book(file, LIMITS, area=AREA) as book:
        for row in book.rows if any(name == GUIDE for name, _ in book.sheets) else ():
            if book.sheets[row.sheet][0] != GUIDE:
                continue
            label, said = row.cells.get(1), row.cells.get(2)
            if label and said and label.text == LABEL_OF_FILING:
                if said.text != filing:
                    raise BadInput(
                        "off_system.other_filing", path=file, filing=filing, other=visible(said.text)
                    )
                return


def _judged(
    standard: Standard, state: FilingState, table: Table, parquet: Path, places: Callable[[], Place]
) -> Mistakes:
    """Every value that a blocking rule of this period would refuse by itself."""
    opened = state.opened.fact
    period = (state.date_from, state.date_to)
    rules: dict[tuple[str, str], Rule] = {}
    for rule in standard.rules:
        if rule.constraint and rule.severity == "block" and rule.effective.touches(*period):
            for name in constraint_fields(standard, table, rule):
                field = table.field(name)
                rules |= {(c, name): rule for c in constraints_of(standard, table, rule, field)}
    judge = contract(standard, table.name, report=opened.report, period=period, wanted=rules.keys())
    mistakes = Mistakes()
    place: Place | None = None
    for found in failures(judge, parquet, table.stored_key or (table.stored_fields[0].name,)):
        for failing in found:
            field, rule = table.field(failing.field), rules[failing.constraint, failing.field]
            place = place or places()
            why = getattr(rule.message, LANGUAGE.get())
            for row, value in failing.rows.select("row", "value").iter_rows():
                mistakes.add(
                    "off_system.value",
                    place=place(row, field.name),
                    field=f"{field.name} {field.title.zh}",
                    value=visible(value or ""),
                    rule=rule.id,
                    why=why,
                    expected=_expected(standard, state, field, failing.constraint),
                )
    return mistakes


def _expected(standard: Standard, state: FilingState, field: Field, constraint: str) -> str:
    if constraint == "length":
        return text("off_system.expected_length", length=field.length)
    if constraint == "pattern":
        return text("off_system.expected", expected=field.pattern)
    if constraint.startswith("codes:"):
        codes = [code.code for code in codes_of(standard, field, state)]
        shown = ", ".join(codes[:CODES_SHOWN]) + (" …" if len(codes) > CODES_SHOWN else "")
        return text("off_system.expected_codes", codes=shown, list=field.codes, sheet=CODES)
    return ""


def _places(file: Path, form: Form) -> Place:
    """How values of a file are called: cells of a workbook, read again to find them; else rows from 1 behind the header."""
    if file.suffix.lower() != ".xlsx":
        return lambda row, field: text("off_system.row", path=file, row=row + 1, field=field)
    sheet, header, numbers = "", list[str](), list[int]()
    with open_raw_book(file, LIMITS, area=AREA) as book:
        for row in book.rows:
            name = book.sheets[row.sheet][0]
            if name in form.beside:
                continue
            if header:
                numbers.append(row.row)
            else:
                sheet, header = name, header_names(row, form.headings)
    return lambda row, field: f"{file}[{sheet}!{cell_name(header.index(field) + 1, numbers[row])}]"
