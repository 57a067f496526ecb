"""A request's and a filing's demand, folded from their events: what is in force, what waits, which deadline holds."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ledger import Ledger
from pipelines.ledger.demand_events import ExtensionDecided, ExtensionProposed, FilingAmended
from pipelines.ledger.events import Event
from pipelines.ledger.filing import FilingState, fold
from pipelines.ledger.filing_events import FilingEvent, FilingOpened, NilReturnDeclared
from pipelines.ledger.request import RequestState, fold_request, is_key, request_key, request_stream
from pipelines.ledger.request_events import (
    RequestAmended,
    RequestEvent,
    RequestRaised,
    RequestReviewed,
    RequestWithdrawn,
)

DEMAND: dict[str, Any] = {
    "number": "粤〔2026〕17号",
    "standard": "circ_audit",
    "report": "detail",
    "filing": "circ_audit.detail.17",
    "authority": "监管局",
    "date_from": date(2026, 1, 1),
    "date_to": date(2026, 3, 31),
    "organisations": ("440000",),
    "deadline": date(2026, 5, 15),
    "documents": (),
}
NOW = datetime.fromisoformat("2026-05-06T09:00:00+08:00")
RAISED = RequestRaised(**DEMAND)
WITHDRAWN = RequestWithdrawn(reason="撤回")


def amended(**changes: Any) -> RequestAmended:
    return RequestAmended(**{**DEMAND, **changes}, changed=tuple(changes), reason="变更")


def reviewed(opinion: Any) -> RequestReviewed:
    return RequestReviewed(opinion=opinion, comment="意见")


def events(stream: str, *facts: RequestEvent | FilingEvent) -> list[Event]:
    return [
        Event(stream, seq, fact.kind, 1, f"person{seq}", NOW, f"c{seq}", fact.payload(), "", "", f"hash{seq}")
        for seq, fact in enumerate(facts, start=1)
    ]


def request_of(*facts: RequestEvent) -> RequestState:
    state = fold_request(events("request/17", *facts))
    assert state is not None
    return state


ACCEPT, RETURN, REFUSE = reviewed("accept"), reviewed("return"), reviewed("refuse")
LATER = amended(deadline=date(2026, 5, 20))


@pytest.mark.parametrize(
    ("facts", "stage", "in_force"),
    [
        ([], "waiting", None),
        ([RETURN], "returned", None),
        ([RETURN, LATER], "waiting", None),
        ([LATER], "waiting", None),
        ([REFUSE], "refused", None),
        ([ACCEPT], "accepted", 1),
        ([ACCEPT, LATER], "amendment_waiting", 1),
        ([ACCEPT, LATER, RETURN], "amendment_returned", 1),
        ([ACCEPT, LATER, RETURN, LATER], "amendment_waiting", 1),
        ([ACCEPT, LATER, RETURN, LATER, ACCEPT], "accepted", 5),
        ([ACCEPT, LATER, REFUSE], "accepted", 1),
        ([ACCEPT, LATER, ACCEPT], "accepted", 3),
        ([ACCEPT, LATER, WITHDRAWN], "withdrawn", 1),
        ([WITHDRAWN], "withdrawn", None),
    ],
)
def test_the_stage_of_a_request_and_the_demand_in_force(
    facts: list[RequestEvent], stage: str, in_force: int | None
) -> None:
    request = request_of(RAISED, *facts)
    assert request.stage == stage
    assert (request.in_force.seq if request.in_force else None) == in_force
    assert request.is_under_review == stage.startswith("amendment")
    assert request.is_closed == (stage in ("refused", "withdrawn"))
    assert request.number == "粤〔2026〕17号"


def test_whoever_raised_or_amended_is_an_author() -> None:
    assert request_of(RAISED, ACCEPT, LATER).authors == {"person1", "person3"}


def test_early_events_with_one_document_are_read() -> None:
    payload = {
        **{name: value for name, value in RAISED.payload().items() if name in {
            "standard", "report", "filing", "authority", "date_from", "date_to", "organisations", "deadline"}},
        "document": "ab12.txt", "document_sha256": "ab12" * 16,
    }  # fmt: skip
    early = Event("request/JH-1", 1, "request_raised", 1, "r", NOW, "c", payload, "", "", "h")
    state = fold_request([early])
    assert state is not None
    assert (state.number, state.key, state.latest.fact.tables) == ("JH-1", "JH-1", ())
    (document,) = state.latest.fact.documents
    assert (document.file, document.sha256) == ("ab12.txt", "ab12" * 16)


def test_an_erased_or_empty_stream_is_no_request() -> None:
    assert fold_request([]) is None
    (event,) = events("request/17", RAISED)
    assert fold_request([replace(event, payload=None)]) is None


def test_a_request_survives_the_ledger(ledger: Ledger, at: datetime) -> None:
    stream = request_stream("粤〔2026〕17号")
    for number, fact in enumerate((RAISED, ACCEPT, LATER)):
        ledger.append(stream, fact.kind, fact.payload(), actor="r", at=at, command_id=str(number))
    state = fold_request(ledger.events(stream))
    assert state is not None
    assert [each.fact for each in state.demands] == [RAISED, LATER]
    assert (state.seq, state.key) == (3, request_key("粤〔2026〕17号"))


@given(st.text(min_size=1, max_size=120))
def test_every_number_has_a_key_that_is_safe_and_its_own_fixed_point(number: str) -> None:
    key = request_key(number)
    assert is_key(key)
    assert request_key(key) == key
    assert (key == number) == is_key(number)


@given(st.lists(st.text(alphabet="粤保监〔〕()0126号-", min_size=1, max_size=12), unique=True, max_size=30))
def test_different_numbers_have_different_keys(numbers: list[str]) -> None:
    assert len({request_key(number) for number in numbers}) == len(numbers)


@given(st.text(alphabet=string.printable + "／．。\u202e", max_size=30))
def test_no_key_leaves_its_folder(number: str) -> None:
    assert not set(request_key(number)) - set(string.ascii_letters + string.digits + "_-")


# ---- the filing's side

OPENED = FilingOpened(
    standard="circ_audit", report="detail", key="17", authority="监管局", date_from=date(2026, 1, 1),
    date_to=date(2026, 3, 31), organisations=("440000",), deadline=date(2026, 5, 15),
    planned_on=date(2026, 5, 15), opened_by="request", basis="17", tables=("A", "B"),
)  # fmt: skip


def filing_of(*facts: FilingEvent) -> FilingState:
    state = fold(events("filing/circ_audit.detail.17", OPENED, *facts))
    assert state is not None
    return state


def amendment(seq: int, deadline: date, **changes: Any) -> FilingAmended:
    whole: dict[str, Any] = {
        "organisations": ("440000",), "date_from": date(2026, 1, 1), "date_to": date(2026, 3, 31),
        "tables": ("A", "B"), "changed": (), "new_round": False, "reason": f"变更{seq}",
    }  # fmt: skip
    return FilingAmended(request_seq=seq, deadline=deadline, planned_on=deadline, **{**whole, **changes})


def proposed(number: int, deadline: date) -> ExtensionProposed:
    return ExtensionProposed(number=number, deadline=deadline, reason=f"延期{number}", documents=())


def decided(number: int, opinion: Any, deadline: date) -> ExtensionDecided:
    return ExtensionDecided(
        number=number, opinion=opinion, comment="—", deadline=deadline, planned_on=deadline
    )


def test_a_filing_answers_what_it_was_opened_with_until_it_is_amended() -> None:
    state = filing_of()
    assert (state.deadline, state.tables, state.organisations) == (date(2026, 5, 15), ("A", "B"), ("440000",))
    state = filing_of(
        amendment(3, date(2026, 5, 20), organisations=("330000",), tables=("B",), new_round=True)
    )
    assert (state.deadline, state.tables, state.organisations) == (date(2026, 5, 20), ("B",), ("330000",))
    assert state.opened.fact == OPENED, "the opening stays as it was"
    assert not state.is_round_of_another_demand, "nothing was extracted yet"


def test_the_deadline_is_the_last_that_was_set_and_its_history_stays() -> None:
    first, second, third = date(2026, 5, 20), date(2026, 5, 25), date(2026, 5, 18)
    state = filing_of(
        proposed(1, first),
        decided(1, "disagree", OPENED.deadline),
        amendment(3, OPENED.deadline),
        proposed(2, second),
        decided(2, "agree", second),
        amendment(5, third),
        proposed(3, first),
    )
    assert [(each.cause, each.deadline, each.reason) for each in state.deadlines] == [
        ("opened", OPENED.deadline, "17"),
        ("extended", second, "延期2"),
        ("amended", third, "变更5"),
    ]
    assert state.deadline == third
    assert state.open_extension is not None
    assert state.open_extension.fact.number == 3


def test_a_nil_return_of_a_table_that_is_not_demanded_any_more_is_gone() -> None:
    nil = [NilReturnDeclared(table=table, reason="无") for table in ("A", "B")]
    assert filing_of(*nil, amendment(3, OPENED.deadline, tables=("B",))).nil_returns == {"B"}
    assert filing_of(*nil, amendment(3, OPENED.deadline, tables=())).nil_returns == {"A", "B"}
