"""Filings over the regulator's interface: the statistics that the calendar opens, and real Schedule P data."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
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
from resources.embedded.layouts import Limits
from resources.embedded.places import Places
from resources.embedded.statistics_layout import judge_statistics
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume
from tests.flow.play import (
    FLASH,
    SCHEDULE_P,
    STATISTICS,
    agree,
    answer_all,
    declare_causes,
    execute,
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
    flash, opened = open_due(installation, date(2026, 5, 6))
    assert (flash.id, flash.opened.fact.deadline) == (FLASH, date(2026, 5, 7))
    fact = opened.opened.fact
    assert opened.id == STATISTICS
    assert (fact.deadline, fact.planned_on) == (date(2026, 5, 10), date(2026, 5, 9))
    assert (fact.date_from, fact.date_to) == (date(2026, 4, 1), date(2026, 4, 30))
    assert (fact.opened_by, opened.opened.actor) == ("calendar", "calendar")
    assert fact.organisations == tuple(o.code for o in installation.deployment.level_one())
    for later in (date(2026, 5, 6), date(2026, 5, 7), date(2026, 5, 31)):
        assert open_due(installation, later) == []
    assert {state.id for state in installation.states()} == {FLASH, STATISTICS}


def test_a_missed_day_is_caught_up_but_nothing_from_before_the_installation(begin: Resume) -> None:
    """The clock says 6 May: the flash report's day was the 7th, the quarter's 12 April."""
    opened = open_due(begin(clean=True), date(2026, 5, 11))
    assert [(state.id, state.opened.fact.deadline) for state in opened] == [
        (FLASH, date(2026, 5, 7)),
        (STATISTICS, date(2026, 5, 10)),
    ]


def test_a_years_calendar_opens_exactly_what_is_due_in_each_month(begin: Resume) -> None:
    installation = begin(clean=True, at=datetime(2026, 1, 1, 9))  # noqa: DTZ001 - in the clock's own zone
    opened = [
        [state.id.removeprefix("circ_statistics.") for state in open_due(installation, date(2026, month, 10))]
        for month in range(1, 13)
    ]
    assert opened == [
        ["flash.2025-12", "annual.2025"],
        ["flash.2026-01", "monthly.2026-01"],
        ["flash.2026-02", "monthly.2026-02"],
        ["flash.2026-03", "quarterly.2026-Q1"],
        ["flash.2026-04", "monthly.2026-04"],
        ["flash.2026-05", "monthly.2026-05"],
        ["flash.2026-06", "half_year.2026-H1"],
        ["flash.2026-07", "monthly.2026-07"],
        ["flash.2026-08", "monthly.2026-08"],
        ["flash.2026-09", "quarterly.2026-Q3"],
        ["flash.2026-10", "monthly.2026-10"],
        ["flash.2026-11", "monthly.2026-11"],
    ]


# ---- statistics


def test_the_statistics_go_from_the_calendar_to_the_commission_receipt(begin: Resume, servers: Path) -> None:
    installation = begin(clean=True, servers=servers)
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    assert sum(state.content.fact.counts.values()) == 0
    assert (state.stage, state.dispatches, state.held) == ("reviewed", (), ())
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
    assert proven.approvals == (
        "finance: finance_reviewer",
        "actuarial: actuary",
        "it: it_reviewer",
        "executive: executive",
    )


@pytest.mark.parametrize(
    ("on", "filing", "file", "items"),
    [
        (datetime(2026, 5, 6, 9), "flash.2026-04", "DATA00992026041.xml", 5),  # noqa: DTZ001
        pytest.param(
            *(datetime(2026, 4, 9, 9), "quarterly.2026-Q1", "DATA00992026033.xml", 446),  # noqa: DTZ001
            marks=pytest.mark.prove,
        ),
        (datetime(2026, 1, 9, 9), "annual.2025", "DATA00992025125.xml", 482),  # noqa: DTZ001
    ],
)
def test_every_report_of_the_clean_core_is_clean_and_keeps_to_the_published_layout(
    begin: Resume, on: datetime, filing: str, file: str, items: int
) -> None:
    installation = begin(clean=True, at=on)
    name = f"circ_statistics.{filing}"
    assert name in [state.id for state in open_due(installation, on.date())]
    state = run(installation, name, "extract", "validate", "review")
    assert state.content is not None
    assert {rule: n for rule, n in state.content.fact.counts.items() if n} == {}
    agree(installation, name)
    state = run(installation, name, "package")
    package = sent_file(package_folder(installation, state))
    assert package.name == file
    assert judge_statistics(package, name=file, limits=Limits()) == []
    text = package.read_text("gb2312")
    organisations = set(re.findall(r"<areaid>0099([0-9]{6})</areaid>", text))
    assert organisations == {organisation.code for organisation in installation.deployment.organisations}
    assert len(set(re.findall(r"<key>([A-Z0-9]+)</key>", text))) == items
    assert text.count("<item>") == items * len(organisations)


def test_statistics_that_disagree_with_the_general_ledger_are_not_signed(begin: Resume) -> None:
    """One balance of the ledger is a yuan too high: the branch's premium of that line differs."""
    installation = begin(clean=True)
    execute(
        installation.home / "core.db",
        "UPDATE gl_balance SET credit_cents = credit_cents + 100 "
        "WHERE org_code = '440000' AND account_no = '6031QC' AND period = '202604'",
    )
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    assert {rule: n for rule, n in state.content.fact.counts.items() if n} == {"R09": 1}
    with pytest.raises(Refused) as caught:
        agree(installation, STATISTICS)
    assert [d.code for d in caught.value.details] == ["sign_off.blocking"]


def test_what_no_item_can_hold_stops_the_later_rules(begin: Resume) -> None:
    """The core's defects hold policies of an unknown line or channel: they are found, not lost, and nothing else is judged."""
    installation = begin()
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate")
    assert state.content is not None
    assert {rule for rule, n in state.content.fact.counts.items() if n} == {"A01"}
    assert set(state.content.fact.counts) == {"A01", "A02", "A05", "A10", "C01", "C02"}


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
    declare_causes(installation, STATISTICS)
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
    filers = set(read_findings(installation, state)["organisation"])
    assert {w.organisation for d in state.dispatches for w in d.fact.workbooks} == filers
    assert set(state.awaited) == filers

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
