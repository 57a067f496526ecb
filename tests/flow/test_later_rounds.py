"""What later rounds and newly worded rules make of findings that were answered, accepted or promised."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.compare import compare_again, comparison_folder, read_comparison
from pipelines.stages.content import build_content
from pipelines.stages.correct import import_answers
from pipelines.stages.decide import decide_correction
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.sign_off import open_sign_off
from resources.reference_core import repair
from tests.flow.conftest import Resume
from tests.flow.life import (
    EXPLAINED,
    FIXED,
    clock_to,
    corrected,
    hand_in,
    judge_again,
    key_of,
    next_round,
    one,
    own_standard,
    person,
    rows,
    settle,
    standing,
)
from tests.flow.play import (
    AUDIT,
    Cores,
    execute,
    preparer,
    query,
    replace_text,
    run,
    send_out,
)


def gates(installation: Installation) -> dict[str, str]:
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, AUDIT, preparer(installation))
    return {detail.code: str(detail) for detail in caught.value.details}


# ---- accepted explanations


def test_an_accepted_explanation_survives_until_the_value_changes(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    kept_one, moved_one = rows(installation, rule="B07", branch="330000").to_dicts()
    findings = kept_one["finding"], moved_one["finding"]
    settle(installation, tmp_path, "branch_330000", dict.fromkeys(findings, EXPLAINED))
    next_round(installation)
    assert [standing(installation, each) for each in findings] == [("accepted", None)] * 2
    execute(
        installation.home / "core.db",
        f"UPDATE customer SET mobile = '99' WHERE customer_id = '{key_of(moved_one)}'",
    )
    next_round(installation)
    assert standing(installation, kept_one["finding"]) == ("accepted", None)
    assert standing(installation, moved_one["finding"]) == ("still_there", "issue")
    row = one(installation, finding=moved_one["finding"])
    assert (row["value"], row["first_round"], row["last_round"]) == ("99", 1, 3)
    over_both = compare_again(installation, AUDIT, 1, 3)
    assert over_both["tables"] == read_comparison(installation, installation.state(AUDIT))["tables"], (
        "2 was as 1"
    )
    (customers,) = (each for each in over_both["tables"] if each["fields"])
    assert (customers["table"], customers["fields"]) == ("KHXXB", {"SJHM": 1})
    assert over_both["unexplained"] == {"KHXXB": 1}
    for no_pair in ((3, 1), (2, 2), (1, 4), (0, 1)):
        with pytest.raises(Refused) as caught:
            compare_again(installation, AUDIT, *no_pair)
        assert caught.value.code == "compare.rounds" and "1, 2, 3" in str(caught.value)
    folders = comparison_folder(installation, AUDIT, 3).parent.iterdir()
    assert sorted(path.name for path in folders) == ["2", "3"]
    send_out(installation, AUDIT)
    settle(installation, tmp_path / "again", "branch_330000", {moved_one["finding"]: EXPLAINED})
    assert standing(installation, moved_one["finding"]) == ("accepted", None)


def test_an_accepted_explanation_is_asked_for_again_when_the_rule_is_worded_anew(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    deployment, own = own_standard(tmp_path / "deployment")
    installation = resume(audit_in_review, deployment=deployment)
    finding = one(installation, rule="D02")["finding"]
    other = one(installation, rule="B07", branch="330000", key=rows(installation, rule="B07")["key"][0])[
        "finding"
    ]
    settle(installation, tmp_path, "branch_510000", {finding: EXPLAINED})
    settle(installation, tmp_path, "branch_330000", {other: EXPLAINED})
    judge_again(installation)
    assert standing(installation, finding) == ("accepted", None)
    replace_text(own / "rules" / "d.yaml", "COALESCE(DQDBZ, '否') = '是'", "COALESCE(DQDBZ, '') = '是'")
    judge_again(installation)
    assert standing(installation, finding) == ("still_there", "first_review")
    assert standing(installation, other) == ("accepted", None)


@pytest.mark.parametrize("how", ["worded so that it no longer finds it", "removed"])
def test_what_a_changed_rule_no_longer_finds_is_obsolete(
    resume: Resume, audit_in_review: Path, tmp_path: Path, how: str
) -> None:
    deployment, own = own_standard(tmp_path / "deployment")
    installation = resume(audit_in_review, deployment=deployment)
    finding, others = one(installation, rule="D02")["finding"], rows(installation).height - 1
    rules = own / "rules" / "d.yaml"
    if how == "removed":
        blocks = rules.read_text(encoding="utf-8").split("- id: ")
        rules.write_text("- id: ".join(b for b in blocks if not b.startswith("D02\n")), encoding="utf-8")
        replace_text(own / "rules" / "p.yaml", "  suppressed_by: [D02]\n", "")
    else:
        replace_text(rules, "COALESCE(DQDBZ, '否') = '是'", "QDRQ > QBRQ")
    judge_again(installation)
    row = one(installation, finding=finding)
    assert (row["state"], row["holder"], row["is_present"]) == ("obsolete", None, False)
    assert rows(installation, state="still_there").height == others
    assert not any("D02" in gate for gate in gates(installation).values())


# ---- promises


def test_a_promised_fix_that_did_not_arrive_is_still_there_and_counted(
    resume: Resume, audit_in_review: Path, cores: Cores, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    mended, missing = (one(installation, rule=rule, branch="330000")["finding"] for rule in ("D03", "E07"))
    settle(installation, tmp_path, "branch_330000", {mended: FIXED, missing: FIXED})
    repair(installation.home / "core.db", cores.repairs, organisation="330000", rules=["D03"])
    state = next_round(installation)
    assert state.comparisons[-1].fact.missing_fixes == 1
    assert read_comparison(installation, state)["missing_fixes"] == [missing]
    assert standing(installation, missing) == ("still_there", "issue")
    row = one(installation, finding=mended)
    assert (row["state"], row["holder"], row["last_round"], row["resolved_round"]) == ("resolved", None, 1, 2)
    assert state.unexplained_drift == 0


def test_a_promise_that_was_kept_explains_nothing_in_later_rounds(
    resume: Resume, audit_in_review: Path, cores: Cores, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    promised = rows(installation, rule="B01", branch="510000").row(0, named=True)
    settle(installation, tmp_path, "branch_510000", {promised["finding"]: FIXED})
    repair(installation.home / "core.db", cores.repairs, organisation="510000", rules=["B01"])
    assert next_round(installation).unexplained_drift == 0
    assert standing(installation, promised["finding"]) == ("resolved", None)
    of_another = "SELECT id_no FROM customer WHERE id_type = '居民身份证' ORDER BY customer_id LIMIT 1"
    execute(
        installation.home / "core.db",
        f"UPDATE customer SET id_no = ({of_another}) WHERE customer_id = '{key_of(promised)}'",
    )
    assert next_round(installation).unexplained_drift >= 1, "nobody promised this"


def test_a_promise_keeps_the_sign_off_closed_until_a_round_was_asked(
    resume: Resume, audit_in_review: Path, cores: Cores, tmp_path: Path
) -> None:
    """Even where an explanation would do: what was promised must show."""
    installation = resume(audit_in_review)
    for branch in ("330000", "440000", "510000"):
        repair(installation.home / "core.db", cores.repairs, organisation=branch)
    promised = rows(installation, rule="B07", branch="330000").row(0, named=True)
    execute(
        installation.home / "core.db",
        f"UPDATE customer SET mobile = '99' WHERE customer_id = '{key_of(promised)}'",
    )
    next_round(installation)
    (row,) = rows(installation, is_present=True).to_dicts()
    assert (row["rule"], row["state"]) == ("B07", "still_there")
    send_out(installation, AUDIT)
    settle(installation, tmp_path, "branch_330000", {row["finding"]: FIXED})
    judge_again(installation)
    assert standing(installation, row["finding"]) == ("accepted", None)
    assert "sign_off.unexplained" in gates(installation)
    step = next_step(installation.state(AUDIT), installation)
    assert step is not None and step.key.startswith("extract:round-3")


def test_what_was_gone_and_comes_back_has_reappeared(
    resume: Resume, audit_in_review: Path, cores: Cores
) -> None:
    installation = resume(audit_in_review)
    row = one(installation, rule="A01", branch="330000")
    repair(installation.home / "core.db", cores.repairs, organisation="330000", rules=["A01"])
    next_round(installation)
    assert standing(installation, row["finding"]) == ("resolved", None)
    execute(
        installation.home / "core.db",
        f"UPDATE policy SET insured_name = NULL WHERE policy_no = '{key_of(row)}'",
    )
    next_round(installation)
    assert standing(installation, row["finding"]) == ("reappeared", "issue")
    now = one(installation, finding=row["finding"])
    assert (now["first_round"], now["last_round"], now["resolved_round"]) == (1, 3, None)
    send_out(installation, AUDIT)
    assert standing(installation, row["finding"]) == ("dispatched", "answer")


# ---- a correction whose original value changed


def correct_sichuan(installation: Installation, folder: Path) -> dict[str, Any]:
    """Sichuan's finding of D05, whose report correction is accepted and stands in the content judged last."""
    row = one(installation, rule="D05", branch="510000")
    settle(installation, folder, "branch_510000", {row["finding"]: corrected(row["expected"])})
    judge_again(installation)
    assert standing(installation, row["finding"]) == ("resolved", None)
    return row


def change_policy(installation: Installation, row: dict[str, Any], change: str) -> FilingState:
    """The round after something happened to the finding's policy in the core."""
    execute(installation.home / "core.db", f"UPDATE policy SET {change} WHERE policy_no = '{key_of(row)}'")
    return next_round(installation)


@pytest.fixture
def in_conflict(resume: Resume, audit_in_review: Path, tmp_path: Path) -> tuple[Installation, str]:
    """An accepted correction whose original value the second round shows otherwise."""
    installation = resume(audit_in_review)
    row = correct_sichuan(installation, tmp_path)
    state = change_policy(installation, row, "vat_cents = vat_cents + 1")
    assert state.content is not None and state.content.fact.overlays == 0
    assert "sign_off.conflict" in gates(installation)
    return installation, row["finding"]


def test_a_correction_in_conflict_is_kept_over_the_value_shown_now(
    in_conflict: tuple[Installation, str],
) -> None:
    installation, finding = in_conflict
    reviewer = installation.user("underwriting_reviewer")
    with pytest.raises(Refused) as caught:
        decide_correction(
            installation, AUDIT, installation.user("claims_reviewer"), finding, "keep", reason="仍适用"
        )
    assert caught.value.code == "decide.other_department"
    decide_correction(installation, AUDIT, reviewer, finding, "keep", reason="仍适用")
    assert list(gates(installation)) == ["sign_off.not_judged"]
    state = judge_again(installation)
    assert state.content is not None and state.content.fact.overlays == 1
    assert standing(installation, finding) == ("resolved", None)
    assert "sign_off.conflict" not in gates(installation)
    with pytest.raises(Refused) as caught:
        decide_correction(installation, AUDIT, reviewer, finding, "keep", reason="仍适用")
    assert caught.value.code == "decide.no_conflict"


def test_nobody_decides_on_his_own_correction_in_conflict(in_conflict: tuple[Installation, str]) -> None:
    installation, finding = in_conflict
    answered = person("branch_510000", "business_reviewer")
    for decision in ("keep", "withdraw"):
        with pytest.raises(Refused) as caught:
            decide_correction(installation, AUDIT, answered, finding, decision, reason="就这样")
        assert caught.value.code == "decide.own"


def test_a_correction_in_conflict_is_withdrawn(in_conflict: tuple[Installation, str]) -> None:
    installation, finding = in_conflict
    reviewer = installation.user("underwriting_reviewer")
    decide_correction(installation, AUDIT, reviewer, finding, "withdraw", reason="核心已改")
    state = judge_again(installation)
    assert state.content is not None and state.content.fact.overlays == 0
    assert "sign_off.conflict" not in gates(installation)
    state_now, holder = standing(installation, finding)
    assert (state_now, holder) == ("reappeared", "issue")


def test_a_correction_of_what_was_corrected_lies_over_the_same_original(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    row = correct_sichuan(installation, tmp_path)
    change_policy(installation, row, "premium_cents = premium_cents + 100000")
    again = one(installation, finding=row["finding"])
    assert (again["state"], again["value"]) == ("reappeared", row["expected"])
    send_out(installation, AUDIT)
    settle(installation, tmp_path / "again", "branch_510000", {row["finding"]: corrected(again["expected"])})
    content = build_content(installation, judge_again(installation))
    assert content.conflicts == ()
    assert [(each.value, each.new_value) for each in content.overlays] == [(row["value"], again["expected"])]


def test_a_correction_whose_row_is_gone_can_only_be_withdrawn(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    row = correct_sichuan(installation, tmp_path)
    change_policy(installation, row, "org_code = '320000'")
    reviewer = installation.user("underwriting_reviewer")
    with pytest.raises(Refused) as caught:
        decide_correction(installation, AUDIT, reviewer, row["finding"], "keep", reason="—")
    assert caught.value.code == "decide.row_gone"
    decide_correction(installation, AUDIT, reviewer, row["finding"], "withdraw", reason="保单已转出")
    judge_again(installation)
    assert "sign_off.conflict" not in gates(installation)


# ---- the cut-off


def test_past_the_answering_day_the_next_round_is_due_though_somebody_is_silent(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    finding = one(installation, rule="E07")["finding"]
    state = settle(installation, tmp_path, "branch_330000", {finding: FIXED})
    assert state.answer_by == datetime(2026, 5, 8).date()  # noqa: DTZ001 - a day has no zone
    assert next_step(state, installation) is None
    clock_to(installation, datetime(2026, 5, 8, 23, 59))  # noqa: DTZ001 - in the clock's own zone
    assert next_step(state, installation) is None
    clock_to(installation, datetime(2026, 5, 9, 0, 1))  # noqa: DTZ001
    step = next_step(state, installation)
    assert step is not None and step.key == "extract:round-2:0"
    (silent,) = {row["branch"] for row in rows(installation, rule="D02").to_dicts()}
    late = hand_in(
        installation,
        tmp_path / "late",
        "branch_510000",
        {one(installation, rule="D02")["finding"]: EXPLAINED},
    )
    assert late[0].handlings == {"explanation": 1}, "until the round is there, answers are taken"
    run(installation, AUDIT, "extract", "validate", "compare", "review")
    state = installation.state(AUDIT)
    assert (state.round, state.awaited) == (2, ())
    assert silent == "510000"
    assert standing(installation, one(installation, rule="D02")["finding"]) == ("answered", "decide")
    (old,) = (tmp_path / "late").iterdir()
    with pytest.raises(Refused) as caught:
        import_answers(installation, AUDIT, old, installation.user("branch_510000"))
    assert caught.value.code == "correct.other_content"
    assert next_step(state, installation) is None, "the departments issue what is still there"


def test_past_the_answering_day_nothing_is_due_where_nothing_was_promised(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    clock_to(installation, datetime(2026, 5, 12, 9))  # noqa: DTZ001 - in the clock's own zone
    assert next_step(installation.state(AUDIT), installation) is None


# ---- root causes


def test_what_hides_behind_a_root_cause_that_came_later_is_not_resolved(
    resume: Resume, audit_in_review: Path
) -> None:
    """A wrong date of birth is no longer said when the number it is compared with becomes wrong; mended, it is said again."""
    installation = resume(audit_in_review)
    follower = one(installation, rule="B02")
    core, customer = installation.home / "core.db", key_of(follower)
    ((number,),) = query(core, f"SELECT id_no FROM customer WHERE customer_id = '{customer}'")
    execute(core, f"UPDATE customer SET id_no = '{number[:-1]}?' WHERE customer_id = '{customer}'")
    next_round(installation)
    root = one(installation, rule="B01", key=follower["key"])
    assert (root["state"], root["holder"]) == ("new", "first_review")
    assert not one(installation, finding=follower["finding"])["is_present"]
    assert standing(installation, follower["finding"]) == ("still_there", None)
    told = read_comparison(installation, installation.state(AUDIT))
    assert follower["finding"] in told["remaining"] and follower["finding"] not in told["resolved"]

    execute(core, f"UPDATE customer SET id_no = '{number}' WHERE customer_id = '{customer}'")
    next_round(installation)
    assert standing(installation, root["finding"]) == ("resolved", None)
    assert standing(installation, follower["finding"])[1] == "issue"
