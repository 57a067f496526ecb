"""Schedule P in English: its correspondent answers, two people reject the sign-off, its preparer answers each objection."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.stages.installation import Installation
from resources.demo.fill_workbook import fill_answers
from tests.browser.conftest import Receive
from tests.browser.reception import PASSWORD, Person, Reception
from tests.flow.conftest import Resume
from tests.flow.play import SCHEDULE_P, asked_of, explain, first_report, run

FIRST, SECOND = "Say which reserves are bulk reserves", "Name the filers whose triangles were restated"


@pytest.fixture
def office(resume: Resume, receive: Receive, schedule_p_in_review: Path, servers: Path) -> Reception:
    return receive(resume(schedule_p_in_review, servers=servers))


def test_a_filing_is_rejected_twice_answered_twice_and_then_approved_and_received(
    office: Reception, tmp_path: Path
) -> None:
    installation = office.street.installation
    engineer, actuary, executive = (
        office.person(user, "en") for user in ("data_engineer", "actuary", "executive")
    )
    answer_findings(office.person("filer_correspondent", "en"), installation, tmp_path)
    accept_answers(office.person("business_reviewer", "en"))
    run(installation, SCHEDULE_P, "validate", "review")
    first_report(installation, SCHEDULE_P)

    engineer.begin("Put the content on its route", SCHEDULE_P)
    put_on_route(engineer)
    disagree(actuary, FIRST)
    resolve_rejection(
        engineer, "精算审核人（模拟）", FIRST, "Bulk reserves are named in column 4 (simulated)"
    )

    actuary.open(f"/filings/{SCHEDULE_P}/sign")
    actuary.reads("Bulk reserves are named in column 4 (simulated)", FIRST)
    agree(actuary, "The opinion is recorded; the sign-off goes on.")
    disagree(executive, SECOND)
    resolve_rejection(engineer, "分管领导（模拟）", SECOND, "Restated in 1996: none of these (simulated)")

    agree(actuary, "The opinion is recorded; the sign-off goes on.")
    agree(executive, "The opinion is recorded; approved.")
    state = installation.state(SCHEDULE_P)
    given = [(opinion.actor, opinion.fact.opinion) for opinion in state.opinions]
    assert given == [
        ("actuary", "disagree"), ("actuary", "agree"), ("executive", "disagree"),
        ("actuary", "agree"), ("executive", "agree"),
    ]  # fmt: skip
    assert [opinion.actor for opinion in state.live_opinions] == ["actuary", "executive"]

    state = run(installation, SCHEDULE_P, "package", "deliver", "acknowledge", "archive")
    assert state.receipt is not None and state.stage == "archived"
    executive.open(f"/filings/{SCHEDULE_P}")
    executive.reads(f"{state.receipt.fact.number} accepted", "Archived")


def answer_findings(correspondent: Person, installation: Installation, folder: Path) -> None:
    correspondent.begin("Answer findings", SCHEDULE_P)
    asked = asked_of(installation, SCHEDULE_P)
    answers = {p.finding: explain(organisation, p) for organisation, those in asked.items() for p in those}
    names = correspondent.page.locator("tbody th a").all_inner_texts()
    filled = [folder / f"{place}-filled.xlsx" for place, _ in enumerate(names)]
    for name, target in zip(names, filled, strict=True):
        fill_answers(correspondent.download(name, folder), target, answers)
    correspondent.upload("Filled workbooks", *filled)
    correspondent.press("Upload")
    for target in filled:
        correspondent.is_told(target.name)
    assert not installation.state(SCHEDULE_P).awaited


def accept_answers(reviewer: Person) -> None:
    reviewer.begin("Decide on answers", SCHEDULE_P)
    reviewer.tick("Act on all")
    reviewer.press("Accept answers")
    reviewer.is_told("Answers accepted.")


def put_on_route(engineer: Person, answer: str = "") -> None:
    engineer.follow("Open the sign-off")
    if answer:
        engineer.page.get_by_role("textbox").fill(answer)
    engineer.press("Open the sign-off")
    engineer.is_told("The sign-off is open and on its route.")


def give_opinion(signer: Person, opinion: str, comment: str) -> None:
    signer.begin("Give an opinion", SCHEDULE_P)
    signer.choose(opinion)
    signer.fill("Comment", comment)
    signer.fill("Password", PASSWORD)
    signer.press("Give the opinion")


def agree(signer: Person, told: str) -> None:
    give_opinion(signer, "agree", "Agreed (simulated)")
    signer.is_told(told)


def disagree(signer: Person, objection: str) -> None:
    give_opinion(signer, "disagree", objection)
    signer.is_told("The opinion is recorded; the sign-off is rejected.")


def resolve_rejection(engineer: Person, who: str, objection: str, answer: str) -> None:
    """The preparer reads the objection on the page of the filing, and must answer it to go on."""
    engineer.begin("See to the rejected sign-off", SCHEDULE_P)
    engineer.reads(f"{who} rejected the sign-off: {objection}")
    put_on_route(engineer, answer)
