"""Why a filing exists: a document reviewed by the audit department, or the calendar. Nothing is extracted here.

A request is raised with the regulator's document and reviewed by somebody else; acceptance opens the filing. The
calendar opens what is due by itself, and the opening event names it. The third way does not exist. What changes a request
afterwards is `request_amend.py`.
"""

from __future__ import annotations

from datetime import date

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import FilingOpened
from pipelines.ledger.recorded import Document
from pipelines.ledger.request import RequestState, request_key, request_stream
from pipelines.ledger.request_events import RequestDemand, RequestOpinion, RequestRaised, RequestReviewed
from pipelines.stages.documents import document_digests, keep_documents
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.nil_return import declare_of_request
from pipelines.stages.periods import report_period
from pipelines.stages.request_amend import amended_filing, apply_amendment
from pipelines.stages.request_draft import (
    RequestDraft,
    draft_problems,
    in_report_order,
    request_folder,
    stage_word,
)
from resources.deployment import FilingConfig, User
from validations.engine.parameters import require_in_force

__all__ = ["RequestDraft", "open_due", "raise_request", "review_request"]


def raise_request(installation: Installation, draft: RequestDraft, user: User) -> str:
    """Register a request; its documents are kept under their digests. Returns the filing id it would open.

    Registering the same twice changes nothing. Raises BadInput listing all that is wrong with the draft, Refused when
    something else is registered under the number.
    """
    require_role(user, "requester", act="request")
    earlier = installation.find_request(draft.number)
    problems = draft_problems(installation, draft)
    if earlier is not None and {problem.code for problem in problems} <= {"request.deadline"}:
        return _as_registered(installation, draft, earlier)
    if problems:
        raise BadInput("request.refused", number=draft.number, details=problems)
    kept = keep_documents(request_folder(installation, draft.number), draft.documents)
    installation.ledger.append(
        request_stream(draft.number),
        RequestRaised.kind,
        _raised(installation, draft, kept).payload(),
        actor=user.id,
        at=installation.now(),
        command_id=f"request:{request_key(draft.number)}:raise:0",
    )
    return draft.filing


def review_request(
    installation: Installation,
    number: str,
    user: User,
    *,
    opinion: RequestOpinion,
    comment: str,
    seen: int | None = None,
) -> FilingState | None:
    """The audit department's review: acceptance opens or amends the filing and returns it; None otherwise.

    `seen` is the place in the ledger of the demand that was read: Refused when another was put up since. Given again, it completes
    what a killed run left undone. Raises Refused for a request of one's own, for a second, different review, and for an amendment
    that comes after packaging.
    """
    require_role(user, "audit_reviewer", act="review")
    request = installation.request(number)
    if not comment.strip():
        raise BadInput("request.no_comment", number=request.number)
    if user.id in request.authors:
        raise Refused("request.own", number=request.number, user=user.id)
    if request.withdrawn:
        raise Refused("request.closed", number=request.number, stage=stage_word(request))
    if seen is not None and seen != request.latest.seq:
        raise Refused("request.moved", number=request.number)
    if request.decision and request.decision.fact.opinion != opinion:
        raise Refused("request.reviewed", number=request.number, opinion=request.decision.fact.opinion)
    demand = request.latest
    is_amendment = bool(request.accepted) and request.accepted[0].seq != demand.seq
    is_accepted = opinion == "accept"
    opened = _opened(installation, request, demand.fact) if is_accepted and not is_amendment else None
    amended = amended_filing(installation, request, demand) if is_accepted and is_amendment else None
    if request.decision is None:
        installation.ledger.append(
            request_stream(number),
            RequestReviewed.kind,
            RequestReviewed(opinion=opinion, comment=comment).payload(),
            actor=user.id,
            at=installation.now(),
            command_id=f"request:{request.key}:review:{demand.seq}",
            expected_seq=request.seq,
        )
    if amended is not None:
        state = apply_amendment(installation, request, amended, user)
    elif opened is not None:
        state = _open(installation, demand.fact.filing, opened, user.id)
    else:
        return None
    return declare_of_request(installation, state, demand.fact.nil_returns, demand.actor, demand=demand.seq)


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
    known = set(installation.filings())
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


def _as_registered(installation: Installation, draft: RequestDraft, earlier: RequestState) -> str:
    """The filing of what is registered already, if it is this very draft; else Refused with the way out."""
    said = _raised(installation, draft, ()).model_dump(exclude={"documents", "number"})
    digests = document_digests(draft.documents)
    for demand in earlier.demands:
        is_same = demand.fact.model_dump(include=set(said)) == said
        if is_same and digests == {document.sha256 for document in demand.fact.documents}:
            return earlier.latest.fact.filing
    code = "request.closed" if earlier.is_closed else "request.exists"
    raise Refused(code, number=earlier.number, stage=stage_word(earlier))


def _raised(
    installation: Installation, draft: RequestDraft, documents: tuple[Document, ...]
) -> RequestRaised:
    return RequestRaised(
        number=draft.number,
        standard=draft.standard,
        report=draft.report,
        filing=draft.filing,
        authority=draft.authority,
        dated=draft.dated,
        date_from=draft.date_from,
        date_to=draft.date_to,
        organisations=tuple(dict.fromkeys(draft.organisations)),
        tables=in_report_order(installation, draft.standard, draft.report, draft.tables),
        deadline=draft.deadline,
        documents=documents,
        nil_returns=dict(draft.nil_returns),
    )


def _opened(installation: Installation, request: RequestState, demand: RequestDemand) -> FilingOpened:
    return FilingOpened(
        standard=demand.standard,
        report=demand.report,
        key=demand.filing.rsplit(".", 1)[-1],
        authority=demand.authority,
        date_from=demand.date_from,
        date_to=demand.date_to,
        organisations=demand.organisations,
        deadline=demand.deadline,
        planned_on=installation.calendar.planned_date(demand.deadline),
        opened_by="request",
        basis=request.number,
        tables=demand.tables,
    )


def _scope(installation: Installation, config: FilingConfig) -> tuple[str, ...]:
    if config.organisations == "all":
        return tuple(o.code for o in installation.deployment.level_one())
    return tuple(config.organisations)


def _open(installation: Installation, filing: str, opened: FilingOpened, actor: str) -> FilingState:
    stream = f"filing/{filing}"
    if not installation.ledger.events(stream):
        installation.ledger.append(
            stream,
            opened.kind,
            opened.payload(),
            actor=actor,
            at=installation.now(),
            command_id=f"{filing}:open",
        )
    return installation.state(filing)
