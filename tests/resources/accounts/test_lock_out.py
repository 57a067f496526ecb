"""Too many failures: of one account, of one client; how long, how it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resources.accounts import AccountPolicy, Accounts, Client, Limit
from tests.resources.accounts.conftest import DESK, PASSWORD, Factor, World, log_in, refusal


def fail(accounts: Accounts, times: int, user: str = "wang", client: Client = DESK) -> None:
    for _ in range(times):
        assert (
            refusal(log_in, accounts, user, "not the password at all", client=client)
            == "account.login_failed"
        )


@pytest.mark.parametrize("user", ["wang", "li", "nobody"])
def test_five_failures_lock_whoever_is_named_known_or_not(enrolled: Accounts, user: str) -> None:
    fail(enrolled, 5, user)
    assert refusal(log_in, enrolled, user) == "account.locked_out"
    other = Client("198.51.100.1")
    assert refusal(log_in, enrolled, user, client=other) == "account.locked_out"


def test_a_lock_out_ends_by_itself_after_15_minutes(enrolled: Accounts, world: World) -> None:
    fail(enrolled, 5)
    until = world.now + timedelta(minutes=15)
    assert enrolled.accounts()[0].lock_out_until == until
    world.pass_by(minutes=14, seconds=59)
    assert refusal(log_in, enrolled) == "account.locked_out"
    world.pass_by(seconds=1)
    assert log_in(enrolled)[1].user_id == "wang"
    assert enrolled.accounts()[0].lock_out_until is None


def test_attempts_during_a_lock_out_do_not_prolong_it(enrolled: Accounts, world: World) -> None:
    fail(enrolled, 5)
    for _ in range(20):
        assert refusal(log_in, enrolled) == "account.locked_out"
    world.pass_by(minutes=15)
    assert log_in(enrolled)[1].user_id == "wang"


def test_each_further_lock_out_is_twice_as_long_up_to_a_day(enrolled: Accounts, world: World) -> None:
    lasted: list[timedelta] = []
    for _ in range(9):
        fail(enrolled, 5, client=Client(f"198.51.100.{len(lasted)}"))
        until = enrolled.accounts()[0].lock_out_until
        assert until is not None
        lasted.append(until - world.now)
        world.now = until
    minutes = [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
    assert lasted == [timedelta(minutes=each) for each in minutes]


def test_a_success_and_a_quiet_day_begin_anew(enrolled: Accounts, world: World) -> None:
    for quiet in (False, True):
        fail(enrolled, 5)
        world.pass_by(minutes=15)
        if quiet:
            world.pass_by(hours=24)
        else:
            log_in(enrolled)
    fail(enrolled, 5)
    assert enrolled.accounts()[0].lock_out_until == world.now + timedelta(minutes=15)


def test_failures_further_apart_than_15_minutes_do_not_add_up(enrolled: Accounts, world: World) -> None:
    fail(enrolled, 4)
    world.pass_by(minutes=15)
    fail(enrolled, 4)
    assert log_in(enrolled)[1].user_id == "wang"


def test_a_success_forgets_the_failures_before(enrolled: Accounts) -> None:
    for _ in range(3):
        fail(enrolled, 4)
        log_in(enrolled)


def test_an_administrator_ends_a_lock_out(enrolled: Accounts) -> None:
    fail(enrolled, 5)
    enrolled.unlock("wang", by="boss")
    assert log_in(enrolled)[1].user_id == "wang"


def test_a_client_that_tries_many_names_is_locked_out_and_others_are_not(enrolled: Accounts) -> None:
    for number in range(30):
        fail(enrolled, 1, f"name{number}")
    assert refusal(log_in, enrolled) == "account.locked_out"
    assert log_in(enrolled, client=Client("192.0.2.8"))[1].user_id == "wang"


def test_a_clients_own_account_does_not_forgive_its_guessing(enrolled: Accounts) -> None:
    for number in range(30):
        fail(enrolled, 1, f"name{number}")
        if number < 29:
            log_in(enrolled)
    assert refusal(log_in, enrolled) == "account.locked_out"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.9", "192.0.2.9", True),
        ("192.0.2.9", "192.0.2.10", False),
        ("unix:", "unix:", True),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(
    enrolled: Accounts, first: str, second: str, same: bool
) -> None:
    for number in range(30):
        fail(enrolled, 1, f"name{number}", Client(first))
    if same:
        assert refusal(log_in, enrolled, client=Client(second)) == "account.locked_out"
    else:
        log_in(enrolled, client=Client(second))


def test_a_right_password_without_its_code_neither_counts_nor_forgives(
    enrolled: Accounts, factor: Factor
) -> None:
    fail(enrolled, 4)
    for _ in range(6):
        assert refusal(log_in, enrolled) == "account.totp_needed"
    assert refusal(log_in, enrolled, code="000000") == "account.login_failed"
    assert refusal(log_in, enrolled) == "account.locked_out"


def test_wrong_passwords_when_authenticating_anew_count_too(enrolled: Accounts) -> None:
    token, _ = log_in(enrolled)
    for _ in range(3):
        assert refusal(enrolled.reauthenticate, token, "wrong", None) == "account.login_failed"
    for _ in range(2):
        assert (
            refusal(enrolled.change_password, token, "wrong", "a new long password") == "account.login_failed"
        )
    assert refusal(enrolled.reauthenticate, token, PASSWORD, None) == "account.locked_out"


def test_stricter_numbers_may_be_handed_in(enrolled: Accounts, world: World) -> None:
    strict = world.open(policy=AccountPolicy(account=Limit(failures=1, first_lock=timedelta(hours=1))))
    fail(strict, 1)
    world.pass_by(minutes=59)
    assert refusal(log_in, strict) == "account.locked_out"


def test_the_trail_tells_of_locks(enrolled: Accounts) -> None:
    fail(enrolled, 5)
    newest = enrolled.trail(6, "wang")
    assert [each.event for each in newest] == ["locked_out"] + ["login_failed"] * 5
    assert newest[0].detail == {"client": "192.0.2.7", "until": "2026-05-06T01:15:00+00:00"}
