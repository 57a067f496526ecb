"""What an installation holds for every way into the desk to lead somewhere, and what honest people would send on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import cycle

import polars as pl

from pipelines.stages.answer_page import answer_finding
from pipelines.stages.installation import Installation
from pipelines.stages.people import PersonDraft, person_state, propose
from pipelines.stages.register import register
from pipelines.stages.request import raise_request
from pipelines.stages.talk import Talk, propose_extension, record_talk
from pipelines.stages.waiver_granting import WaiverDraft, propose_waiver
from tests.flow.desk_play import PASSWORD, a_change
from tests.flow.life import one, rows, waive
from tests.flow.play import AUDIT, SCHEDULE_P, draft, open_by_request, schedule_p_draft
from tests.flow.test_findings_life import SECOND_OF_440000

EDITS = (
    SECOND_OF_440000,
    (
        "deployment.yaml",
        "    organisations: all\n    first_review",
        "    organisations: all\n    off_system: {ZBHTXXB: finance}\n    first_review",
    ),
)
"""What the deployment has beside the demo's: a second preparer of one branch, a table kept outside the systems."""
WAITING, UNWANTED, NEWCOMER = "JH-2026-004", "JH-2026-005", "actuary2"
_SHOWN_ON = {
    "amend_request": "amend_page", "withdraw_request": "withdraw_page", "review_request": "request", "propose_waiver": "waivers",
    "choose_answer": "finding", "upload_off_system": "off_system", "sign": "sign_page",
}  # fmt: skip
"""Forms that say what their reader saw, and the page on which they stand."""


@dataclass(frozen=True)
class There:
    """What is there: numbers, names and digests under which the installation keeps it. The finding is one that branch 440000 and
    the underwriting department see; the change request is branch 330000's."""

    finding: str
    differing: str
    key: str
    scan: str
    content: str
    list: str
    dispatch: str
    book: str
    proof: str
    change: str
    waiver: str
    proposal: str
    appointment: str
    problems: tuple[str, ...]


def furnish(installation: Installation) -> There:
    """A second filing that is no branch's business; requests that wait, a talk, a deadline, waivers, a change request, an
    appointment and two answers that differ."""
    open_by_request(installation, schedule_p_draft(installation.home))
    for number in (WAITING, UNWANTED):
        demand = draft(installation.home, number=number, deadline=date(2026, 5, 22))
        raise_request(installation, demand, installation.user("requester_440000"))
    proof = installation.home / "JH.txt"
    talk = Talk("监管处（模拟）", "范围是否含本级？", "不含。", documents=(proof,))
    record_talk(installation, AUDIT, installation.user("branch_440000"), talk)
    engineer = installation.user("data_engineer")
    propose_extension(
        installation, SCHEDULE_P, engineer, deadline=date(2026, 5, 27), reason="数据量大", documents=[proof]
    )
    underwriter = installation.user("underwriting_reviewer")
    waiver = WaiverDraft("B01", "签报〔2026〕7号（模拟）", "历史证件", date(2026, 6, 30), table="KHXXB")
    granted = waive(installation, AUDIT, waiver, underwriter)
    proposed = WaiverDraft("D02", "签报〔2026〕8号（模拟）", "历史数据", date(2026, 6, 30), table="BDXXB")
    proposal = propose_waiver(installation, AUDIT, proposed, underwriter)
    propose(
        installation, NEWCOMER, PersonDraft("精算审核人乙（模拟）", ("actuarial",), ("*",)),
        installation.user("administrator"), reason="增设岗位",
    )  # fmt: skip
    change = a_change(installation, AUDIT, rows(installation, branch="330000")["finding"].sort()[0])
    return _there(installation, _differ(installation), change, granted, proposal)


def _differ(installation: Installation) -> str:
    """Two people of a branch answer otherwise; the finding."""
    finding = one(installation, rule="D05", branch="440000")["finding"]
    for user, handling in (("branch_440000", "source_fix"), ("second_440000", "report_correction")):
        value = one(installation, finding=finding)["expected"] if handling == "report_correction" else ""
        answer_finding(
            installation, AUDIT, installation.user(user), finding, handling=handling, new_value=value, reason="核对后",
        )  # fmt: skip
    return finding


def _there(installation: Installation, differing: str, change: str, granted: str, proposal: str) -> There:
    state, request = installation.state(AUDIT), installation.request("JH-2026-003")
    dispatch, book = next(
        (d, w) for d in state.dispatches for w in d.fact.workbooks if w.organisation == "440000"
    )
    found = register(installation, state)
    own = found.filter(branch="440000", department="underwriting", severity="explain", holder="answer")
    problems = found.select(pl.format("{}|{}", "rule", "table").unique().sort()).to_series()
    listing = state.listings[-1].fact
    pending = person_state(installation, NEWCOMER).pending
    assert pending is not None
    return There(
        finding=own["finding"].sort()[0], differing=differing, key=request.key, scan=request.latest.fact.documents[0].file,
        content=listing.content, list=next(iter(listing.documents)), dispatch=str(dispatch.seq), book=book.file,
        proof=state.talks[0].fact.documents[0].file, change=change, waiver=granted, proposal=proposal,
        appointment=str(pending.seq), problems=tuple(problems),
    )  # fmt: skip


def places_of(there: There, route: str) -> dict[str, str]:
    """Where a route leads to something that is there."""
    usual = {
        "filing": AUDIT, "finding": there.finding, "key": there.key, "content": there.content, "dispatch": there.dispatch,
        "seq": "1", "version": "1", "number": there.change, "user": "president", "standard": "circ_audit", "table": "KHXXB",
        "rule": "B01", "codes": "business_source", "code": "zh", "name": "x",
    }  # fmt: skip
    own: dict[str, dict[str, str]] = {
        "workbook": {"name": there.book}, "request_document": {"name": there.scan}, "filing_document": {"name": there.list},
        "talk_document": {"name": there.proof}, "off_system_template": {"table": "ZBHTXXB"},
        "choose_answer": {"finding": there.differing}, "decide_extension": {"filing": SCHEDULE_P},
        "amend_request": {"key": WAITING}, "review_request": {"key": WAITING}, "withdraw_request": {"key": UNWANTED},
        "appointment": {"user": NEWCOMER}, "decide_person": {"user": NEWCOMER}, "propose_person": {"user": "actuary"},
        "name_substitutes": {"user": "business_reviewer"},
    }  # fmt: skip
    return usual | own.get(route, {})


class Honest:
    """What a form needs to be taken, or to come as far as it can; every time a little otherwise, so that it is taken again."""

    def __init__(self, there: There) -> None:
        self._there, self._problems = there, cycle(there.problems)

    def fields(self, route: str, number: int) -> dict[str, str]:
        """The fields of a route's form without the secret and without what its page said."""
        there = self._there
        by_route = {**_of_accounts(number), **_of_requests(number), **_of_people(number)}
        by_route |= {
            "answer_finding": {"handling": "explanation", "new_value": "", "reason": f"情况说明 {number}"},
            "answer_findings": {
                "handling": "explanation", "answer_reason": f"情况说明 {number}", "finding": there.finding, "confirmed": "1",
            },
            "answer_objection": {"answer": "已更正"},
            "choose_answer": {"answer_of": "second_440000"},
            "findings_act": {"act": "send_back", "finding": there.finding, "reason": "请补充", "seen": "99999"},
            "explain_drift": {"table": "KHXXB", "reason": "更正"},
            "open_sign_off": {"answer": "说明"},
            "sign": {"opinion": "agree", "comment": "同意", "password": PASSWORD, "content": "0" * 64},
            "propose_waiver": {
                "what": next(self._problems), "sign_off": f"签报 {number}", "reason": "历史数据", "expires": "2026-06-30",
            },
            "decide_waiver": {"proposal": there.proposal, "opinion": "disagree", "comment": "可以更正"},
            "revoke_waiver": {"number": there.waiver, "why": "已补"},
            "record_talk": {
                "counterpart": "监管处", "question": f"所问 {number}", "answer": "所答", "held_at": "2026-05-06T08:30",
            },
            "propose_extension": {"deadline": "2026-05-23", "reason": "数据量大"},
            "decide_extension": {"number": "1", "opinion": "agree", "comment": "已核对"},
            "upload_off_system": {"table": "ZBHTXXB"},
            "record_handover": {"is_certain": "1"},
            "review_change": {"opinion": "approve", "comment": "同意"},
            "execute_change": {"day": "2026-05-06", "reference": "工单一"},
        }  # fmt: skip
        return by_route.get(route, {})


def _of_accounts(number: int) -> dict[str, dict[str, str]]:
    return {
        "log_in": {"user": "it_reviewer", "password": PASSWORD, "next": "/"},
        "enrol": {"user": "requester", "code": "AAAA-BBBB", "password": PASSWORD, "again": PASSWORD},
        "administer": {"act": "unlock", "password": PASSWORD},
        "begin_totp": {"password": PASSWORD},
        "confirm_totp": {"code": "000000"},
        "change_password": {"old": "not the one in use", "password": "a new sentence 27", "again": "a new sentence 27"},
        "read_notices": {"up_to": "1"},
        "keep_table_view": {"density": "compact", "column": "key", "next": f"/filings?page={number}"},
    }  # fmt: skip


def _of_requests(number: int) -> dict[str, dict[str, str]]:
    demanded = {
        "date_from": "2026-01-01", "date_to": "2026-03-31", "deadline": f"2026-05-{11 + number % 20}", "organisation": "440000",
    }  # fmt: skip
    return {
        "review_request": {"opinion": "return", "comment": "请补充"},
        "amend_request": {**demanded, "tables": "", "reason": f"来函更正 {number}"},
        "withdraw_request": {"reason": "来函撤销"},
        "raise_request": {
            **demanded, "number": f"攻-{number}", "authority": "广东保监局（模拟）", "report": "circ_audit.detail",
            "key": f"A-{number}",
        },
    }  # fmt: skip


def _of_people(number: int) -> dict[str, dict[str, str]]:
    drafted = {
        "name": f"精算审核人{number}（模拟）", "role": "actuarial", "organisations": "*", "reason": "增设岗位", "password": PASSWORD,
    }  # fmt: skip
    return {
        "propose_new": {**drafted, "user": f"new_{number}"},
        "propose_person": drafted,
        "name_substitutes": {
            "substitute": "claims_reviewer", "date_from": "2026-12-01", "date_to": "2026-12-02", "reason": "休假",
        },
    }  # fmt: skip


def page_of(route: str) -> str | None:
    """The route of the page whose form says what its reader saw; None where no form of this route says it."""
    return _SHOWN_ON.get(route)
