"""The second factor: an authenticator's codes and recovery codes, each good once."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest
from sqlalchemy import create_engine, text

from pipelines.errors import Tampered
from resources.accounts import Accounts
from tests.resources.accounts.conftest import PASSWORD, Factor, World, log_in, refusal, shown

WRONG = {"account.login_failed"}


def stored(world: World, statement: str) -> str:
    engine = create_engine(world.url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        found = str(result.scalar()) if result.returns_rows else ""
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("unix_time", "expected"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_the_authenticator_of_these_tests_is_that_of_rfc_6238_appendix_b(
    unix_time: int, expected: str
) -> None:
    assert shown(b"12345678901234567890", unix_time, digits=8) == expected


def test_it_is_provisional_until_a_code_confirms_it(enrolled: Accounts, world: World) -> None:
    begun = enrolled.begin_totp("wang")
    assert pyotp.parse_uri(begun.uri).provisioning_uri() == begun.uri
    assert begun.uri.startswith("otpauth://totp/") and begun.secret in begun.uri
    assert log_in(enrolled)[1].user_id == "wang"
    assert refusal(enrolled.confirm_totp, "wang", "000000") == "account.code_wrong"
    assert not enrolled.accounts()[0].has_totp
    codes = enrolled.confirm_totp("wang", world.code(begun.secret))
    assert len(codes) == len(set(codes)) == enrolled.accounts()[0].recovery_codes_left == 10
    assert refusal(log_in, enrolled) == "account.totp_needed"
    assert refusal(enrolled.confirm_totp, "wang", world.code(begun.secret)) == "account.code_wrong"


def test_another_beginning_replaces_the_provisional_secret_only(
    enrolled: Accounts, factor: Factor, world: World
) -> None:
    first, second = enrolled.begin_totp("wang").secret, enrolled.begin_totp("wang").secret
    assert log_in(enrolled, code=world.code(factor.secret))[1].user_id == "wang"
    assert refusal(enrolled.confirm_totp, "wang", world.code(first)) == "account.code_wrong"
    recovery = enrolled.confirm_totp("wang", world.code(second))
    world.pass_by(seconds=30)
    assert refusal(log_in, enrolled, code=world.code(factor.secret)) in WRONG
    assert refusal(log_in, enrolled, code=factor.recovery[0]) in WRONG
    assert log_in(enrolled, code=recovery[0])[1].user_id == "wang"


def test_the_code_is_asked_for_only_after_a_right_password(
    enrolled: Accounts, factor: Factor, world: World
) -> None:
    for nothing in (None, "", " - "):
        assert refusal(log_in, enrolled, code=nothing) == "account.totp_needed"
    right = world.code(factor.secret)
    for password in ("not the password at all", ""):
        assert refusal(log_in, enrolled, password=password) in WRONG
        assert refusal(log_in, enrolled, password=password, code=right) in WRONG
    assert log_in(enrolled, code=right)[1].user_id == "wang"


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_code_may_be_one_step_aside(
    enrolled: Accounts, factor: Factor, world: World, seconds: int, is_taken: bool
) -> None:
    world.pass_by(minutes=10)
    code = world.code(factor.secret, aside=seconds)
    if is_taken:
        assert log_in(enrolled, code=code)[1].user_id == "wang"
    else:
        assert refusal(log_in, enrolled, code=code) in WRONG


def test_a_code_serves_once_and_then_none_before_it(enrolled: Accounts, factor: Factor, world: World) -> None:
    world.pass_by(minutes=10)
    before, code = world.code(factor.secret, aside=-30), world.code(factor.secret)
    token, _ = log_in(enrolled, code=code)
    assert refusal(log_in, enrolled, code=code) in WRONG
    assert refusal(enrolled.reauthenticate, token, PASSWORD, code) in WRONG
    assert refusal(log_in, enrolled, code=before) in WRONG
    world.pass_by(seconds=30)
    assert log_in(enrolled, code=world.code(factor.secret))[1].user_id == "wang"


def test_the_code_that_confirmed_it_does_not_log_in(enrolled: Accounts, world: World) -> None:
    secret = enrolled.begin_totp("wang").secret
    enrolled.confirm_totp("wang", world.code(secret))
    assert refusal(log_in, enrolled, code=world.code(secret)) in WRONG


def test_a_code_may_come_from_a_chinese_keyboard(enrolled: Accounts, factor: Factor, world: World) -> None:
    code = "".join(chr(ord(each) + 0xFEE0) for each in world.code(factor.secret))
    assert log_in(enrolled, code=f"{code[:3]} {code[3:]}")[1].user_id == "wang"


def test_a_recovery_code_serves_once(enrolled: Accounts, factor: Factor) -> None:
    assert log_in(enrolled, code=factor.recovery[3].lower().replace("-", ""))[1].user_id == "wang"
    assert refusal(log_in, enrolled, code=factor.recovery[3]) in WRONG
    assert enrolled.accounts()[0].recovery_codes_left == 9
    logged_in = next(each for each in enrolled.trail(9) if each.event == "logged_in")
    used = next(each for each in enrolled.trail(9) if each.event == "recovery_code_used")
    assert (logged_in.detail["by"], used.detail) == ("recovery", {"left": "9"})


def test_a_wrong_password_uses_up_neither_kind_of_code(
    enrolled: Accounts, factor: Factor, world: World
) -> None:
    for code in (world.code(factor.secret), factor.recovery[0]):
        assert refusal(log_in, enrolled, password="not the password at all", code=code) in WRONG
        assert log_in(enrolled, code=code)[1].user_id == "wang"


def test_secrets_lie_encrypted_and_recovery_codes_hashed(
    enrolled: Accounts, factor: Factor, world: World
) -> None:
    assert factor.secret not in stored(world, "SELECT totp_secret FROM account")
    kept = stored(world, "SELECT min(code_hash) FROM account_recovery_code")
    assert len(kept) == 64
    assert not any(code in kept for code in factor.recovery)


def test_a_secret_moved_to_another_user_opens_no_door(
    enrolled: Accounts, factor: Factor, world: World
) -> None:
    enrolled.enrol(
        "li", enrolled.invite("li", by="boss"), PASSWORD, log_in(enrolled, code=factor.recovery[0])[1].client
    )
    stored(world, "UPDATE account SET totp_secret = (SELECT totp_secret FROM account WHERE user_id = 'wang')")
    with pytest.raises(Tampered) as altered:
        log_in(enrolled, "li", code=world.code(factor.secret))
    assert altered.value.code == "account.secret_unreadable"


def test_the_key_is_made_once_for_its_owner_and_another_key_opens_nothing(
    enrolled: Accounts, factor: Factor, world: World, tmp_path: Path
) -> None:
    key = tmp_path / "keys" / "accounts"
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)
    assert log_in(world.open(), code=world.code(factor.secret))[1].user_id == "wang"
    key.write_bytes(bytes(32))
    with pytest.raises(Tampered, match="--second-factor") as altered:
        log_in(world.open(), code="123456")
    assert altered.value.code == "account.secret_unreadable"
    key.write_bytes(b"short")
    assert refusal(world.open) == "account.key_unusable"
    key.chmod(0o640)
    assert refusal(world.open) == "account.key_readable"


def test_the_qr_code_is_an_svg_without_style_or_script(enrolled: Accounts) -> None:
    begun = enrolled.begin_totp("wang")
    drawn = begun.qr_svg()
    assert drawn.startswith("<svg ") and drawn.rstrip().endswith("</svg>")
    assert "style" not in drawn and "script" not in drawn
    assert begun.secret not in repr(begun)
