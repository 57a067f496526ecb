"""What is sent and what became of it: shapes without behaviour. How it is worded is the stages' matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Result = Literal["sent", "refused", "failed", "down", "unknown"]
"""sent: the other side has it. refused: it never will take this one. failed: not this time. down: nobody else need try now.

unknown: it went out and nobody answered, so it may have arrived.
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt, and in whose words."""

    result: Result
    reason: str = ""


@dataclass(frozen=True)
class Item:
    """One line for machines: what it is about, how many findings, by when. No names, no figures but counts."""

    kind: str
    subject: str
    count: int
    due: str


@dataclass(frozen=True)
class Digest:
    """Everything that one person or group is told at once. `id` stays the same when it is sent again."""

    id: str
    at: datetime
    title: str
    text: str
    markdown: str
    items: tuple[Item, ...]
    link: str = ""
