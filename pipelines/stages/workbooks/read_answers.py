"""Reading a filled branch workbook: is it the one sent out, and what was answered line by line.

Whether locked cells are as they were is `locked_cells`' affair, the answers' meaning that of `answer_cells`. What answers
do is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipelines.errors import BadInput, BaosongError
from pipelines.stages.workbooks.answer_cells import judge_line
from pipelines.stages.workbooks.identity_seal import (
    FILE_MEGABYTES,
    SIGNATURE,
    SIGNED_BY,
    UNPACKED_MEGABYTES,
    check_signature,
    meta_lines,
)
from pipelines.stages.workbooks.layout import GUIDE, META, SUMMARY, Layout, lay_out
from pipelines.stages.workbooks.locked_cells import compare_fixed, find_lines
from pipelines.stages.workbooks.model import Answer, Answers, MistakenLine, Problem, WorkbookIdentity
from validations.engine.raw_cells_input import Limits, RawSheet, read_raw_sheets

SHOWN = 200
"""Mistakes that are spelled out; further ones are counted."""
_IDENTITY = ("filing", "round", "organisation", "department", "part", "content")


def read_answers(
    path: Path, expected: WorkbookIdentity, problems: Sequence[Problem], *, key: bytes | None = None
) -> Answers:
    """The answers in the workbook at `path`, which must be the one written for `expected` and `problems`.

    With `key` its signature is checked too. Lines whose answer is mistaken come back as `Answers.mistaken`; a workbook
    in which anything else is not as it was sent is refused whole: the BadInput's details name every mistake with
    sheet and cell, those of the lines too.
    """
    layout = lay_out(expected, problems)
    rows = max([len(layout.guide), len(layout.summary), *(len(table.locked) + 1 for table in layout.tables)])
    columns = max([5, *(len(table.headers) for table in layout.tables)])
    limits = Limits(
        rows=rows + 100,
        columns=columns + 10,
        file_megabytes=FILE_MEGABYTES,
        unpacked_megabytes=UNPACKED_MEGABYTES,
        content_megabytes=UNPACKED_MEGABYTES,
        is_form=True,
    )
    raw = read_raw_sheets(path, limits, area="workbooks")
    meta = next((sheet for sheet in raw if sheet.name == META), None)
    mistakes = _check_identity(meta, expected, layout, key)
    if not mistakes:
        mistakes = _check_sheets(raw, layout)
        answers = _read_tables(raw, expected, layout, mistakes)
        if not mistakes:
            return answers
        mistakes += answers.mistakes
    if len(mistakes) > SHOWN:
        mistakes[SHOWN:] = [BadInput("workbooks.more", count=len(mistakes) - SHOWN)]
    raise BadInput("workbooks.refused", file=path.name, details=mistakes)


def _check_identity(
    sheet: RawSheet | None, expected: WorkbookIdentity, layout: Layout, key: bytes | None
) -> list[BaosongError]:
    if sheet is None:
        return [BadInput("workbooks.meta_missing")]
    found = meta_lines(sheet.rows)
    if missing := set(_IDENTITY) - set(found):
        return [BadInput("workbooks.meta_altered", name="、".join(sorted(missing)))]
    if key is not None and (wrong := check_signature(found, key)):
        return [wrong]
    others = [
        BadInput(f"workbooks.other_{name}", found=found[name] or "—", expected=str(value) or "—")
        for name, value in asdict(expected).items()
        if name in _IDENTITY and found[name] != str(value)
    ]
    if others:
        return [*others]
    wanted = dict(layout.meta)
    altered = [name for name in wanted if found.get(name) != wanted[name]]
    altered += [name for name in found if name not in {*wanted, SIGNED_BY, SIGNATURE}]
    return [BadInput("workbooks.meta_altered", name="、".join(altered))] if altered else []


def _check_sheets(raw: Sequence[RawSheet], layout: Layout) -> list[BaosongError]:
    """Whether the sheets are those sent, and those that nobody answers in as they were."""
    sheets = {sheet.name: sheet for sheet in raw}
    known = {GUIDE, SUMMARY, META, *(table.name for table in layout.tables)}
    unknown = [sheet.name for sheet in raw if sheet.name not in known and sheet.rows]
    mistakes: list[BaosongError] = []
    for name in (GUIDE, SUMMARY, *(table.name for table in layout.tables)):
        if name not in sheets:
            mistakes.append(BadInput("workbooks.sheet_missing", sheet=name, others="、".join(unknown) or "—"))
    mistakes += [BadInput("workbooks.sheet_unknown", sheet=name) for name in unknown]
    twice = sorted({sheet.name for sheet in raw if sum(sheet.name == other.name for other in raw) > 1})
    mistakes += [BadInput("workbooks.sheet_twice", sheet=name) for name in twice]
    for name, cells in ((GUIDE, layout.guide), (SUMMARY, layout.summary)):
        if name in sheets:
            mistakes += compare_fixed(sheets[name], cells)
    return mistakes


def _read_tables(
    raw: Sequence[RawSheet], expected: WorkbookIdentity, layout: Layout, mistakes: list[BaosongError]
) -> Answers:
    """What was answered; whatever was locked and is not as it was is added to `mistakes`."""
    sheets = {sheet.name: sheet for sheet in raw}
    answers: list[Answer] = []
    mistaken: list[MistakenLine] = []
    unanswered: list[str] = []
    notices: list[str] = []
    for table in layout.tables:
        if table.name not in sheets:
            continue
        for line in find_lines(sheets[table.name], table, mistakes):
            judged = judge_line(line)
            notices += line.notices
            if judged is None:
                unanswered.append(line.problem.finding)
            elif isinstance(judged, Answer):
                answers.append(judged)
            else:
                mistaken.append(judged)
    return Answers(expected, tuple(answers), tuple(unanswered), tuple(notices), tuple(mistaken))
