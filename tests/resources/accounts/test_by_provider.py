"""Which account an identity of the OpenID provider opens, ways there and back, and what counts as proved anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, inspect, text

from resources.accounts import Accounts, Identity
from resources.accounts.database import open_engine
from resources.settings import CHECKOUT
from tests.resources.accounts.conftest import DESK, PASSWORD, World, log_in, refusal

ISSUER = "https://idp.example"
WANG = Identity(ISSUER, "s-wang", "wang", None)


@pytest.fixture
def trusting(world: World) -> Accounts:
    """Accounts that a provider may open; wang was invited."""
    accounts = world.open(provider=ISSUER)
    accounts.invite("wang", by="boss")
    return accounts


def proved(world: World, **changed: object) -> Identity:
    return replace(WANG, authenticated_at=world.now, **changed)  # type: ignore[arg-type]


def test_the_first_identity_of_a_name_is_kept_and_no_other_opens_the_account(trusting: Accounts) -> None:
    token, session = trusting.log_in_by_provider(WANG, DESK)
    assert (session.user_id, session.means) == ("wang", "oidc") and trusting.session(token) == session
    (account,) = trusting.accounts()
    assert (account.provider_subject, account.has_password) == ("s-wang", False)
    other = replace(WANG, subject="s-other")
    assert refusal(trusting.log_in_by_provider, other, DESK) == "account.provider_refused"
    assert trusting.trail(1)[0].detail["why"] == "other"
    trusting.unlink("wang", by="boss")
    assert trusting.session(token) is None and trusting.trail(1)[0].event == "unlinked"
    assert trusting.log_in_by_provider(other, DESK)[1].user_id == "wang"


def test_an_account_that_a_password_opens_is_linked_only_by_who_just_came_in_by_it(
    enrolled: Accounts, world: World
) -> None:
    both = world.open(provider=ISSUER)
    assert refusal(both.log_in_by_provider, WANG, DESK) == "account.provider_refused"
    assert both.trail(1)[0].detail["why"] == "password"
    held, _ = log_in(both)
    world.pass_by(minutes=5, seconds=1)
    assert refusal(both.log_in_by_provider, WANG, DESK, previous=held) == "account.provider_refused"
    both.enrol("li", both.invite("li", by="boss"), PASSWORD, DESK)
    other, _ = log_in(both, "li")
    assert refusal(both.log_in_by_provider, WANG, DESK, previous=other) == "account.provider_refused"
    assert world.told == [] and both.accounts()[1].provider_subject is None
    token, _ = both.reauthenticate(held, PASSWORD, None)
    assert both.log_in_by_provider(WANG, DESK, previous=token)[1].means == "oidc"
    assert world.told == [("linked", "wang", None)]
    assert log_in(both)[1].means == "password", "the password goes on"
    assert both.log_in_by_provider(WANG, DESK)[1].user_id == "wang", "and the identity by itself"


def test_a_code_that_was_not_used_is_void_once_the_person_came_by_the_provider(world: World) -> None:
    trusting = world.open(provider=ISSUER)
    code = trusting.invite("wang", by="boss")
    trusting.log_in_by_provider(WANG, DESK)
    assert refusal(trusting.enrol, "wang", code, PASSWORD, DESK) == "account.enrolment_refused"
    assert refusal(trusting.invite, "wang", by="boss") == "account.is_linked"
    assert world.told == [("linked", "wang", None)]


def test_one_identity_opens_one_account(trusting: Accounts) -> None:
    trusting.log_in_by_provider(WANG, DESK)
    trusting.invite("li", by="boss")
    renamed = replace(WANG, user_id="li")
    assert refusal(trusting.log_in_by_provider, renamed, DESK) == "account.provider_refused"
    assert refusal(trusting.unlink, "li", by="boss") == "account.not_linked"


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (replace(WANG, issuer="https://other.example"), "issuer"),
        (replace(WANG, user_id="nobody"), "user"),
        (replace(WANG, user_id=None), "user"),
        (replace(WANG, user_id="li"), "account"),
        (replace(WANG, user_id="boss"), "locked"),
    ],
)
def test_every_refusal_is_the_same_and_the_trail_says_why(
    identity: Identity, why: str, trusting: Accounts
) -> None:
    trusting.invite("boss", by="boss")
    trusting.lock("boss", by="boss")
    assert refusal(trusting.log_in_by_provider, identity, DESK) == "account.provider_refused"
    assert trusting.trail(1)[0].detail == {"by": "oidc", "client": DESK.address, "why": why}
    assert {each.user_id: each.provider_subject for each in trusting.accounts()} == {
        "wang": None,
        "boss": None,
    }


def test_where_no_provider_is_trusted_nobody_vouches_for_anybody(trusting: Accounts, world: World) -> None:
    token, _ = trusting.log_in_by_provider(WANG, DESK)
    plain = world.open()
    assert plain.session(token) is None, "the section was taken out of the deployment"
    assert refusal(plain.log_in_by_provider, WANG, DESK) == "account.provider_refused"


def test_failures_lock_the_client_and_not_the_account(trusting: Accounts, world: World) -> None:
    for _ in range(world.policy.client.failures):
        trusting.provider_failed(DESK, "untrusted")
    assert refusal(trusting.log_in_by_provider, WANG, DESK) == "account.locked_out"
    elsewhere = replace(DESK, address="192.0.2.8")
    assert trusting.log_in_by_provider(WANG, elsewhere)[1].user_id == "wang"


def test_a_way_leads_back_once_within_ten_minutes_to_who_began_it(trusting: Accounts, world: World) -> None:
    flow, sealed = trusting.begin_flow("/filings")
    other, _ = trusting.begin_flow("/")
    assert len({flow.state, flow.nonce, flow.verifier}) == 3 and flow.state not in sealed
    for kept, state in (
        (sealed, other.state),
        (sealed, ""),
        ("", flow.state),
        (sealed[:-4] + "AAAA", flow.state),
    ):
        assert refusal(trusting.end_flow, kept, state) == "account.flow_over"
    assert trusting.end_flow(sealed, flow.state) == flow
    assert refusal(trusting.end_flow, sealed, flow.state) == "account.flow_over"
    assert refusal(world.open(provider=ISSUER).end_flow, sealed, flow.state) == "account.flow_over"
    late, kept = trusting.begin_flow("/")
    world.pass_by(minutes=10)
    assert refusal(trusting.end_flow, kept, late.state) == "account.flow_over"


def test_only_a_second_visit_at_the_provider_proves_enough_to_sign(trusting: Accounts, world: World) -> None:
    token, session = trusting.log_in_by_provider(proved(world), DESK)
    assert not trusting.is_vouched_anew(session)
    world.pass_by(seconds=1)
    flow, _ = trusting.begin_flow("/", session=session.id)
    fresh, again = trusting.reauthenticate_by_provider(token, proved(world), flow)
    assert fresh != token and trusting.session(token) is None and again.id == session.id
    assert again.csrf_secret != session.csrf_secret and trusting.is_vouched_anew(again)
    world.pass_by(minutes=5, seconds=1)
    assert not trusting.is_vouched_anew(again)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"authenticated_at": None}, "account.provider_stale"),
        ({"authenticated_at": datetime(2026, 5, 6, 0, tzinfo=UTC)}, "account.provider_stale"),
        ({"authenticated_at": datetime(2026, 5, 6, 2, tzinfo=UTC)}, "account.provider_stale"),
        ({"subject": "s-other"}, "account.provider_other"),
        ({"issuer": "https://other.example"}, "account.provider_other"),
    ],
)
def test_what_does_not_prove_that_it_is_the_same_person_now(
    changed: dict[str, object], code: str, trusting: Accounts, world: World
) -> None:
    token, session = trusting.log_in_by_provider(WANG, DESK)
    flow, _ = trusting.begin_flow("/", session=session.id)
    world.pass_by(seconds=5)
    identity = replace(proved(world), **changed)  # type: ignore[arg-type]
    assert refusal(trusting.reauthenticate_by_provider, token, identity, flow) == code
    assert trusting.session(token) is not None
    assert trusting.trail(1)[0].event == "reauthentication_failed"
    other, _ = trusting.begin_flow("/", session="another session")
    assert refusal(trusting.reauthenticate_by_provider, token, proved(world), other) == "account.session_over"


def test_a_draft_is_kept_for_its_page_and_session(trusting: Accounts, world: World) -> None:
    token, session = trusting.log_in_by_provider(WANG, DESK)
    assert trusting.draft(session, "/a") == {}
    trusting.keep_draft(session, "/a", {"comment": "属实" * 1_000})
    assert (
        trusting.draft(session, "/a") == {"comment": "属实" * 1_000} and trusting.draft(session, "/b") == {}
    )
    engine = create_engine(world.url)
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT draft FROM account_session")).scalar()
    engine.dispose()
    assert kept and "comment" not in kept
    trusting.log_out(token)
    assert trusting.draft(session, "/a") == {}


def test_where_no_passwords_are_taken_they_open_nothing(enrolled: Accounts, world: World) -> None:
    token, session = log_in(enrolled)
    assert session.means == "password"
    only = world.open(provider=ISSUER, takes_passwords=False)
    assert only.session(token) is None, "whoever came by password before is out"
    for act, *arguments in (
        (only.log_in, "wang", PASSWORD, None, DESK),
        (only.reauthenticate, token, PASSWORD, None),
        (only.change_password, token, PASSWORD, "another long passphrase"),
        (only.enrol, "wang", "code", "another long passphrase", DESK),
        (only.begin_totp, "wang"),
    ):
        assert refusal(act, *arguments) == "account.passwords_off"
    assert only.invite("li", by="boss") == ""
    assert only.log_in_by_provider(WANG, DESK)[1].means == "oidc"


def test_accounts_of_the_version_before_keep_their_sessions(world: World) -> None:
    from alembic import command
    from alembic.config import Config

    engine = create_engine(world.url)
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "resources" / "accounts" / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not inspect(connection).has_table("account_spent_flow")
        for statement in (
            "INSERT INTO account (user_id, password_number, is_locked) VALUES ('wang', 1, false)",
            "INSERT INTO account_session VALUES ('i', 'h', 'wang', :at, :at, :at, '192.0.2.1', '', 'c')",
        ):
            named = {"at": world.now.isoformat()} if ":at" in statement else {}
            connection.execute(text(statement), named)
    engine.dispose()
    open_engine(world.url, world.home).dispose()
    (session,) = world.open().sessions("wang")
    assert session.means == "password"
