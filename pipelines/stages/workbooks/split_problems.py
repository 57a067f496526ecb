"""Parting many problems of one addressee into several workbooks, each small enough to be opened, sent and read back."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.stages.cell_text import MAX_CELL
from pipelines.stages.workbooks.layout import order_problems
from pipelines.stages.workbooks.model import Problem

FILE_BYTES = 200_000_000
"""Of a workbook's unpacked sheets, as estimated here; with styles and answers it stays below 300 MB."""

_CELL_BYTES = 80
"""The markup around a text."""


def split_problems(
    problems: Sequence[Problem], rows_per_file: int = 50_000
) -> tuple[tuple[Problem, ...], ...]:
    """The problems of each file, each finding once, in the order of the sheets: at most so many rows and bytes a file.

    One file is never empty; no problems need no file. The same problems give the same parts.
    """
    if rows_per_file < 1:
        raise ValueError(f"rows_per_file is {rows_per_file}")
    parts: list[tuple[Problem, ...]] = []
    part: list[Problem] = []
    size = 0
    for problem in order_problems(problems):
        bytes_more = _unpacked_bytes(problem)
        if part and (len(part) == rows_per_file or size + bytes_more > FILE_BYTES):
            parts.append(tuple(part))
            part, size = [], 0
        part.append(problem)
        size += bytes_more
    return (*parts, tuple(part)) if part else ()


def _unpacked_bytes(problem: Problem) -> int:
    """At most so much: a character of Chinese takes three bytes, one of XML's own five."""
    key = [text for pair in problem.key for text in pair]
    texts = [problem.finding, problem.message, problem.rule, problem.field, problem.field_title, *key]
    texts += [text for text in (problem.value, problem.expected, problem.difference) if text]
    return sum(_CELL_BYTES + _bytes(text) for text in (*texts, *[""] * 6))


def _bytes(text: str) -> int:
    is_plain = text.isascii() and text.isprintable() and not set("<>&_").intersection(text)
    return min(len(text), MAX_CELL) * (1 if is_plain else 7)
