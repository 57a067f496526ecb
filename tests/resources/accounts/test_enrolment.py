"""The first password: invited, enrolled once, reset."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import create_engine, text

from pipelines.errors import BadInput
from resources.accounts import Accounts, Client
from tests.resources.accounts.conftest import DESK, PASSWORD, Factor, World, log_in, refusal

OTHER = "quite another password 承保"


def test_an_invited_person_sets_a_password_once(accounts: Accounts, world: World) -> None:
    code = accounts.invite("wang", by="boss")
    assert re.fullmatch(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){5}", code)
    (invited,) = accounts.accounts()
    assert (invited.has_password, invited.enrolment_until) == (
        False,
        world.now + world.policy.enrolment_lasts,
    )
    accounts.enrol("wang", code, PASSWORD, DESK)
    assert refusal(accounts.enrol, "wang", code, OTHER, DESK) == "account.enrolment_refused"
    (enrolled,) = accounts.accounts()
    assert (enrolled.has_password, enrolled.enrolment_until) == (True, None)
    assert log_in(accounts)[1].user_id == "wang"


def test_a_code_may_be_typed_in_small_letters_without_dashes(accounts: Accounts) -> None:
    code = accounts.invite("wang", by="boss")
    accounts.enrol("wang", " " + code.lower().replace("-", " "), PASSWORD, DESK)


def test_a_code_ends_after_72_hours(accounts: Accounts, world: World) -> None:
    code = accounts.invite("wang", by="boss")
    world.pass_by(hours=72)
    assert refusal(accounts.enrol, "wang", code, PASSWORD, DESK) == "account.enrolment_refused"
    code = accounts.invite("wang", by="boss")
    world.pass_by(hours=71, minutes=59)
    accounts.enrol("wang", code, PASSWORD, DESK)


def test_an_earlier_code_is_void_and_a_code_is_of_one_person_only(accounts: Accounts) -> None:
    first, second = accounts.invite("wang", by="boss"), accounts.invite("wang", by="boss")
    accounts.invite("li", by="boss")
    for user, code in (("wang", first), ("li", second), ("nobody", second), ("wang", ""), ("wang\0", second)):
        assert refusal(accounts.enrol, user, code, PASSWORD, DESK) == "account.enrolment_refused"
    accounts.enrol("wang", second, PASSWORD, DESK)


def test_an_unfit_password_leaves_the_code_unused(accounts: Accounts) -> None:
    code = accounts.invite("wang", by="boss")
    assert refusal(accounts.enrol, "wang", code, "short", DESK) == "account.password_unfit"
    accounts.enrol("wang", code, PASSWORD, DESK)


def test_codes_are_hashed_at_rest(accounts: Accounts, world: World) -> None:
    code = accounts.invite("wang", by="boss")
    engine = create_engine(world.url)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT enrolment_hash FROM account")).scalar_one()
    engine.dispose()
    assert re.fullmatch(r"[0-9a-f]{64}", kept)
    assert code not in kept


def test_only_users_without_a_password_are_invited(enrolled: Accounts) -> None:
    assert refusal(enrolled.invite, "wang", by="boss") == "account.has_password"
    with pytest.raises(BadInput, match="nobody") as refused:
        enrolled.invite("nobody", by="boss")
    assert refused.value.code == "account.no_user"


def test_a_reset_voids_the_password_and_ends_sessions(enrolled: Accounts) -> None:
    token, _ = log_in(enrolled)
    code = enrolled.reset("wang", by="boss")
    assert enrolled.session(token) is None
    assert refusal(log_in, enrolled) == "account.login_failed"
    enrolled.enrol("wang", code, OTHER, DESK)
    assert refusal(log_in, enrolled) == "account.login_failed"
    assert log_in(enrolled, password=OTHER)[1].user_id == "wang"


def test_a_reset_keeps_the_second_factor_unless_it_is_lost_too(enrolled: Accounts, factor: Factor) -> None:
    enrolled.enrol("wang", enrolled.reset("wang", by="boss"), PASSWORD, DESK)
    assert refusal(log_in, enrolled) == "account.totp_needed"
    code = enrolled.reset("wang", by="boss", second_factor_too=True)
    enrolled.enrol("wang", code, PASSWORD, DESK)
    assert log_in(enrolled)[1].user_id == "wang"
    assert enrolled.accounts()[0].recovery_codes_left == 0


def test_whatever_lets_others_in_is_told_before_it_holds(accounts: Accounts, world: World) -> None:
    code = accounts.invite("wang", by="boss")
    assert world.told == [], "nobody could come in before"
    world.is_silenced = True
    assert refusal(accounts.invite, "wang", by="boss") == "accounts.silenced"
    accounts.enrol("wang", code, PASSWORD, DESK)
    token, _ = log_in(accounts)
    assert refusal(accounts.reset, "wang", by="boss") == "accounts.silenced"
    assert accounts.session(token) is not None and log_in(accounts)[1].user_id == "wang"
    world.is_silenced = False
    accounts.reset("wang", by="boss")
    accounts.invite("wang", by="boss")
    assert world.told == [("reset", "wang", "boss"), ("invited", "wang", "boss")]


def test_a_locked_account_does_not_enrol(accounts: Accounts) -> None:
    code = accounts.invite("wang", by="boss")
    accounts.lock("wang", by="boss")
    assert refusal(accounts.enrol, "wang", code, PASSWORD, DESK) == "account.enrolment_refused"
    accounts.unlock("wang", by="boss")
    accounts.enrol("wang", code, PASSWORD, DESK)


def test_guessing_codes_locks_the_client_but_not_the_account(accounts: Accounts) -> None:
    code = accounts.invite("wang", by="boss")
    for _ in range(30):
        assert refusal(accounts.enrol, "wang", "A", PASSWORD, DESK) == "account.enrolment_refused"
    assert refusal(accounts.enrol, "wang", code, PASSWORD, DESK) == "account.locked_out"
    accounts.enrol("wang", code, PASSWORD, Client("192.0.2.8"))


@pytest.mark.parametrize("act", ["reset", "lock", "unlock", "end_all"])
def test_what_has_no_account_cannot_be_administered(accounts: Accounts, act: str) -> None:
    assert refusal(getattr(accounts, act), "li", by="boss") == "account.none"
