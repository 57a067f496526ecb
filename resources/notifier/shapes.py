"""What goes into the outbox and what comes out of it, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

State = Literal["waiting", "sending", "unsure", "sent", "unknown", "moot", "given_up"]
"""waiting, sending: not told yet. unsure: a mail that may have arrived, to be sent again. sent, unknown: told, or perhaps.

moot: it was done before anybody was told. given_up: nobody took it within a day, or ever will.
"""
MAIL = "mail"
WEBHOOK = "webhook:"
"""Channels are called `mail` and `webhook:NAME`."""


@dataclass(frozen=True)
class New:
    """Something to tell a person, once: of what, because of which event (`stream:seq`), and over which channels besides the desk."""

    person: str
    kind: str
    subject: str
    cause: str
    stream: str
    count: int
    due: date | None
    channels: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.person, self.kind, self.subject, self.cause)


@dataclass(frozen=True)
class Told:
    """A notice as it is kept."""

    number: int
    person: str
    kind: str
    subject: str
    cause: str
    stream: str
    count: int
    due: date | None
    noted_at: datetime
    read_at: datetime | None


@dataclass(frozen=True)
class Batch:
    """What goes to one recipient over one channel at once. `recipient` is a person's id, empty for a webhook.

    `digest` is the name of it; `is_unsure`: it has that name because it may have arrived before.
    """

    channel: str
    recipient: str
    digest: str
    notices: tuple[Told, ...]
    is_unsure: bool = False


@dataclass(frozen=True)
class Delivered:
    """How the telling of one notice over one channel stands."""

    notice: Told
    channel: str
    state: State
    attempts: int
    tried_at: datetime | None
    reason: str
