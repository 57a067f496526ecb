"""What can happen to a filing's demand after it was opened: amended, withdrawn, talked about, its deadline moved.

Part of the events of a stream `filing/<id>`; those of the flow itself are `filing_events.py`. Nothing here decides whether an
event may happen: stages do.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pipelines.ledger.recorded import Document, FilingEvent


class FilingAmended(FilingEvent):
    """An amended request was accepted: the whole demand as it is now.

    `request_seq` is the amendment's place in the request's stream. `new_round`: the data at hand answers another demand, so
    another round is due.
    """

    kind = "filing_amended"
    request_seq: int
    deadline: date
    planned_on: date
    organisations: tuple[str, ...]
    date_from: date
    date_to: date
    tables: tuple[str, ...]
    changed: tuple[str, ...]
    new_round: bool
    reason: str


class FilingWithdrawn(FilingEvent):
    """The regulator's demand fell away: nothing more happens to the filing."""

    kind = "filing_withdrawn"
    request: str
    reason: str


class TalkRecorded(FilingEvent):
    """What was asked of the regulator and what it answered (监管沟通记录), with the proof that was kept."""

    kind = "talk_recorded"
    number: int
    counterpart: str
    question: str
    answer: str
    held_at: datetime
    documents: tuple[Document, ...]


class ExtensionProposed(FilingEvent):
    """The regulator agreed to another deadline; nothing moves before somebody else agreed that it did."""

    kind = "extension_proposed"
    number: int
    deadline: date
    reason: str
    documents: tuple[Document, ...]


class ExtensionDecided(FilingEvent):
    """The opinion on a proposed deadline; agreed, it and its planned day hold from now on."""

    kind = "extension_decided"
    number: int
    opinion: Literal["agree", "disagree"]
    comment: str
    deadline: date
    planned_on: date


DEMAND_EVENTS: tuple[type[FilingEvent], ...] = (
    FilingAmended,
    FilingWithdrawn,
    TalkRecorded,
    ExtensionProposed,
    ExtensionDecided,
)
