"""Two at the same moment: a code, an invitation, a session serve one of them; a hundred guesses are five."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher

from pipelines.errors import Refused
from resources.accounts import Accounts
from tests.resources.accounts.conftest import DESK, PASSWORD, Factor, World, log_in, refusal


class Meanwhile(PasswordHasher):
    """Something happens between the moment a password was verified and the moment it counts."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._happens = happens

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        is_right = super().verify(hash, password)
        self._happens()
        return is_right


def together(act: Callable[[], Any], times: int = 2) -> list[str]:
    """What became of the act when that many did it at once, sorted: "done" or the code of the refusal."""
    start = Barrier(times)

    def one(_: int) -> str:
        start.wait()
        try:
            act()
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(one, range(times)))


def test_a_code_of_the_authenticator_logs_one_in(enrolled: Accounts, factor: Factor, world: World) -> None:
    code = world.code(factor.secret)
    assert together(lambda: log_in(enrolled, code=code)) == ["account.login_failed", "done"]
    assert len(enrolled.sessions("wang")) == 1


def test_a_recovery_code_logs_one_in(enrolled: Accounts, factor: Factor) -> None:
    assert together(lambda: log_in(enrolled, code=factor.recovery[0]), 4) == ["account.login_failed"] * 3 + [
        "done"
    ]
    assert enrolled.accounts()[0].recovery_codes_left == 9


def test_an_enrolment_code_enrols_one(accounts: Accounts) -> None:
    code = accounts.invite("wang", by="boss")
    enrolling = lambda: accounts.enrol("wang", code, PASSWORD, DESK)  # noqa: E731
    assert together(enrolling, 4) == ["account.enrolment_refused"] * 3 + ["done"]


def test_a_password_whose_hash_is_made_anew_logs_both_in(enrolled: Accounts, world: World) -> None:
    stronger = world.open(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert together(lambda: log_in(stronger), 4) == ["done"] * 4


@pytest.mark.parametrize("happens", ["reset", "replaced", "locked", "turned on"])
def test_what_happens_while_a_password_is_verified_counts(
    enrolled: Accounts, world: World, happens: str
) -> None:
    log_in(enrolled)

    def meanwhile() -> None:
        match happens:
            case "reset":
                enrolled.reset("wang", by="boss")
            case "replaced":
                enrolled.enrol("wang", enrolled.reset("wang", by="boss"), "another password 精算", DESK)
            case "locked":
                enrolled.lock("wang", by="boss")
            case _:
                enrolled.confirm_totp("wang", world.code(enrolled.begin_totp("wang").secret))

    late = world.open(Meanwhile(meanwhile))
    expected = "account.totp_needed" if happens == "turned on" else "account.login_failed"
    assert refusal(log_in, late) == expected
    assert len(enrolled.sessions("wang")) == (1 if happens == "turned on" else 0)


def test_a_session_that_ends_while_its_person_authenticates_anew_stays_ended(
    enrolled: Accounts, world: World
) -> None:
    token, _ = log_in(enrolled)
    late = world.open(Meanwhile(lambda: enrolled.log_out(token)))
    assert refusal(late.reauthenticate, token, PASSWORD, None) == "account.session_over"
    assert enrolled.sessions("wang") == []


def test_a_session_is_rotated_once(enrolled: Accounts) -> None:
    token, _ = log_in(enrolled)
    assert together(lambda: enrolled.reauthenticate(token, PASSWORD, None)) == [
        "account.session_over",
        "done",
    ]


@pytest.mark.parametrize("user", ["wang", "nobody"])
def test_guesses_at_once_are_no_more_than_guesses_in_a_row(enrolled: Accounts, user: str) -> None:
    guessed = together(lambda: log_in(enrolled, user, "not the password at all"), 16)
    assert guessed == ["account.locked_out"] * 11 + ["account.login_failed"] * 5


def test_two_processes_open_new_accounts_at_once(world: World) -> None:
    assert together(world.open, 3) == ["done"] * 3
    codes = [each.invite("wang", by="boss") for each in world.opened]
    world.opened[0].enrol("wang", codes[-1], PASSWORD, DESK)
    assert log_in(world.opened[1])[1].user_id == "wang"
