"""What is left out of a number, with its reason: waived, of a new rule, overtaken, for the head office, of a changed rule."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from pipelines.assessment.submission_metrics import SubmissionMetrics, submission_metrics
from pipelines.stages.extract import request_extraction
from pipelines.stages.request import review_request
from pipelines.stages.request_amend import RequestChanges, amend_request
from pipelines.stages.waiver_granting import WaiverDraft
from resources.settings import CHECKOUT
from tests.flow.life import waive
from tests.flow.play import (
    AUDIT,
    Cores,
    draft,
    open_by_request,
    opened,
    own_deployment,
    replace_text,
    run,
    send_out,
)
from tests.pipelines.assessment.audit_in_may import GUANGDONG, SICHUAN, ZHEJIANG, at, on_still_clock

REWORDED = ('holds: "QDRQ <= QBRQ OR', 'holds: "QDRQ <= QBRQ + 3650 OR')
"""D02 as it is, and so that it finds nothing in the demo's core."""


@dataclass(frozen=True)
class Measured:
    """As of the first day, and after the head office asked for another round a day before answers were due."""

    first: SubmissionMetrics
    second: SubmissionMetrics


@pytest.fixture(scope="module")
def measured(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """B07 is waived, A07 came into force within the period; between the rounds D02 is worded anew, so that it finds nothing."""
    folder = tmp_path_factory.mktemp("left-out")
    deployment = own_deployment(folder / "deployment")
    standard = deployment / "standards" / "circ_audit"
    shutil.copytree(CHECKOUT / "validations" / "standards" / "circ_audit", standard)
    replace_text(standard / "rules" / "a.yaml", "- id: A07\n", "- id: A07\n  effective: {from: 2026-02-01}\n")
    home = cores.furnish(folder / "home")
    with opened(home, deployment) as installation_:
        installation, set_clock = on_still_clock(installation_, "2026-05-06 09:00")
        open_by_request(installation, draft(home))
        run(installation, AUDIT, "extract")
        waiver = WaiverDraft("B07", "QB-1", "监管同意（模拟）", date(2026, 12, 31))
        waive(installation, AUDIT, waiver, installation.user("business_reviewer"))
        run(installation, AUDIT, "validate", "review")
        send_out(installation, AUDIT)
        first = submission_metrics(installation, "2026-05", as_of=at("2026-05-06 18:00"))
    replace_text(standard / "rules" / "d.yaml", *REWORDED)
    with opened(home, deployment) as installation_:
        installation, set_clock = on_still_clock(installation_, "2026-05-07 09:00")
        request_extraction(installation, AUDIT, installation.user("data_engineer"), reason="取数口径更正")
        run(installation, AUDIT, "extract", "validate", "compare", "review")
        set_clock("2026-06-03 06:00")
        yield Measured(first, submission_metrics(installation, "2026-05", as_of=installation.now()))


def test_what_is_waived_or_of_a_new_rule_is_no_finding(measured: Measured) -> None:
    assert measured.first.of("SUB-03", ZHEJIANG).k == 11
    assert measured.first.of("SUB-03", ZHEJIANG).excluded == {"waived": 2}
    assert measured.first.of("SUB-03", GUANGDONG).excluded == {"waived": 2}
    assert measured.first.of("SUB-03", SICHUAN).k == 5
    assert measured.first.of("SUB-03", SICHUAN).excluded == {"new_rule": 2}


def test_nobody_is_late_with_an_answer_that_was_overtaken_before_it_was_due(measured: Measured) -> None:
    asked = {ZHEJIANG: 11, GUANGDONG: 18, SICHUAN: 7}
    for branch, count in asked.items():
        for metric in ("SUB-04", "SUB-05"):
            assert measured.first.of(metric, branch).excluded == {"not_due_yet": count}
            after = measured.second.of(metric, branch)
            assert (after.status, after.n, after.excluded) == ("not_applicable", 0, {"overtaken": count})


def test_a_round_that_the_head_office_asked_for_is_charged_to_no_branch(measured: Measured) -> None:
    for branch in (ZHEJIANG, GUANGDONG, SICHUAN):
        rounds = measured.second.of("SUB-06", branch)
        assert (rounds.k, rounds.n, rounds.excluded) == (0, 1, {"head_office": 1})


def test_a_finding_of_a_rule_that_changed_did_not_vanish(measured: Measured) -> None:
    """Sichuan had seven: two of the new rule and one of the reworded one are left out, four are still there."""
    sichuan = measured.second.of("SUB-15", SICHUAN)
    assert (sichuan.k, sichuan.n) == (0, 4)
    assert sichuan.excluded == {"new_rule": 2, "rule_changed": 1}
    assert measured.second.of("SUB-15", ZHEJIANG).n == 11


def test_rounds_without_a_change_have_no_drift(measured: Measured) -> None:
    assert {measured.second.of("SUB-16", code).status for code in (ZHEJIANG, GUANGDONG)} == {"not_applicable"}


@pytest.fixture(scope="module")
def let_go(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubmissionMetrics]:
    """B01 is waived on the day it was issued; then Sichuan leaves the demand. Nobody answers anything."""
    home = cores.furnish(tmp_path_factory.mktemp("let-go"))
    with opened(home) as installation_:
        installation, set_clock = on_still_clock(installation_, "2026-05-06 09:00")
        open_by_request(installation, draft(home))
        run(installation, AUDIT, "extract", "validate", "review")
        send_out(installation, AUDIT)
        set_clock("2026-05-06 15:00")
        waiver = WaiverDraft("B01", "QB-2", "监管同意（模拟）", date(2026, 12, 31), table="KHXXB")
        waive(installation, AUDIT, waiver, installation.user("business_reviewer"))
        set_clock("2026-05-11 09:00")
        changes = RequestChanges(organisations=(ZHEJIANG, GUANGDONG))
        user = installation.user("requester_440000")
        amend_request(installation, "JH-2026-003", user, changes=changes, reason="监管更正文件")
        reviewer = installation.user("audit_reviewer")
        review_request(installation, "JH-2026-003", reviewer, opinion="accept", comment="同意")
        run(installation, AUDIT, "extract", "validate", "compare", "review")
        set_clock("2026-06-03 06:00")
        yield submission_metrics(installation, "2026-05", as_of=installation.now())


def test_what_was_waived_after_it_was_issued_is_no_finding_and_nobody_is_late_with_it(
    let_go: SubmissionMetrics,
) -> None:
    for branch, waived in ((ZHEJIANG, 2), (GUANGDONG, 3), (SICHUAN, 1)):
        assert let_go.of("SUB-03", branch).excluded["waived"] == waived
        in_time = let_go.of("SUB-04", branch)
        assert in_time.excluded == {"waived": waived}
        assert (in_time.k, in_time.n) == (0, let_go.of("SUB-03", branch).k), "the others were not returned"


def test_what_left_the_demand_did_not_vanish(let_go: SubmissionMetrics) -> None:
    sichuan = let_go.of("SUB-15", SICHUAN)
    assert (sichuan.k, sichuan.n) == (0, 0)
    assert sichuan.excluded == {"waived": 1, "no_longer_demanded": 6}
    assert let_go.of("SUB-15", ZHEJIANG).k == 0
