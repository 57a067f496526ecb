"""People come to the desk by a real OpenID provider on loopback, and go there again before they sign or administer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipelines.stages.sign_off import open_sign_off
from resources.accounts import Client
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk, words
from tests.flow.oidc_play import Traveller, is_in, sent_to, traveller
from tests.flow.play import SCHEDULE_P, Cores, execute, first_report, opened, preparer
from tests.resources.accounts.conftest import refusal
from tests.resources.sign_on.running import RealProvider, real_provider

CSRF = re.compile(r'name="csrf" value="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="(csrf|content|review|seat)" value="([^"]*)"')
SIGN = f"/filings/{SCHEDULE_P}/sign"
ANEW = "重新验证身份"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def street(
    provider: RealProvider, cores: Cores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    """A desk to come in to; each test uses people of its own."""
    folder = tmp_path_factory.mktemp("oidc")
    with ExitStack() as stack:
        deployment = stack.enter_context(sent_to(provider.issuer, folder / "deployment"))
        installation = stack.enter_context(opened(cores.furnish(folder / "home"), deployment))
        street = stack.enter_context(at_desk(installation))
        provider.welcome(street.url)
        yield street


@pytest.fixture
def signing(
    provider: RealProvider, resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> Iterator[Street]:
    """A desk at which Schedule P waits for actuary's opinion."""
    with sent_to(provider.issuer, tmp_path / "deployment") as deployment:
        installation = resume(schedule_p_reviewed, deployment=deployment)
        first_report(installation, SCHEDULE_P)
        open_sign_off(installation, SCHEDULE_P, preparer(installation), answer="")
        with at_desk(installation) as street:
            provider.welcome(street.url)
            for user in ("actuary", "executive"):
                street.accounts.invite(user, "administrator")
            yield street


def events(street: Street, user: str) -> list[str]:
    return [each.event for each in street.accounts.trail(9, user)]


def secret_of(person: Traveller, page: str) -> str:
    """The hidden secret of the page's forms."""
    found = CSRF.search(person.desk.get(page).text)
    assert found
    return found[1]


def send_opinion(person: Traveller, street: Street, **fields: str) -> str:
    """Send the form of the sign page; what stands on the page that follows."""
    form = {
        **dict(HIDDEN.findall(person.desk.get(SIGN).text)),
        "opinion": "agree",
        "comment": "说明属实",
        **fields,
    }
    answer = person.desk.post(SIGN, data=form)
    if answer.status_code == 303:
        answer = person.desk.get(answer.headers["location"])
    return answer.text


def test_a_person_comes_in_by_the_provider_to_the_page_that_was_asked_for(street: Street) -> None:
    street.accounts.invite("auditor", "administrator")
    person = traveller(street)
    login = person.desk.get(person.desk.get("/notices").headers["location"]).text
    assert "单点登录" in login and "/sign-on?next=/notices" in login
    sent = person.leave("/notices")
    assert (sent["response_type"], sent["code_challenge_method"]) == ("code", "S256")
    assert sent["redirect_uri"] == f"{street.url}/sign-on/back" and "prompt" not in sent
    answer = person.come_back(**person.enter("auditor"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/notices")
    cookies = "\n".join(answer.headers.get_list("set-cookie"))
    assert "baosong_session=" in cookies and "HttpOnly" in cookies and "SameSite=strict" in cookies
    assert person.desk.get("/notices").status_code == 200
    assert events(street, "auditor") == ["logged_in", "linked", "invited"]
    assert street.accounts.trail(1, "auditor")[0].detail["by"] == "oidc"


def test_the_way_back_serves_once(street: Street) -> None:
    street.accounts.invite("president", "administrator")
    person = traveller(street)
    person.leave()
    cookies, came = dict(person.desk.cookies), person.enter("auditor")
    assert person.come_back(**came).status_code == 303
    person.desk.cookies.update(cookies)
    replayed = person.come_back(**came)
    assert replayed.status_code == 409 and "这次单点登录已失效" in words(replayed.text)


def test_a_code_that_somebody_else_used_is_worth_nothing(street: Street) -> None:
    victim, thief = traveller(street), traveller(street, "192.0.2.9")
    victim.leave()
    came = victim.enter("auditor")
    answer = thief.come_back(**{**came, "state": thief.leave()["state"]})
    assert answer.status_code == 409 and not is_in(thief), "PKCE: the code is the victim's browser's"
    assert "不接受" in words(answer.text)


@pytest.mark.parametrize(("language", "said"), [("zh", "您取消了"), ("en", "you cancelled it")])
def test_who_cancels_is_told_so_in_their_language(street: Street, language: str, said: str) -> None:
    person = traveller(street)
    person.desk.get(f"/language/{language}")
    state = person.leave()["state"]
    answer = person.come_back(error="access_denied", state=state)
    assert answer.status_code == 409 and said in words(answer.text) and not is_in(person)


def test_nobody_gets_an_account_by_the_provider(street: Street) -> None:
    for user in ("stranger", "executive"):  # no user of the deployment; a user without an account
        person = traveller(street)
        answer = person.sign_on(user)
        assert answer.status_code == 409 and "不能进入审核台" in words(answer.text) and not is_in(person)
    assert {each.user_id for each in street.accounts.accounts()} & {"stranger", "executive"} == set()


def test_who_has_a_password_links_the_identity_after_coming_in_by_it_and_is_told(street: Street) -> None:
    code = street.accounts.invite("actuary", "administrator")
    street.accounts.enrol("actuary", code, PASSWORD, Client("127.0.0.1", "test"))
    person = traveller(street)
    refused = person.sign_on("actuary")
    assert refused.status_code == 409 and "请先用口令登录" in words(refused.text) and not is_in(person)
    form = {"user": "actuary", "password": PASSWORD, "code": "", "next": "/"}
    assert person.desk.post("/login", data=form).status_code == 303
    page = person.desk.get("/account").text
    assert "5 分钟内可在此绑定" in words(page) and "/sign-on?next=/account" in page
    assert person.sign_on("actuary", "/account").headers["location"] == "/account"
    assert "绑定单点登录身份" not in person.desk.get("/account").text
    assert "账号与单点登录身份绑定" in words(person.desk.get("/notices").text)
    for watching in ("administrator", "audit_reviewer"):
        told = street.desk.outbox.told(watching, 9)
        assert ("account_linked", "actuary") in [(each.kind, each.subject) for each in told]
    assert traveller(street).sign_on("actuary").status_code == 303


def test_a_locked_account_is_refused_alike_and_its_session_ends(street: Street) -> None:
    street.accounts.invite("administrator", "administrator")
    person = traveller(street)
    assert person.sign_on("administrator").status_code == 303 and is_in(person)
    street.accounts.lock("administrator", "administrator")
    assert not is_in(person)
    answer = person.sign_on("administrator")
    assert answer.status_code == 409 and "不能进入审核台" in words(answer.text)
    street.accounts.unlock("administrator", "administrator")
    assert person.sign_on("administrator").status_code == 303


def test_no_way_leads_to_another_site(street: Street) -> None:
    too_long = f"/{'x' * 5_000}"
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        too_long,
    ):
        person = traveller(street)
        person.leave(elsewhere)
        assert person.come_back(**person.enter("auditor")).headers["location"] == "/"


def test_an_opinion_is_signed_after_a_new_visit_at_the_provider_and_says_so(signing: Street) -> None:
    person = traveller(signing)
    assert person.sign_on("actuary", SIGN).headers["location"] == SIGN
    page = person.desk.get(SIGN).text
    assert ANEW in page and 'type="password"' not in page
    refused = send_opinion(person, signing, comment="准备金口径属实")
    assert "签署或管理账号前须在单点登录重新验证身份" in words(refused)
    assert signing.installation.state(SCHEDULE_P).live_opinions == ()
    sent = person.leave(SIGN, again=True)
    assert (sent["prompt"], sent["max_age"]) == ("login", "0")
    assert person.come_back(**person.enter("actuary")).headers["location"] == SIGN
    page = person.desk.get(SIGN).text
    assert ">准备金口径属实</textarea>" in page and "已在单点登录重新验证身份" in page
    assert re.search(r'value="agree" required checked', page), "the opinion was kept as well"
    assert "意见已记录" in send_opinion(person, signing, comment="准备金口径属实")
    (opinion,) = signing.installation.state(SCHEDULE_P).live_opinions
    session = signing.accounts.sessions("actuary")[0]
    config = signing.installation.deployment.oidc
    assert config is not None
    assert opinion.fact.authentication == f"desk: OpenID Connect, {config.issuer}, session {session.id}"
    assert events(signing, "actuary")[0] == "reauthenticated"


def test_nobody_is_told_of_a_failure_once_their_opinion_is_recorded(signing: Street) -> None:
    """What was kept of the form is dropped before the opinion: where that cannot be done, nothing is recorded."""
    person = traveller(signing)
    person.sign_on("actuary", SIGN)
    person.sign_on("actuary", SIGN, again=True)
    fails = (
        "CREATE TRIGGER fails BEFORE UPDATE OF draft ON account_session BEGIN SELECT no_such_function(); END"
    )
    accounts = signing.installation.home / "accounts.db"
    execute(accounts, fails)
    assert 'class="wrong"' in send_opinion(person, signing)
    assert signing.installation.state(SCHEDULE_P).live_opinions == ()
    execute(accounts, "DROP TRIGGER fails")
    assert "意见已记录" in send_opinion(person, signing)
    assert len(signing.installation.state(SCHEDULE_P).live_opinions) == 1


def test_somebody_else_at_the_provider_proves_nothing(signing: Street) -> None:
    person, other = traveller(signing), traveller(signing)
    assert person.sign_on("actuary").status_code == other.sign_on("executive").status_code == 303
    answer = person.sign_on("executive", SIGN, again=True)
    assert answer.status_code == 409 and "另一个人的身份" in words(answer.text)
    assert ANEW in person.desk.get(SIGN).text and is_in(person), "the session goes on, as it was"
    assert events(signing, "actuary")[0] == "reauthentication_failed"


def test_who_came_by_password_signs_by_password_and_the_statement_says_what_was_given(
    signing: Street,
) -> None:
    signing.accounts.reset("actuary", "administrator")
    code = signing.accounts.reset("actuary", "administrator")
    person = traveller(signing)
    form = {"user": "actuary", "code": code, "password": PASSWORD, "again": PASSWORD}
    assert person.desk.post("/enrol", data=form).status_code == 303
    form = {"user": "actuary", "password": PASSWORD, "code": "", "next": "/"}
    assert person.desk.post("/login", data=form).status_code == 303
    assert person.desk.get("/sign-on/again").status_code == 404
    assert "意见已记录" in send_opinion(person, signing, password=PASSWORD)
    (opinion,) = signing.installation.state(SCHEDULE_P).live_opinions
    assert opinion.fact.authentication.startswith("desk: password, session ")


def test_where_only_the_provider_is_taken_no_password_opens_anything(
    provider: RealProvider, cores: Cores, tmp_path: Path
) -> None:
    with (
        sent_to(provider.issuer, tmp_path / "deployment", more="  only: true\n") as deployment,
        opened(cores.furnish(tmp_path / "home"), deployment) as installation,
        at_desk(installation) as street,
    ):
        provider.welcome(street.url)
        assert [street.accounts.invite(user, "administrator") for user in ("administrator", "executive")] == [
            ""
        ] * 2
        stranger = traveller(street)
        page = stranger.desk.get("/login").text
        assert 'type="password"' not in page and "单点登录" in page
        form = {"user": "administrator", "password": PASSWORD, "code": "", "again": PASSWORD, "next": "/"}
        for path in ("/login", "/enrol"):
            answer = stranger.desk.post(path, data=form)
            assert answer.status_code == 409 and "只用单点登录" in words(answer.text)
        assert stranger.desk.get("/enrol").status_code == 409
        person = traveller(street)
        person.sign_on("administrator")
        page = "/users/executive"
        assert ANEW in person.desk.get(page).text and 'value="reset"' not in person.desk.get(page).text
        form = {"csrf": secret_of(person, page), "act": "lock", "password": PASSWORD}
        assert person.desk.post(page, data=form).status_code == 409
        assert person.sign_on("administrator", page, again=True).headers["location"] == page
        form["csrf"] = secret_of(person, page)
        assert "已锁定" in person.desk.post(page, data=form).text
        assert refusal(street.accounts.reauthenticate, person.desk.cookies["baosong_session"], "x", None) == (
            "account.passwords_off"
        )
