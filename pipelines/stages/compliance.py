"""The compliance review (审核流程是否规范): how people's work on a filing went, held against the declared process.

It is computed from the ledger and the facts it names, never stored as a truth of its own; the opinion given on it names its
digest, so that what the audit department saw can be shown years later. What each check asks is `compliance_checks.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from pipelines.errors import Tampered
from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import ComplianceFound
from pipelines.stages.canonical import canonical_json, file_digest, write_durably
from pipelines.stages.compliance_checks import Check, Evidence, checks_of
from pipelines.stages.installation import Installation

__all__ = ["Check", "Compliance", "Evidence", "compliance", "keep_compliance", "kept_compliance"]


@dataclass(frozen=True)
class Compliance:
    """All checks on one filing: those of the whole filing first (`department` empty), then department by department."""

    filing: str
    version: int
    content: str
    checks: tuple[Check, ...]

    @property
    def deviations(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.result == "deviation")

    def of(self, department: str) -> tuple[Check, ...]:
        """The checks of one department; of the whole filing for the empty text."""
        return tuple(check for check in self.checks if check.department == department)

    @property
    def departments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check.department for check in self.checks if check.department))

    @property
    def text(self) -> str:
        """The review as canonical JSON: what its digest is of, and what is kept."""
        return canonical_json(asdict(self))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def found(self) -> ComplianceFound:
        """As an opinion names it."""
        return ComplianceFound(digest=self.digest, deviations=len(self.deviations))


def compliance(
    installation: Installation, state: FilingState, *, rows: pl.DataFrame | None = None
) -> Compliance:
    """The review of the filing as it stands now; `rows` is its register, where somebody has it already."""
    content = state.content.fact.content if state.content else ""
    return Compliance(state.id, state.version, content, checks_of(installation, state, rows))


def keep_compliance(installation: Installation, review: Compliance) -> ComplianceFound:
    """Keep a review under its digest, before the opinion that names it."""
    write_durably(_path(installation, review.filing, review.digest), review.text.encode())
    return review.found


def kept_compliance(installation: Installation, filing: str, digest: str) -> Compliance:
    """The review kept under a digest. Raises Tampered when the file is not the one recorded."""
    path = _path(installation, filing, digest)
    if not path.is_file() or file_digest(path) != digest:
        raise Tampered("facts.changed", path=path)
    return TypeAdapter(Compliance).validate_json(path.read_bytes())


def _path(installation: Installation, filing: str, digest: str) -> Path:
    return installation.folder("facts", filing) / f"{digest}.json"
