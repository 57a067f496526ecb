"""What a workbook carries: problems out, answers back, and whose it is. No cells and no files here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Handling = Literal["source_fix", "report_correction", "explanation"]

HANDLING_WORDS: dict[str, Handling] = {
    "源头修正": "source_fix",
    "报表更正": "report_correction",
    "情况说明": "explanation",
}
"""The words of the list in the column 处理方式, in its order."""

SEVERITY_WORDS = {"block": "阻断", "explain": "需签报说明", "note": "提示"}


@dataclass(frozen=True)
class Problem:
    """One finding as a person reads it. `key` and all values are text; None is an empty value."""

    finding: str
    rule: str
    severity: str
    message: str
    table: str
    table_title: str
    key: tuple[tuple[str, str], ...]
    field: str
    field_title: str
    value: str | None
    expected: str | None
    difference: str | None


@dataclass(frozen=True)
class WorkbookIdentity:
    """Which problems of whom a workbook asks about; a workbook with another identity is refused."""

    filing: str
    round: int
    content: str
    organisation: str
    organisation_name: str
    sign_off: str
    answer_by: date


@dataclass(frozen=True)
class Answer:
    """What the branch decided about one finding. `row` is the line of `sheet`, as the person counts it."""

    finding: str
    handling: Handling
    new_value: str | None
    reason: str
    sheet: str
    row: int


@dataclass(frozen=True)
class Answers:
    """A workbook accepted whole: answers in its order, what was left open, what was adjusted."""

    identity: WorkbookIdentity
    answers: tuple[Answer, ...]
    unanswered: tuple[str, ...]
    notices: tuple[str, ...]
