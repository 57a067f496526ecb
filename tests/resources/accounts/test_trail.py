"""The audit trail: everything is told, in order, and nothing is taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from resources.accounts import Accounts
from resources.accounts.administration import Administration
from tests.resources.accounts.conftest import DESK, PASSWORD, Factor, World, log_in, refusal


def test_a_life_of_an_account_is_told_in_order(accounts: Accounts, world: World) -> None:
    accounts.enrol("wang", accounts.invite("wang", by="boss"), PASSWORD, DESK)
    token, begun = log_in(accounts)
    refusal(accounts.reauthenticate, token, "wrong", None)
    token, _ = accounts.reauthenticate(token, PASSWORD, None)
    token, _ = accounts.change_password(token, PASSWORD, "another password 精算")
    accounts.confirm_totp("wang", world.code(accounts.begin_totp("wang").secret))
    accounts.log_out(token)
    accounts.lock("wang", by="boss")
    accounts.unlock("wang", by="boss")
    accounts.reset("wang", by="boss", second_factor_too=True)
    refusal(accounts.enrol, "wang", "wrong", PASSWORD, DESK)
    told = accounts.trail(50)
    assert [each.event for each in reversed(told)] == [
        "invited",
        "enrolled",
        "logged_in",
        "reauthentication_failed",
        "reauthenticated",
        "password_changed",
        "totp_on",
        "session_ended",
        "locked",
        "unlocked",
        "totp_off",
        "reset",
        "enrolment_failed",
    ]
    assert {each.user for each in told} == {"wang"}
    assert {each.at for each in told} == {world.now}
    first, *_, last = sorted(told, key=lambda each: each.number)
    assert (first.detail, last.detail) == ({"by": "boss"}, {"client": DESK.address})
    assert told[-3].detail == {"client": DESK.address, "session": begun.id, "by": "password"}


def test_the_desk_records_what_it_showed(accounts: Accounts, world: World) -> None:
    accounts.record("li", "revealed", {"finding": "F-1", "field": "证件号码"})
    (entry,) = accounts.trail(5)
    assert (entry.user, entry.event, entry.at) == ("li", "revealed", world.now)
    assert entry.detail == {"finding": "F-1", "field": "证件号码"}


@pytest.mark.parametrize("event", ["logged_in", "Bad Name", "", "x" * 65])
def test_the_desk_cannot_tell_what_the_accounts_tell_themselves(accounts: Accounts, event: str) -> None:
    with pytest.raises(ValueError, match=r"event|recorded"):
        accounts.record("li", event, {})
    assert accounts.trail(5) == []


def test_a_detail_is_short(accounts: Accounts) -> None:
    with pytest.raises(ValueError, match="2000"):
        accounts.record("li", "revealed", {"what": "x" * 2000})


def test_the_trail_of_one_user_and_its_newest_entries(accounts: Accounts) -> None:
    for number in range(5):
        accounts.record(("li", "wang")[number % 2], "revealed", {"number": str(number)})
    assert [each.detail["number"] for each in accounts.trail(2)] == ["4", "3"]
    assert [each.detail["number"] for each in accounts.trail(9, "li")] == ["4", "2", "0"]


def test_no_secret_is_in_the_trail(enrolled: Accounts, factor: Factor) -> None:
    token, begun = log_in(enrolled, code=factor.recovery[0])
    told = repr(enrolled.trail(50))
    for secret in (PASSWORD, token, begun.csrf_secret, factor.secret, *factor.recovery):
        assert secret not in told


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account_trail SET user_id = 'somebody else'",
        "UPDATE account_trail SET number = number + 100",
        "DELETE FROM account_trail",
        "DELETE FROM account_trail WHERE number = (SELECT max(number) FROM account_trail)",
        {
            "sqlite": "INSERT OR REPLACE INTO account_trail SELECT number, at, NULL, event, detail FROM account_trail",
            "postgresql": "TRUNCATE account_trail",
        },
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(
    accounts: Accounts, world: World, statement: str | dict[str, str]
) -> None:
    accounts.record("li", "revealed", {"finding": "F-1"})
    accounts.record("li", "revealed", {"finding": "F-2"})
    before, engine = accounts.trail(9), create_engine(world.url)
    asked = statement if isinstance(statement, str) else statement[engine.dialect.name]
    with pytest.raises(DatabaseError, match="the trail is only added to"), engine.begin() as connection:
        connection.execute(text(asked))
    engine.dispose()
    assert accounts.trail(9) == before
    accounts.record("li", "revealed", {"finding": "F-3"})
    assert [each.detail["finding"] for each in accounts.trail(9)] == ["F-3", "F-2", "F-1"]


def test_nothing_changes_or_removes_an_entry() -> None:
    offered = {name for name in dir(Accounts) + dir(Administration) if "trail" in name or "record" in name}
    assert offered == {"trail", "trail_events", "record"}
