"""What one line of the table says, and whether its goal is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Result:
    """One figure against another. `figure` is a ratio (unit "×") or a quantity; `goal` None: told, not judged."""

    what: str
    measured: str
    against: str
    figure: float
    goal: float | None = None
    sense: Literal["at_most", "at_least"] = "at_most"
    unit: str = "×"
    noise: float = 0.0
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.figure <= self.goal if self.sense == "at_most" else self.figure >= self.goal

    @property
    def shown_figure(self) -> str:
        """The figure with its unit."""
        return _shown(self.figure, self.unit)

    @property
    def shown_goal(self) -> str:
        """The goal as people write it."""
        if self.goal is None:
            return "–"
        return ("≤ " if self.sense == "at_most" else "≥ ") + _shown(self.goal, self.unit)


def _shown(number: float, unit: str) -> str:
    return f"{number:.2f} {unit}" if number < 3 and number != int(number) else f"{number:.3g} {unit}"
