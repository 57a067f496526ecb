"""Signed statements: what a person said of a content, as canonical JSON under the server's Ed25519 signature.

The same check serves the database (`verify.py`) and an archive far from it. The chain shows that events were not changed; the
signature shows it of one opinion alone, printed or handed over. Who may say what is the stages' matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from pipelines.errors import BadInput, BaosongError, Tampered
from pipelines.ledger.chain import ChainRow, canonical_json, check_cells
from pipelines.ledger.events import time_text
from pipelines.ledger.sign_off_events import OpinionGiven, SignOffOpened

_PURPOSE = "baosong opinion 1"


def signed(
    key: Ed25519PrivateKey,
    fact: OpinionGiven,
    *,
    deployment: str,
    filing: str,
    version: int,
    user: str,
    at: datetime,
) -> OpinionGiven:
    """The opinion with its statement and the signature over it."""
    said = _said(fact, deployment=deployment, filing=filing, version=version, user=user, time=time_text(at))
    statement = canonical_json(said)
    return fact.model_copy(update={"statement": statement, "signature": key.sign(statement.encode()).hex()})


def check_statements(rows: Iterable[ChainRow], *, deployment: str, public_key: str) -> Iterator[BaosongError]:
    """Every opinion of one stream whose statement does not hold: not signed, or not what its event says.

    Opinions on a sign-off without bound steps are of before statements were made. Rows that the chain itself finds wrong, and
    erased ones, are passed over here.
    """
    opened, version = False, 1
    for row in rows:
        if row.is_erased or check_cells(row) or not row.is_payload_intact:
            continue
        if row.type == SignOffOpened.kind:
            opened = bool(_payload(row).get("steps"))
        elif row.type == "filing_reopened":
            version = int(_payload(row)["version"])
        elif row.type == OpinionGiven.kind:
            problem = _check(row, deployment, version, public_key, is_due=opened)
            if problem:
                yield problem


def _check(
    row: ChainRow, deployment: str, version: int, public_key: str, *, is_due: bool
) -> BaosongError | None:
    try:
        fact = OpinionGiven.model_validate(_payload(row))
    except ValidationError:
        return Tampered("ledger.statement_differs", stream=row.stream, seq=row.seq, differs="—")
    if not fact.statement and not fact.signature:
        return Tampered("ledger.statement_missing", stream=row.stream, seq=row.seq) if is_due else None
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(
            bytes.fromhex(fact.signature), fact.statement.encode()
        )
        said: dict[str, Any] = json.loads(fact.statement)
        is_canonical = canonical_json(said) == fact.statement
    except (ValueError, TypeError, InvalidSignature, BadInput):
        return Tampered("ledger.statement_signature", stream=row.stream, seq=row.seq)
    filing = row.stream.removeprefix("filing/")
    expected = _said(fact, deployment=deployment, filing=filing, version=version, user=row.actor, time=row.at)
    differs = sorted(name for name in {*said, *expected} if said.get(name, "—") != expected.get(name, "—"))
    if differs or not is_canonical:
        told = ", ".join(differs) or "—"
        return Tampered("ledger.statement_differs", stream=row.stream, seq=row.seq, differs=told)
    return None


def _said(
    fact: OpinionGiven, *, deployment: str, filing: str, version: int, user: str, time: str
) -> dict[str, Any]:
    return {
        "purpose": _PURPOSE,
        "deployment": deployment,
        "filing": filing,
        "version": version,
        "sign_off": fact.number,
        "content": fact.content,
        "step": fact.step,
        "role": fact.role,
        "department": fact.department,
        "user": user,
        "on_behalf_of": fact.on_behalf_of,
        "opinion": fact.opinion,
        "comment": fact.comment,
        "time": time,
        "authentication": fact.authentication,
        "compliance": fact.compliance.model_dump() if fact.compliance else None,
    }


def _payload(row: ChainRow) -> dict[str, Any]:
    return json.loads(row.canonical_json or "{}")
