"""Two filings over the regulator's interface: the monthly statistics that the calendar opens, and real Schedule P data."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.acknowledge import reopen
from pipelines.stages.archive import evidence_path
from pipelines.stages.extract import request_extraction
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.package import package_folder
from pipelines.stages.request import open_due
from pipelines.stages.validate import read_findings
from pipelines.stages.verify_evidence import verify_evidence
from resources.embedded.places import Places
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume
from tests.flow.play import (
    SCHEDULE_P,
    STATISTICS,
    agree,
    answer_all,
    explain,
    open_by_request,
    open_statistics,
    own_deployment,
    preparer,
    replace_text,
    run,
    schedule_p_draft,
)

MEDMAL = {"S04": 1, "S06": 83, "S07": 21, "S08": 1, "S09": 1, "S10": 34}
"""Findings of medical malpractice, counted from clrd.csv in plain Python without the engine."""


def to_evidence(installation: Installation, filing: str) -> FilingState:
    agree(installation, filing)
    return run(installation, filing, "package", "deliver", "acknowledge", "archive")


# ---- the calendar


def test_the_calendar_opens_april_on_the_sixth_of_may_and_only_once(begin: Resume) -> None:
    installation = begin(clean=True)
    (february,) = open_due(installation, date(2026, 4, 30))
    assert february.id == "circ_statistics.monthly.2026-02", "March belongs to the quarterly report"
    assert open_due(installation, date(2026, 5, 5)) == []
    (opened,) = open_due(installation, date(2026, 5, 6))
    fact = opened.opened.fact
    assert opened.id == STATISTICS
    assert (fact.deadline, fact.planned_on) == (date(2026, 5, 10), date(2026, 5, 9))
    assert (fact.date_from, fact.date_to) == (date(2026, 4, 1), date(2026, 4, 30))
    assert (fact.opened_by, opened.opened.actor) == ("calendar", "calendar")
    assert fact.organisations == tuple(o.code for o in installation.deployment.level_one())
    for later in (date(2026, 5, 6), date(2026, 5, 7), date(2026, 5, 31)):
        assert open_due(installation, later) == []
    assert {state.id for state in installation.states()} == {february.id, STATISTICS}


def test_a_missed_day_is_caught_up(begin: Resume) -> None:
    (opened,) = open_due(begin(clean=True), date(2026, 5, 11))
    assert (opened.id, opened.opened.fact.deadline) == (STATISTICS, date(2026, 5, 10))


# ---- statistics


def test_the_statistics_go_from_the_calendar_to_the_commission_receipt(begin: Resume, servers: Path) -> None:
    installation = begin(clean=True, servers=servers)
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    assert sum(state.content.fact.counts.values()) == 0
    assert state.dispatch is not None
    assert (state.stage, state.dispatch.fact.workbooks) == ("reviewed", ())
    state = to_evidence(installation, STATISTICS)
    assert state.stage == "archived"
    assert state.sent is not None
    assert state.receipt is not None
    package = sent_file(package_folder(installation, state))
    assert package.name == "DATA00992026042.xml"
    received = Places(servers).regulator / "received" / state.packages[-1].fact.files[package.name]
    assert received.read_bytes() == package.read_bytes()
    assert (state.receipt.fact.result, state.receipt.fact.number[:3]) == ("accepted", "JS-")
    proven = verify_evidence(evidence_path(installation, state))
    assert proven.approvals == ("finance: finance_reviewer", "executive: executive")


def test_statistics_that_disagree_with_the_general_ledger_are_not_signed(begin: Resume) -> None:
    """The core's defects hold one wrong balance, which the statistics see too."""
    installation = begin()
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    assert {rule: n for rule, n in state.content.fact.counts.items() if n} == {"R09": 1}
    with pytest.raises(Refused) as caught:
        agree(installation, STATISTICS)
    assert [d.code for d in caught.value.details] == ["sign_off.awaited", "sign_off.blocking"]


# ---- rejection and resubmission


def test_a_rejection_is_recorded_as_refused_and_a_second_version_is_delivered(
    begin: Resume, servers: Path, tmp_path: Path
) -> None:
    """The commission holds a rule that the standard lacks: a branch has no more policyholders than the company."""
    deployment = own_deployment(tmp_path / "deployment")
    own_sql = deployment / "sql" / "reference_core" / "circ_statistics" / "XMZ.sql"
    own_sql.parent.mkdir(parents=True)
    published = (CHECKOUT / "sql" / "reference_core" / "circ_statistics" / "XMZ.sql").read_text("utf-8")
    company = "SELECT '000000', applicant_id FROM units WHERE"
    own_sql.write_text(published, encoding="utf-8")
    replace_text(own_sql, company, f"{company} unit = '110100' AND")
    installation = begin(clean=True, servers=servers, deployment=deployment)
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    assert sum(state.content.fact.counts.values()) == 0
    state = to_evidence(installation, STATISTICS)
    assert state.receipt is not None
    assert (state.stage, state.receipt.fact.result) == ("refused", "rejected")
    told = json.loads(state.receipt.fact.text)["errors"]
    assert state.receipt.fact.errors == len(told) > 0
    assert {(error["rule"], error["item"]) for error in told} == {("S11", "KH000000")}
    assert next_step(state, installation) is None
    first, first_file = state.receipt.fact.number, sent_file(package_folder(installation, state)).read_bytes()
    assert verify_evidence(evidence_path(installation, state)).receipt.split()[0] == first

    with pytest.raises(Refused, match="需要角色：data_engineer"):
        reopen(installation, STATISTICS, installation.user("executive"), reason="更正")
    state = reopen(installation, STATISTICS, preparer(installation), reason="全公司客户数取数有误")
    assert (state.version, state.receipt, state.sent, state.live_opinions) == (2, None, None, ())
    with pytest.raises(Refused):
        run(installation, STATISTICS, "package")
    own_sql.write_text(published, encoding="utf-8")
    request_extraction(installation, STATISTICS, preparer(installation), reason="取数 SQL 已改正")
    state = run(installation, STATISTICS, "extract", "validate", "review", "compare")
    assert state.round == 2
    assert state.comparisons[0].fact.changed == 1
    state = to_evidence(installation, STATISTICS)
    assert state.receipt is not None
    assert (state.stage, state.receipt.fact.result, state.receipt.fact.version) == ("archived", "accepted", 2)
    assert state.receipt.fact.number != first
    assert sent_file(package_folder(installation, state)).read_bytes() != first_file
    old = installation.home / "packages" / STATISTICS / "v1"
    assert sent_file(old).read_bytes() == first_file
    proven = verify_evidence(evidence_path(installation, state))
    assert (proven.version, proven.receipt.split()[0]) == (2, state.receipt.fact.number)


def test_a_filing_without_an_answer_is_not_reopened(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    with pytest.raises(Refused, match="尚未收到回执并归档，不能更正报送"):
        reopen(installation, SCHEDULE_P, preparer(installation), reason="—")


# ---- Schedule P


def test_schedule_p_finds_what_an_independent_count_found_and_is_filed_with_explanations_only(
    begin: Resume, servers: Path, tmp_path: Path
) -> None:
    installation = begin(servers=servers)
    open_by_request(installation, schedule_p_draft(installation.home))
    state = run(installation, SCHEDULE_P, "extract", "validate", "review")
    assert state.content is not None
    assert {rule: n for rule, n in state.content.fact.counts.items() if n} == MEDMAL
    assert state.content.fact.block == 0
    assert state.dispatch is not None
    filers = set(read_findings(installation, state)["organisation"])
    assert {w.organisation for w in state.dispatch.fact.workbooks} == filers

    state = answer_all(
        installation, SCHEDULE_P, explain, tmp_path / "filled", otherwise="filer_correspondent"
    )
    given = [answer.fact.handlings for answer in state.answers]
    assert {word for handlings in given for word in handlings} == {"explanation"}
    assert sum(handlings["explanation"] for handlings in given) == sum(MEDMAL.values())
    state = run(installation, SCHEDULE_P, "validate", "review")
    assert state.stage == "reviewed"
    state = to_evidence(installation, SCHEDULE_P)
    assert state.receipt is not None
    assert (state.stage, state.receipt.fact.result, state.round) == ("archived", "accepted", 1)
    proven = verify_evidence(evidence_path(installation, state))
    assert proven.approvals == ("actuarial: actuary", "executive: executive")
    assert proven.package == state.packages[-1].fact.package
