"""The compliance review: what it holds against people's work, what it cannot be talked out of, and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipelines.errors import Refused, Tampered
from pipelines.stages.compliance import Check, Compliance, compliance, kept_compliance
from pipelines.stages.decide import accept
from pipelines.stages.extract import request_extraction
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.selection import Selection
from pipelines.stages.sign_off import give_opinion, open_sign_off
from tests.flow.conftest import Resume
from tests.flow.life import clock_to, hand_in, one, person, rows, these
from tests.flow.play import (
    AUDIT,
    CORRECTED,
    SCHEDULE_P,
    STATISTICS,
    Cores,
    agree,
    answer_all,
    answer_audit,
    declare_causes,
    explain,
    fix_core,
    open_statistics,
    own_deployment,
    preparer,
    run,
)

PEOPLE = {code: f"branch_{code}" for code in ("330000", "440000", "510000")}
ROUTE = "steps: [actuarial, executive]"
REVIEWED = "steps: [{role: audit_reviewer, kind: compliance}, executive]"


def results(review: Compliance, department: str) -> Mapping[str, str]:
    return {check.id: check.result for check in review.of(department)}


def check(installation: Installation, name: str, department: str, filing: str = AUDIT) -> Check:
    review = compliance(installation, installation.state(filing))
    (found,) = [each for each in review.of(department) if each.id == name]
    return found


def at(hour: int, minute: int = 0, *, day: int = 6) -> datetime:
    return datetime(2026, 5, day, hour, minute)  # noqa: DTZ001 - in the clock's own zone


# ---- a process that was kept


@pytest.fixture
def whole(resume: Resume, audit_in_review: Path, cores: Cores, tmp_path: Path) -> Installation:
    """Both rounds of the audit; its answers are decided on at once, and reading takes no time here."""
    own = ("deployment.yaml", "answers_inbox:", "review: {reading_seconds: 0}\nanswers_inbox:")
    installation = resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", own))
    fix_core(installation, cores, AUDIT)
    answer_all(installation, AUDIT, answer_audit, tmp_path / "filled", people=PEOPLE)
    run(installation, AUDIT, "extract", "validate", "compare", "review")
    declare_causes(installation, AUDIT)
    return installation


def test_a_process_that_was_kept_shows_no_deviation_and_who_did_what(whole: Installation) -> None:
    review = compliance(whole, whole.state(AUDIT))
    assert review.deviations == ()
    assert review.departments == ("underwriting", "claims", "finance")
    whole_filing = ("request_reviewed", "registered_reviewed", "extracted", "judged", "listed", "compared")
    assert results(review, "") == {**dict.fromkeys(whole_filing, "kept"), "signed_in_time": "not_applicable"}
    assert results(review, "underwriting") == dict.fromkeys(
        (
            "first_reviewed", "issued", "answered", "decided", "re_extracted", "answered_decided",
            "reviewed_decided", "answered_in_time", "decided_in_time", "all_handled", "read_by_people",
        ),
        "kept",
    )  # fmt: skip
    state = whole.state(AUDIT)
    (reviewed,) = [c for c in review.of("") if c.id == "request_reviewed"]
    assert reviewed.evidence.events == ("request/JH-2026-003#2",)
    assert reviewed.evidence.who == ("audit_reviewer",)
    (decided,) = [c for c in review.of("claims") if c.id == "decided"]
    assert decided.evidence.events == (f"#{state.answer_reviews[0].seq}",)
    assert (decided.evidence.who, decided.evidence.deviating) == (("business_reviewer",), 0)
    asked = sum(w.problems for d in state.dispatches for w in d.fact.workbooks if w.department == "claims")
    assert decided.evidence.count == asked > 0


def test_the_opinion_names_the_review_that_is_kept_and_the_sign_off_carries_it_as_a_document(
    whole: Installation,
) -> None:
    state = agree(whole, AUDIT, steps=1)
    (opinion,) = state.live_opinions
    assert opinion.fact.compliance is not None
    assert opinion.fact.compliance.deviations == 0
    digest = opinion.fact.compliance.digest
    assert json.loads(opinion.fact.statement)["compliance"] == {"digest": digest, "deviations": 0}
    review = kept_compliance(whole, AUDIT, digest)
    assert (review.filing, review.digest, review.deviations) == (AUDIT, digest, ())
    assert state.sign_off is not None
    (page,) = [name for name in state.sign_off.fact.documents if name.startswith("审核流程合规审查")]
    (path,) = whole.folder("documents", AUDIT).rglob(page)
    assert "承保管理部" in path.read_text(encoding="utf-8")
    kept = whole.folder("facts", AUDIT) / f"{digest}.json"
    kept.write_bytes(kept.read_bytes().replace(b'"deviating":0', b'"deviating":1', 1))
    with pytest.raises(Tampered):
        kept_compliance(whole, AUDIT, digest)


# ---- faster than a human reads


def test_accepting_faster_than_anybody_reads_is_a_deviation_of_the_department(
    resume: Resume, schedule_p_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(schedule_p_in_review)
    answer_all(installation, SCHEDULE_P, explain, tmp_path / "filled", otherwise="filer_correspondent")
    found = check(installation, "read_by_people", "finance", SCHEDULE_P)
    state = installation.state(SCHEDULE_P)
    assert found.result == "deviation"
    assert found.evidence.events == (f"#{state.answer_reviews[0].seq}",)
    assert found.evidence.deviating == sum(state.answer_reviews[0].fact.accepted.values())


def test_whoever_takes_the_time_to_read_keeps_the_process(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    finding = one(installation, branch="440000", rule=CORRECTED[1])["finding"]
    hand_in(installation, tmp_path, "branch_440000", {finding: ("源头修正", "", "已改正（模拟）")})
    clock_to(installation, at(10))
    accept(installation, AUDIT, installation.user("business_reviewer"), these(finding))
    assert check(installation, "read_by_people", "underwriting").result == "kept"


def test_splitting_an_acceptance_hides_nothing(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    """Each alone would be slow enough; together they are not."""
    own = ("deployment.yaml", "answers_inbox:", "review: {reading_seconds: 1200}\nanswers_inbox:")
    installation = resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", own))
    answers = waiting(installation, "underwriting", 3)
    hand_in(installation, tmp_path, "branch_440000", answers)
    later = installation.now() + timedelta(
        minutes=30
    )  # a half-played home's clock has run on since it was made
    clock_to(installation, later.replace(tzinfo=None))
    for finding in answers:
        accept(installation, AUDIT, installation.user("business_reviewer"), these(finding))
    found = check(installation, "read_by_people", "underwriting")
    state = installation.state(AUDIT)
    assert found.evidence.events == tuple(f"#{r.seq}" for r in state.answer_reviews[1:])
    assert (found.evidence.count, found.evidence.deviating) == (3, 2)


def waiting(installation: Installation, department: str, count: int) -> dict[str, tuple[str, str, str]]:
    theirs = rows(installation, branch="440000", department=department, holder="answer", severity="block")
    chosen = theirs["finding"].head(count)
    assert len(chosen) == count
    return dict.fromkeys(chosen, ("源头修正", "", "已改正（模拟）"))


# ---- in time, complete, by different people


def test_late_answers_and_late_decisions_are_counted(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    answers = waiting(installation, "underwriting", 2)
    first, second = answers
    hand_in(installation, tmp_path / "a", "branch_440000", {first: answers[first]})
    clock_to(installation, at(10, day=11))
    hand_in(installation, tmp_path / "b", "branch_440000", {second: answers[second]})
    accept(installation, AUDIT, installation.user("business_reviewer"), these(*answers))
    late = check(installation, "answered_in_time", "underwriting").evidence
    asked = check(installation, "answered", "underwriting").evidence
    assert asked.deviating == asked.count - 2, "nobody answered the others"
    assert late.deviating == late.count - 1, "one came in time"
    assert check(installation, "decided_in_time", "underwriting").evidence.deviating == 1
    assert check(installation, "all_handled", "underwriting").result == "deviation"


def test_whoever_did_the_first_review_and_decides_is_named(
    resume: Resume, audit_listed: Path, tmp_path: Path
) -> None:
    installation = resume(audit_listed)
    both = person("both", "audit_reviewer", "business_reviewer")
    review_findings(installation, AUDIT, both, "confirm", Selection())
    issue(installation, AUDIT, "underwriting", both, Selection())
    answers = waiting(installation, "underwriting", 2)
    hand_in(installation, tmp_path, "branch_440000", answers)
    accept(installation, AUDIT, both, these(*answers))
    found = check(installation, "reviewed_decided", "underwriting")
    assert (found.result, found.evidence.deviating, found.evidence.who) == ("deviation", 2, ("both",))
    assert check(installation, "issued", "claims").result == "deviation", "nothing was issued"


def test_a_promised_source_fix_without_another_round_is_a_deviation(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    answers = waiting(installation, "underwriting", 1)
    hand_in(installation, tmp_path, "branch_440000", answers)
    accept(installation, AUDIT, installation.user("business_reviewer"), these(*answers))
    assert check(installation, "re_extracted", "underwriting").result == "deviation"
    request_extraction(installation, AUDIT, preparer(installation), reason="源头已改正（模拟）")
    run(installation, AUDIT, "extract")
    assert check(installation, "re_extracted", "underwriting").result == "kept"
    assert check(installation, "judged", "").result == "deviation", "the second round is not judged"


def test_a_calendar_filing_needs_no_request(begin: Resume) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    assert check(installation, "request_reviewed", "", STATISTICS).result == "not_applicable"
    assert check(installation, "extracted", "", STATISTICS).result == "deviation"


# ---- deviations never disappear


def test_agreeing_with_deviations_records_how_many(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment", ("routes.yaml", ROUTE, REVIEWED))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    state = agree(installation, SCHEDULE_P, steps=1)
    (opinion,) = state.live_opinions
    assert opinion.fact.compliance is not None
    review = kept_compliance(installation, SCHEDULE_P, opinion.fact.compliance.digest)
    assert [each.id for each in review.deviations] == ["read_by_people"]
    assert opinion.fact.compliance.deviations == 1


def test_a_route_may_demand_that_there_be_none(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    demanding = f"gates: [review_compliant]\n    {ROUTE}"
    deployment = own_deployment(tmp_path / "deployment", ("routes.yaml", ROUTE, demanding))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, SCHEDULE_P, preparer(installation))
    assert [detail.code for detail in caught.value.details] == ["sign_off.deviations"]


def test_the_review_at_a_rejected_step_stays_among_the_earlier_ones(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment", ("routes.yaml", ROUTE, REVIEWED))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    open_sign_off(installation, SCHEDULE_P, preparer(installation))
    reviewer = installation.user("audit_reviewer")
    give_opinion(installation, SCHEDULE_P, reviewer, opinion="disagree", comment="裁定过快")
    state = agree(installation, SCHEDULE_P, steps=0, answer="已逐条复核")
    (earlier,) = state.earlier_opinions
    assert earlier.fact.compliance is not None
    assert earlier.fact.compliance.deviations == 1
