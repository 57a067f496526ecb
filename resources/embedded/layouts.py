"""What the regulator says about a received file: a list of problems, empty when it keeps the layout.

The rules with their numbers are written in docs/interface.md; this is the regulator's own reading of it and
shares no code with the product. Which file is judged by which layout is decided in `judging`.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_PROBLEMS = 200


@dataclass(frozen=True)
class Problem:
    """One line of a receipt's errors; organisation and item are empty in a rule about the whole file."""

    rule: str
    message: str
    organisation: str = ""
    item: str = ""

    def published(self) -> dict[str, str]:
        return {
            "organisation": self.organisation,
            "item": self.item,
            "rule": self.rule,
            "message": self.message,
        }


@dataclass(frozen=True)
class Limits:
    """What the regulator is willing to open."""

    upload_bytes: int = 512 * 1024 * 1024
    xml_bytes: int = 64 * 1024 * 1024
    unpacked_bytes: int = 4 * 1024 * 1024 * 1024
    zip_entries: int = 4000


class UnreadableError(Exception):
    """The file cannot be judged any further; carries the problem that stopped it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def capped(problems: list[Problem]) -> list[Problem]:
    """At most `MOST_PROBLEMS` of them, the last one telling how many were left out."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    rest = len(problems) - MOST_PROBLEMS + 1
    return [*problems[: MOST_PROBLEMS - 1], Problem("G01", f"问题过多，另有 {rest} 个未列出")]
