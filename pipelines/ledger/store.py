"""The ledger as the stages use it: open, append, reserve, read, erase, sign. Whole-database checks are in `verify.py`.

Every append is one short writing transaction that moves event, payload and head together; the chain of the stream is
never broken by a crash or by two processes. What is read is checked first: a broken stream decides nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, func, insert, select, update

from pipelines.errors import BadInput, Refused, Tampered
from pipelines.ledger import database, heads, rows
from pipelines.ledger.chain import (
    FIRST,
    ChainRow,
    canonical_json,
    check_chain,
    event_hash,
    is_text,
    payload_digest,
)
from pipelines.ledger.events import Event, event_of, time_text
from pipelines.ledger.models import event, head, payload, reservation
from pipelines.ledger.verify import DELIVERY_RESERVED, ERASED, GENESIS, LEDGER, VerifyReport, verify_ledger

_OWN_TYPES = {GENESIS, ERASED, DELIVERY_RESERVED}
_ACTOR = "baosong"


class Ledger:
    """One deployment's ledger. Use as a context manager or call `close`."""

    def __init__(self, engine: Engine, deployment: str, home: Path, key: Ed25519PrivateKey) -> None:
        self._engine, self._deployment, self._home, self._key = engine, deployment, home, key

    @classmethod
    def open(cls, url: str, *, deployment: str, home: Path, at: datetime | None = None) -> Ledger:
        """The ledger at `url`, made if there is none (`at` is then the time of its first event, default now).

        Refused if it belongs to another deployment, was written by a newer Baosong, or its key is not the one in `home`.
        Tampered if exported heads exist but the ledger is empty, or if its first event cannot be believed.
        """
        engine = database.open_engine(url)
        try:
            with heads.alone(home):
                key = heads.open_key(home)
                database.use_wal(engine)
                ledger = cls(engine, deployment, home, key)
                with database.writing(engine) as connection:
                    database.migrate(connection)
                    ledger._begin(connection, at or datetime.now(UTC))
            ledger._check_genesis()
        except BaseException:
            engine.dispose()
            raise
        return ledger

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(
        self,
        stream: str,
        type: str,
        payload: Mapping[str, Any],
        *,
        actor: str,
        at: datetime,
        command_id: str,
        expected_seq: int | None = None,
        type_version: int = 1,
    ) -> Event:
        """Append one event; a rerun with the same `command_id` appends nothing and returns the earlier one.

        Refused `ledger.command_reused` if that was another event, `ledger.moved_on` if the stream's last sequence is not
        `expected_seq`. BadInput for a payload with a float or anything else that JSON cannot hold exactly.
        """
        if type in _OWN_TYPES:
            raise Refused("ledger.own_type", type=type)
        canonical, time = canonical_json(payload), time_text(at)
        with database.writing(self._engine) as connection:
            earlier = _earlier(connection, command_id, stream, type, canonical)
            if earlier:
                return event_of(earlier)
            row = _append(
                connection,
                stream,
                type,
                canonical,
                actor,
                time,
                command_id,
                type_version,
                expected_seq=expected_seq,
            )
        return event_of(row)

    def reserve(
        self,
        filing: str,
        version: int,
        channel: str,
        payload: Mapping[str, Any],
        *,
        actor: str,
        at: datetime,
        command_id: str,
    ) -> tuple[Event, bool]:
        """Reserve the delivery of one version over one channel before its first byte; whether it is new.

        False with the earlier event if it is reserved already, by whatever command: its outcome must then be asked for.
        `version` and `channel` are written into the payload.
        """
        canonical = canonical_json({**payload, "version": version, "channel": channel})
        time, stream = time_text(at), f"filing/{filing}"
        key: dict[str, Any] = {"filing": filing, "version": version, "channel": channel}
        with database.writing(self._engine) as connection:
            earlier = _earlier(connection, command_id, stream, DELIVERY_RESERVED, canonical)
            held = connection.execute(select(reservation.c.seq).filter_by(**key)).scalar()
            if held is not None:
                reserved = next((row for row in _checked(connection, stream) if row.seq == held), None)
                if reserved is None:
                    raise Tampered("ledger.reservation_alone", **key, seq=held)
                return event_of(reserved), False
            if earlier:
                raise Tampered("ledger.reservation_missing", **key, seq=earlier.seq)
            row = _append(connection, stream, DELIVERY_RESERVED, canonical, actor, time, command_id)
            connection.execute(insert(reservation).values(**key, seq=row.seq))
        return event_of(row), True

    def events(self, stream: str) -> list[Event]:
        """The events of `stream` in order, after checking its chain; Tampered if it does not hold."""
        return [event_of(row) for row in self.rows(stream)]

    def rows(self, stream: str) -> list[ChainRow]:
        """The events of `stream` as stored, salts included, after checking its chain: what an archive needs."""
        with database.reading(self._engine) as connection:
            return _checked(connection, stream)

    def streams(self, prefix: str = "") -> list[str]:
        """The names of all streams that begin with `prefix`, in the order of their code points."""
        with database.reading(self._engine) as connection:
            names = connection.execute(select(head.c.stream)).scalars().all()
        return sorted(name for name in names if name.startswith(prefix))

    def standing(self, prefix: str = "") -> dict[str, int]:
        """How long each stream that begins with `prefix` is, in the order of their code points; no chain is checked."""
        with database.reading(self._engine) as connection:
            found = connection.execute(select(head.c.stream, head.c.seq)).all()
        return {stream: seq for stream, seq in sorted(map(tuple, found)) if stream.startswith(prefix)}

    def began_at(self) -> datetime:
        """When this ledger was made."""
        return self.events(LEDGER)[0].at

    def event_count(self) -> int:
        with database.reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(event)).scalar_one()

    def erase(self, stream: str, seq: int, *, actor: str, at: datetime, reason: str) -> Event:
        """Remove the payload of one event for good; the event `payload_erased` in stream `ledger` says so.

        Erasing again returns the earlier event. Refused for events whose payload the ledger itself needs. PostgreSQL
        keeps the old text on its pages until VACUUM.
        """
        time, command_id = time_text(at), f"erase:{stream}:{seq}"
        with database.writing(self._engine) as connection:
            earlier = rows.command_row(connection, command_id)
            if earlier:
                return event_of(earlier)
            row = next((row for row in _checked(connection, stream) if row.seq == seq), None)
            if row is None:
                raise BadInput("ledger.no_such_event", stream=stream, seq=seq)
            if row.type in _OWN_TYPES:
                raise Refused("ledger.not_erasable", stream=stream, seq=seq, type=row.type)
            facts = {"stream": stream, "seq": seq, "payload_digest": row.payload_digest, "reason": reason}
            erased = _append(connection, LEDGER, ERASED, canonical_json(facts), actor, time, command_id)
            connection.execute(
                update(payload)
                .where(payload.c.digest == row.payload_digest)
                .values(salt=None, canonical_json=None, erased_at=time)
            )
        database.forget_log(self._engine)
        return event_of(erased)

    def sign_head_over(self, stream: str, seq: int, at: datetime) -> None:
        """Sign a head unless the newest one already speaks of that event: what a rerun after a kill makes up for."""
        if not heads.newest_head_covers(self._home, stream, seq):
            self.sign_head(at)

    def sign_head(self, at: datetime) -> Path:
        """Sign where all streams stand now and export it to `heads/<number>.json`; daily and at every delivery."""
        time = time_text(at)

        def make(number: int, previous: str) -> heads.SignedHead:
            with database.reading(self._engine) as connection:
                standing = connection.execute(select(head.c.stream, head.c.seq, head.c.hash)).all()
            streams = {stream: (seq, hash) for stream, seq, hash in standing}
            return heads.SignedHead(number, self._deployment, time, previous, streams)

        return heads.export_head(self._home, self._key, make)

    def verify(self) -> VerifyReport:
        """Check every row of every table, and the exported heads, against each other."""
        return verify_ledger(
            self._engine,
            home=self._home,
            deployment=self._deployment,
            public_key=heads.public_text(self._key),
        )

    def _begin(self, connection: Connection, at: datetime) -> None:
        """Write the genesis event if the ledger is empty."""
        if any(
            connection.execute(select(table).limit(1)).first()
            for table in (event, head, payload, reservation)
        ):
            return
        if heads.head_files(self._home):
            raise Tampered("ledger.lost", folder=heads.heads_folder(self._home))
        facts = {"deployment": self._deployment, "public_key": heads.public_text(self._key)}
        _append(connection, LEDGER, GENESIS, canonical_json(facts), _ACTOR, time_text(at), "ledger:created")

    def _check_genesis(self) -> None:
        with database.reading(self._engine) as connection:
            row = next(iter(rows.stream_rows(connection, LEDGER)), None)
        if row is None or row.type != GENESIS or row.is_erased or check_chain([row]):
            raise Tampered("ledger.genesis", details=self.verify().problems)
        facts = event_of(row).payload or {}
        if facts["deployment"] != self._deployment:
            raise Refused("ledger.other_deployment", recorded=facts["deployment"], given=self._deployment)
        if facts["public_key"] != heads.public_text(self._key):
            raise Refused("ledger.other_key", path=heads.key_path(self._home), recorded=facts["public_key"])


def _earlier(
    connection: Connection, command_id: str, stream: str, type: str, canonical: str
) -> ChainRow | None:
    """The event that this command appended before; Refused if it was another event. An erased payload is trusted."""
    row = rows.command_row(connection, command_id)
    if row is None:
        return None
    if (row.stream, row.type) != (stream, type) or row.canonical_json not in (None, canonical):
        raise Refused(
            "ledger.command_reused", command_id=command_id, stream=row.stream, seq=row.seq, type=row.type
        )
    return row


def _append(
    connection: Connection,
    stream: str,
    type: str,
    canonical: str,
    actor: str,
    at: str,
    command_id: str,
    type_version: int = 1,
    *,
    expected_seq: int | None = None,
) -> ChainRow:
    for name, value in (("stream", stream), ("type", type), ("actor", actor), ("command_id", command_id)):
        if not value or not is_text(value) or not value.isprintable():
            raise BadInput("ledger.bad_text", column=name, value=ascii(value))
    last = rows.last_row(connection, stream)
    seq, prev_hash = (last.seq, last.hash) if last else (0, FIRST)
    standing = connection.execute(select(head.c.seq, head.c.hash).where(head.c.stream == stream)).first()
    if (tuple(standing) if standing else (0, FIRST)) != (seq, prev_hash):
        raise Tampered("ledger.head_differs", stream=stream, seq=seq)
    if expected_seq is not None and expected_seq != seq:
        raise Refused("ledger.moved_on", stream=stream, seq=seq, expected=expected_seq)
    salt = secrets.token_hex(16)
    facts: dict[str, Any] = {
        "stream": stream,
        "seq": seq + 1,
        "type": type,
        "type_version": type_version,
        "actor": actor,
        "at": at,
        "command_id": command_id,
        "payload_digest": payload_digest(salt, canonical),
        "prev_hash": prev_hash,
    }
    row = ChainRow(**facts, hash=event_hash(**facts), salt=salt, canonical_json=canonical)
    connection.execute(insert(payload).values(digest=row.payload_digest, salt=salt, canonical_json=canonical))
    connection.execute(insert(event).values(**facts, hash=row.hash))
    values = {"seq": row.seq, "hash": row.hash}
    if last:
        connection.execute(update(head).where(head.c.stream == stream).values(**values))
    else:
        connection.execute(insert(head).values(stream=stream, **values))
    return row


def _checked(connection: Connection, stream: str) -> list[ChainRow]:
    found = rows.stream_rows(connection, stream)
    problems = check_chain(found)
    last = connection.execute(select(head.c.seq, head.c.hash).where(head.c.stream == stream)).first()
    standing = (found[-1].seq, found[-1].hash) if found else None
    if (tuple(last) if last else None) != standing:
        problems.append(Tampered("ledger.head_differs", stream=stream, seq=len(found)))
    if problems:
        raise Tampered("ledger.stream_broken", stream=stream, details=problems)
    return found
