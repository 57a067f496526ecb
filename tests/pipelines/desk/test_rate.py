"""Who asks too often waits until the window is over; nobody else does."""

from __future__ import annotations

import pytest

from pipelines.desk.rate import Rate, RateLimit


class Moment:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_fourth_of_three_waits_until_the_window_is_over_and_others_do_not():
    moment = Moment()
    limit = RateLimit(Rate(requests=3, seconds=60), moment)
    assert [limit.wait("10.0.0.1") for _ in range(4)] == [0, 0, 0, 20]
    assert limit.wait("10.0.0.2") == 0
    moment.now += 19.9
    assert limit.wait("10.0.0.1") == 1
    moment.now += 0.1
    assert limit.wait("10.0.0.1") == 0


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("", "", True),
    ],
)
def test_a_network_of_version_6_is_one_client(one: str, other: str, is_same: bool):
    limit = RateLimit(Rate(requests=1), Moment())
    assert limit.wait(one) == 0
    assert (limit.wait(other) > 0) == is_same
