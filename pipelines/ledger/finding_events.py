"""What people do with findings: first review, dispatch to the branches, answers, decisions, waivers.

A bulk fact is one event that names a file's digest; the file holds a row per finding. Each event says who holds how many
open findings after it (`held`), so that the state of a filing needs no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pipelines.ledger.recorded import Fact, FilingEvent

Handling = Literal["source_fix", "report_correction", "explanation"]
Holder = Literal["first_review", "issue", "answer", "decide"]
"""Whose turn it is: the first reviewer's, the department's that issues, the branch's, the department's that decides."""


class Held(Fact):
    """How many open findings one holder has, of one department and one branch."""

    holder: Holder
    department: str
    organisation: str
    count: int


class WorkbookSent(Fact):
    """One workbook that went to a branch: file name, SHA-256, number of problems in it."""

    organisation: str
    file: str
    sha256: str
    problems: int
    department: str = ""


class ProblemsListed(FilingEvent):
    """The documents on what a content's judging found were written: file name → SHA-256."""

    kind = "problems_listed"
    content: str
    round: int
    documents: Mapping[str, str]
    held: tuple[Held, ...]


class FindingsReviewed(FilingEvent):
    """First review (初审) of problem data: confirmed, dismissed as none, or assigned to another department or branch."""

    kind = "findings_reviewed"
    content: str
    decisions: str
    confirmed: int
    dismissed: int
    assigned: int
    held: tuple[Held, ...]


class FindingsDispatched(FilingEvent):
    """A department issued problem data to the branches; the sign-off's number is allotted here so that handlings can name it.

    `problems` is the file of what was asked of whom.
    """

    kind = "findings_dispatched"
    round: int
    content: str
    department: str
    sign_off: str
    answer_by: date
    problems: str
    workbooks: tuple[WorkbookSent, ...]
    held: tuple[Held, ...]


class AnswersReceived(FilingEvent):
    """One person's answers for a branch: `answers` is the file of those taken, `returned` counts the lines that came back with
    `annotated`, the workbook that says why. `workbook` is what they came in; empty where they were given on a page."""

    kind = "answers_received"
    round: int
    content: str
    organisation: str
    department: str
    workbook: str
    answers: str
    handlings: Mapping[str, int]
    returned: int
    annotated: str
    held: tuple[Held, ...]


class AnswersRefused(FilingEvent):
    """A workbook came back that was not taken at all: whose it is by its signature, and why. Nothing follows from it."""

    kind = "answers_refused"
    organisation: str
    department: str
    workbook: str
    code: str
    reason: str


class AnswersReviewed(FilingEvent):
    """A department accepted answers or sent them back, the latter with new workbooks (`problems`: what they ask)."""

    kind = "answers_reviewed"
    round: int
    content: str
    department: str
    decisions: str
    accepted: Mapping[str, int]
    sent_back: int
    answer_by: date
    problems: str
    workbooks: tuple[WorkbookSent, ...]
    held: tuple[Held, ...]


class CorrectionDecided(FilingEvent):
    """A report correction no longer fits what the round shows: keep it over the value shown now, or withdraw it."""

    kind = "correction_decided"
    finding: str
    decision: Literal["keep", "withdraw"]
    shown: str | None
    reason: str


class WaiverProposed(FilingEvent):
    """A department asks that findings be accepted (豁免); nothing is waived before somebody else agreed. `departments` own them, the
    rest is as of `WaiverGranted`."""

    kind = "waiver_proposed"
    number: str
    rule: str
    table: str | None
    key: str | None
    sign_off: str
    reason: str
    expires: date
    rule_digest: str
    findings: str
    departments: tuple[str, ...]


class WaiverRefused(FilingEvent):
    """Somebody did not agree to a proposed waiver, or its proposer took it back."""

    kind = "waiver_refused"
    number: str
    comment: str


class WaiverGranted(FilingEvent):
    """Findings of a rule are accepted under a sign-off, in one table or for one key where given, until a day (豁免).

    `rule_digest` is the wording that found them; `findings` names the bulk fact of those that were there, with their values.
    """

    kind = "waiver_granted"
    number: str
    rule: str
    table: str | None
    key: str | None
    sign_off: str
    reason: str
    expires: date
    rule_digest: str
    findings: str
    held: tuple[Held, ...] | None = None


class WaiverRevoked(FilingEvent):
    """A waiver no longer holds."""

    kind = "waiver_revoked"
    number: str
    reason: str
    held: tuple[Held, ...] | None = None


class HolderReminded(FilingEvent):
    """Somebody was reminded of open findings, or, when late, the one above was told; `day` is the day of it."""

    kind = "holder_reminded"
    level: Literal["reminder", "escalation"]
    holder: Holder
    department: str
    organisation: str
    count: int
    due: date
    day: date
