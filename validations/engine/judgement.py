"""What a judging says: rows, true counts, what was waived, what could not be judged and why. No judging happens here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.errors import text
from validations.engine.standard import Severity

WhyNot = Literal["table", "reference", "phase", "demand"]


@dataclass(frozen=True)
class NotJudged:
    """A rule that was not judged: `missing` names the tables, the references, the rules that stopped the phases, or the
    tables that are not demanded."""

    rule: str
    why: WhyNot
    missing: str

    @property
    def namespaces(self) -> frozenset[str]:
        """The contents to compare with that were not there; none where a table or a phase was the reason."""
        if self.why != "reference":
            return frozenset()
        return frozenset(name.partition(".")[0] for name in self.missing.split(", "))

    def __str__(self) -> str:
        return text(f"validations.not_judged_{self.why}", missing=self.missing)


@dataclass(frozen=True)
class Judgement:
    """What was judged and found: rows per table, true count per judged rule (zero too), where the findings lie.

    `by_severity` counts a row that a rule could not judge as blocking, whatever its rule's severity. Findings under a valid
    waiver are in the file and in `waived`, but in no other count. `cannot` says how many of a rule's findings are rows, or whole
    tables, on which it raised.
    """

    rows: Mapping[str, int]
    counts: Mapping[str, int]
    by_severity: Mapping[Severity, int]
    findings: Path
    standard_version: str
    standard_digest: str
    severities: Mapping[str, Severity]
    not_judged: tuple[NotJudged, ...] = ()
    waived: Mapping[str, int] = field(default_factory=dict[str, int])
    cannot: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def total(self) -> int:
        """All findings that no waiver covers."""
        return sum(self.counts.values())
