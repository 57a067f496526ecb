"""Talks with the regulator at the desk: recorded with their proof, seen by whom they concern; a deadline moves by a second person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.demo.visitor import Declined, said
from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, kept_in, refusal, words
from tests.flow.life import events
from tests.flow.play import AUDIT, draft, open_by_request, own_deployment

PAGE = f"/filings/{AUDIT}/talks"
TALK = {"counterpart": "监管处（模拟）", "question": "范围是否含本级？", "answer": "不含。\r\n以文件为准。"}

AUDITS_TOO = 'roles: [branch_preparer, auditor]\n    organisations: ["330000"]'


@pytest.fixture
def installation(begin: Resume) -> Installation:
    begun = begin()
    open_by_request(begun, draft(begun.home))
    return begun


@pytest.fixture
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    path = tmp_path / "复函.txt"
    path.write_text("同意延期（模拟）", encoding="utf-8")
    return path


def test_a_talk_is_recorded_with_its_proof_and_another_branch_does_not_see_it(
    installation: Installation, people: Street, proof: Path
) -> None:
    branch = people.visitor("branch_it_440000")
    page = branch.send(PAGE, PAGE, {**TALK, "held_at": "2026-05-06T08:30"}, [("document", proof)])
    assert "沟通已登记。" in page and "2026-05-06 08:30" in page
    (talk,) = installation.state(AUDIT).talks
    assert talk.fact.answer == "不含。\n以文件为准。" and talk.actor == "branch_it_440000"
    document = f"{PAGE}/documents/{talk.fact.documents[0].file}"
    assert document in page and branch.fetch(document) == proof.read_bytes()
    for user in ("branch_440000", "audit_reviewer", "auditor"):
        assert TALK["question"] in people.visitor(user).read(PAGE)
    other = people.visitor("branch_330000")
    assert TALK["question"] not in other.read(PAGE) and "没有您机构登记的" in other.read(PAGE)
    with pytest.raises(Declined, match="404"):
        other.read(document)
    people.visitor("data_engineer").send(PAGE, PAGE, {**TALK, "question": "总公司所问（模拟）"})
    assert "总公司所问（模拟）" not in branch.read(PAGE)
    for user in ("business_reviewer", "executive"):
        with pytest.raises(Declined, match="403"):
            people.visitor(user).read(PAGE)


def test_another_role_shows_nobody_of_a_branch_what_others_recorded(
    begin: Resume, tmp_path: Path, proof: Path
) -> None:
    roles = ("users.yaml", 'roles: [branch_preparer]\n    organisations: ["330000"]', AUDITS_TOO)
    installation = begin(deployment=own_deployment(tmp_path / "deployment", roles))
    open_by_request(installation, draft(installation.home))
    with at_desk(installation) as people:
        people.visitor("branch_it_440000").send(PAGE, PAGE, TALK, [("document", proof)])
        (talk,) = installation.state(AUDIT).talks
        other = people.visitor("branch_330000")
        assert TALK["question"] not in other.read(PAGE)
        with pytest.raises(Declined, match="404"):
            other.read(f"{PAGE}/documents/{talk.fact.documents[0].file}")


def test_the_moment_of_a_talk_keeps_the_offset_that_it_is_given_with(
    installation: Installation, people: Street
) -> None:
    page = people.visitor("data_engineer").send(PAGE, PAGE, {**TALK, "held_at": "2026-05-06T00:30+00:00"})
    assert "2026-05-06 08:30" in page and 'type="module" src="/static/upload.js"' in page
    held = installation.state(AUDIT).talks[0].fact.held_at
    assert (held.hour, held.utcoffset()) == (8, installation.now().utcoffset())


def test_a_branch_is_told_that_a_deadline_waits_which_another_office_proposed(
    people: Street, proof: Path
) -> None:
    given = {"deadline": "2026-05-23", "reason": "总公司所提（模拟）"}
    people.visitor("audit_reviewer").send(PAGE, f"{PAGE}/extension", given, [("proof", proof)])
    page = people.visitor("branch_it_440000").read(PAGE)
    assert "已有期限调整等待审核" in page and 'name="proof"' not in page and given["reason"] not in page


def test_what_is_wrong_stays_in_the_form(installation: Installation, people: Street, proof: Path) -> None:
    branch, recorded = people.visitor("branch_it_440000"), events(installation)
    for given, why in (
        ({**TALK, "question": " "}, "“所问”没有填写"),
        ({**TALK, "held_at": "2027-01-01T00:00"}, "在现在之后"),
        ({**TALK, "held_at": "昨天"}, "不是日期和时刻"),
        ({**TALK, "counterpart": "甲\x1b[0m"}, "第 2 个字符看不见"),
    ):
        page = refusal(branch, PAGE, PAGE, given)
        assert why in said(page)
        typed = {name: value for name, value in given.items() if value.strip()}
        found = kept_in(page, *typed)
        same = [{n: v.replace("\r\n", "\n") for n, v in each.items()} for each in (found, typed)]
        assert same[0] == same[1]
    extension = {"deadline": "2026-05-23", "reason": "数据量大（模拟）"}
    page = refusal(branch, PAGE, f"{PAGE}/extension", extension)
    assert "“监管同意的凭证”没有填写" in said(page) and kept_in(page, *extension) == extension
    extension["deadline"] = "2026-05-15"
    page = refusal(branch, PAGE, f"{PAGE}/extension", extension, [("proof", proof)])
    assert "期限本来就是" in said(page) and kept_in(page, *extension) == extension
    assert events(installation) == recorded


def test_a_deadline_moves_when_somebody_else_of_the_audit_department_agrees(
    installation: Installation, people: Street, proof: Path
) -> None:
    reviewer, branch = people.visitor("audit_reviewer"), people.visitor("branch_it_440000")
    assert "审核期限调整" not in reviewer.read("/")
    given = {"deadline": "2026-05-23", "reason": "数据量大（模拟）"}
    page = branch.send(PAGE, f"{PAGE}/extension", given, [("proof", proof)])
    assert "期限调整已提出" in page and "等待审核" in page and 'name="proof"' not in page
    assert installation.state(AUDIT).deadline == date(2026, 5, 15)
    assert f'<a href="{PAGE}">审核期限调整</a>' in reviewer.read("/")
    opinion = {"number": "1", "opinion": "agree", "comment": "已核对复函（模拟）"}
    recorded = events(installation)
    for user in ("branch_it_440000", "data_engineer"):
        with pytest.raises(Declined, match="不能使用此页面"):
            people.visitor(user).send(PAGE, f"{PAGE}/opinion", opinion)
    for wrong, why in (
        ({"opinion": ""}, "“意见”没有填写"),
        ({"number": "９"}, "没有第 ９ 号"),
        ({"number": "2"}, "没有第 2 号"),
    ):
        with pytest.raises(Declined, match=why):
            reviewer.send(PAGE, f"{PAGE}/opinion", {**opinion, **wrong})
    assert events(installation) == recorded
    page = words(reviewer.send(PAGE, f"{PAGE}/opinion", opinion))
    assert "已同意，报送期限已改变。" in page and "已核对复函（模拟）" in page
    state = installation.state(AUDIT)
    assert (state.deadline, state.planned_on) == (date(2026, 5, 23), date(2026, 5, 22))
    assert "审核期限调整" not in reviewer.read("/")


def test_ones_own_proposal_one_can_only_take_back(
    installation: Installation, people: Street, proof: Path
) -> None:
    reviewer = people.visitor("audit_reviewer")
    given = {"deadline": "2026-05-23", "reason": "数据量大（模拟）"}
    page = reviewer.send(PAGE, f"{PAGE}/extension", given, [("proof", proof)])
    assert "由您本人提出" in page and 'value="agree"' not in page
    assert "审核期限调整" not in reviewer.read("/"), "it waits for somebody else"
    with pytest.raises(Declined, match="须由他人审核"):
        reviewer.send(PAGE, f"{PAGE}/opinion", {"number": "1", "opinion": "agree", "comment": "同意"})
    page = reviewer.send(PAGE, f"{PAGE}/opinion", {"number": "1", "opinion": "disagree", "comment": "收回"})
    assert "报送期限不变" in page and installation.state(AUDIT).deadline == date(2026, 5, 15)
