"""Every page of the desk in both languages and colour schemes: what axe-core finds, what does not fit, what it asks for."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.browser.every_page import Looked, address, look, places, routes_of_pages, too_wide
from tests.browser.reception import PHONE, Reception
from tests.flow.play import SCHEDULE_P

BEFORE_LOGIN = ("login", "enrol_page")


def seen(busy: Reception, language: str) -> dict[str, Looked]:
    """A look at every page; what a page complains of is noted by its person."""
    looked: dict[str, Looked] = {}
    stranger = busy.stranger("nobody")
    for name, path in (("login", "/login"), ("enrol_page", "/enrol")):
        stranger.open(f"/language/{language}?next={path}")
        looked[name] = look(stranger)
    for place in places(busy.street.installation):
        person = busy.person(place.user)
        person.open(f"/language/{language}?{urlencode({'next': address(busy, place)})}")
        looked[place.name] = look(person)
    assert stranger.troubles == []
    return looked


@pytest.fixture(scope="module", params=["zh", "en"])
def looked(busy: Reception, request: pytest.FixtureRequest) -> dict[str, Looked]:
    return seen(busy, request.param)


def test_every_route_that_answers_with_a_page_is_looked_at(busy: Reception) -> None:
    names = {place.route for place in places(busy.street.installation)}
    assert names | set(BEFORE_LOGIN) == routes_of_pages()


def test_no_page_breaks_a_rule_of_wcag_2_2_aa_in_light_or_dark(looked: dict[str, Looked]) -> None:
    assert {name: each.violations for name, each in looked.items() if each.violations} == {}


def test_no_page_is_wider_than_an_office_screen(looked: dict[str, Looked]) -> None:
    assert {name: each.too_wide for name, each in looked.items() if each.too_wide} == {}


def test_no_page_is_wider_than_a_phone(looked: dict[str, Looked]) -> None:
    assert {name: each.too_wide_on_phone for name, each in looked.items() if each.too_wide_on_phone} == {}


def test_no_page_complains_or_asks_anybody_but_the_desk(busy: Reception, looked: dict[str, Looked]) -> None:
    assert [trouble for person in busy.persons.values() for trouble in person.troubles] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_that_says_what_is_wrong_keeps_to_the_same_rules(busy: Reception, language: str) -> None:
    person = busy.person("executive")
    person.open(f"/language/{language}?next=/filings/no.such.filing")
    assert look(person) == Looked([], 0, 0)
    person.forgive("the server responded with a status of 404")


def test_the_sign_page_fits_a_phone_and_is_usable_there(busy: Reception) -> None:
    busy.give_account("executive")
    executive = busy.stranger("executive", size=PHONE, is_mobile=True, has_touch=True)
    executive.log_in()
    for language, name in (("zh", "签署意见"), ("en", "Give the opinion")):
        executive.open(f"/language/{language}?next=/filings/{SCHEDULE_P}/sign")
        assert too_wide(executive.page) == 0
        box = executive.page.get_by_role("button", name=name).bounding_box()
        assert (
            box is not None and box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0]
        )
        assert look(executive, size=PHONE).violations == []
    assert executive.troubles == []
