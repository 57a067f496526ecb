"""A request that changes: the document was amended, or what was registered is mended, or the demand fell away.

An amendment is reviewed like the request itself; until then nothing is signed or packaged. What is packaged is not amended any
more: it is sent, and sent again corrected. Registering and reviewing are `request.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.demand_events import FilingAmended, FilingWithdrawn
from pipelines.ledger.filing import FilingState, fold
from pipelines.ledger.recorded import Recorded
from pipelines.ledger.request import RequestState, request_stream
from pipelines.ledger.request_events import RequestAmended, RequestDemand, RequestWithdrawn
from pipelines.stages.documents import document_problems, keep_documents
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.request_draft import (
    RequestDraft,
    demand_problems,
    in_report_order,
    request_folder,
    stage_word,
)
from resources.deployment import User

ROUND_FIELDS = ("organisations", "date_from", "date_to", "tables", "nil_returns")
"""What decides which rows there are: another round is due when one of these changes."""


@dataclass(frozen=True)
class RequestChanges:
    """What is different from now on; None: as it was. `tables` empty: all of the report; `documents` and nil returns are added.

    `is_undated`: the document bears no date after all.
    """

    deadline: date | None = None
    dated: date | None = None
    date_from: date | None = None
    date_to: date | None = None
    organisations: tuple[str, ...] | None = None
    tables: tuple[str, ...] | None = None
    documents: tuple[Path, ...] = ()
    is_undated: bool = False
    nil_returns: Mapping[str, str] = field(default_factory=dict[str, str])


def amend_request(
    installation: Installation, number: str, user: User, *, changes: RequestChanges, reason: str
) -> RequestState:
    """Put a changed demand up for review: a returned request that was mended, or an amended document.

    The same again changes nothing. Raises BadInput listing all that is wrong, Refused for a request that is closed or
    whose filing is packaged.
    """
    require_role(user, "requester", act="request")
    request = installation.request(number)
    _require_theirs(installation, request, user)
    if request.is_closed:
        raise Refused("request.closed", number=request.number, stage=stage_word(request))
    state = filing_of(installation, request)
    _require_unpackaged(request, state)
    current, base = _current(request, state), demanded_now(installation, request)
    problems: list[BaosongError] = [*document_problems(changes.documents)]
    if not reason.strip():
        problems.append(BadInput("request.no_reason", what=request.number))
    wanted = _merged(base, changes)
    problems += demand_problems(installation, _as_draft(wanted))
    today = installation.now().date()
    if wanted.deadline < today and wanted.deadline != current.deadline:
        problems.append(BadInput("request.deadline", deadline=wanted.deadline))
    if wanted.dated is not None and wanted.dated > today:
        problems.append(BadInput("request.dated", dated=wanted.dated))
    if problems:
        raise BadInput("request.not_amended", number=request.number, details=problems)
    tables = in_report_order(installation, wanted.standard, wanted.report, wanted.tables)
    new = keep_documents(request_folder(installation, request.number), changes.documents)
    known = {document.sha256 for document in base.documents}
    documents = (*base.documents, *(each for each in new if each.sha256 not in known))
    wanted = wanted.model_copy(update={"tables": tables, "documents": documents})
    if wanted == base and request.stage not in ("returned", "amendment_returned"):
        if len(request.demands) > 1 and request.decision is None:
            return request
        raise BadInput("request.nothing_changed", number=request.number)
    differing = [name for name in _FIELDS if getattr(wanted, name) != getattr(current, name)]
    fact = RequestAmended(**dict(wanted), changed=tuple(differing), reason=reason)
    installation.ledger.append(
        request_stream(request.key),
        fact.kind,
        fact.payload(),
        actor=user.id,
        at=installation.now(),
        command_id=f"request:{request.key}:amend:{request.seq}",
        expected_seq=request.seq,
    )
    return installation.request(number)


def amended_filing(
    installation: Installation, request: RequestState, demand: Recorded[RequestDemand]
) -> FilingAmended:
    """What accepting this amendment makes of the filing: what it does not change stays as the filing has it by now.

    Raises Refused when the filing is packaged.
    """
    state = installation.state(demand.fact.filing)
    if applied := next((e.fact for e in state.amendments if e.fact.request_seq == demand.seq), None):
        return applied
    _require_unpackaged(request, state)
    assert isinstance(demand.fact, RequestAmended), "only an amendment follows what was accepted"
    wanted, changed = demand.fact, set(demand.fact.changed)
    deadline = wanted.deadline if "deadline" in changed else state.deadline
    moved = deadline != state.deadline
    return FilingAmended(
        request_seq=demand.seq,
        deadline=deadline,
        planned_on=installation.calendar.planned_date(deadline) if moved else state.planned_on,
        organisations=wanted.organisations,
        date_from=wanted.date_from,
        date_to=wanted.date_to,
        tables=wanted.tables,
        changed=wanted.changed,
        new_round=bool(changed & set(ROUND_FIELDS)),
        reason=wanted.reason,
    )


def apply_amendment(
    installation: Installation, request: RequestState, amended: FilingAmended, user: User
) -> FilingState:
    """Record an accepted amendment on its filing, once."""
    state = installation.state(request.latest.fact.filing)
    if any(each.fact.request_seq == amended.request_seq for each in state.amendments):
        return state
    command = f"amended:{request.key}:{amended.request_seq}"
    return installation.record(state, amended, actor=user.id, command=command)


def withdraw_request(
    installation: Installation, number: str, user: User, *, reason: str, seen: str | None = None
) -> RequestState:
    """Close a request and the filing it opened. Done again, it changes nothing.

    `seen` is how both stood when it was decided (`standing`): Refused when either moved on since. Raises Refused for a refused
    request, and for a filing that was delivered or is being delivered.
    """
    require_role(user, "requester", act="request")
    request = installation.request(number)
    _require_theirs(installation, request, user)
    if not reason.strip():
        raise BadInput("request.no_reason", what=request.number)
    if request.stage == "refused":
        raise Refused("request.closed", number=request.number, stage=stage_word(request))
    state = filing_of(installation, request)
    if seen is not None and request.withdrawn is None and seen != standing(request, state):
        raise Refused("request.moved", number=request.number)
    if state is not None and not state.withdrawn:
        if state.version > 1 or state.reservation or state.sent:
            raise Refused("request.delivered", number=request.number, filing=state.id)
        fact = FilingWithdrawn(request=request.number, reason=reason)
        installation.record(state, fact, actor=user.id, command="withdrawn")
    if request.withdrawn is None:  # the filing first: its own order of events decides against a delivery
        installation.ledger.append(
            request_stream(request.key),
            RequestWithdrawn.kind,
            RequestWithdrawn(reason=reason).payload(),
            actor=user.id,
            at=installation.now(),
            command_id=f"request:{request.key}:withdraw",
            expected_seq=request.seq,
        )
    return installation.request(number)


def standing(request: RequestState, state: FilingState | None) -> str:
    """How far a request and its filing have come in the ledger, under a short name."""
    return f"{request.seq}.{state.seq if state else 0}"


def demanded_now(installation: Installation, request: RequestState) -> RequestDemand:
    """What an amendment changes: what was put up last while that is under review, else what is demanded by now."""
    if request.is_under_review:
        return _plain(request.latest.fact)
    return _current(request, filing_of(installation, request))


def may_change(installation: Installation, request: RequestState, user: User) -> bool:
    """Whether somebody may amend or withdraw it: a requester who registered it, or belongs to every organisation that it is about."""
    if request.is_closed or not user.has_role("requester"):
        return False
    return _is_theirs(installation, request, user)


def _is_theirs(installation: Installation, request: RequestState, user: User) -> bool:
    wanted = request.latest.fact.organisations
    return user.id == request.demands[0].actor or all(
        installation.deployment.may_see(user, code) for code in wanted
    )


def _require_theirs(installation: Installation, request: RequestState, user: User) -> None:
    if not _is_theirs(installation, request, user):
        raise Refused("request.not_theirs", number=request.number, user=user.id)


def filing_of(installation: Installation, request: RequestState) -> FilingState | None:
    """The filing that this request opened; None before its acceptance."""
    if not request.accepted:
        return None
    return fold(installation.ledger.events(f"filing/{request.latest.fact.filing}"))


_FIELDS = (
    "dated",
    "deadline",
    "date_from",
    "date_to",
    "organisations",
    "tables",
    "nil_returns",
    "documents",
)
"""What an amendment may change."""


def _require_unpackaged(request: RequestState, state: FilingState | None) -> None:
    if state is not None and (state.packages or state.evidence):
        raise Refused("request.packaged", number=request.number, filing=state.id)


def _plain(demand: RequestDemand) -> RequestDemand:
    return RequestDemand(**{name: getattr(demand, name) for name in RequestDemand.model_fields})


def _current(request: RequestState, state: FilingState | None) -> RequestDemand:
    """What is demanded now: by the filing where there is one, else by what was put up last."""
    if state is None or request.in_force is None:
        return _plain(request.latest.fact)
    return _plain(request.in_force.fact).model_copy(
        update={
            "deadline": state.deadline,
            "date_from": state.date_from,
            "date_to": state.date_to,
            "organisations": state.organisations,
            "tables": state.tables,
            "nil_returns": {},  # declared by now, and people's to withdraw
        }
    )


def _merged(base: RequestDemand, changes: RequestChanges) -> RequestDemand:
    given = {
        name: value
        for name in ("dated", "deadline", "date_from", "date_to", "organisations", "tables")
        if (value := getattr(changes, name)) is not None
    }
    if changes.is_undated:
        given["dated"] = None
    if "organisations" in given:
        given["organisations"] = tuple(dict.fromkeys(given["organisations"]))
    due = given.get("tables", base.tables)
    carried = {table: why for table, why in base.nil_returns.items() if not due or table in due}
    return base.model_copy(update={**given, "nil_returns": {**carried, **changes.nil_returns}})


def _as_draft(demand: RequestDemand) -> RequestDraft:
    return RequestDraft(
        number=demand.number,
        standard=demand.standard,
        report=demand.report,
        authority=demand.authority,
        date_from=demand.date_from,
        date_to=demand.date_to,
        organisations=demand.organisations,
        deadline=demand.deadline,
        document=Path(),
        key=demand.filing.rsplit(".", 1)[-1],
        dated=demand.dated,
        tables=demand.tables,
        nil_returns=demand.nil_returns,
    )
