"""Whether the cells that people may not change are as they were written, and which lines can therefore be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from pipelines.errors import BadInput, BaosongError
from pipelines.stages.workbooks.answer_cells import Line
from pipelines.stages.workbooks.identity_seal import cell_meaning
from pipelines.stages.workbooks.layout import ANSWER_COLUMNS, REMARK, TableSheet
from validations.engine.raw_cells_input import RawCell, RawSheet

_EMPTY = RawCell("s", "")


def compare_fixed(sheet: RawSheet, cells: Sequence[Sequence[str]]) -> list[BaosongError]:
    """Every cell of a sheet without answers that is not as it was written, or was not there."""
    wanted = {(r, c): text for r, row in enumerate(cells, 1) for c, text in enumerate(row, 1) if text}
    found = {(r, c): cell_meaning(cell) for r, row in sheet.rows.items() for c, cell in row.items()}
    return [
        _locked_changed(sheet.name, at, found.get(at, ""), wanted.get(at, ""))
        for at in sorted(wanted.keys() | found.keys())
        if found.get(at, "") != wanted.get(at, "")
    ]


def find_lines(sheet: RawSheet, table: TableSheet, mistakes: list[BaosongError]) -> list[Line]:
    """The sheet's lines that are as they were written; everything else becomes a mistake."""
    header = sheet.rows.get(1, {})
    width = max([len(table.headers), *header])
    moved = [
        BadInput(
            "workbooks.column_moved",
            sheet=sheet.name,
            cell=f"{xl_col_to_name(column - 1)}1",
            found=cell_meaning(header.get(column)) or "—",
            expected=wanted or "—",
        )
        for column in range(1, width + 1)
        if cell_meaning(header.get(column)) != (wanted := (*table.headers, *[""] * width)[column - 1])
    ]
    if moved:
        mistakes += moved
        return []
    places = {problem.finding: number for number, problem in enumerate(table.problems)}
    letters = {name: xl_col_to_name(table.headers.index(name)) for name in ANSWER_COLUMNS}
    columns = {name: table.headers.index(name) + 1 for name in ANSWER_COLUMNS}
    seen: dict[str, int] = {}
    lines: list[Line] = []
    for row, cells in sorted(sheet.rows.items()):
        if row == 1 or not any(_says_something(cell) for cell in cells.values()):
            continue
        finding = cell_meaning(cells.get(1))
        if finding not in places:
            mistakes.append(
                BadInput("workbooks.finding_unknown", sheet=sheet.name, cell=f"A{row}", found=finding or "—")
            )
        elif finding in seen:
            mistakes.append(
                BadInput(
                    "workbooks.row_duplicated",
                    sheet=sheet.name,
                    row=row,
                    first=seen[finding],
                    finding=finding,
                )
            )
        else:
            seen[finding] = row
            number = places[finding]
            changed = _changed_cells(sheet.name, row, cells, table, table.locked[number])
            mistakes += changed
            if not changed:
                answer = {
                    name: (f"{letters[name]}{row}", cells.get(column, _EMPTY))
                    for name, column in columns.items()
                }
                lines.append(Line(table.problems[number], sheet.name, row, answer))
    for finding, number in places.items():
        if finding not in seen:
            rule = table.problems[number].message
            mistakes.append(BadInput("workbooks.row_removed", sheet=sheet.name, finding=finding, rule=rule))
    return lines


def _says_something(cell: RawCell) -> bool:
    """Blanks below the lines are what spreadsheets collect; a formula is never nothing."""
    return cell.kind == "f" or bool(cell_meaning(cell).strip())


def _changed_cells(
    sheet: str, row: int, cells: Mapping[int, RawCell], table: TableSheet, locked: Sequence[str]
) -> list[BaosongError]:
    changed: list[BaosongError] = []
    for column, wanted in enumerate(locked, 1):
        cell = cells.get(column, _EMPTY)
        if cell.text == wanted and cell.kind == "s":
            continue
        if cell_meaning(cell) != wanted or (wanted and cell.kind != "s"):
            changed.append(_locked_changed(sheet, (row, column), cell_meaning(cell), wanted))
    last = len(table.headers)
    assert table.headers[-1] == REMARK, "what it says is free, but nobody computes in it"
    for column, cell in cells.items():
        if column > last or (column == last and cell.kind == "f"):
            changed.append(_locked_changed(sheet, (row, column), cell_meaning(cell), ""))
    return changed


def _locked_changed(sheet: str, at: tuple[int, int], found: str, wanted: str) -> BaosongError:
    return BadInput(
        "workbooks.locked_changed",
        sheet=sheet,
        cell=xl_rowcol_to_cell(at[0] - 1, at[1] - 1),
        found=found[:80] or "—",
        expected=wanted[:80] or "—",
    )
