"""Periods as people write them, and the parameters that follow."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.given_period import GivenPeriod, read_period
from pipelines.errors import BadInput


@pytest.mark.parametrize(
    ("text", "start", "end", "key", "previous"),
    [
        ("2026-03", "2026-03-01", "2026-03-31", "2026-03", "2026-02-01..2026-02-28"),
        ("202601", "2026-01-01", "2026-01-31", "2026-01", "2025-12-01..2025-12-31"),
        ("2026Q1", "2026-01-01", "2026-03-31", "2026-Q1", "2025-10-01..2025-12-31"),
        ("2026-q4", "2026-10-01", "2026-12-31", "2026-Q4", "2026-07-01..2026-09-30"),
        ("2024H1", "2024-01-01", "2024-06-30", "2024-H1", "2023-07-01..2023-12-31"),
        ("2024", "2024-01-01", "2024-12-31", "2024", "2023-01-01..2023-12-31"),
        ("2026-01-01..2026-03-31", "2026-01-01", "2026-03-31", "2026-Q1", "2025-10-01..2025-12-31"),
        (
            "2026-02-01..2026-04-30",
            "2026-02-01",
            "2026-04-30",
            "2026-02-01..2026-04-30",
            "2025-11-01..2026-01-31",
        ),
        (
            "2026-01-10..2026-01-19",
            "2026-01-10",
            "2026-01-19",
            "2026-01-10..2026-01-19",
            "2025-12-31..2026-01-09",
        ),
    ],
)
def test_every_way_to_write_a_period(text: str, start: str, end: str, key: str, previous: str) -> None:
    period = read_period(text)
    before = period.previous
    assert (str(period.start), str(period.end), period.key) == (start, end, key)
    assert f"{before.start}..{before.end}" == previous


def test_a_quarter_gives_all_parameters() -> None:
    assert read_period("2026Q2").parameters() == {
        "date_from": "2026-04-01",
        "date_to": "2026-06-30",
        "year_from": "2026-01-01",
        "period_from": "202604",
        "period_to": "202606",
        "key": "2026-Q2",
        "previous_from": "2026-01-01",
        "previous_to": "2026-03-31",
    }


@pytest.mark.parametrize(
    "text",
    ["", "2026-13", "2026Q5", "26-03", "２０２６", "2026-03-31..2026-01-01", "2026-1-1..2026-03-31", "x"],
)
def test_anything_else_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(BadInput, match=r"2026-01-01\.\.2026-03-31"):
        read_period(text)


@given(st.integers(2001, 9998), st.integers(1, 12), st.sampled_from([1, 3, 6, 12]))
def test_the_previous_period_is_as_long_and_ends_the_day_before(year: int, month: int, length: int) -> None:
    last = dt.date(year + (month + length - 1) // 12, (month + length - 1) % 12 + 1, 1) - dt.timedelta(days=1)
    period = GivenPeriod(dt.date(year, month, 1), last)
    assert period.months == length == period.previous.months
    assert period.previous.end + dt.timedelta(days=1) == period.start
