"""Answers and decisions: taken line by line, returned with the reason, disputed, sent back, accepted by the department."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.stages.correct import Imported, import_answers
from pipelines.stages.decide import accept, send_back
from pipelines.stages.handlings import accepted_handlings
from pipelines.stages.installation import Installation
from pipelines.stages.selection import Selection
from resources.demo.fill_workbook import fill_answers, read_findings
from tests.flow.conftest import Resume
from tests.flow.life import (
    EXPLAINED,
    FIXED,
    corrected,
    events,
    hand_in,
    one,
    person,
    rows,
    settle,
    standing,
    these,
)
from tests.flow.play import AUDIT, own_deployment

SECOND_OF_440000 = (
    "users.yaml",
    "  branch_it_440000:\n",
    """  second_440000:
    name: 广东分公司填报人乙（模拟）
    roles: [branch_preparer]
    organisations: ["440000"]
  branch_it_440000:
""",
)


def mended(
    installation: Installation, done: Imported, user: str, **answers: tuple[str, str, str]
) -> Imported:
    """The returned workbook, mended by the same person and handed in again."""
    assert done.annotated is not None
    path = done.annotated.with_name(f"改正-{done.annotated.name}")
    assert fill_answers(done.annotated, path, answers) == len(answers)
    return import_answers(installation, AUDIT, path, installation.user(user))


def remark_of(done: Imported, finding: str) -> str:
    assert done.annotated is not None
    (line,) = [line for line in read_findings(done.annotated) if line["问题编号"] == finding]
    return line["退回说明"]


# ---- answers


def test_a_part_of_a_workbook_may_be_answered_and_the_rest_later(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    before = rows(installation, branch="330000", department="underwriting")
    first, second = before.filter(rule="B07")["finding"]
    (done,) = hand_in(installation, tmp_path, "branch_330000", {first: EXPLAINED})
    assert (done.handlings, done.returned, done.unanswered) == ({"explanation": 1}, {}, before.height - 1)
    assert standing(installation, first) == ("answered", "decide")
    assert standing(installation, second) == ("dispatched", "answer")
    state = installation.state(AUDIT)
    assert "330000" in state.awaited and state.holds("decide") == 1
    (done,) = hand_in(installation, tmp_path, "branch_330000", {first: EXPLAINED, second: EXPLAINED})
    assert (done.handlings, done.unchanged, done.unanswered) == ({"explanation": 1}, 1, before.height - 2)
    assert installation.state(AUDIT).holds("decide") == 2


def test_the_same_workbook_twice_changes_nothing(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    theirs = rows(installation, branch="330000", department="underwriting")
    answers = dict.fromkeys(theirs["finding"], EXPLAINED)
    (first,) = hand_in(installation, tmp_path, "branch_330000", answers)
    assert first.handlings == {"explanation": 2} and len(first.returned) == theirs.height - 2
    state, recorded = installation.state(AUDIT), events(installation)
    (again,) = hand_in(installation, tmp_path, "branch_330000", answers)
    assert (again.handlings, again.unchanged, again.returned) == ({}, 2, first.returned)
    assert (installation.state(AUDIT), events(installation)) == (state, recorded)
    accept(installation, AUDIT, installation.user("underwriting_reviewer"), Selection())
    state, recorded = installation.state(AUDIT), events(installation)
    (again,) = hand_in(installation, tmp_path, "branch_330000", answers)
    assert (again.handlings, again.unchanged) == ({}, 2)
    assert (installation.state(AUDIT), events(installation)) == (state, recorded)


def test_a_correction_that_breaks_another_rule_comes_back_and_mended_it_is_taken(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    """The premium as the coverages sum it up is no longer the net premium with its VAT."""
    installation = resume(audit_in_review)
    premium = one(installation, rule="E04", branch="330000")
    finding = premium["finding"]
    other = one(installation, rule="D01")["finding"]
    answers = {finding: corrected(premium["expected"]), other: FIXED}
    (done,) = hand_in(installation, tmp_path, "branch_330000", answers)
    assert (done.handlings, set(done.returned)) == ({"source_fix": 1}, {finding})
    assert "按此更正会违反 D05：增值税额不等于含税保费减不含税保费" in done.returned[finding]
    assert remark_of(done, finding) == done.returned[finding]
    assert standing(installation, finding) == ("dispatched", "answer")
    assert standing(installation, other) == ("answered", "decide")
    done = mended(installation, done, "branch_330000", **{finding: FIXED})
    assert (done.handlings, done.returned, done.unchanged) == ({"source_fix": 1}, {}, 1)
    assert standing(installation, finding) == ("answered", "decide")


@pytest.mark.parametrize(
    ("value", "why"),
    [("600.00", "按此更正后，D05 仍不满足"), ("六百", "更正值"), ("510.005", "更正值")],
    ids=["it breaks its own rule", "no number", "more places than the dictionary has"],
)
def test_a_correction_that_mends_nothing_comes_back(
    resume: Resume, audit_in_review: Path, tmp_path: Path, value: str, why: str
) -> None:
    installation = resume(audit_in_review)
    row = one(installation, rule="D05", branch="440000")
    finding = row["finding"]
    (done,) = hand_in(installation, tmp_path, "branch_440000", {finding: corrected(value)})
    assert done.handlings == {}
    assert why in done.returned[finding] and why in remark_of(done, finding)
    assert standing(installation, finding) == ("dispatched", "answer")
    done = mended(installation, done, "branch_440000", **{finding: corrected(row["expected"])})
    assert (done.handlings, done.returned) == ({"report_correction": 1}, {})


def test_a_key_is_not_corrected_in_the_report(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    installation = resume(audit_in_review)
    finding = one(installation, rule="A02")["finding"]
    (done,) = hand_in(installation, tmp_path, "branch_440000", {finding: corrected("K44000000099999")})
    assert "不能用报表更正修改（主键或整条记录），请源头修正" in done.returned[finding]


# ---- decisions


def test_only_the_department_decides_and_never_on_ones_own_answer(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    finding = one(installation, rule="E07")["finding"]
    hand_in(installation, tmp_path, "branch_330000", {finding: FIXED})
    before = events(installation)
    for decide in (
        lambda user: accept(installation, AUDIT, user, Selection()),
        lambda user: send_back(installation, AUDIT, user, Selection(), reason="附件"),
    ):
        with pytest.raises(Refused) as caught:
            decide(installation.user("underwriting_reviewer"))
        assert caught.value.code == "decide.other_department"
        with pytest.raises(Refused, match="需要角色：business_reviewer"):
            decide(installation.user("branch_330000"))
    with pytest.raises(Refused) as caught:
        accept(installation, AUDIT, person("branch_330000", "business_reviewer"), Selection())
    assert caught.value.code == "decide.own"
    assert events(installation) == before
    state = accept(installation, AUDIT, installation.user("claims_reviewer"), Selection())
    assert state.answer_reviews[-1].fact.accepted == {"source_fix": 1}
    assert standing(installation, finding) == ("accepted", None)
    assert one(installation, finding=finding)["promised"]
    with pytest.raises(Refused) as caught:
        accept(installation, AUDIT, installation.user("claims_reviewer"), Selection())
    assert caught.value.code == "decide.nothing"


def test_where_two_people_of_a_branch_differ_the_department_says_whose_answer_holds(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(
        audit_in_review, deployment=own_deployment(tmp_path / "deployment", SECOND_OF_440000)
    )
    row = one(installation, rule="D05", branch="440000")
    finding, agreed = row["finding"], rows(installation, rule="B07", branch="440000")["finding"][0]
    hand_in(installation, tmp_path, "branch_440000", {finding: corrected(row["expected"]), agreed: EXPLAINED})
    assert not one(installation, finding=finding)["conflict"]
    hand_in(installation, tmp_path, "second_440000", {finding: FIXED, agreed: EXPLAINED})
    assert one(installation, finding=finding)["conflict"]
    assert not one(installation, finding=agreed)["conflict"]
    reviewer, before = installation.user("underwriting_reviewer"), events(installation)
    with pytest.raises(Refused) as caught:
        accept(installation, AUDIT, reviewer, these(finding, agreed))
    assert caught.value.code == "decide.conflict" and finding in str(caught.value)
    with pytest.raises(Refused) as caught:
        accept(installation, AUDIT, reviewer, these(finding), answer_of="branch_330000")
    assert caught.value.code == "decide.no_answer_of"
    assert events(installation) == before
    state = accept(installation, AUDIT, reviewer, these(finding), answer_of="branch_440000")
    taken = accepted_handlings(installation, state)[finding]
    assert (taken.user, taken.handling, taken.new_value) == (
        "branch_440000", "report_correction", row["expected"],
    )  # fmt: skip
    row = one(installation, finding=finding)
    assert (row["state"], row["conflict"], row["accepted_of"]) == ("accepted", False, "branch_440000")


def test_explanations_in_other_words_are_a_conflict(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(
        audit_in_review, deployment=own_deployment(tmp_path / "deployment", SECOND_OF_440000)
    )
    finding = rows(installation, rule="B07", branch="440000")["finding"][0]
    hand_in(installation, tmp_path, "branch_440000", {finding: EXPLAINED})
    hand_in(installation, tmp_path, "second_440000", {finding: ("情况说明", "", "测试数据，应删除")})
    assert one(installation, finding=finding)["conflict"]
    with pytest.raises(Refused) as caught:
        accept(installation, AUDIT, installation.user("underwriting_reviewer"), these(finding))
    assert caught.value.code == "decide.conflict"


def test_people_who_come_to_agree_are_no_conflict_any_more(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(
        audit_in_review, deployment=own_deployment(tmp_path / "deployment", SECOND_OF_440000)
    )
    finding = one(installation, rule="R01")["finding"]
    row = one(installation, finding=finding)
    hand_in(installation, tmp_path, "second_440000", {finding: FIXED})
    finding_b = one(installation, rule="D06")["finding"]
    hand_in(installation, tmp_path, "branch_440000", {finding_b: FIXED})
    (done,) = hand_in(installation, tmp_path, "branch_440000", {finding: FIXED})
    assert done.handlings == {"source_fix": 1}, "another person saying the same is said, too"
    assert not one(installation, finding=finding)["conflict"]
    state = accept(installation, AUDIT, installation.user("accounting_reviewer"), these(finding))
    assert accepted_handlings(installation, state)[finding].value == row["value"]


def test_what_is_sent_back_goes_out_anew_with_the_remark_and_the_old_workbook_counts_no_more(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    finding = rows(installation, rule="B07", branch="330000")["finding"][0]
    hand_in(installation, tmp_path, "branch_330000", {finding: EXPLAINED})
    (old,) = tmp_path.glob("branch_330000-*.xlsx")
    reviewer = installation.user("underwriting_reviewer")
    with pytest.raises(BadInput) as caught:
        send_back(installation, AUDIT, reviewer, these(finding), reason=" ")
    assert caught.value.code == "decide.no_reason"
    state = send_back(installation, AUDIT, reviewer, these(finding), reason="请附运营商证明")
    fact = state.answer_reviews[-1].fact
    (sent,) = fact.workbooks
    assert (fact.sent_back, fact.accepted, sent.organisation, sent.department, sent.problems) == (
        1, {}, "330000", "underwriting", 1,
    )  # fmt: skip
    assert standing(installation, finding) == ("sent_back", "answer")
    row = one(installation, finding=finding)
    assert (row["remark"], row["decided_by"]) == ("请附运营商证明", "underwriting_reviewer")
    folder = installation.folder("workbooks", AUDIT) / f"{state.answer_reviews[-1].seq:05d}"
    (line,) = read_findings(folder / sent.file)
    assert (line["退回说明"], line["处理方式"], line["原因说明"]) == (
        "请附运营商证明", EXPLAINED[0], EXPLAINED[2],
    )  # fmt: skip

    before = events(installation)
    late = tmp_path / "again.xlsx"
    fill_answers(old, late, {finding: ("情况说明", "", "换一种说法")})
    done = import_answers(installation, AUDIT, late, installation.user("branch_330000"))
    assert (done.handlings, done.unchanged) == ({}, 1)
    assert events(installation) == before
    assert standing(installation, finding) == ("sent_back", "answer")
    (done,) = hand_in(
        installation, tmp_path / "new", "branch_330000", {finding: ("情况说明", "", "证明附后")}
    )
    assert done.handlings == {"explanation": 1}
    assert standing(installation, finding) == ("answered", "decide")


def test_who_holds_what_is_said_by_every_event(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    installation = resume(audit_in_review)
    everything = rows(installation).height
    assert installation.state(AUDIT).holds("answer") == everything
    theirs = rows(installation, branch="510000", rule="D02")["finding"]
    state = settle(installation, tmp_path, "branch_510000", dict.fromkeys(theirs, EXPLAINED))
    assert (state.holds("answer"), state.holds("decide")) == (everything - 1, 0)
    counted = rows(installation).filter(holder="answer").group_by("department", "branch").len("count")
    held = {(h.department, h.organisation): h.count for h in state.held}
    assert held == {(d, b): n for d, b, n in counted.iter_rows()}
