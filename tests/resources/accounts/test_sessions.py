"""Sessions: how long they live, how they end, that their tokens change."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from resources.accounts import Accounts, Client
from tests.resources.accounts.conftest import DESK, PASSWORD, Factor, World, log_in, refusal

NEW = "yet another password 理赔"


def test_a_session_ends_after_30_minutes_without_use(enrolled: Accounts, world: World) -> None:
    token, _ = log_in(enrolled)
    for _ in range(3):
        world.pass_by(minutes=29, seconds=59)
        found = enrolled.session(token)
        assert found is not None and found.last_seen_at == world.now
    world.pass_by(minutes=30)
    assert enrolled.session(token) is None
    assert enrolled.sessions("wang") == []


def test_a_session_ends_after_12_hours_however_busy(enrolled: Accounts, world: World) -> None:
    token, _ = log_in(enrolled)
    for _ in range(47):
        world.pass_by(minutes=15)
        assert enrolled.session(token) is not None
    token, _ = enrolled.reauthenticate(token, PASSWORD, None)
    world.pass_by(minutes=15)
    assert enrolled.session(token) is None
    assert refusal(enrolled.reauthenticate, token, PASSWORD, None) == "account.session_over"


def test_use_is_written_down_once_a_minute(enrolled: Accounts, world: World) -> None:
    token, begun = log_in(enrolled)
    world.pass_by(seconds=59)
    assert enrolled.session(token) == begun
    world.pass_by(seconds=1)
    assert enrolled.session(token) != begun


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 100_000])
def test_what_is_no_token_finds_no_session(enrolled: Accounts, token: str) -> None:
    log_in(enrolled)
    assert enrolled.session(token) is None
    enrolled.log_out(token)
    assert refusal(enrolled.reauthenticate, token, PASSWORD, None) == "account.session_over"


def test_what_is_kept_of_a_token_is_no_token(enrolled: Accounts, world: World) -> None:
    log_in(enrolled)
    engine = create_engine(world.url)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT token_hash FROM account_session")).scalar_one()
    engine.dispose()
    assert enrolled.session(kept) is None


def test_authenticating_anew_changes_token_and_csrf_secret_and_makes_fresh(
    enrolled: Accounts, world: World
) -> None:
    old, before = log_in(enrolled)
    assert enrolled.is_fresh(before)
    world.pass_by(minutes=5, seconds=1)
    stale = enrolled.session(old)
    assert stale is not None and not enrolled.is_fresh(stale)
    new, after = enrolled.reauthenticate(old, PASSWORD, None)
    assert enrolled.is_fresh(after)
    assert enrolled.session(old) is None
    assert enrolled.session(new) == after
    assert (after.id, after.begun_at, after.client) == (before.id, before.begun_at, before.client)
    assert after.authenticated_at == world.now
    assert after.csrf_secret != before.csrf_secret


def test_authenticating_anew_takes_the_second_factor_too(
    enrolled: Accounts, factor: Factor, world: World
) -> None:
    token, begun = log_in(enrolled, code=world.code(factor.secret))
    world.pass_by(seconds=30)
    assert refusal(enrolled.reauthenticate, token, PASSWORD, None) == "account.totp_needed"
    assert refusal(enrolled.reauthenticate, token, PASSWORD, "000000") == "account.login_failed"
    assert enrolled.session(token) == begun
    _, fresh = enrolled.reauthenticate(token, PASSWORD, world.code(factor.secret))
    assert fresh.authenticated_at == world.now


def test_logging_out_ends_this_session_only(enrolled: Accounts) -> None:
    first, _ = log_in(enrolled)
    second, _ = log_in(enrolled)
    enrolled.log_out(first)
    enrolled.log_out(first)
    assert enrolled.session(first) is None
    assert enrolled.session(second) is not None
    assert [each.event for each in enrolled.trail(2)] == ["session_ended", "logged_in"]


def test_all_sessions_of_a_user_are_ended(enrolled: Accounts, world: World) -> None:
    begun = []
    for number in range(3):
        begun.append(log_in(enrolled, client=Client(f"192.0.2.{number}")))
        world.pass_by(seconds=1)
    assert enrolled.sessions("wang") == [each for _, each in begun]
    assert enrolled.end_all("wang", by="boss") == 3
    assert [enrolled.session(token) for token, _ in begun] == [None] * 3


def test_another_password_ends_all_other_sessions_and_changes_the_token(enrolled: Accounts) -> None:
    here, _ = log_in(enrolled)
    elsewhere, _ = log_in(enrolled)
    assert refusal(enrolled.change_password, here, PASSWORD, "short") == "account.password_unfit"
    token, _ = enrolled.change_password(here, PASSWORD, NEW)
    assert enrolled.session(token) is not None
    assert (enrolled.session(here), enrolled.session(elsewhere)) == (None, None)
    assert refusal(log_in, enrolled) == "account.login_failed"
    assert log_in(enrolled, password=NEW)[1].user_id == "wang"


def test_another_password_takes_the_old_one(enrolled: Accounts) -> None:
    token, _ = log_in(enrolled)
    assert refusal(enrolled.change_password, token, NEW, NEW) == "account.login_failed"
    enrolled.log_out(token)
    assert refusal(enrolled.change_password, token, PASSWORD, NEW) == "account.session_over"


def test_sessions_that_ended_by_time_are_swept_away_and_told_of(enrolled: Accounts, world: World) -> None:
    _, begun = log_in(enrolled)
    world.pass_by(hours=1)
    log_in(enrolled)
    (over,) = [each for each in enrolled.trail(9) if each.event == "session_ended"]
    assert (over.user, over.detail) == ("wang", {"session": begun.id, "why": "time"})


def test_secrets_do_not_show_in_a_session(enrolled: Accounts) -> None:
    _, begun = log_in(enrolled)
    assert begun.csrf_secret not in repr(begun)
    assert begun.client == DESK
