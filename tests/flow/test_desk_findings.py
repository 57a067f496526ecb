"""The findings browser after an error and after an act: what was chosen stays chosen, and every link still leads to a page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from pipelines.demo.visitor import Visitor
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk
from tests.flow.life import rows
from tests.flow.play import AUDIT, draft, open_by_request, opened

PAGE = f"/filings/{AUDIT}/findings"
TOGETHER = f"/filings/{AUDIT}/answers/together"
LINK = re.compile(r'<a [^>]*href="([^"#]*)')
ASKED = "rule=B07&sort=due&desc=1"
FILTER = {"rule": "B07", "sort": "due", "desc": "1", "page": "1"}


@pytest.fixture(scope="module")
def played(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    home = tmp_path_factory.mktemp("desk-findings") / "home"
    shutil.copytree(audit_in_review, home)
    with opened(home) as installation, at_desk(installation) as street:
        yield street


def hidden(page: str) -> dict[str, str]:
    """What the page's form of findings sends on by itself."""
    form = page.split("data-selection>")[1].split("</form>", maxsplit=1)[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))


def secret(visitor: Visitor, page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(csrf|seen)" value="([^"]*)"', visitor.read(page)))


def broken(visitor: Visitor, page: str, address: str) -> list[str]:
    """The links of a page, read at its address, that lead to no page; leaving and files apart."""
    found = {unescape(each) for each in LINK.findall(page) if each}
    paths = {each if each.startswith("/") else f"{address}{each}" for each in found}
    own = sorted(each for each in paths if each.startswith(f"/filings/{AUDIT}/") and ".csv" not in each)
    assert own
    return [each for each in own if visitor.client.get(each).status_code != 200]


def way_back(page: str) -> str:
    """Where the page of the other language is."""
    found = re.search(r'href="/language/en\?next=([^"]+)"', page)
    assert found is not None
    return unquote(unescape(found[1]))


def test_what_was_ticked_filtered_and_sorted_stays_after_an_error(played: Street) -> None:
    reviewer = played.visitor("business_reviewer")
    first, second = rows(played.installation, rule="B07")["finding"][:2]
    sent = {**hidden(reviewer.read(f"{PAGE}?{ASKED}")), "finding": [first], "act": "send_back", "reason": ""}
    assert FILTER.items() <= sent.items()
    refused = reviewer.client.post(PAGE, data=sent)
    assert refused.status_code == 400
    assert re.search(rf'value="{first}" checked', refused.text)
    assert f'value="{second}"' in refused.text and f'value="{second}" checked' not in refused.text
    assert FILTER.items() <= hidden(refused.text).items()
    everything = reviewer.client.post(PAGE, data={**sent, "finding": [], "all": "1"})
    assert 'name="all" value="1" checked' in everything.text


def test_every_link_and_the_filters_of_a_refused_act_lead_to_pages(played: Street) -> None:
    branch = played.visitor("branch_440000")
    form = hidden(branch.read(f"{PAGE}?{ASKED}"))
    refused = branch.client.post(TOGETHER, data={**form, "handling": ""})
    assert refused.status_code == 400 and f'method="get" action="{PAGE}"' in refused.text
    assert broken(branch, refused.text, TOGETHER) == []
    assert way_back(refused.text) == f"{PAGE}?{ASKED}&page=1"


def test_the_page_of_a_finding_after_a_form_links_back_to_itself(played: Street) -> None:
    branch = played.visitor("branch_440000")
    path = f"{PAGE}/{rows(played.installation, rule='B07', branch='440000')['finding'][0]}"
    for act in ("answer", "reveal"):
        page = branch.client.post(f"{path}/{act}?rule=B07", data=secret(branch, path)).text
        assert f'href="{path}?rule=B07&amp;rows=1#rows"' in page
        assert broken(branch, page, f"{path}/{act}") == []
        assert way_back(page) == f"{path}?rule=B07"


def test_the_other_language_keeps_the_filters(played: Street) -> None:
    page = played.visitor("branch_440000").read(f"{PAGE}?{ASKED}&done=answer_taken&lang=zh")
    assert way_back(page) == f"{PAGE}?{ASKED}&page=1"
    assert way_back(played.visitor("data_engineer").read("/notices?page=1")) == "/notices?page=1"


def test_after_an_act_the_same_rows_are_listed_and_a_page_that_is_gone_gives_way_to_the_last(
    resume: Resume, audit_listed: Path
) -> None:
    with at_desk(resume(audit_listed)) as street:
        reviewer = street.visitor("audit_reviewer")
        asked = f"{PAGE}?rule=B07&holder=first_review&sort=due&desc=1&page=1"
        found = re.findall(r'name="finding" value="([^"]+)"', reviewer.read(asked))
        sent = {**hidden(reviewer.read(asked)), "finding": [found[0]], "act": "confirm"}
        answer = reviewer.client.post(PAGE, data=sent)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{asked}&done=findings_confirm"
        listed = reviewer.read(answer.headers["location"])
        assert re.findall(r'name="finding" value="([^"]+)"', listed) == found[1:]
        assert reviewer.read(asked.replace("page=1", "page=9")).count('name="finding"') == len(found) - 1


@pytest.mark.parametrize("field", ["rule", "state", "words", "page"])
def test_a_file_where_a_filter_belongs_is_left_out(played: Street, field: str) -> None:
    reviewer = played.visitor("business_reviewer")
    sent = {**secret(reviewer, PAGE), "all": "1", "act": "accept"}
    answer = reviewer.client.post(PAGE, data=sent, files={field: ("x.txt", b"B07")})
    assert answer.status_code == 400 and "没有选中问题" in answer.text


def test_of_what_was_not_judged_yet_nothing_is_chosen(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    with at_desk(installation) as street:
        for user, action, given in (
            ("business_reviewer", PAGE, {"act": "accept"}),
            ("branch_440000", TOGETHER, {"handling": "source_fix"}),
        ):
            visitor = street.visitor(user)
            for chosen in ({"all": "1"}, {"finding": "0" * 32}):
                sent = {**secret(visitor, PAGE), **given, **chosen}
                answer = visitor.client.post(action, data=sent)
                assert answer.status_code == 409 and "尚未校验" in answer.text
