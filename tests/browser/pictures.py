"""Writes the pictures of the READMEs: `make pictures`. Asserts only that they are small; whether they are good, a person sees.

Not collected by `make test`: the name is given on the command line.
"""

from __future__ import annotations

import pytest

from resources.settings import CHECKOUT
from tests.browser.every_page import Place, address
from tests.browser.reception import PHONE, Reception
from tests.flow.play import AUDIT, SCHEDULE_P

FOLDER = CHECKOUT / "docs" / "images"
LARGEST = 200_000
PICTURES = {
    "tasks": Place("tasks", "business_reviewer"),
    "filing": Place("filing", "data_engineer", {"filing": AUDIT}),
    "findings": Place("findings", "business_reviewer", {"filing": AUDIT}, {"holder": "decide"}),
    "sign": Place("sign_page", "executive", {"filing": SCHEDULE_P}),
    "workbooks": Place("workbooks", "branch_330000", {"filing": AUDIT}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_written_and_small(busy: Reception, name: str) -> None:
    place = PICTURES[name]
    person = busy.person(place.user)
    person.open(address(busy, place))
    target = FOLDER / f"desk-{name}.png"
    person.page.screenshot(path=target)
    assert target.stat().st_size < LARGEST


def test_the_picture_of_the_phone_is_written_and_small(busy: Reception) -> None:
    person = busy.stranger("executive", size=PHONE, is_mobile=True, has_touch=True)
    busy.give_account("executive")
    person.log_in()
    person.open(f"/filings/{SCHEDULE_P}/sign")
    target = FOLDER / "desk-sign-phone.png"
    person.page.screenshot(path=target)
    assert target.stat().st_size < LARGEST
