"""Reading a filled branch workbook: is it the one sent out, is each locked cell as it was, what was answered.

The cells come from `raw_cells_input`, the answers' meaning from `answer_cells`. What answers do is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from openpyxl.utils import get_column_letter

from pipelines.errors import BadInput, BaosongError
from pipelines.stages.cell_text import unescape_text
from pipelines.stages.workbooks.answer_cells import Line, judge_line
from pipelines.stages.workbooks.layout import (
    ANSWER_COLUMNS,
    GUIDE,
    META,
    SUMMARY,
    Layout,
    TableSheet,
    lay_out,
)
from pipelines.stages.workbooks.model import Answer, Answers, Problem, WorkbookIdentity
from validations.engine.raw_cells_input import Limits, RawCell, RawSheet, read_raw_sheets

SHOWN = 200
"""Mistakes that are spelled out; further ones are counted."""
_EMPTY = RawCell("s", "")
_IDENTITY = ("filing", "round", "organisation", "content")


def read_answers(path: Path, expected: WorkbookIdentity, problems: Sequence[Problem]) -> Answers:
    """The answers in the workbook at `path`, which must be the one written for `expected` and `problems`.

    All of the workbook is taken or nothing: the BadInput's details name every mistake with sheet and cell.
    """
    layout = lay_out(expected, problems)
    rows = max([len(layout.guide), len(layout.summary), *(len(table.locked) + 1 for table in layout.tables)])
    columns = max([5, *(len(table.headers) for table in layout.tables)])
    raw = read_raw_sheets(path, Limits(rows=rows + 100, columns=columns + 10), area="workbooks")
    sheets = {sheet.name: sheet for sheet in raw}
    mistakes = _check_identity(sheets.get(META), expected, layout)
    if not mistakes:
        answers, unanswered, notices = _read_sheets(raw, layout, mistakes)
        if not mistakes:
            return Answers(expected, tuple(answers), tuple(unanswered), tuple(notices))
    if len(mistakes) > SHOWN:
        mistakes[SHOWN:] = [BadInput("workbooks.more", count=len(mistakes) - SHOWN)]
    raise BadInput("workbooks.refused", file=path.name, details=mistakes)


def _check_identity(sheet: RawSheet | None, expected: WorkbookIdentity, layout: Layout) -> list[BaosongError]:
    if sheet is None:
        return [BadInput("workbooks.meta_missing")]
    found = {_text(row.get(1)): _text(row.get(2)) for row in sheet.rows.values()}
    wanted = dict(layout.meta)
    if not set(_IDENTITY) <= set(found):
        return [BadInput("workbooks.meta_altered", name="、".join(sorted(set(_IDENTITY) - set(found))))]
    others = [
        BadInput(f"workbooks.other_{name}", found=found[name], expected=value)
        for name, value in asdict(expected).items()
        if name in _IDENTITY and found[name] != str(value)
    ]
    if others:
        return [*others]
    altered = [name for name in wanted if found.get(name) != wanted[name]]
    altered += [name for name in found if name not in wanted]
    return [BadInput("workbooks.meta_altered", name="、".join(altered))] if altered else []


def _read_sheets(
    raw: Sequence[RawSheet], layout: Layout, mistakes: list[BaosongError]
) -> tuple[list[Answer], list[str], list[str]]:
    sheets = {sheet.name: sheet for sheet in raw}
    known = {GUIDE, SUMMARY, META, *(table.name for table in layout.tables)}
    unknown = [sheet.name for sheet in raw if sheet.name not in known and sheet.rows]
    for name in (GUIDE, SUMMARY, *(table.name for table in layout.tables)):
        if name not in sheets:
            mistakes.append(BadInput("workbooks.sheet_missing", sheet=name, others="、".join(unknown) or "—"))
    mistakes += [BadInput("workbooks.sheet_unknown", sheet=name) for name in unknown]
    for name, cells in ((GUIDE, layout.guide), (SUMMARY, layout.summary)):
        if name in sheets:
            mistakes += _compare_fixed(sheets[name], cells)
    answers: list[Answer] = []
    unanswered: list[str] = []
    notices: list[str] = []
    for table in layout.tables:
        if table.name not in sheets:
            continue
        for line in _lines(sheets[table.name], table, mistakes):
            answer = judge_line(line)
            mistakes += line.mistakes
            notices += line.notices
            if answer is not None:
                answers.append(answer)
            elif not line.mistakes:
                unanswered.append(line.problem.finding)
    return answers, unanswered, notices


def _compare_fixed(sheet: RawSheet, cells: Sequence[Sequence[str]]) -> list[BaosongError]:
    wanted = {(r, c): text for r, row in enumerate(cells, 1) for c, text in enumerate(row, 1) if text}
    found = {(r, c): _text(cell) for r, row in sheet.rows.items() for c, cell in row.items()}
    return [
        _locked_changed(sheet.name, at, found.get(at, ""), wanted.get(at, ""))
        for at in sorted(wanted.keys() | found.keys())
        if found.get(at, "") != wanted.get(at, "")
    ]


def _lines(sheet: RawSheet, table: TableSheet, mistakes: list[BaosongError]) -> list[Line]:
    """The sheet's lines that are as they were written; everything else becomes a mistake."""
    header = sheet.rows.get(1, {})
    width = max([len(table.headers), *header])
    moved = [
        BadInput(
            "workbooks.column_moved",
            sheet=sheet.name,
            cell=f"{get_column_letter(column)}1",
            found=_text(header.get(column)) or "—",
            expected=wanted or "—",
        )
        for column in range(1, width + 1)
        if _text(header.get(column)) != (wanted := (*table.headers, *[""] * width)[column - 1])
    ]
    if moved:
        mistakes += moved
        return []
    places = {problem.finding: number for number, problem in enumerate(table.problems)}
    seen: dict[str, int] = {}
    lines: list[Line] = []
    for row, cells in sorted(sheet.rows.items()):
        if row == 1:
            continue
        finding = _text(cells.get(1))
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
                lines.append(_line(table, table.problems[number], sheet.name, row, cells))
    for finding, number in places.items():
        if finding not in seen:
            rule = table.problems[number].message
            mistakes.append(BadInput("workbooks.row_removed", sheet=sheet.name, finding=finding, rule=rule))
    return lines


def _changed_cells(
    sheet: str, row: int, cells: dict[int, RawCell], table: TableSheet, locked: Sequence[str]
) -> list[BaosongError]:
    changed: list[BaosongError] = []
    for column, wanted in enumerate(locked, 1):
        cell = cells.get(column, _EMPTY)
        if _text(cell) != wanted or (wanted and cell.kind != "s"):
            changed.append(_locked_changed(sheet, (row, column), _text(cell), wanted))
    for column, cell in cells.items():
        if column > len(table.headers):
            changed.append(_locked_changed(sheet, (row, column), _text(cell), ""))
    return changed


def _line(table: TableSheet, problem: Problem, sheet: str, row: int, cells: dict[int, RawCell]) -> Line:
    at = {header: table.headers.index(header) + 1 for header in ANSWER_COLUMNS}
    answer = {name: (f"{get_column_letter(c)}{row}", cells.get(c, _EMPTY)) for name, c in at.items()}
    return Line(problem, sheet, row, answer)


def _locked_changed(sheet: str, at: tuple[int, int], found: str, wanted: str) -> BaosongError:
    cell = f"{get_column_letter(at[1])}{at[0]}"
    return BadInput(
        "workbooks.locked_changed",
        sheet=sheet,
        cell=cell,
        found=found[:80] or "—",
        expected=wanted[:80] or "—",
    )


def _text(cell: RawCell | None) -> str:
    return unescape_text(cell.text) if cell else ""
