"""Waivers: who may grant what, what they cover and for how long, over rounds and over later filings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines.cli.explain_words import story_text
from pipelines.errors import BadInput, Refused
from pipelines.stages.finding_history import tell_finding
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.sign_off import open_sign_off, require_approval
from pipelines.stages.waiver_granting import WaiverDraft, decide_waiver, propose_waiver
from pipelines.stages.waivers import revoke_waiver, waivers_in_force
from tests.flow.conftest import Resume
from tests.flow.life import (
    clock_to,
    events,
    judge_again,
    key_of,
    next_round,
    own_standard,
    rows,
    standing,
    waive,
)
from tests.flow.play import (
    AUDIT,
    SCHEDULE_P,
    draft,
    execute,
    open_by_request,
    preparer,
    replace_text,
    run,
    schedule_p_draft,
)

LATER = "circ_audit.detail.JH-2026-004"
SIGNED = WaiverDraft(
    "B01", "签报〔2026〕7号", "系统升级前的历史证件（模拟）", date(2026, 5, 20), table="KHXXB"
)


def grant(installation: Installation, waiver: WaiverDraft, user: str = "underwriting_reviewer") -> str:
    """Its number."""
    return waive(installation, AUDIT, waiver, installation.user(user))


def gate(installation: Installation, code: str) -> str:
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, AUDIT, preparer(installation))
    return next((str(detail) for detail in caught.value.details if detail.code == code), "")


def test_a_waiver_frees_who_holds_what_it_covers_and_unblocks_it_when_judged_next_until_it_is_revoked(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    blocking = rows(installation, severity="block").height
    covered = rows(installation, rule="B01")["finding"]
    held = sum(each.count for each in installation.state(AUDIT).held)
    assert covered.len() == 6
    number = grant(installation, SIGNED)
    assert number == f"{AUDIT}-V1-HM001"
    assert {standing(installation, each) for each in covered} == {("waived", None)}, (
        "nobody has to act any more"
    )
    assert sum(each.count for each in installation.state(AUDIT).held) == held - 6
    assert gate(installation, "sign_off.not_judged"), "but nothing is signed before it is judged so"
    state = judge_again(installation)
    assert {standing(installation, each) for each in covered} == {("waived", None)}
    assert set(rows(installation, rule="B01")["waiver"]) == {SIGNED.sign_off}
    assert state.content is not None and state.content.fact.block == blocking - 6
    told = gate(installation, "sign_off.blocking")
    assert f"还有 {blocking - 6} 条阻断问题" in told and "B01" not in told

    with pytest.raises(BadInput) as caught:
        revoke_waiver(installation, AUDIT, number, installation.user("business_reviewer"), reason=" ")
    assert caught.value.code == "waivers.no_reason"
    reviewer = installation.user("business_reviewer")
    revoke_waiver(installation, AUDIT, number, reviewer, reason="证件已可更正")
    recorded = events(installation)
    revoke_waiver(installation, AUDIT, number, reviewer, reason="证件已可更正")
    assert events(installation) == recorded, "revoked once"
    state = judge_again(installation)
    assert {standing(installation, each) for each in covered} == {("still_there", "issue")}
    story = tell_finding(installation, state, covered[0])
    assert [act.what for act in story.acts] == ["first_review", "asked", "waived", "waiver_revoked"]
    told = story_text(story).splitlines()
    (granted,) = (line for line in told if "　豁免：" in line)
    assert number in granted and SIGNED.sign_off in granted and SIGNED.reason in granted
    assert "证件已可更正" in told[-2], "after the two contents before, and before the last"
    assert "B01" in gate(installation, "sign_off.blocking")


@pytest.mark.parametrize("how_wide", ["one key", "another table", "every table"])
def test_a_waiver_covers_only_the_table_or_the_key_that_it_names(
    resume: Resume, audit_in_review: Path, how_wide: str
) -> None:
    installation = resume(audit_in_review)
    found = rows(installation, rule="B01")
    first = found.row(0, named=True)
    waiver, expected = {
        "one key": (replace(SIGNED, key=first["key"]), {first["finding"]}),
        "another table": (replace(SIGNED, table="BDXXB"), set[str]()),
        "every table": (replace(SIGNED, table=None), set(found["finding"])),
    }[how_wide]
    grant(installation, waiver, "business_reviewer")
    judge_again(installation)
    assert set(rows(installation, state="waived")["finding"]) == expected


def test_a_waiver_holds_over_rounds_and_is_granted_once(resume: Resume, audit_in_review: Path) -> None:
    installation = resume(audit_in_review)
    grant(installation, SIGNED)
    recorded = events(installation)
    grant(installation, SIGNED)
    assert events(installation) == recorded
    next_round(installation)
    next_round(installation)
    assert set(rows(installation, rule="B01")["state"]) == {"waived"}


def test_another_value_than_the_one_accepted_is_asked_about_anew(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    moved, *others = rows(installation, rule="B01").to_dicts()
    grant(installation, SIGNED)
    change = f"UPDATE customer SET id_no = '11010119900307001' WHERE customer_id = '{key_of(moved)}'"
    execute(installation.home / "core.db", change)
    next_round(installation)
    assert standing(installation, moved["finding"]) == ("still_there", "issue")
    assert {standing(installation, each["finding"]) for each in others} == {("waived", None)}

    first, again = (
        waivers_in_force(installation, installation.state(AUDIT))[-1].number,
        grant(installation, SIGNED),
    )
    assert again != first, "the same words accept another value"
    judge_again(installation)
    assert set(rows(installation, rule="B01")["state"]) == {"waived"}


def test_another_wording_of_the_rule_is_asked_about_anew(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    deployment, own = own_standard(tmp_path / "deployment")
    installation = resume(audit_in_review, deployment=deployment)
    grant(installation, replace(SIGNED, rule="D02", table="BDXXB"))
    grant(installation, SIGNED)
    judge_again(installation)
    assert set(rows(installation, state="waived")["rule"]) == {"D02", "B01"}
    replace_text(own / "rules" / "d.yaml", "COALESCE(DQDBZ, '否') = '是'", "COALESCE(DQDBZ, '') = '是'")
    judge_again(installation)
    assert set(rows(installation, state="waived")["rule"]) == {"B01"}
    assert set(rows(installation, rule="D02").select("state", "holder").rows()) == {
        ("still_there", "first_review")
    }


def test_a_waiver_makes_a_judging_due_when_nobody_holds_anything_or_the_day_has_passed(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    grant(installation, SIGNED)
    assert next_step(installation.state(AUDIT), installation) is None
    clock_to(installation, datetime(2026, 5, 9, 9))  # noqa: DTZ001 - in the clock's own zone
    step = next_step(installation.state(AUDIT), installation)
    assert step is not None and step.step == "validate"
    judge_again(installation)
    assert next_step(installation.state(AUDIT), installation) is None


def test_a_waiver_ends_within_a_year_and_is_asked_for_once_while_it_waits(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    proposer = installation.user("underwriting_reviewer")
    with pytest.raises(BadInput, match="2027-"):
        propose_waiver(installation, AUDIT, replace(SIGNED, expires=date(9999, 12, 31)), proposer)
    number = propose_waiver(installation, AUDIT, SIGNED, proposer)
    assert propose_waiver(installation, AUDIT, SIGNED, proposer) == number
    with pytest.raises(Refused) as refused:
        propose_waiver(
            installation, AUDIT, replace(SIGNED, reason="另一个原因", expires=date(2026, 5, 21)), proposer
        )
    assert refused.value.code == "waivers.waits"


def test_everything_that_is_wrong_with_a_waiver_is_said_at_once(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    recorded = events(installation)
    wrong = WaiverDraft("B99", " ", "", date(2026, 5, 5), "NONE", '{"KHBH": "K1"}')
    with pytest.raises(BadInput) as caught:
        grant(installation, wrong)
    assert [detail.code for detail in caught.value.details] == [
        "waivers.unknown_rule",
        "waivers.unknown_table",
        "waivers.no_reason",
        "waivers.no_sign_off",
        "waivers.expires",
        "waivers.key",
    ]
    with pytest.raises(Refused) as refused:
        grant(installation, SIGNED, "claims_reviewer")
    assert refused.value.code == "waivers.other_department"
    for user in ("underwriting_reviewer", "accounting_reviewer"):
        with pytest.raises(Refused) as refused:
            grant(installation, replace(SIGNED, table=None), user)
        assert refused.value.code == "waivers.other_department", "the rule is on tables of all departments"
    with pytest.raises(Refused, match="需要角色：business_reviewer"):
        grant(installation, SIGNED, "audit_reviewer")
    with pytest.raises(BadInput) as unknown:
        revoke_waiver(installation, AUDIT, "HM999", installation.user("business_reviewer"), reason="—")
    assert unknown.value.code == "waivers.unknown"
    assert events(installation) == recorded


def test_a_waiver_takes_a_second_person_who_sees_what_was_proposed(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    proposer = installation.user("underwriting_reviewer")
    number = propose_waiver(installation, AUDIT, SIGNED, proposer)
    assert propose_waiver(installation, AUDIT, SIGNED, proposer) == number
    covered = rows(installation, rule="B01")["finding"]
    assert "waived" not in {standing(installation, each)[0] for each in covered}
    assert waivers_in_force(installation, installation.state(AUDIT)) == ()
    recorded = events(installation)
    for user, opinion, code in (
        ("underwriting_reviewer", "agree", "waivers.own"),
        ("claims_reviewer", "agree", "waivers.other_department"),
        ("claims_reviewer", "disagree", "waivers.other_department"),
        ("data_engineer", "agree", "installation.role"),
        ("business_reviewer", "disagree", "waivers.no_comment"),
    ):
        with pytest.raises((BadInput, Refused)) as caught:
            decide_waiver(installation, AUDIT, number, installation.user(user), opinion=opinion)
        assert caught.value.code == code
    assert events(installation) == recorded

    second = installation.user("business_reviewer")
    decide_waiver(installation, AUDIT, number, second, opinion="agree")
    assert {standing(installation, each) for each in covered} == {("waived", None)}
    recorded = events(installation)
    decide_waiver(installation, AUDIT, number, second, opinion="agree")
    with pytest.raises(Refused) as caught:
        decide_waiver(installation, AUDIT, number, second, opinion="disagree", comment="—")
    assert caught.value.code == "waivers.decided" and events(installation) == recorded


def test_a_proposal_is_taken_back_or_refused_and_void_once_the_findings_moved(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    proposer, second = installation.user("underwriting_reviewer"), installation.user("audit_reviewer")
    for user in (proposer, second):
        number = propose_waiver(installation, AUDIT, SIGNED, proposer)
        state = decide_waiver(installation, AUDIT, number, user, opinion="disagree", comment="不宜豁免")
        assert state.open_waivers == () and state.waivers == ()
    number = propose_waiver(installation, AUDIT, SIGNED, proposer)
    assert number == f"{AUDIT}-V1-HM003"
    moved = key_of(rows(installation, rule="B01").row(0, named=True))
    change = f"UPDATE customer SET id_no = '11010119900307001' WHERE customer_id = '{moved}'"
    execute(installation.home / "core.db", change)
    next_round(installation)
    recorded = events(installation)
    with pytest.raises(Refused) as caught:
        decide_waiver(installation, AUDIT, number, second, opinion="agree")
    assert caught.value.code == "waivers.moved" and events(installation) == recorded


def test_nothing_is_waived_while_people_sign(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    waiver = WaiverDraft("S06", "签报〔2026〕8号", "—", date(2026, 12, 31))
    with pytest.raises(Refused) as caught:
        waive(installation, SCHEDULE_P, waiver, installation.user("business_reviewer"))
    assert caught.value.code == "waivers.closed"


def test_a_waiver_covers_later_filings_of_the_standard_until_it_expires(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    number = grant(installation, SIGNED)
    open_by_request(installation, draft(installation.home, number="JH-2026-004"))
    state = run(installation, LATER, "extract", "validate", "review")
    assert [waiver.number for waiver in waivers_in_force(installation, state)] == [number]
    theirs = rows(installation, LATER, rule="B01")
    assert set(theirs.select("state", "waiver").rows()) == {("waived", SIGNED.sign_off)}

    clock_to(installation, datetime(2026, 5, 20, 23, 59))  # noqa: DTZ001 - in the clock's own zone
    judge_again(installation, LATER)
    assert set(rows(installation, LATER, rule="B01")["state"]) == {"waived"}, "to its last day"
    clock_to(installation, datetime(2026, 5, 21, 0, 1))  # noqa: DTZ001
    assert waivers_in_force(installation, installation.state(LATER)) == ()
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, LATER, preparer(installation))
    assert [detail.code for detail in caught.value.details] == ["sign_off.not_judged"]
    judge_again(installation, LATER)
    assert set(rows(installation, LATER, rule="B01").select("state", "holder").rows()) == {
        ("new", "first_review")
    }


def test_a_waiver_revoked_where_it_was_granted_covers_nowhere(resume: Resume, audit_in_review: Path) -> None:
    installation = resume(audit_in_review)
    number = grant(installation, SIGNED)
    open_by_request(installation, draft(installation.home, number="JH-2026-004"))
    run(installation, LATER, "extract", "validate", "review")
    with pytest.raises(BadInput):
        revoke_waiver(installation, LATER, number, installation.user("business_reviewer"), reason="—")
    revoke_waiver(installation, AUDIT, number, installation.user("business_reviewer"), reason="已无必要")
    judge_again(installation, LATER)
    assert rows(installation, LATER, state="waived").is_empty()


def test_what_was_signed_stands_whatever_becomes_of_waivers_in_other_filings(
    resume: Resume, schedule_p_approved: Path
) -> None:
    """Four people signed one content: a waiver granted or revoked elsewhere counts from the next one on."""
    installation = resume(schedule_p_approved)
    signed = installation.state(SCHEDULE_P)
    other = open_by_request(
        installation, replace(schedule_p_draft(installation.home), number="NAIC-1997-G", key="1997G")
    )
    waiver = WaiverDraft("S08", "签报〔2026〕9号", "历史数据（模拟）", date(2027, 1, 1))
    reviewer = installation.user("business_reviewer")
    granted = waive(installation, other.id, waiver, reviewer)
    assert granted not in {each.number for each in waivers_in_force(installation, signed)}
    other = installation.state(other.id)
    assert granted in {each.number for each in waivers_in_force(installation, other)}
    require_approval(installation, installation.state(SCHEDULE_P))
    step = next_step(installation.state(SCHEDULE_P), installation)
    assert step is not None and step.step == "release"
    run(installation, SCHEDULE_P, "package")
    with pytest.raises(Refused) as caught:
        waive(installation, SCHEDULE_P, waiver, reviewer)
    assert caught.value.code == "waivers.closed"
    revoke_waiver(installation, other.id, granted, reviewer, reason="不再需要（模拟）")
    require_approval(installation, installation.state(SCHEDULE_P))
