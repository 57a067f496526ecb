"""Logging in: who comes in, and that a refusal tells nothing."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, text

from pipelines.errors import BaosongError, Refused
from resources.accounts import Accounts, Client
from tests.resources.accounts.conftest import DESK, PASSWORD, World, log_in, refusal


def test_a_right_password_begins_a_session(enrolled: Accounts, world: World) -> None:
    token, begun = log_in(enrolled)
    assert len(token) == 43  # 256 bits in base64
    assert (begun.user_id, begun.client) == ("wang", DESK)
    assert begun.begun_at == begun.last_seen_at == begun.authenticated_at == world.now
    assert enrolled.session(token) == begun
    assert enrolled.accounts()[0].last_login_at == world.now


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("wang", "not the password at all"),
        ("wang", ""),
        ("wang", PASSWORD + " "),
        ("wang", "x" * 100_000),
        ("wang", "\ud800" * 12),
        ("li", PASSWORD),  # a user without an account
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("wang\0", PASSWORD),
        ("\ud800", PASSWORD),
        ("WANG", PASSWORD),
        ("x" * 100_000, PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ],
)
def test_every_refusal_is_the_same(enrolled: Accounts, user: str, password: str) -> None:
    with pytest.raises(Refused) as refused:
        log_in(enrolled, user, password)
    assert (refused.value.code, refused.value.values) == ("account.login_failed", {})


def test_an_unknown_user_costs_as_many_hashes_as_a_known_one(
    enrolled: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal(log_in, enrolled, "li")  # the hash for unknown users is made at the first question
    verified: list[str] = []
    original = PasswordHasher.verify

    def counting(self: PasswordHasher, hash: str, password: str) -> bool:
        verified.append(hash)
        return original(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    for user in ("wang", "li", "nobody"):
        refusal(log_in, enrolled, user, "not the password at all")
    known, without_account, unknown = verified
    assert known != without_account == unknown
    assert known.split("$")[:4] == unknown.split("$")[:4]  # the same parameters


def test_what_looks_the_same_is_the_same_password(enrolled: Accounts) -> None:
    full_width = PASSWORD.replace("four", "\uff46\uff4f\uff55\uff52")
    assert log_in(enrolled, password=full_width)[1].user_id == "wang"


def test_who_left_the_deployment_neither_comes_in_nor_stays(enrolled: Accounts, world: World) -> None:
    token, _ = log_in(enrolled)
    world.users.remove("wang")
    assert enrolled.session(token) is None
    assert refusal(log_in, enrolled) == "account.login_failed"
    assert refusal(enrolled.reauthenticate, token, PASSWORD, None) == "account.session_over"


def test_a_locked_account_is_refused_like_any_other_until_it_is_unlocked(enrolled: Accounts) -> None:
    token, _ = log_in(enrolled)
    enrolled.lock("wang", by="boss")
    assert enrolled.session(token) is None
    assert refusal(log_in, enrolled) == "account.login_failed"
    enrolled.unlock("wang", by="boss")
    assert log_in(enrolled)[1].user_id == "wang"


def test_a_hash_of_older_parameters_is_made_anew_at_the_next_log_in(enrolled: Accounts, world: World) -> None:
    def kept() -> str:
        engine = create_engine(world.url)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT password_hash FROM account")).scalar_one()
        engine.dispose()
        return found

    before = kept()
    stronger = world.open(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    refusal(log_in, stronger, "wang", "not the password at all")
    assert kept() == before
    log_in(stronger)
    assert kept().startswith("$argon2id$v=19$m=16,t=2,p=1$")
    log_in(stronger)


def test_neither_password_nor_token_is_kept(enrolled: Accounts, world: World) -> None:
    token, begun = log_in(enrolled)
    engine = create_engine(world.url)
    with engine.connect() as connection:
        everything = " ".join(
            str(tuple(row))
            for table in ("account", "account_session", "account_attempt", "account_trail")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        )
    engine.dispose()
    assert begun.id in everything
    assert token not in everything and PASSWORD not in everything


def test_a_failed_log_in_leaves_no_typed_name_behind(enrolled: Accounts) -> None:
    refusal(log_in, enrolled, "my password, in the wrong field", "x")
    (entry,) = [each for each in enrolled.trail(10) if each.event == "login_failed"]
    assert (entry.user, entry.detail) == (None, {"client": DESK.address})


def test_what_the_client_says_of_itself_is_cut_and_cleaned(enrolled: Accounts) -> None:
    _, begun = log_in(enrolled, client=Client("2001:db8::1", "Evil\0\x1b[31m\ud800" + "x" * 1000))
    assert begun.client.user_agent == "Evil??[31m?" + "x" * 245
    assert enrolled.sessions("wang") == [begun]


def test_a_browser_that_logs_in_anew_leaves_no_old_session(enrolled: Accounts) -> None:
    old, _ = log_in(enrolled)
    new, begun = enrolled.log_in("wang", PASSWORD, None, DESK, previous=old)
    assert old != new
    assert enrolled.session(old) is None
    assert enrolled.sessions("wang") == [begun]


def test_messages_of_refusals_hold_no_secret(enrolled: Accounts) -> None:
    for act in (
        lambda: log_in(enrolled, "wang", "hunter2 hunter2"),
        lambda: enrolled.enrol("wang", "WRONG-CODE", "hunter2 hunter2", DESK),
        lambda: enrolled.enrol("wang", "WRONG-CODE", "hunter2", DESK),
    ):
        with pytest.raises(BaosongError) as refused:
            act()
        assert "hunter2" not in str(refused.value) and "wang" not in str(refused.value)
