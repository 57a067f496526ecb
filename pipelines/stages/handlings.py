"""What became of each finding (处理方式), read from the answers that the ledger names. Importing them is `correct`'s work.

A handling holds for the value it was given for: when a later round shows another value, it no longer speaks of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.errors import Tampered
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Handling
from pipelines.stages.canonical import canonical_json, file_digest, write_durably
from pipelines.stages.installation import Installation


@dataclass(frozen=True)
class Handled:
    """One finding's handling: which cell it speaks of, the value it was given for, and what was answered."""

    finding: str
    rule: str
    table: str
    key: str
    field: str
    value: str | None
    expected: str | None
    difference: str | None
    handling: Handling
    new_value: str | None
    reason: str
    organisation: str
    user: str


def write_answers(installation: Installation, filing: str, handled: Sequence[Handled]) -> str:
    """Keep answers under their digest; returns it."""
    lines = "".join(
        canonical_json(asdict(answer)) + "\n" for answer in sorted(handled, key=lambda h: h.finding)
    )
    digest = hashlib.sha256(lines.encode()).hexdigest()
    write_durably(answers_file(installation, filing, digest), lines.encode())
    return digest


def answers_file(installation: Installation, filing: str, digest: str) -> Path:
    return installation.folder("answers", filing) / f"{digest}.jsonl"


def current_handlings(
    installation: Installation, state: FilingState, *, before: int | None = None, after: int = 0
) -> dict[str, Handled]:
    """The last answer to each finding (given before event `before` and after event `after`), by finding key.

    Raises Tampered when an answers file is not what was recorded.
    """
    handlings: dict[str, Handled] = {}
    for received in state.answers:
        if before is not None and received.seq >= before:
            break
        if received.seq <= after:
            continue
        path = answers_file(installation, state.id, received.fact.answers)
        if not path.is_file() or file_digest(path) != received.fact.answers:
            raise Tampered("correct.answers_changed", path=path)
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            answer = Handled(**json.loads(line))
            handlings[answer.finding] = answer
    return handlings
