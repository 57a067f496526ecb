"""What Baosong asks of an office system: make a draft once, say what became of it. Any system that answers this will do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

OfficeStatus = Literal["waiting", "agreed", "disagreed", "withdrawn", "unknown"]


@dataclass(frozen=True)
class OfficeDraft:
    """A sign-off as the office gets it. `key` is Baosong's own name of it: the same key is the same sign-off."""

    key: str
    filing: str
    number: str
    title: str
    content: str
    route: tuple[str, ...]
    prepared_by: str


@dataclass(frozen=True)
class OfficeAnswer:
    """What became of a sign-off; `at`, `by` and `text` where the office says so. `unknown`: it has no such reference."""

    status: OfficeStatus
    at: datetime | None = None
    by: str = ""
    text: str = ""


class Office(Protocol):
    """An office system."""

    def create(self, draft: OfficeDraft) -> str:
        """Hand in a draft and return the office's reference. The same key again has the same reference and no second draft.

        Raises Unavailable when the office cannot be reached.
        """
        ...

    def status(self, reference: str) -> OfficeAnswer:
        """What became of it. Raises Unavailable when the office does not answer as agreed."""
        ...
