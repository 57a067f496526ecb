"""What parts come to, exactly: whatever the amounts, no cent is lost and a ratio is rounded once, half away from zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validations.engine.accounts import added, less, product, ratio_of, sum_of

CENTS = st.integers(-(10**19), 10**19)
WEIGHTS = st.sampled_from([Decimal(1), Decimal(-1), Decimal("0.5"), Decimal(3)])


@given(st.lists(st.tuples(CENTS, WEIGHTS), max_size=30), CENTS)
def test_a_sum_and_its_difference_come_back_to_the_figure_to_the_cent(
    parts: list[tuple[int, Decimal]], figure_cents: int
) -> None:
    amounts = [product(weight, Decimal(cents).scaleb(-2)) for cents, weight in parts]
    total = sum_of(amounts, scale=2).total
    expected = sum((Fraction(cents, 100) * Fraction(weight) for cents, weight in parts), Fraction(0))
    assert Fraction(total) == expected
    figure = Decimal(figure_cents).scaleb(-2)
    assert added([total, less(figure, total)]) == figure


@given(CENTS, CENTS.filter(bool), st.sampled_from([1, 100, 1000]), st.integers(0, 6))
def test_a_ratio_is_off_by_at_most_half_a_digit_and_says_by_how_much(
    above: int, below: int, times: int, scale: int
) -> None:
    numerator, denominator = Decimal(above).scaleb(-2), Decimal(below).scaleb(-2)
    made = ratio_of(numerator, denominator, times=times, scale=scale)
    assert made is not None
    exact = times * Fraction(above, below)
    assert Fraction(made.total) - made.rounded_by == exact
    assert abs(made.rounded_by) <= Fraction(1, 2 * 10**scale)
    assert made.total == made.total.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("above", "below", "expected", "rounded_by"),
    [
        ("40.01", "200", "20.01", Fraction(1, 200)),
        ("-40.01", "200", "-20.01", Fraction(-1, 200)),
        ("40.01", "-200", "-20.01", Fraction(-1, 200)),
        ("0", "7", "0.00", Fraction(0)),
        ("1", "3", "33.33", Fraction(-1, 300)),
    ],
)
def test_half_a_hundredth_goes_away_from_zero(
    above: str, below: str, expected: str, rounded_by: Fraction
) -> None:
    made = ratio_of(Decimal(above), Decimal(below), times=100, scale=2)
    assert made is not None
    assert (f"{made.total:f}", made.rounded_by) == (expected, rounded_by)


def test_nothing_is_divided_by_zero_and_an_empty_part_counts_as_nothing() -> None:
    assert ratio_of(Decimal(1), Decimal("0.00"), times=100, scale=2) is None
    assert product(Decimal(-1), None) == 0
    assert f"{sum_of([], scale=2).total:f}" == "0.00"
