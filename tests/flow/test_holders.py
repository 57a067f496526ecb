"""Who holds what since when, who is reminded and when it goes higher; and what a merger of branches does to it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines.stages.holders import holders, remind
from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.life import EXPLAINED, FIXED, clock_to, events, hand_in, next_round, one, rows, settle
from tests.flow.play import AUDIT, BRANCHES, own_deployment, send_out

ASKED = [
    ("claims", "330000"),
    ("finance", "330000"),
    ("finance", "440000"),
    ("underwriting", "330000"),
    ("underwriting", "440000"),
    ("underwriting", "510000"),
]
"""Departments and branches of the problem data that went out on 6 May, to be answered by 8 May."""


def told(installation: Installation) -> dict[str, list[tuple[str, str, str]]]:
    """Who is told now: holder, department and branch by level."""
    levels: dict[str, list[tuple[str, str, str]]] = {}
    for each in remind(installation, AUDIT):
        levels.setdefault(each.level, []).append((each.holder, each.department, each.organisation))
    return {level: sorted(people) for level, people in levels.items()}


def clock_at(installation: Installation, day: int, hour: int = 9) -> None:
    clock_to(installation, datetime(2026, 5, day, hour))  # noqa: DTZ001 - in the clock's own zone


def test_everybody_who_holds_something_is_named_with_how_much_since_when_and_until_when(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    finding = one(installation, rule="E07")["finding"]
    clock_at(installation, 7)
    hand_in(installation, tmp_path, "branch_330000", {finding: FIXED})
    held = holders(installation, installation.state(AUDIT))
    assert sum(each.count for each in held) == rows(installation).height
    (decide,) = [each for each in held if each.holder == "decide"]
    assert (decide.department, decide.branch, decide.count) == ("claims", "330000", 1)
    assert (decide.department_name, decide.branch_name) == ("理赔管理部", "浙江分公司")
    assert (decide.since.date(), decide.due, decide.is_late) == (date(2026, 5, 7), date(2026, 5, 8), False)
    branches = [each for each in held if each.holder == "answer"]
    assert sorted((each.department, each.branch) for each in branches) == ASKED
    assert {(each.since.date(), each.due) for each in branches} == {(date(2026, 5, 6), date(2026, 5, 8))}
    clock_at(installation, 9)
    held = holders(installation, installation.state(AUDIT))
    assert {each.is_late for each in held} == {True}


def test_the_first_reviewer_and_the_departments_have_a_working_day_each(
    resume: Resume, audit_listed: Path
) -> None:
    installation = resume(audit_listed)
    held = holders(installation, installation.state(AUDIT))
    assert {(each.holder, each.due) for each in held} == {("first_review", date(2026, 5, 7))}
    assert set(told(installation)) == {"reminder"}
    clock_at(installation, 8)
    assert set(told(installation)) == {"escalation"}


def test_a_branch_is_reminded_the_working_day_before_and_then_it_goes_higher_once_a_day(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    asked = [("answer", *each) for each in ASKED]
    assert told(installation) == {}
    clock_at(installation, 7)
    assert told(installation) == {"reminder": asked}
    recorded = events(installation)
    assert told(installation) == {}
    clock_at(installation, 7, 17)
    assert told(installation) == {}
    assert events(installation) == recorded
    clock_at(installation, 8)
    assert told(installation) == {"reminder": asked}, "on the day itself once more"
    clock_at(installation, 9)
    assert told(installation) == {"escalation": asked}, "a Saturday, but a working day"
    assert told(installation) == {}
    clock_at(installation, 10)
    assert told(installation) == {}, "nobody works on this Sunday"
    clock_at(installation, 11)
    assert told(installation) == {"escalation": asked}
    said = [reminder.fact for reminder in installation.state(AUDIT).reminders]
    assert {(each.level, each.day, each.due) for each in said} == {
        ("reminder", date(2026, 5, 7), date(2026, 5, 8)),
        ("reminder", date(2026, 5, 8), date(2026, 5, 8)),
        ("escalation", date(2026, 5, 9), date(2026, 5, 8)),
        ("escalation", date(2026, 5, 11), date(2026, 5, 8)),
    }
    counted = rows(installation).group_by("department", "branch").len("count")
    assert {(each.department, each.organisation, each.count) for each in said} == set(counted.iter_rows())


def test_who_has_done_his_part_is_not_reminded(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    installation = resume(audit_in_review)
    theirs = rows(installation, department="claims")["finding"]
    settle(installation, tmp_path, "branch_330000", dict.fromkeys(theirs, FIXED))
    clock_at(installation, 7)
    assert ("answer", "claims", "330000") not in told(installation)["reminder"]
    assert len(installation.state(AUDIT).reminders) == len(ASKED) - 1


# ---- mergers


MERGED = ("mergers.csv", "code,into,effective\n", "code,into,effective\n510000,440000,2026-05-07\n")


@pytest.fixture
def merging(resume: Resume, audit_in_review: Path, tmp_path: Path) -> Installation:
    """Sichuan is merged into Guangdong on 7 May."""
    return resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", MERGED))


def test_before_its_day_a_merger_sends_nothing_anywhere(merging: Installation) -> None:
    assert set(rows(merging)["branch"]) == set(BRANCHES)
    next_round(merging)
    assert set(rows(merging)["branch"]) == set(BRANCHES)


def test_from_its_day_on_the_receiving_branch_answers_for_the_merged_one(
    merging: Installation, tmp_path: Path
) -> None:
    theirs = rows(merging, branch="510000")["finding"]
    clock_at(merging, 7)
    assert set(rows(merging)["branch"]) == set(BRANCHES), "what went out stays where it is"
    next_round(merging)
    now = {row["finding"]: row for row in rows(merging).to_dicts()}
    assert {now[finding]["branch"] for finding in theirs} == {"440000"}
    assert {now[finding]["organisation"][:2] for finding in theirs} == {"51"}, "the data are still its own"
    assert {row["branch"] for row in now.values()} == {"330000", "440000"}
    state = send_out(merging, AUDIT)
    assert {held.organisation for held in state.held} == {"330000", "440000"}
    finding = one(merging, rule="D02")["finding"]
    (done,) = hand_in(merging, tmp_path, "branch_440000", {finding: EXPLAINED})
    assert done.handlings == {"explanation": 1}


def test_what_was_answered_before_the_merger_still_counts(merging: Installation, tmp_path: Path) -> None:
    finding = one(merging, rule="D02")["finding"]
    settle(merging, tmp_path, "branch_510000", {finding: EXPLAINED})
    clock_at(merging, 7)
    next_round(merging)
    row = one(merging, finding=finding)
    assert (row["state"], row["branch"], row["answered_by"]) == ("accepted", "440000", "branch_510000")
