"""What a dishonest provider, a forged token or a confused browser tries at the desk: every attempt opens nothing and is told in words."""

from __future__ import annotations

import base64
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from resources.sign_on.client import ALGORITHMS
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.oidc_play import Traveller, is_in, sent_to, traveller
from tests.flow.play import Cores, opened
from tests.resources.sign_on.forger import OTHER, OWN, Forger, forger, new_key, public, signed
from tests.resources.sign_on.forgeries import FORGED, HARD, Forging, changed, honest
from tests.resources.sign_on.running import CLIENT

ADDRESSES = (f"198.51.100.{each}" for each in count(1))


@pytest.fixture(scope="module")
def served(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Street, Forger]]:
    folder = tmp_path_factory.mktemp("attacks")
    with ExitStack() as stack:
        lies = stack.enter_context(forger())
        deployment = stack.enter_context(
            sent_to(lies.issuer, folder / "deployment", secret=HARD, more="  timeout_seconds: 2\n")
        )
        installation = stack.enter_context(opened(cores.furnish(folder / "home"), deployment))
        street = stack.enter_context(at_desk(installation))
        for user in ("actuary", "executive"):
            street.accounts.invite(user, "administrator")
        yield street, lies


@pytest.fixture
def lies(served: tuple[Street, Forger]) -> Iterator[Forger]:
    """Honest again after each test, and the desk asks it anew."""
    street, made = served
    made.said, made.keys, made.token, made.asked = {}, [public(OWN)], None, []
    sign_on: Any = street.desk.sign_on
    sign_on._provider._endpoints = sign_on._provider._keys = None
    yield made
    for account in street.accounts.accounts():
        if account.provider_subject:
            street.accounts.unlink(account.user_id, "administrator")


@pytest.fixture
def street(served: tuple[Street, Forger]) -> Street:
    return served[0]


@pytest.fixture
def person(street: Street) -> Traveller:
    """Somebody with an address of their own: failures are counted by it."""
    return traveller(street, next(ADDRESSES))


def come(person: Traveller, lies: Forger, forge: Forging, *, again: bool = False) -> Any:
    """To the provider and back with the token that is forged for this nonce."""
    sent = person.leave("/standards", again=again)
    lies.token = forge(lies, sent["nonce"])
    return person.come_back(code="c", state=sent["state"])


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_opens_nothing(
    name: str, street: Street, lies: Forger, person: Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "baosong"):
        answer = come(person, lies, FORGED[name])
    assert answer.status_code == 409 and "单点登录的应答未通过检查" in words(answer.text)
    assert not is_in(person) and "set-cookie" in answer.headers
    newest = street.accounts.trail(1)[0]
    assert (newest.event, newest.user, newest.detail["why"][:19]) == (
        "login_failed", None, "sign_on.untrusted: ",
    )  # fmt: skip
    assert not [each for each in caplog.messages if HARD in each or (lies.token and lies.token in each)]


def test_only_signatures_by_the_providers_own_key_are_believed(lies: Forger, person: Traveller) -> None:
    assert not [each for each in ALGORITHMS if each.startswith("HS") or each == "none"]
    answer = come(person, lies, honest)
    assert (answer.status_code, answer.headers["location"]) == (303, "/standards") and is_in(person)
    (form, header) = next((form, header) for path, form, header in lies.asked if path == "/token")
    assert "client_secret" not in form
    kind, _, given = header.partition(" ")
    assert (kind, base64.b64decode(given)) == ("Basic", f"{CLIENT}:{quote(HARD, safe='')}".encode())


def test_a_provider_that_takes_no_basic_authentication_is_given_the_secret_in_the_form(
    lies: Forger, person: Traveller
) -> None:
    _, published, _ = lies.answer("/.well-known/openid-configuration")
    published = {**published, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    lies.said["/.well-known/openid-configuration"] = (200, published, {})
    assert come(person, lies, honest).status_code == 303
    form = next(form for path, form, header in lies.asked if path == "/token" and header == "")
    assert (form["client_id"], form["client_secret"]) == ([CLIENT], [HARD])


def test_a_state_that_this_browser_did_not_begin_with_is_refused_before_the_provider_is_asked(
    lies: Forger, person: Traveller, street: Street
) -> None:
    other = traveller(street)
    state = other.leave()["state"]
    for given in (state, "", "x"):
        person.leave()
        answer = person.come_back(code="c", state=given)
        assert answer.status_code == 409 and "这次单点登录已失效" in words(answer.text)
    nobody = traveller(street)
    assert nobody.come_back(code="c", state=state).status_code == 409
    assert [path for path, _, _ in lies.asked if path == "/token"] == []


def test_an_answer_in_another_issuers_name_is_not_believed(lies: Forger, person: Traveller) -> None:
    sent = person.leave()
    answer = person.come_back(code="c", state=sent["state"], iss="https://other.example")
    assert answer.status_code == 409 and "（iss）" in words(answer.text)
    assert [path for path, _, _ in lies.asked if path == "/token"] == []


def test_another_subject_of_the_same_name_does_not_get_the_account_until_it_is_unlinked(
    street: Street, lies: Forger, person: Traveller
) -> None:
    assert come(person, lies, honest).status_code == 303
    assert come(person, lies, changed(sub="somebody-new")).status_code == 409
    assert come(person, lies, changed(preferred_username="executive")).status_code == 409, "linked already"
    street.accounts.unlink("actuary", "administrator")
    assert not is_in(person)
    assert come(person, lies, changed(sub="somebody-new")).status_code == 303 and is_in(person)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (-3_600, "没有说明您刚刚"),
        (+3_600, "没有说明您刚刚"),
        (None, "没有说明您刚刚"),
        ("now", "没有说明您刚刚"),
    ],
)
def test_a_stale_proof_is_none(at: Any, said: str, lies: Forger, person: Traveller, street: Street) -> None:
    assert come(person, lies, honest).status_code == 303
    when = int(time.time()) + at if isinstance(at, int) else at
    answer = come(person, lies, changed(auth_time=when), again=True)
    expected = "应答未通过检查" if at == "now" else said
    assert answer.status_code == 409 and expected in words(answer.text)
    (session,) = street.accounts.sessions("actuary")
    assert not street.accounts.is_vouched_anew(session)
    assert come(person, lies, honest, again=True).status_code == 303
    assert street.accounts.is_vouched_anew(street.accounts.sessions("actuary")[0])


def test_a_proof_for_one_session_is_none_for_another(street: Street, lies: Forger, person: Traveller) -> None:
    assert come(person, lies, honest).status_code == 303
    sent = person.leave(again=True)
    held = dict(person.desk.cookies)
    other = traveller(street, next(ADDRESSES))
    assert come(other, lies, honest).status_code == 303
    other.desk.cookies.set("baosong_sign_on", held["baosong_sign_on"], path="/")
    lies.token = honest(lies, sent["nonce"])
    answer = other.come_back(code="c", state=sent["state"])
    assert answer.status_code == 409 and "会话已结束" in words(answer.text)


def test_under_tls_a_way_that_another_host_could_plant_is_none(lies: Forger, person: Traveller) -> None:
    person.desk.headers["x-forwarded-proto"] = "https"
    left = person.desk.get("/sign-on", params={"next": "/standards"})
    (cookie,) = left.headers.get_list("set-cookie")
    name, _, value = cookie.partition("=")
    attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert name == "__Host-baosong_sign_on" and {"secure", "httponly", "path=/"} <= attributes
    assert not [each for each in attributes if each.startswith("domain")]
    sent, sealed = dict(parse_qsl(urlsplit(left.headers["location"]).query)), value.partition(";")[0]
    lies.token = honest(lies, sent["nonce"])
    for given, status in (("baosong_sign_on", 409), ("__Host-baosong_sign_on", 303)):
        person.desk.headers["cookie"] = f"{given}={sealed}"
        answer = person.come_back(code="c", state=sent["state"])
        assert answer.status_code == status
    ended = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}="))
    assert "max-age=0" in ended.lower() and "secure" in ended.lower()


def test_new_keys_are_asked_for_once_when_a_token_names_one(lies: Forger, person: Traveller) -> None:
    assert come(person, lies, honest).status_code == 303
    renewed = new_key("renewed")
    lies.keys = [public(OWN), public(renewed)]
    assert come(person, lies, lambda lies, nonce: signed(lies.claims(nonce), renewed)).status_code == 303
    lies.asked = []
    assert come(person, lies, lambda lies, nonce: signed(lies.claims(nonce), OTHER)).status_code == 409
    assert [path for path, _, _ in lies.asked].count("/keys") == 1


SAID: dict[str, tuple[str, Any]] = {
    "is down": ("/.well-known/openid-configuration", (503, b"", {})),
    "says something else than JSON": ("/.well-known/openid-configuration", (200, b"<html>", {})),
    "says a list": ("/.well-known/openid-configuration", (200, [], {})),
    "says far too much": ("/.well-known/openid-configuration", (200, b" " * 400_000, {})),
    "nests without end": ("/.well-known/openid-configuration", (200, b"[" * 200_000, {})),
    "leads elsewhere": ("/.well-known/openid-configuration", (302, b"", {"location": "http://127.0.0.1:1/"})),
    "speaks for another": ("/.well-known/openid-configuration", (200, {"issuer": "https://x.example"}, {})),
}


@pytest.mark.parametrize("name", SAID)
def test_a_provider_that_is_not_itself_is_told_of_in_words(
    name: str, lies: Forger, person: Traveller
) -> None:
    path, said = SAID[name]
    lies.said[path] = said
    answer = person.desk.get("/sign-on")
    assert answer.status_code == 503 and "未作任何改动" in words(answer.text) and "再试一次" in answer.text


@pytest.mark.parametrize(
    "said",
    [
        (500, {}, {}),
        (302, b"", {"location": "http://127.0.0.1:1/"}),
        (200, b"no json", {}),
        (200, b" " * 400_000, {}),
        (200, [1], {}),
    ],
)
def test_a_token_endpoint_that_answers_nonsense_is_told_of_in_words(
    said: Any, lies: Forger, person: Traveller
) -> None:
    lies.said["/token"] = said
    answer = come(person, lies, honest)
    assert answer.status_code == 503 and "没有正常应答" in words(answer.text) and not is_in(person)


@pytest.mark.parametrize(
    "endpoint",
    ["http://idp.example/authorize", "javascript:alert(1)", "", None, "http://[", "file:///etc/passwd"],
)
def test_nobody_is_sent_to_an_address_that_is_not_safe(
    endpoint: Any, lies: Forger, person: Traveller
) -> None:
    _, published, _ = lies.answer("/.well-known/openid-configuration")
    published = {**published, "authorization_endpoint": endpoint}
    lies.said["/.well-known/openid-configuration"] = (200, published, {})
    answer = person.desk.get("/sign-on")
    assert answer.status_code == 503 and "authorization_endpoint" in words(answer.text)


def test_a_provider_that_is_away_keeps_nobody_waiting(
    cores: Cores, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("away")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never answers
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            sent_to(issuer, folder / "deployment", more="  timeout_seconds: 0.2\n") as deployment,
            opened(cores.furnish(folder / "home"), deployment) as installation,
            at_desk(installation) as street,
        ):
            answer = traveller(street).desk.get("/sign-on")
            assert answer.status_code == 503 and "ReadTimeout" in words(answer.text)


def test_a_client_that_fails_again_and_again_is_locked_out(
    street: Street, lies: Forger, person: Traveller
) -> None:
    for _ in range(street.accounts.policy.client.failures):
        come(person, lies, changed(nonce="another"))
    answer = come(person, lies, honest)
    assert answer.status_code == 409 and "失败次数过多" in words(answer.text) and not is_in(person)
    assert "client_locked_out" in {each.event for each in street.accounts.trail(5)}
    elsewhere = traveller(street, next(ADDRESSES))
    assert come(elsewhere, lies, honest).status_code == 303
