"""What a person wrote into the three answer cells of one line: an answer, nothing, mistakes. No files."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal

from pipelines.errors import BadInput, BaosongError, text
from pipelines.stages.cell_text import cell_text, unescape_text
from pipelines.stages.workbooks.layout import HANDLING, NEW_VALUE, REASON
from pipelines.stages.workbooks.model import (
    HANDLING_WORDS,
    Answer,
    GivenAnswer,
    MistakenLine,
    Problem,
)
from validations.engine.raw_cells_input import RawCell

REASON_LIMIT = 2_000
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_FULL_WIDTH_SIGNS = str.maketrans("．－＋：／", ".-+:/")
_SIGNED_DIGITS = re.compile(r"[0-9．－＋：／.\-+:/ ]+")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]+)?")
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What makes a text look other than it is: the controls of Unicode's bidirectional algorithm (UAX #9)."""
_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Zl", "Zp"))
_STORED_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[Ee][+-]?[0-9]{1,3})?")
_KINDS = {
    "n": "数值 number",
    "b": "逻辑值 TRUE/FALSE",
    "d": "日期 date",
    "e": "错误值 error",
    "f": "公式 formula",
}


@dataclass
class Line:
    """One line under judgement: where it is, what it asks, and what was found wrong or adjusted."""

    problem: Problem
    sheet: str
    row: int
    cells: dict[str, tuple[str, RawCell]]  # header → (cell reference, cell); absent = empty
    mistakes: list[BaosongError] = field(default_factory=list[BaosongError])
    notices: list[str] = field(default_factory=list[str])


def judge_given(problem: Problem, given: GivenAnswer) -> Answer | MistakenLine:
    """An answer that was typed elsewhere, judged as a line of a workbook would be; nothing typed is a mistake here."""
    texts = {HANDLING: given.handling, NEW_VALUE: given.new_value, REASON: given.reason}
    cells = {header: (header, RawCell("s", _as_stored(text))) for header, text in texts.items()}
    line = Line(problem, "", 0, cells)
    judged = judge_line(line)
    if judged is None:
        _mistake(line, HANDLING, "workbooks.handling_missing")
        judged = MistakenLine(problem.finding, "", 0, given, tuple(line.mistakes))
    return judged


def _as_stored(text: str) -> str:
    """A text as a file would hold it, so that reading it gives the text again."""
    return text.replace("_x", "_x005F_x")


def judge_line(line: Line) -> Answer | MistakenLine | None:
    """The answer of a line, its mistakes, or None when nothing was written into it."""
    word = _text_of(line, HANDLING)
    reason = _text_of(line, REASON)
    new_value = _new_value(line)
    if not line.mistakes and not (word or reason or new_value):
        return None
    given = GivenAnswer(_returnable(word), new_value, _returnable(reason))
    _check_text(line, REASON, reason, allowed="\n\t")
    if len(reason) > REASON_LIMIT:
        _mistake(line, REASON, "workbooks.reason_long", length=len(reason), limit=REASON_LIMIT)
    if not line.mistakes:
        _check_fit(line, word, new_value, reason)
    if line.mistakes:
        return MistakenLine(line.problem.finding, line.sheet, line.row, given, tuple(line.mistakes))
    handling = HANDLING_WORDS[word]
    return Answer(line.problem.finding, handling, new_value or None, reason, line.sheet, line.row)


def _check_fit(line: Line, word: str, new_value: str, reason: str) -> None:
    """Whether the three texts make one answer."""
    handling = HANDLING_WORDS.get(word)
    if not word:
        _mistake(line, HANDLING, "workbooks.handling_missing")
    elif handling is None:
        expected = "、".join(HANDLING_WORDS)
        _mistake(line, HANDLING, "workbooks.handling_unknown", value=word[:80], expected=expected)
    elif handling == "report_correction":
        if not new_value:
            _mistake(line, NEW_VALUE, "workbooks.new_value_missing")
        elif new_value == cell_text(line.problem.value):
            _mistake(line, NEW_VALUE, "workbooks.new_value_same", value=new_value[:80])
        if not reason:
            _mistake(line, REASON, "workbooks.correction_reason_missing")
    elif handling == "explanation":
        if not reason:
            _mistake(line, REASON, "workbooks.reason_missing")
        if new_value:
            _mistake(line, NEW_VALUE, "workbooks.explanation_with_value", value=new_value[:80])


def _check_text(line: Line, header: str, text: str, *, allowed: str = "") -> bool:
    """Whether all of a text can be seen as it is; what cannot is a mistake."""
    if found := _DIRECTIONS.search(text):
        sign = f"U+{ord(found.group()):04X}"
        _mistake(line, header, "workbooks.direction_sign", sign=sign, position=found.start() + 1)
        return False
    kinds = ("Cc", "Cn") if allowed else _INVISIBLE
    hidden = [c for c in text if c not in allowed and unicodedata.category(c) in kinds]
    if hidden:
        _mistake(line, header, "workbooks.control_character", value=ascii(hidden[0]).strip("'"))
    return not hidden


def _returnable(text: str) -> str:
    """A text as a returned workbook repeats it, without what nobody can see; the mistake says what that was."""
    return "".join(
        c
        for c in text
        if c in "\n\t" or not (_DIRECTIONS.match(c) or unicodedata.category(c) in ("Cc", "Cn", "Cs"))
    )


def _mistake(line: Line, header: str, code: str, **values: str | int) -> None:
    where = line.cells[header][0]
    line.mistakes.append(BadInput(code, details=(), sheet=line.sheet, cell=where, column=header, **values))


def _text_of(line: Line, header: str) -> str:
    """The text of an answer cell, trimmed; whatever is not text is a mistake."""
    _, cell = line.cells[header]
    if cell.kind == "f":
        _mistake(line, header, "workbooks.formula", value=cell.text[:80])
    elif cell.kind == "e":
        _mistake(line, header, "workbooks.error_value", value=cell.text[:80])
    elif cell.kind in ("b", "d") or (cell.kind == "n" and header == HANDLING):
        _mistake(line, header, "workbooks.not_text", value=cell.text[:80], kind=_KINDS[cell.kind])
    else:
        return unescape_text(cell.text).strip()
    return ""


def _new_value(line: Line) -> str:
    """The new value as text; empty where none was given or what was given is a mistake."""
    where, cell = line.cells[NEW_VALUE]
    if cell.kind == "n":
        return _number(line, cell.text)
    trimmed = _text_of(line, NEW_VALUE)
    if not _check_text(line, NEW_VALUE, trimmed):
        return ""
    plain = trimmed.translate(_FULL_WIDTH)
    if _SIGNED_DIGITS.fullmatch(plain):
        plain = plain.translate(_FULL_WIDTH_SIGNS)
    stored = unescape_text(cell.text)
    if plain and plain != stored:
        _notice(line, where, stored, plain)
    return plain


def _number(line: Line, stored: str) -> str:
    """A number is taken only where the value asked about is one; an ID made a number has lost its digits."""
    asked = line.problem.expected or line.problem.value or ""
    is_amount = bool(_NUMBER.fullmatch(asked)) and (
        "." in asked or (len(asked) < 12 and not re.match(r"-?0[0-9]", asked))
    )
    is_amount = is_amount and _STORED_NUMBER.fullmatch(stored) is not None
    number = Decimal(repr(float(stored))) if is_amount else Decimal(0)
    plain = format(number.normalize(), "f")
    if not is_amount or not _NUMBER.fullmatch(plain) or len(plain.strip("-").replace(".", "")) > 15:
        _mistake(line, NEW_VALUE, "workbooks.number_for_text", value=stored[:80])
        return ""
    _notice(line, line.cells[NEW_VALUE][0], f"{stored}（{_KINDS['n']}）", plain)
    return plain


def _notice(line: Line, cell: str, old: str, new: str) -> None:
    code = "workbooks.normalised" if line.sheet else "correct.here.normalised"
    line.notices.append(text(code, sheet=line.sheet, cell=cell, old=old, new=new))
