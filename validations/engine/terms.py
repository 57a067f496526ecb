"""What every part of a standard is made of: texts in two languages, and the days between which something is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Title:
    """A text in both languages; Chinese is the one that counts."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh


@dataclass(frozen=True)
class Effective:
    """From which day until which something is in force, both included; None is without end on that side."""

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether it is in force on that day."""
        return self.touches(day, day)

    def touches(self, first: date, last: date) -> bool:
        """Whether it is in force on some day of a period."""
        return (self.start is None or self.start <= last) and (self.end is None or first <= self.end)

    @property
    def is_always(self) -> bool:
        """Whether no date limits it."""
        return self.start is None and self.end is None


ALWAYS = Effective()
