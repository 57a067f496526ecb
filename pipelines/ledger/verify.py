"""Checking a whole ledger: every cell of every table against the chain, the chain against the exported signed heads, and every
signed statement against its event.

One reading transaction; the heads' files are read before it, so appends going on meanwhile are no difference. What came
after the newest exported head and is cut off without trace cannot be seen: sign often and copy heads elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, text
from sqlalchemy.exc import DatabaseError

from pipelines.errors import BaosongError, Tampered
from pipelines.ledger import rows
from pipelines.ledger.chain import ChainRow, check_cells, check_chain
from pipelines.ledger.database import snapshot
from pipelines.ledger.heads import SignedHead, check_head_files
from pipelines.ledger.models import event, head, payload, reservation
from pipelines.ledger.statements import check_statements

LEDGER = "ledger"
"""The stream of the ledger's own events."""
GENESIS = "ledger_created"
ERASED = "payload_erased"
DELIVERY_RESERVED = "delivery_reserved"


@dataclass(frozen=True)
class VerifyReport:
    """What was checked, and everything that is wrong; no problem means that nothing was changed."""

    events: int
    streams: int
    heads: int
    problems: tuple[BaosongError, ...]


@dataclass
class _Seen:
    """What one pass over all events tells about the other tables."""

    events: int = 0
    last: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    signed: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    reservations: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])
    erased: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    erasures: dict[str, tuple[str, int, str]] = field(default_factory=dict[str, tuple[str, int, str]])


def verify_ledger(engine: Engine, *, home: Path, deployment: str, public_key: str) -> VerifyReport:
    """Check the ledger behind `engine` and the heads under `home`."""
    signed, problems = check_head_files(home, public_key=public_key, deployment=deployment)
    wanted = {(stream, seq) for one in signed for stream, (seq, _) in one.streams.items()}
    seen = _Seen()
    try:
        with snapshot(engine) as connection:
            problems += _check_file(connection)
            problems += _check_events(connection, wanted, seen, deployment, public_key)
            problems += _check_genesis(connection, deployment, public_key)
            problems += _check_payloads(connection, seen)
            problems += _check_reservations(connection, seen)
            problems += _check_heads(connection, seen)
        problems += _check_signed(signed, seen)
    except DatabaseError as error:
        problems.append(Tampered("ledger.unreadable", reason=str(error.orig)))
    return VerifyReport(seen.events, len(seen.last), len(signed), tuple(problems))


def _check_file(connection: Connection) -> Iterable[BaosongError]:
    """SQLite's own check: pages, and indexes against their tables."""
    if connection.dialect.name == "sqlite":
        for found in connection.execute(text("PRAGMA integrity_check")).scalars():
            if found != "ok":
                yield Tampered("ledger.unreadable", reason=found)


def _check_events(
    connection: Connection, wanted: set[tuple[str, int]], seen: _Seen, deployment: str, public_key: str
) -> Iterable[BaosongError]:
    for stream, group in groupby(rows.all_rows(connection), key=lambda row: row.stream):
        found = list(group)
        seen.events += len(found)
        yield from check_chain(found)
        yield from check_statements(found, deployment=deployment, public_key=public_key)
        seen.last[stream] = (found[-1].seq, found[-1].hash)
        for row in found:
            if (stream, row.seq) in wanted:
                seen.signed[stream, row.seq] = row.hash
            _note(row, seen)


def _note(row: ChainRow, seen: _Seen) -> None:
    if check_cells(row):
        return
    if row.is_erased:
        seen.erased[row.payload_digest] = (row.stream, row.seq)
    elif row.type == DELIVERY_RESERVED and row.is_payload_intact:
        facts = _payload(row)
        filing = row.stream.removeprefix("filing/")
        seen.reservations.add((filing, facts.get("version"), facts.get("channel"), row.seq))
    elif row.type == ERASED and row.stream == LEDGER and row.is_payload_intact:
        facts = _payload(row)
        seen.erasures[str(facts.get("payload_digest"))] = (
            str(facts.get("stream")),
            int(facts.get("seq", 0)),
            row.at,
        )


def _payload(row: ChainRow) -> dict[str, Any]:
    return json.loads(row.canonical_json or "{}")


def _check_genesis(connection: Connection, deployment: str, public_key: str) -> Iterable[BaosongError]:
    row = next(iter(rows.stream_rows(connection, LEDGER)), None)
    facts = {"deployment": deployment, "public_key": public_key}
    is_right = row is not None and row.type == GENESIS and not check_chain([row]) and _payload(row) == facts
    if not is_right:
        yield Tampered("ledger.genesis_differs", deployment=deployment)


def _check_payloads(connection: Connection, seen: _Seen) -> Iterable[BaosongError]:
    """Each payload belongs to an event; it is erased exactly if an event of its erasure says so, at the same time."""
    unclaimed = select(payload.c.digest).where(
        ~select(event).where(event.c.payload_digest == payload.c.digest).exists()
    )
    for digest in connection.execute(unclaimed).scalars():
        yield Tampered("ledger.payload_unclaimed", digest=digest)
    stored = connection.execute(select(payload.c.digest, payload.c.erased_at))
    erased_at = {digest: at for digest, at in stored if at is not None}
    for digest in sorted({*seen.erased, *seen.erasures, *map(str, erased_at)}):
        stream, seq, at = seen.erasures.get(digest, (*seen.erased.get(digest, ("?", 0)), None))
        is_right = seen.erased.get(digest) == (stream, seq) and at is not None and erased_at.get(digest) == at
        if not is_right:
            yield Tampered(
                "ledger.erasure_differs",
                stream=stream,
                seq=seq,
                digest=digest,
                recorded=erased_at.get(digest),
                expected=at,
            )


def _check_reservations(connection: Connection, seen: _Seen) -> Iterable[BaosongError]:
    stored = set(_table(connection, reservation))
    for row in sorted(stored - seen.reservations, key=repr):
        yield Tampered("ledger.reservation_alone", **_reservation(row))
    for row in sorted(seen.reservations - stored, key=repr):
        yield Tampered("ledger.reservation_missing", **_reservation(row))


def _reservation(row: Sequence[object]) -> dict[str, Any]:
    return dict(zip(("filing", "version", "channel", "seq"), row, strict=True))


def _check_heads(connection: Connection, seen: _Seen) -> Iterable[BaosongError]:
    stored = {stream: (seq, hash) for stream, seq, hash in _table(connection, head)}
    for stream in sorted({*stored, *seen.last}, key=repr):
        if stored.get(stream) != seen.last.get(str(stream)):
            yield Tampered("ledger.head_differs", stream=stream, seq=seen.last.get(str(stream), (0,))[0])


def _check_signed(signed: Iterable[SignedHead], seen: _Seen) -> Iterable[BaosongError]:
    """Each stream still stands, or stood, where each exported head says; the first head that shows it is named."""
    told: set[tuple[str, int, str]] = set()
    for one in signed:
        for stream, (seq, hash) in one.streams.items():
            if seen.signed.get((stream, seq)) == hash or (stream, seq, hash) in told:
                continue
            told.add((stream, seq, hash))
            file = f"heads/{one.number:06d}.json"
            if (stream, seq) in seen.signed:
                yield Tampered("ledger.signed_differs", stream=stream, seq=seq, file=file, signed=hash)
            else:
                last = seen.last.get(stream, (0, ""))[0]
                yield Tampered("ledger.signed_missing", stream=stream, seq=seq, file=file, last=last)


def _table(connection: Connection, table: Table) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(select(table))]
