"""Why a filing exists: a document reviewed by the audit department, or the calendar. Nothing is extracted here.

A request is raised with the regulator's document and reviewed by somebody else; acceptance opens the filing. The
calendar opens what is due by itself, and the opening event names it. The third way does not exist.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import FilingOpened, NilReturnDeclared, NilReturnWithdrawn
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.next_step import due_round
from pipelines.stages.periods import report_period
from resources.deployment import FilingConfig, User
from validations.engine import Report
from validations.engine.parameters import require_in_force

_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True)
class RequestDraft:
    """What the regulator's document (红头文件) demands, as its receiver registers it. Dates inclusive."""

    number: str
    standard: str
    report: str
    authority: str
    date_from: date
    date_to: date
    organisations: tuple[str, ...]
    deadline: date
    document: Path
    key: str | None = None

    @property
    def filing(self) -> str:
        return f"{self.standard}.{self.report}.{self.key or self.number}"


def raise_request(installation: Installation, draft: RequestDraft, user: User) -> str:
    """Register a request; the document is kept under its digest. Returns the filing id it would open."""
    require_role(user, "requester", act="request")
    problems = _problems(installation, draft)
    if problems:
        raise BadInput("request.refused", number=draft.number, details=problems)
    events = installation.ledger.events(f"request/{draft.number}")
    refusals = sum(1 for event in events if event.payload and event.payload.get("opinion") == "refuse")
    digest = hashlib.sha256(draft.document.read_bytes()).hexdigest()
    kept = installation.home / "requests" / draft.number / f"{digest[:16]}{draft.document.suffix}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(draft.document, kept)
    installation.ledger.append(
        f"request/{draft.number}",
        "request_raised",
        {
            "standard": draft.standard,
            "report": draft.report,
            "filing": draft.filing,
            "authority": draft.authority,
            "date_from": draft.date_from.isoformat(),
            "date_to": draft.date_to.isoformat(),
            "organisations": list(draft.organisations),
            "deadline": draft.deadline.isoformat(),
            "document": kept.name,
            "document_sha256": digest,
        },
        actor=user.id,
        at=installation.now(),
        command_id=f"request:{draft.number}:raise:{refusals}",
    )
    return draft.filing


def review_request(
    installation: Installation,
    number: str,
    user: User,
    *,
    opinion: Literal["accept", "refuse"],
    comment: str,
) -> FilingState | None:
    """The audit department's review; acceptance opens the filing and returns it.

    Raises Refused for the raiser's own request or a second, different review.
    """
    require_role(user, "audit_reviewer", act="review")
    ledger, stream = installation.ledger, f"request/{number}"
    events = ledger.events(stream)
    raised = next((event for event in reversed(events) if event.type == "request_raised"), None)
    if raised is None or raised.payload is None:
        raise BadInput("request.unknown", number=number)
    if raised.actor == user.id:
        raise Refused("request.own", number=number, user=user.id)
    demand = raised.payload
    deadline = date.fromisoformat(str(demand["deadline"]))
    opened = FilingOpened(
        standard=str(demand["standard"]),
        report=str(demand["report"]),
        key=str(demand["filing"]).rsplit(".", 1)[-1],
        authority=str(demand["authority"]),
        date_from=date.fromisoformat(str(demand["date_from"])),
        date_to=date.fromisoformat(str(demand["date_to"])),
        organisations=tuple(demand["organisations"]),
        deadline=deadline,
        planned_on=installation.calendar.planned_date(deadline),
        opened_by="request",
        basis=number,
    )
    ledger.append(
        stream,
        "request_reviewed",
        {"opinion": opinion, "comment": comment},
        actor=user.id,
        at=installation.now(),
        command_id=f"request:{number}:review:{raised.seq}",
    )
    if opinion == "refuse":
        return None
    return _open(installation, str(demand["filing"]), opened, user.id)


def open_due(installation: Installation, on: date) -> list[FilingState]:
    """Open every filing that the calendar demands by `on` and that is not open yet; returns the newly opened.

    A report's filing opens `lead_working_days` working days before the day it is planned for (the last working day not
    after its deadline), and stays due afterwards: a missed day is caught up, not lost. What was due before this
    installation began was reported without it. Raises BadInput, when all others are open, for periods that ended before
    their standard took effect.
    """
    opened: list[FilingState] = []
    refused: list[BaosongError] = []
    begun_on = installation.ledger.began_at().date()
    known = {state.id for state in installation.states()}
    for name, config in installation.deployment.filings.items():
        standard = installation.standard(name)
        for report in (standard.report(opening) for opening in config.opening):
            period = report_period(report, before=on)
            calendar, due = installation.calendar, report.due
            deadline = calendar.due_date(
                period.end, days=due.days, working_days=due.working_days, postponement=due.postponement
            )
            filing = f"{standard.name}.{report.name}.{period.key}"
            opens_on = calendar.opening_date(deadline, config.lead_working_days)
            if on < opens_on or deadline < begun_on or filing in known:
                continue
            try:
                require_in_force(standard, period.end)
            except BadInput as problem:
                refused.append(BadInput("request.not_opened_one", filing=filing, details=[problem]))
                continue
            fact = FilingOpened(
                standard=standard.name,
                report=report.name,
                key=period.key,
                authority=standard.authority.zh,
                date_from=period.start,
                date_to=period.end,
                organisations=_scope(installation, config),
                deadline=deadline,
                planned_on=calendar.planned_date(deadline),
                opened_by="calendar",
                basis=f"{standard.name} {standard.version} {report.name}",
            )
            opened.append(_open(installation, filing, fact, "calendar"))
    if refused:
        raise BadInput("request.not_opened", details=refused)
    return opened


def declare_nil_return(
    installation: Installation, filing: str, user: User, *, table: str, reason: str
) -> FilingState:
    """State that a due table is rightly empty; extraction refuses an empty table without this, and one with rows under it.

    Raises Refused when the round at hand has rows of it and no other is due.
    """
    require_role(user, "requester", "data_engineer", act="nil_return")
    state = installation.state(filing)
    if table not in installation.report(state).tables:
        raise BadInput("request.nil_return_table", table=table, filing=filing)
    if table in state.nil_returns:
        return state
    extracted = state.rounds[-1].fact.tables.get(table) if state.rounds else None
    if extracted and extracted.rows and due_round(state, installation) is None:
        raise Refused(
            "request.nil_return_rows", table=table, filing=filing, round=state.round, rows=extracted.rows
        )
    fact = NilReturnDeclared(table=table, reason=reason)
    return installation.record(state, fact, actor=user.id, command=f"nil:{table}:{state.seq}")


def withdraw_nil_return(
    installation: Installation, filing: str, user: User, *, table: str, reason: str
) -> FilingState:
    """Take a nil return back; the table must have rows then. Raises BadInput when none is declared."""
    require_role(user, "requester", "data_engineer", act="nil_return")
    state = installation.state(filing)
    if table not in state.nil_returns:
        raise BadInput("request.no_nil_return", table=table, filing=filing)
    fact = NilReturnWithdrawn(table=table, reason=reason)
    return installation.record(state, fact, actor=user.id, command=f"not-nil:{table}:{state.seq}")


def _scope(installation: Installation, config: FilingConfig) -> tuple[str, ...]:
    if config.organisations == "all":
        return tuple(o.code for o in installation.deployment.level_one())
    return tuple(config.organisations)


def _open(installation: Installation, filing: str, opened: FilingOpened, actor: str) -> FilingState:
    installation.ledger.append(
        f"filing/{filing}",
        opened.kind,
        opened.payload(),
        actor=actor,
        at=installation.now(),
        command_id=f"{filing}:open",
    )
    return installation.state(filing)


def _problems(installation: Installation, draft: RequestDraft) -> list[BaosongError]:
    """Everything wrong with a draft at once."""
    problems: list[BaosongError] = []
    report: Report | None = None
    try:
        standard = installation.standard(draft.standard)
        report = standard.report(draft.report)
        require_in_force(standard, draft.date_to)
        installation.filing_config(draft.standard)
    except KeyError:
        problems.append(BadInput("request.unknown_report", standard=draft.standard, report=draft.report))
    except BaosongError as error:
        problems.append(error)
    if not _KEY.fullmatch(draft.number) or not _KEY.fullmatch(draft.key or draft.number):
        problems.append(BadInput("request.number", number=draft.number))
    if draft.date_from > draft.date_to:
        problems.append(BadInput("request.dates", date_from=draft.date_from, date_to=draft.date_to))
    if draft.deadline < installation.now().date():
        problems.append(BadInput("request.deadline", deadline=draft.deadline))
    if not draft.document.is_file():
        problems.append(BadInput("request.document", path=draft.document))
    if any(
        state.id == draft.filing and state.opened.fact.basis != draft.number
        for state in installation.states()
    ):
        problems.append(BadInput("request.filing_exists", filing=draft.filing))
    known = {o.code for o in installation.deployment.organisations}
    unknown = [code for code in draft.organisations if code not in known]
    if unknown or not draft.organisations:
        problems.append(BadInput("request.organisations", unknown=", ".join(unknown) or "—"))
    if report is not None and report.rhythm not in ("on_request", "annual"):
        problems.append(BadInput("request.calendar_report", report=draft.report))
    return problems
