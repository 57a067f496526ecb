"""Check digits: published vectors, python-stdnum as a second opinion, and expressions that agree on any text."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric
from stdnum.cn import uscc as stdnum_uscc

from validations.engine import calculators
from validations.engine.calculators import CHECKS
from validations.engine.check_kernels import USCC_ALPHABET

HOSTILE = ["", " ", "1\n", "１２３４５６", "K", "😀" * 18, "\x00", "é", "123456\n", "²" * 6, "𠅤" * 9]
VECTORS = {
    "resident_id": (
        ["11010519491231002X", "440524188001010014"],
        [
            "11010519491231002x",
            "110105194912310021",
            "11010519490231002X",
            "11010519491231002X\n",
            "１1010519491231002X",
        ],
    ),
    "uscc": (
        ["91350100M000100Y43"],
        ["91350100M000100Y44", "91350100M000100Y4I", "91350100m000100y43", "91350100M000100Y43 "],
    ),
    "uscc_gb11714": (["91350100M000100Y43"], ["91350100M000100Y44"]),
    "organisation_code": (["M000100Y4"], ["M000100Y5", "M000100Y-4"]),
    "vin": (
        ["1M8GDM9AXKP042788", "11111111111111111"],
        [
            "1M8GDM9A1KP042788",
            "1M8GDM9AXKP04278",
            "1M8GDM9AXKP04278O",
            "1m8gdm9axkp042788",
            "1M8GDM9AXKP042788\n",
        ],
    ),
    "plate": (
        ["京A12345", "粤B1234挂", "粤BD12345", "沪AD12345", "京A12345D"],
        ["京A1234", "京I12345", "A12345", "京A1234O", "京A12345 ", "京AI1234", "京A１2345", "京A123456"],
    ),
    "bank_account": (
        ["6200000000000005", "12345678", "01234567890123456789012345678901"],
        ["1234567", "6200000000000006", "1234 5678", "12345678\n", "１2345678"],
    ),
    "mobile": (
        ["13800138000", "19912345678"],
        ["12800138000", "1380013800", "138001380000", "13800138000\n", "１3800138000"],
    ),
    "postcode": (["100000"], ["10000", "1000000", "10000a"]),
    "region_code": (["110105"], ["11010", "110105 "]),
}


def by_expression(name: str, values: list[str | None]) -> list[bool | None]:
    frame = pl.DataFrame({"value": pl.Series(values, dtype=pl.String)})
    return frame.select(CHECKS[name].expression(pl.col("value"))).to_series().to_list()


def test_every_registered_check_has_vectors() -> None:
    assert set(VECTORS) == set(CHECKS)


@pytest.mark.parametrize("name", list(CHECKS))
def test_published_vectors_and_hostile_texts(name: str) -> None:
    right, wrong = VECTORS[name]
    values = [*right, *wrong, *HOSTILE]
    expected = [value in right for value in values]
    assert [CHECKS[name].plain(value) for value in values] == expected
    assert by_expression(name, [*values, None]) == [*expected, None]


near_ids = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="0123456789X１\n", min_size=17, max_size=19),
    st.text(alphabet=USCC_ALPHABET + "IOSVZ", min_size=18, max_size=18),
    st.from_regex(r"\A[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}\Z"),
    st.from_regex(r"\A[1-8][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9X]\Z"),
    st.from_regex(r"\A1[0-9]{10}\n?\Z"),
    st.from_regex(r"\A[0-9A-Z]{8}[0-9X]\Z"),
    st.from_regex(r"\A[0-9A-HJ-NPR-Z]{8}[0-9X][0-9A-HJ-NPR-Z]{8}\Z"),
    st.from_regex(r"\A62[0-9]{14,17}\Z"),
    st.from_regex(r"\A[京粤A][A-Z][A-Z0-9]{4,6}[挂学]?\Z"),
)


@given(st.lists(near_ids, min_size=1, max_size=20))
def test_plain_functions_and_expressions_agree_on_any_text(values: list[str]) -> None:
    for name, calculator in CHECKS.items():
        assert by_expression(name, list(values)) == [calculator.plain(value) for value in values]


@given(st.integers(110000, 659999), st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 999))
def test_resident_ids_have_the_check_digit_of_stdnum(region: int, born: date, serial: int) -> None:
    start = f"{region}{born:%Y%m%d}{serial:03}"
    digit = ric.calc_check_digit(start + "0")
    assert [c for c in "0123456789X" if calculators.resident_id(start + c)] == [digit]
    assert by_expression("resident_id", [start + c for c in "0123456789X"]).count(True) == 1


@given(st.from_regex(r"\A[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}\Z"))
def test_credit_codes_have_the_check_character_of_stdnum(start: str) -> None:
    assert [c for c in USCC_ALPHABET if calculators.uscc(start + c)] == [stdnum_uscc.calc_check_digit(start)]


@given(st.from_regex(r"\A62[0-9]{13,16}\Z"))
def test_cards_have_the_luhn_digit_of_stdnum(start: str) -> None:
    right = start + luhn.calc_check_digit(start)
    values = [start + digit for digit in "0123456789"]
    assert [value for value in values if calculators.bank_account(value)] == [right]
    assert by_expression("bank_account", list(values)) == [value == right for value in values]


@given(st.from_regex(r"\A[0-9A-HJ-NPR-Z]{17}\Z"))
def test_vins_have_exactly_one_check_digit(text: str) -> None:
    values = [text[:8] + check + text[9:] for check in "0123456789X"]
    assert [calculators.vin(value) for value in values].count(True) == 1
    assert by_expression("vin", list(values)) == [calculators.vin(value) for value in values]


@given(st.text(max_size=25))
def test_what_stdnum_accepts_as_it_stands_we_accept(text: str) -> None:
    assert calculators.resident_id(text) or not (ric.is_valid(text) and ric.compact(text) == text)
    assert calculators.uscc(text) or not (stdnum_uscc.is_valid(text) and stdnum_uscc.compact(text) == text)


def test_a_29th_of_february_exists_in_leap_years_only() -> None:
    for year, exists in ((2000, True), (1900, False), (2024, True), (2023, False), (0, False)):
        start = f"110105{year:04}0229001"
        assert any(calculators.resident_id(start + c) for c in "0123456789X") is exists
        assert (True in by_expression("resident_id", [start + c for c in "0123456789X"])) is exists
