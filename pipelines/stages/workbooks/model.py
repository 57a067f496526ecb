"""What a workbook carries: problems out, answers back, and whose it is. No cells and no files here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipelines.errors import BaosongError

Handling = Literal["source_fix", "report_correction", "explanation"]

HANDLING_WORDS: dict[str, Handling] = {
    "源头修正": "source_fix",
    "报表更正": "report_correction",
    "情况说明": "explanation",
}
"""The words of the list in the column 处理方式, in its order."""

_WORDS: dict[Handling, str] = {handling: word for word, handling in HANDLING_WORDS.items()}

SEVERITY_WORDS = {"block": "阻断", "explain": "需签报说明", "note": "提示"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding as a person reads it. `key` and all values are text; None is an empty value.

    `department` is the name of the department that answers for it, where a list of several departments shows it.
    """

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
    department: str = ""


@dataclass(frozen=True)
class WorkbookIdentity:
    """Which problems of whom a workbook asks about; a workbook with another identity is refused.

    `department` is a code, `dispatch` the event with which it goes out; many problems of one department go out in `parts`
    files, of which this is the `part`-th.
    `answer_by` is a day, or a day and a time in the time of the insurer.
    """

    filing: str
    round: int
    content: str
    organisation: str
    organisation_name: str
    sign_off: str
    answer_by: date
    department: str = ""
    department_name: str = ""
    dispatch: int = 0
    part: int = 1
    parts: int = 1


@dataclass(frozen=True)
class GivenAnswer:
    """The three texts that a person wrote beside a finding, right or wrong: 处理方式, 更正值, 原因说明."""

    handling: str = ""
    new_value: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """What the branch decided about one finding. `row` is the line of `sheet`, as the person counts it."""

    finding: str
    handling: Handling
    new_value: str | None
    reason: str
    sheet: str
    row: int

    @property
    def given(self) -> GivenAnswer:
        """The texts that give this answer, as a returned workbook repeats them."""
        return GivenAnswer(_WORDS[self.handling], self.new_value or "", self.reason)


@dataclass(frozen=True)
class MistakenLine:
    """A line whose answer cannot be taken: where it stands, what was given, and every mistake in it.

    What was no text (a formula, an ID that had become a number) is not in `given`: as text it would mean
    something else, and the mistake names it.
    """

    finding: str
    sheet: str
    row: int
    given: GivenAnswer
    mistakes: tuple[BaosongError, ...]

    @property
    def remark(self) -> str:
        """What the column 退回说明 of a returned workbook says."""
        return "\n".join(str(mistake) for mistake in self.mistakes)


@dataclass(frozen=True)
class Answers:
    """A genuine workbook: answers in its order, lines with mistakes, what was left open, what was adjusted."""

    identity: WorkbookIdentity
    answers: tuple[Answer, ...]
    unanswered: tuple[str, ...]
    notices: tuple[str, ...]
    mistaken: tuple[MistakenLine, ...] = ()

    @property
    def mistakes(self) -> tuple[BaosongError, ...]:
        """Every mistake of every line, for a caller that takes all of a workbook or nothing."""
        return tuple(mistake for line in self.mistaken for mistake in line.mistakes)
