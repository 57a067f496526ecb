"""Numbers with check digits, against python-stdnum and the standards' own vectors."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc

from resources.reference_core.check_digits import (
    account_numbers,
    broken_check,
    mobiles,
    resident_ids,
    social_credit_code,
    vins,
    with_wrong_organisation_code,
)


def _resident(region: int, birth: str, *, is_male: bool, order: int) -> str:
    births = np.array([birth], dtype="datetime64[D]")
    return str(resident_ids(np.array([region]), births, np.array([is_male]), np.array([order]))[0])


def test_the_resident_id_of_the_standard_comes_out() -> None:
    assert _resident(110105, "1949-12-31", is_male=False, order=1) == "11010519491231002X"


@given(
    region=st.sampled_from([110105, 330702, 440604, 510107]),
    birth=st.dates(
        min_value=np.datetime64("1930-01-01").item(), max_value=np.datetime64("2010-12-31").item()
    ),
    is_male=st.booleans(),
    order=st.integers(0, 499),
)
def test_resident_ids_are_valid_and_say_birth_and_sex(
    region: int, birth: object, is_male: bool, order: int
) -> None:
    number = _resident(region, str(birth), is_male=is_male, order=order)
    # is_valid also wants the county to have existed at birth; real codes are those of the first registration
    assert ric.calc_check_digit(number) == number[-1]
    assert str(ric.get_birth_date(number)) == str(birth)
    assert int(number[16]) % 2 == int(is_male)
    assert ric.calc_check_digit(number) != broken_check(number)[-1]


@given(region=st.sampled_from([110105, 330702, 440604]), order=st.integers(0, 31**6 - 1))
def test_social_credit_codes_are_valid_with_the_organisation_code_inside(region: int, order: int) -> None:
    code = social_credit_code(region, order)
    assert uscc.is_valid(code)
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(c, 36) * weight for c, weight in zip(code[8:16], weights, strict=True))
    assert code[16] == "0123456789X0"[11 - total % 11]
    assert not uscc.is_valid(broken_check(code))
    inside_wrong = with_wrong_organisation_code(code)
    assert uscc.is_valid(inside_wrong)
    assert (inside_wrong[:16], inside_wrong[16] != code[16]) == (code[:16], True)


def vin_check(vin: str) -> str:
    """The check digit by GB 16735, written out anew."""
    letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    total = sum(int(letters.get(c, c)) * weight for c, weight in zip(vin, weights, strict=True))
    return "0123456789X"[total % 11]


@given(series=st.integers(0, 33**3 - 1), serial=st.integers(0, 999_999))
def test_vins_are_valid_and_tell_vehicles_apart(series: int, serial: int) -> None:
    numbers = vins(np.array([series, series]), np.array([serial, (serial + 1) % 1_000_000]))
    assert numbers[0] != numbers[1]
    for number in numbers:
        assert vin_check(number) == number[8]


def test_the_vin_of_the_standard_has_its_check_digit() -> None:
    assert vin_check("1M8GDM9AXKP042788") == "X"


def test_bank_accounts_pass_the_luhn_formula() -> None:
    numbers = account_numbers(np.random.default_rng(1), 500)
    assert numbers.n_unique() == 500
    assert all(len(number) == 19 and luhn.is_valid(number) for number in numbers)


def test_mobiles_have_eleven_digits() -> None:
    numbers = mobiles(np.random.default_rng(1), 500)
    assert all(len(number) == 11 and number.isdigit() and number[0] == "1" for number in numbers)
