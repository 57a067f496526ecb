"""An event as the rest of Baosong reads it. What payloads mean is told elsewhere (`filing_events.py`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pipelines.errors import BadInput
from pipelines.ledger.chain import ChainRow

SHANGHAI = timezone(timedelta(hours=8))
"""The offset in which times are recorded; fixed, so that no machine's time zone data matters."""


@dataclass(frozen=True)
class Event:
    """Something that happened. `seq` counts from 1 within its stream; `payload` is None once it is erased."""

    stream: str
    seq: int
    type: str
    type_version: int
    actor: str
    at: datetime
    command_id: str
    payload: dict[str, Any] | None
    payload_digest: str
    prev_hash: str
    hash: str


def event_of(row: ChainRow) -> Event:
    """The event stored as `row`."""
    return Event(
        row.stream,
        row.seq,
        row.type,
        row.type_version,
        row.actor,
        datetime.fromisoformat(row.at),
        row.command_id,
        None if row.canonical_json is None else json.loads(row.canonical_json),
        row.payload_digest,
        row.prev_hash,
        row.hash,
    )


def time_text(at: datetime) -> str:
    """`at` as it is recorded: ISO 8601 with the offset +08:00. BadInput for a time without an offset."""
    if at.tzinfo is None:
        raise BadInput("ledger.time_without_offset", at=at.isoformat())
    return at.astimezone(SHANGHAI).isoformat()
