"""From one finding to the next of the same filter, in the browser's order; and after an answer to what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.life import rows
from tests.flow.play import AUDIT

LIST = f"/filings/{AUDIT}/findings"


@pytest.fixture
def installation(resume: Resume, audit_in_review: Path) -> Installation:
    return resume(audit_in_review)


@pytest.fixture
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


def leads(page: str, way: str) -> str | None:
    """Where a link of the page leads, by its rel."""
    found = re.search(rf'<a rel="{way}" href="([^"]+)"', page)
    return unescape(found[1]) if found else None


@pytest.mark.parametrize(
    "query", ["severity=block", "", "branch=440000&sort=rule&desc=1", "rule=B07&words=K33"]
)
def test_following_next_visits_what_the_filters_show_once_and_previous_leads_back(
    people: Street, query: str
) -> None:
    visitor = people.visitor("audit_reviewer")
    listed = re.findall(rf'href="({LIST}/[0-9a-f]{{32}}[^"]*)"', visitor.read(f"{LIST}?{query}"))
    listed = [re.sub(r"[?&]of=[^&]*", "", unescape(each)) for each in listed]
    assert len(listed) > 1
    path: str | None = listed[0]
    seen: list[str] = []
    while path:
        page = visitor.read(path)
        assert f"所筛选的第 {len(seen) + 1} 条，共 {len(listed)} 条" in words(page)
        assert leads(page, "prev") == (seen[-1] if seen else None)
        seen.append(path)
        path = leads(page, "next")
    assert seen == listed


def test_a_branch_goes_on_to_what_is_left_after_its_answer(
    installation: Installation, people: Street
) -> None:
    visitor = people.visitor("branch_330000")
    query = "rule=B07&holder=answer"
    first, second = (f"{LIST}/{each}" for each in rows(installation, rule="B07", branch="330000")["finding"])
    given = {"handling": "explanation", "reason": "业务实际如此（模拟）"}
    page = visitor.send(f"{first}?{query}", f"{first}/answer?{query}", given)
    assert "答复已受理" in page and "本条已不在所筛选的 1 条之中" in words(page)
    assert leads(page, "next") == f"{second}?{query}"
    page = visitor.send(f"{second}?{query}", f"{second}/answer?{query}", given)
    assert leads(page, "next") is None and f'href="{LIST}?rule=B07&amp;holder=answer"' in page


def test_a_branch_is_led_to_no_others_finding(installation: Installation, people: Street) -> None:
    own = rows(installation, branch="330000")
    page = people.visitor("branch_330000").read(f"{LIST}/{own['finding'][0]}")
    assert f"第 1 条，共 {own.height} 条" in words(page)
