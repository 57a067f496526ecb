"""Few observations: worked out by hand, and against what must hold for any counts."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.assessment.measuring import four_places
from pipelines.assessment.small_numbers import (
    Prior,
    Weights,
    estimate,
    interval,
    median,
    p90,
    shrunk,
)

WEIGHTS = Weights(20, 50, 200)
NINETY_THREE = Prior(Fraction(93, 100), Fraction(50), "frozen")
COUNTS = st.tuples(st.integers(0, 5000), st.integers(1, 5000)).map(lambda kn: (min(kn), max(kn)))


@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [(3, 3, 0.934), (2, 3, 0.915), (0, 3, 0.877), (27, 30, 0.919), (291, 300, 0.964), (2910, 3000, 0.969)],
)
def test_few_observations_are_drawn_towards_all_branches(k: int, n: int, expected: float) -> None:
    assert float(shrunk(k, n, NINETY_THREE)) == pytest.approx(expected, abs=0.0005)


def test_many_observations_speak_for_themselves() -> None:
    assert round(float(shrunk(2700, 3000, NINETY_THREE)), 4) == 0.9005


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(2, 3, 0.25, 0.92), (27, 30, 0.77, 0.96), (2700, 3000, 0.891, 0.909), (0, 58, 0, 0.045), (1990, 2300, 0.853, 0.877)],
)  # fmt: skip
def test_the_interval_of_a_proportion_is_wilsons(k: int, n: int, low: float, high: float) -> None:
    found = interval("proportion", k, n)
    assert [float(end) for end in found] == pytest.approx([low, high], abs=0.005 if n < 100 else 0.0006)


def test_the_interval_of_a_rate_solves_its_equation() -> None:
    """9 events in 10,000 rows: (9 - 10000 x)² = z² · 10000 x, so 10000 x = 9 + 1.3528 ± 1.6449 · √(9 + 0.6764)."""
    low, high = (float(end) * 10_000 for end in interval("rate", 9, 10_000))
    assert (round(low, 3), round(high, 3)) == (5.236, 15.469)


@given(COUNTS)
def test_an_interval_holds_the_raw_value_and_both_its_ends_solve_the_equation(
    counts: tuple[int, int],
) -> None:
    k, n = counts
    low, high = interval("proportion", k, n)
    assert 0 <= low <= Fraction(k, n) <= high <= 1
    z2 = 1.6448536269514722**2
    for end in (low, high):
        x = float(end)
        assert (k - n * x) ** 2 == pytest.approx(z2 * n * x * (1 - x), rel=1e-6, abs=1e-6 * n)


@given(COUNTS, COUNTS)
def test_an_estimate_lies_between_the_branchs_own_and_everybodys(
    counts: tuple[int, int], others: tuple[int, int]
) -> None:
    mean = Fraction(*others)
    estimated, raw = shrunk(*counts, Prior(mean, Fraction(50), "estimated")), Fraction(*counts)
    assert min(raw, mean) <= estimated <= max(raw, mean)


def test_strength_makes_the_spread_between_branches_as_large_as_seen() -> None:
    """Three branches of 100 with 50, 60, 70: mean 0.6, seen 2/3 · 0.01 = 1/150; between 2/3, by chance 2/300.

    Excess 1/150 - 0.24/150 = 0.76/150; g = (0.76/150) / (0.24 · (2/3 - 2/300)) = 0.0319865…; strength 1/g - 1 = 30.263…
    """
    prior = estimate("proportion", [(50, 100), (60, 100), (70, 100)], WEIGHTS)
    assert prior is not None
    assert (prior.mean, prior.source) == (Fraction(3, 5), "estimated")
    assert float(prior.strength) == pytest.approx(30.263, abs=0.001)


def test_strength_of_a_rate_is_the_exposure_that_its_mean_weighs() -> None:
    """Three branches of 10,000 rows with 10, 20, 30: mean 0.002, seen 2/3 · 1e-6; by chance 2/30000, between 2/3.

    Excess 2/3e-6 - 0.002 · 2/30000 = 5.3333e-7; strength 0.002 · (2/3) / 5.3333e-7 = 2500, below the least.
    """
    counts = [(10, 10_000), (20, 10_000), (30, 10_000)]
    prior = estimate("rate", counts, Weights(1, 10_000, 40_000))
    assert prior == Prior(Fraction(1, 500), Fraction(2500), "estimated")
    bounded = estimate("rate", counts, Weights(4_000, 10_000, 40_000))
    assert bounded is not None
    assert bounded.strength == 4_000


def test_branches_that_differ_no_more_than_chance_are_believed_to_be_alike() -> None:
    prior = estimate("proportion", [(9, 10), (90, 100), (18, 20)], WEIGHTS)
    assert prior == Prior(Fraction(9, 10), Fraction(200), "estimated")


def test_one_outlier_does_not_move_the_mean_of_all() -> None:
    alike = [(95, 100), (94, 100), (96, 100), (95, 100)]
    prior = estimate("proportion", [*alike, (0, 58)], WEIGHTS)
    assert prior is not None
    assert prior.mean == Fraction(284, 300)  # neither the branch with none nor the best one


def test_too_few_branches_have_the_usual_strength_and_none_have_no_prior() -> None:
    assert estimate("proportion", [(9, 10), (8, 10)], WEIGHTS) == Prior(
        Fraction(17, 20), Fraction(50), "usual"
    )
    assert estimate("proportion", [(0, 0)], WEIGHTS) is None


@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_nothing_is_said_of_nothing(kind: str) -> None:
    with pytest.raises(ValueError, match="0 of 0"):
        interval(kind, 0, 0)  # type: ignore[arg-type]


def test_median_and_p90_are_those_of_the_ordered_values() -> None:
    assert median([5, 1, 3]) == 3
    assert median([4, 1, 3, 2]) == Fraction(5, 2)
    assert p90(range(1, 11)) == 9
    assert p90(range(1, 12)) == 10  # 9.9 of eleven: the tenth
    assert p90([7]) == 7


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Fraction(1, 20000), "0.0000"),
        (Fraction(3, 20000), "0.0002"),
        (Fraction(2, 3), "0.6667"),
        (Fraction(7), "7.0000"),
    ],
)
def test_a_number_is_written_with_four_decimals_and_halves_go_to_the_even_one(
    value: Fraction, written: str
) -> None:
    assert f"{four_places(value):f}" == written
