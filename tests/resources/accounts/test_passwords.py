"""Which passwords may be chosen."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from pipelines.errors import BadInput
from resources.accounts import AccountPolicy
from resources.accounts.passwords import Passwords
from tests.resources.accounts.conftest import CHEAP

PASSWORDS = Passwords(AccountPolicy(), CHEAP)


def reasons(password: str, user: str = "wang_fang") -> set[str]:
    try:
        PASSWORDS.check(password, user)
    except BadInput as refused:
        assert refused.code == "account.password_unfit"
        return {detail.code.removeprefix("account.password_") for detail in refused.details}
    return set()


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "a" * 250 + "bcdefg",
        "密码可以是一句很长的中文话",
        "nodigitsnosymbols",
        "        spaces   x",
    ],
)
def test_length_is_all_that_is_asked(password: str) -> None:
    assert reasons(password) == set()


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("eleven char", {"short"}),
        ("", {"short"}),
        ("x1" + "y" * 255, {"long"}),
        ("\ufdfa" * 20, {"long"}),  # one character that stands for eighteen
        ("1Q2W3E4R5T6Y", {"common"}),
        ("woaini1314520", {"common"}),
        ("ｐassword1234", {"common"}),
        ("aaaaaaaaaaaaaaa", {"common"}),
        ("abc123abc123abc1", {"common"}),
        ("my wang_fang 2026", {"names_user"}),
        ("WANG_FANG", {"names_user", "short"}),
        ("\ud800 unpaired half", {"no_text"}),
    ],
)
def test_every_reason_against_it_is_named(password: str, expected: set[str]) -> None:
    assert reasons(password) == expected


def test_a_very_short_user_id_may_be_part_of_a_word() -> None:
    assert reasons("with a bit of wit", "it") == set()
    assert reasons("with a bit of wit", "wit") == {"names_user"}


@hypothesis.given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_only_the_same_password_verifies(chosen: str, other: str) -> None:
    kept = PASSWORDS.hash(chosen)
    assert kept.startswith("$argon2id$")
    assert PASSWORDS.verify(kept, chosen)
    assert not PASSWORDS.verify(None, chosen)
    assert not PASSWORDS.verify("not a hash", chosen)
    if reasons(other) != reasons(chosen):
        assert not PASSWORDS.verify(kept, other)


def test_the_hash_of_the_product_is_the_one_that_rfc_9106_recommends_with_little_memory() -> None:
    kept = Passwords(AccountPolicy()).hash("a password of no consequence")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
