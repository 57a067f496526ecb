"""What can happen to a filing: one frozen model per event type, in the order of the flow.

A model's JSON is the payload that the chain protects; `kind` is the event's type. Bulk facts (findings, answers) are one
event naming a file's digest, never one event per row. Nothing here decides whether an event may happen: stages do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pipelines.ledger.demand_events import DEMAND_EVENTS
from pipelines.ledger.finding_events import (
    AnswersReceived,
    AnswersRefused,
    AnswersReviewed,
    CorrectionDecided,
    FindingsDispatched,
    FindingsReviewed,
    Handling,
    Held,
    Holder,
    HolderReminded,
    ProblemsListed,
    WaiverGranted,
    WaiverProposed,
    WaiverRefused,
    WaiverRevoked,
    WorkbookSent,
)
from pipelines.ledger.recorded import Fact, FilingEvent
from pipelines.ledger.sign_off_events import (
    SIGN_OFF_EVENTS,
    ObjectionAnswered,
    Opinion,
    OpinionGiven,
    SignOffOpened,
    StepReminded,
)

__all__ = [
    "AnswersReceived",
    "AnswersRefused",
    "AnswersReviewed",
    "CorrectionDecided",
    "FilingEvent",
    "FindingsDispatched",
    "FindingsReviewed",
    "Handling",
    "Held",
    "Holder",
    "HolderReminded",
    "ObjectionAnswered",
    "Opinion",
    "OpinionGiven",
    "ProblemsListed",
    "SignOffOpened",
    "StepReminded",
    "WaiverGranted",
    "WaiverProposed",
    "WaiverRefused",
    "WaiverRevoked",
    "WorkbookSent",
]

WhyNotJudged = Literal["table", "reference", "phase", "demand"]


class FilingOpened(FilingEvent):
    """A filing exists: by the calendar (`basis` names it) or by an accepted request (`basis` is its number).

    `tables` are those that the request demands; empty: all of the report.
    """

    kind = "filing_opened"
    standard: str
    report: str
    key: str
    authority: str
    date_from: date
    date_to: date
    organisations: tuple[str, ...]
    deadline: date
    planned_on: date
    opened_by: Literal["calendar", "request"]
    basis: str
    tables: tuple[str, ...] = ()


class NilReturnDeclared(FilingEvent):
    """A due table is empty because there is nothing to report; declared by a person, never guessed."""

    kind = "nil_return_declared"
    table: str
    reason: str


class NilReturnWithdrawn(FilingEvent):
    """A nil return was declared in error, or there is something to report by now."""

    kind = "nil_return_withdrawn"
    table: str
    reason: str


class BaselineDeclared(FilingEvent):
    """What this filing is compared with, where no accepted filing stands before it: adopted tables, or nothing at all.

    `digest` names the tables with their content digests; None: nothing was reported before, for `reason`.
    """

    kind = "baseline_declared"
    reason: str
    digest: str | None = None
    tables: Mapping[str, str] = {}
    date_from: date | None = None
    date_to: date | None = None


class OffSystemUploaded(FilingEvent):
    """A department handed in a table that it keeps outside the systems (系统外数据); a later one takes its place.

    `file` is the SHA-256 of the upload called `name`, `digest` the content digest of what was read from it, `department`
    whoever owed it then.
    """

    kind = "off_system_uploaded"
    table: str
    name: str
    file: str
    digest: str
    rows: int
    sums: Mapping[str, str]
    department: str


class ExtractionRequested(FilingEvent):
    """A person asks for a re-extraction."""

    kind = "extraction_requested"
    round: int
    reason: str


class TableFacts(Fact):
    """One table of a round: rows, content digest, and the sums of its decimals as reconciled with the source."""

    rows: int
    digest: str
    sums: Mapping[str, str]


class RoundExtracted(FilingEvent):
    """One immutable extraction; counts and sums agree with what the source counted in the same snapshot."""

    kind = "round_extracted"
    round: int
    manifest: str
    source: str
    snapshot_at: datetime
    tables: Mapping[str, TableFacts]


class ContentValidated(FilingEvent):
    """All rules ran on exactly this content; `findings` is the SHA-256 of the findings file.

    `reference` names what it was compared with, empty for nothing; `not_judged` gives per rule what it lacked, and
    `not_judged_why` what that is (early events do not say).
    """

    kind = "content_validated"
    content: str
    round: int
    standard_version: str
    standard_digest: str
    findings: str
    rows: int
    counts: Mapping[str, int]
    block: int
    explain: int
    note: int
    overlays: int
    reference: str = ""
    not_judged: Mapping[str, str] = {}
    not_judged_why: Mapping[str, WhyNotJudged] = {}


class RoundsCompared(FilingEvent):
    """What changed between two rounds: rows, by field, and findings. `changes` is the file of all row changes with what
    explains each, `comparison` the summary. `unexplained` counts the changes (drift) that nothing explains yet."""

    kind = "rounds_compared"
    earlier: int
    later: int
    comparison: str
    changes: str
    added: int
    removed: int
    changed: int
    unexplained: int
    resolved: int
    remaining: int
    appeared: int
    missing_fixes: int


class DriftExplained(FilingEvent):
    """Somebody declared why rows of a table changed between two rounds, for one branch, field or kind of change where given."""

    kind = "drift_explained"
    later: int
    table: str
    organisation: str | None
    field: str | None
    change: Literal["added", "removed", "changed"] | None
    reason: str
    explained: int
    unexplained: int


class RetryRequested(FilingEvent):
    """A person asks that a failed automatic step run again."""

    kind = "retry_requested"
    step: str
    reason: str


class PackageBuilt(FilingEvent):
    """The files exactly as they will be sent."""

    kind = "package_built"
    version: int
    content: str
    package: str
    files: Mapping[str, str]


class DeliveryReserved(FilingEvent):
    """Before the first byte: nobody else delivers this version over this channel."""

    kind = "delivery_reserved"
    version: int
    channel: str
    package: str


class DeliverySent(FilingEvent):
    """The other side holds the package: read back, or acknowledged under its digest."""

    kind = "delivery_sent"
    version: int
    channel: str
    package: str
    remote: str
    reference: str
    verified_by: str


class HandoverRecorded(FilingEvent):
    """The branch downloaded the package and handed it to the bureau (移交记录)."""

    kind = "handover_recorded"
    version: int
    package: str
    organisation: str
    recipient: str
    files: Mapping[str, str]


class ReceiptReceived(FilingEvent):
    """The regulator's answer; `text` is what it sent."""

    kind = "receipt_received"
    version: int
    number: str
    result: Literal["accepted", "rejected"]
    issuer: str
    package: str
    text: str
    errors: int


class FilingReopened(FilingEvent):
    """A resubmission (更正报送) begins: version + 1, with its reason."""

    kind = "filing_reopened"
    version: int
    reason: str


class EvidenceArchived(FilingEvent):
    """The evidence of everything before this event; `evidence` is the SHA-256 of the archive."""

    kind = "evidence_archived"
    version: int
    evidence: str


EVENTS: dict[str, type[FilingEvent]] = {
    model.kind: model for model in (*DEMAND_EVENTS, *SIGN_OFF_EVENTS, *FilingEvent.__subclasses__())
}
