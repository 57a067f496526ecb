"""Reading stored rows: events joined with their payloads, as `ChainRow`s. Nothing is judged and nothing written here."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Select, select

from pipelines.ledger.chain import ChainRow
from pipelines.ledger.models import event, payload

_EVENTS: Select[*tuple[object, ...]] = select(event, payload.c.salt, payload.c.canonical_json).join_from(
    event, payload, event.c.payload_digest == payload.c.digest, isouter=True
)


def stream_rows(connection: Connection, stream: str) -> list[ChainRow]:
    """All events of one stream in the order of their sequence."""
    query = _EVENTS.where(event.c.stream == stream).order_by(event.c.seq)
    return [ChainRow(*row) for row in connection.execute(query)]


def all_rows(connection: Connection) -> Iterator[ChainRow]:
    """All events of all streams, stream by stream, in the order of their sequence."""
    query = _EVENTS.order_by(event.c.stream, event.c.seq).execution_options(yield_per=1000)
    for row in connection.execute(query):
        yield ChainRow(*row)


def last_row(connection: Connection, stream: str) -> ChainRow | None:
    """The last event of one stream."""
    query = _EVENTS.where(event.c.stream == stream).order_by(event.c.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return ChainRow(*row) if row else None


def command_row(connection: Connection, command_id: str) -> ChainRow | None:
    """The event that `command_id` appended."""
    row = connection.execute(_EVENTS.where(event.c.command_id == command_id)).first()
    return ChainRow(*row) if row else None
