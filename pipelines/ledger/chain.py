"""The mathematics of the chain: canonical JSON, payload digests, event hashes, and checking one stream.

Pure functions over rows as they are stored, so that a database and an archive are checked by the same code. No database,
no files, no signatures (`heads.py`) here.

Canonical JSON: UTF-8, keys sorted by code point, no spaces, `ensure_ascii` off; values are null, booleans, integers of 64
bits, texts, lists and objects. A float has no exact text, so it is refused; money and dates come as text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from pipelines.errors import BadInput, BaosongError, Tampered

FIRST = "0" * 64
"""`prev_hash` of the first event of a stream."""

_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ChainRow:
    """One event as stored, with its payload's row; `salt` and `canonical_json` are None once it is erased."""

    stream: str
    seq: int
    type: str
    type_version: int
    actor: str
    at: str
    command_id: str
    payload_digest: str
    prev_hash: str
    hash: str
    salt: str | None
    canonical_json: str | None

    @property
    def is_erased(self) -> bool:
        return self.salt is None and self.canonical_json is None

    @property
    def is_payload_intact(self) -> bool:
        """Whether there is a payload and it has the digest that the event names."""
        if self.salt is None or self.canonical_json is None:
            return False
        return payload_digest(self.salt, self.canonical_json) == self.payload_digest


_INTEGERS = {"seq", "type_version"}
_NULLABLE = {"salt", "canonical_json"}


def canonical_json(value: object) -> str:
    """`value` as canonical JSON; BadInput `ledger.payload_value` names every place that cannot be written exactly."""
    problems: list[BaosongError] = []
    plain = _plain(value, "$", problems)
    if problems:
        raise BadInput("ledger.payload_refused", details=problems)
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: object, place: str, problems: list[BaosongError]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not is_text(value):
            problems.append(BadInput("ledger.payload_value", place=place, kind="lone surrogate"))
        return value
    if isinstance(value, int) and value in _INT64:
        return int(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        for key in (key for key, _ in items if not isinstance(key, str) or not is_text(key)):
            problems.append(BadInput("ledger.payload_value", place=place, kind=f"key {key!a}"))
        return {str(key): _plain(item, f"{place}.{key}", problems) for key, item in items}
    if isinstance(value, list | tuple):
        items_in_order = cast("Sequence[object]", value)
        return [_plain(item, f"{place}[{n}]", problems) for n, item in enumerate(items_in_order)]
    problems.append(BadInput("ledger.payload_value", place=place, kind=type(value).__name__))
    return None


def is_text(value: str) -> bool:
    """Whether `value` can be written as UTF-8 (a lone surrogate cannot)."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def digest(tag: str, parts: Iterable[str]) -> str:
    """SHA-256 (hex) over `tag` and `parts`, each as UTF-8 behind its length, so no two lists share their bytes."""
    sha = hashlib.sha256()
    for part in (tag, *parts):
        data = part.encode("utf-8", "surrogatepass")
        sha.update(b"%d:" % len(data) + data)
    return sha.hexdigest()


def payload_digest(salt: str, canonical: str) -> str:
    """Digest of a payload: salted, so that an erased payload cannot be guessed back from it."""
    return digest("baosong payload 1", (salt, canonical))


def event_hash(
    *,
    stream: str,
    seq: int,
    type: str,
    type_version: int,
    actor: str,
    at: str,
    command_id: str,
    payload_digest: str,
    prev_hash: str,
) -> str:
    """Hash of an event over all of its columns and the hash before it."""
    parts = (stream, str(seq), type, str(type_version), actor, at, command_id, payload_digest, prev_hash)
    return digest("baosong event 1", parts)


def row_hash(row: ChainRow) -> str:
    """The hash that `row` ought to have."""
    return event_hash(
        stream=row.stream,
        seq=row.seq,
        type=row.type,
        type_version=row.type_version,
        actor=row.actor,
        at=row.at,
        command_id=row.command_id,
        payload_digest=row.payload_digest,
        prev_hash=row.prev_hash,
    )


def check_cells(row: ChainRow) -> list[BaosongError]:
    """One problem for each cell whose type is not its column's (SQLite and JSON let anything in)."""
    problems: list[BaosongError] = []
    for column in fields(row):
        value: object = getattr(row, column.name)
        expected = int if column.name in _INTEGERS else str
        is_right = type(value) is expected or (value is None and column.name in _NULLABLE)
        if not is_right:
            problems.append(
                Tampered(
                    "ledger.cell_type", stream=row.stream, seq=row.seq, column=column.name, value=repr(value)
                )
            )
    return problems


def check_chain(rows: Iterable[ChainRow]) -> list[BaosongError]:
    """What is wrong with one stream, given all of its rows in the order of their sequence; empty if nothing is.

    An erased payload is taken as such: whether it may be missing is told by the ledger's `payload_erased` events.
    """
    problems: list[BaosongError] = []
    expected_seq, expected_prev, stream = 1, FIRST, None
    for row in rows:
        wrong_cells = check_cells(row)
        if wrong_cells:
            problems += wrong_cells
            continue
        where: dict[str, Any] = {"stream": row.stream, "seq": row.seq}
        if stream not in (None, row.stream):
            problems.append(Tampered("ledger.stream_mixed", **where, other=stream))
        if row.seq != expected_seq:
            problems.append(Tampered("ledger.sequence_gap", **where, expected=expected_seq))
        if row.prev_hash != expected_prev:
            problems.append(
                Tampered("ledger.link_broken", **where, recorded=row.prev_hash, expected=expected_prev)
            )
        computed = row_hash(row)
        if row.hash != computed:
            problems.append(Tampered("ledger.event_changed", **where, recorded=row.hash, computed=computed))
        if not row.is_erased and not row.is_payload_intact:
            problems.append(Tampered("ledger.payload_changed", **where, recorded=row.payload_digest))
        stream, expected_seq, expected_prev = row.stream, row.seq + 1, row.hash
    return problems
