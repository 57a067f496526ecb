"""People in a real browser come in by a provider on another site, sign after proving anew there who they are, and read what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pipelines.stages.sign_off import open_sign_off
from tests.browser.conftest import Receive
from tests.browser.every_page import look
from tests.browser.reception import Person, Reception
from tests.flow.conftest import Resume
from tests.flow.oidc_play import sent_to
from tests.flow.play import SCHEDULE_P, first_report, preparer
from tests.resources.sign_on.running import PASSWORD, RealProvider, real_provider

SIGN = f"/filings/{SCHEDULE_P}/sign"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
def reception(
    provider: RealProvider, resume: Resume, receive: Receive, schedule_p_reviewed: Path, tmp_path: Path
) -> Iterator[Reception]:
    """A desk with a sign-on, at which Schedule P waits for actuary's opinion."""
    with sent_to(provider.issuer, tmp_path / "deployment") as deployment:
        installation = resume(schedule_p_reviewed, deployment=deployment)
        first_report(installation, SCHEDULE_P)
        open_sign_off(installation, SCHEDULE_P, preparer(installation), answer="")
        reception = receive(installation)
        provider.welcome(reception.street.url)
        reception.street.accounts.invite("actuary", "administrator")
        yield reception


def enter(person: Person, provider: RealProvider) -> None:
    """Give user and password on the provider's own page."""
    page = person.page
    expect(page.get_by_role("heading", name="Provider")).to_be_visible()
    assert page.url.startswith(provider.issuer)
    page.get_by_label("Name").fill(person.user)
    page.get_by_label("Secret").fill(PASSWORD)
    person.press("Enter")


def fits(person: Person) -> None:
    looked = look(person)
    assert (looked.violations, looked.too_wide, looked.too_wide_on_phone) == ([], 0, 0), person.page.url


@pytest.mark.parametrize("has_script", [True, False])
def test_a_person_comes_in_by_the_provider_and_signs(
    reception: Reception, provider: RealProvider, has_script: bool
) -> None:
    person = reception.stranger("actuary", java_script_enabled=has_script)
    person.open(SIGN)
    person.follow("单点登录")
    enter(person, provider)
    expect(person.page.get_by_role("heading", name="签署意见", exact=True)).to_be_visible()
    assert person.page.url == f"{person.url}{SIGN}", (
        "the session is there at once, though another site led here"
    )
    person.choose("同意")
    person.fill("说明", "准备金口径属实（模拟）")
    person.press("签署意见")
    person.is_warned("签署或管理账号前须在单点登录重新验证身份")
    if has_script:
        fits(person)
    person.follow("重新验证身份")
    enter(person, provider)
    person.reads("已在单点登录重新验证身份")
    expect(person.page.get_by_label("说明", exact=True)).to_have_value("准备金口径属实（模拟）")
    person.press("签署意见")
    person.is_told("意见已记录")
    (opinion,) = reception.street.installation.state(SCHEDULE_P).live_opinions
    assert opinion.fact.authentication.startswith(f"desk: OpenID Connect, {provider.issuer}, session ")


def test_the_pages_around_the_sign_on_are_usable_by_all(reception: Reception, provider: RealProvider) -> None:
    for language in ("zh", "en"):
        look_around(reception, provider, language)


def look_around(reception: Reception, provider: RealProvider, language: str) -> None:
    """Cancel at the provider, try again, come in; every page of the way is looked at."""
    person = reception.stranger("actuary", language)
    person.open(f"/language/{language}?next=/login")
    fits(person)
    person.follow({"zh": "单点登录", "en": "Single sign-on"}[language])
    person.follow("Cancel")
    person.is_warned({"zh": "您取消了", "en": "you cancelled it"}[language])
    fits(person)
    person.follow({"zh": "再试一次", "en": "Try again"}[language])
    enter(person, provider)
    expect(person.page.get_by_role("navigation")).to_be_visible()
    person.open("/account")
    person.reads({"zh": "单点登录身份", "en": "Identity at the single sign-on"}[language])
    fits(person)
