"""What can happen to a sign-off (签报): it is opened with its route bound to it, and people give their opinions.

Part of the events of a stream `filing/<id>`. How opinions become a decision is `sign_off_state.py`; what a signed statement
says is `statements.py`. Nothing here decides whether an event may happen: stages do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pipelines.ledger.recorded import Fact, FilingEvent

Opinion = Literal["agree", "disagree"]
StepKind = Literal["opinion", "compliance"]
ReminderLevel = Literal["reminder", "escalation"]
Rejection = Literal["preparer", "departments", "branches"]


class Seat(Fact):
    """Whose opinion one seat (席位) of a step holds: a role's, or a department's through its business reviewer."""

    role: str
    department: str = ""


class SignOffStep(Fact):
    """One step of the route as it was when the sign-off opened; its seats sign in parallel.

    `quorum` of them must agree. `rejection`: to whom a disagreement sends the content back.
    """

    title: Mapping[str, str] = {}
    seats: tuple[Seat, ...]
    quorum: int
    limit_working_hours: int | None = None
    rejection: Rejection = "preparer"
    kind: StepKind = "opinion"


class ComplianceFound(Fact):
    """The compliance review that an opinion was given on: the digest of its file, and how many deviations it lists."""

    digest: str
    deviations: int


class SignOffOpened(FilingEvent):
    """The preparer puts one content on the route of opinions; the route in force then is bound with it.

    `steps` hold the seats, `route` the role of each in their order (early events have that alone: a step each). `documents` are
    those attached: file name → SHA-256. `office_reference`: what the office system (EOA) calls this sign-off, where one is used.
    `answer`: after a rejection of this content, what was done about the objection.
    """

    kind = "sign_off_opened"
    number: str
    content: str
    route: tuple[str, ...]
    documents: Mapping[str, str] = {}
    office_reference: str = ""
    steps: tuple[SignOffStep, ...] = ()
    answer: str = ""

    @property
    def bound_steps(self) -> tuple[SignOffStep, ...]:
        """The steps, also of an event that names only roles."""
        return self.steps or tuple(SignOffStep(seats=(Seat(role=role),), quorum=1) for role in self.route)


class OpinionGiven(FilingEvent):
    """One person's opinion on one content, at one seat of a step of the route (0-based).

    `on_behalf_of`: the absent person for whom a substitute signed. `authentication`: how the person proved who they are.
    `statement` is the canonical JSON of all of it and `signature` the server's over it (early events have neither).
    """

    kind = "opinion_given"
    number: str
    content: str
    step: int
    role: str
    opinion: Opinion
    comment: str
    department: str = ""
    on_behalf_of: str = ""
    authentication: str = ""
    compliance: ComplianceFound | None = None
    statement: str = ""
    signature: str = ""


class ObjectionAnswered(FilingEvent):
    """Somebody to whom a rejection sent the content back says what was done about the objection; `decision` is its sequence."""

    kind = "objection_answered"
    number: str
    content: str
    decision: int
    answer: str


class StepReminded(FilingEvent):
    """A step's time limit has passed: who sits at its open `seats` was reminded or, later, whoever waits for them told.

    `due`: when the limit ended. Once per sign-off, step (0-based) and level.
    """

    kind = "step_reminded"
    number: str
    content: str
    step: int
    level: ReminderLevel
    seats: tuple[Seat, ...]
    due: datetime


SIGN_OFF_EVENTS: tuple[type[FilingEvent], ...] = (
    SignOffOpened,
    OpinionGiven,
    ObjectionAnswered,
    StepReminded,
)
