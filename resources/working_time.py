"""Working time: how many seconds of people's sessions lie between two moments, and when so many of them have passed.

Which days are worked is `calendar.py`'s matter, when sessions begin and end the deployment's (`calendar.yaml`, `hours`).
Moments are local and without an offset here; parts of a second do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from resources.deployment.working_hours import Session

IsWorkday = Callable[[date], bool]

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def seconds_between(
    is_workday: IsWorkday, sessions: Sequence[Session], start: datetime, end: datetime
) -> int:
    """Seconds of sessions from `start` to `end`; negative when the end lies before the start.

    What began outside the sessions begins with the next one, what ended outside ended with the last one.
    """
    start, end = start.replace(microsecond=0), end.replace(microsecond=0)
    if end < start:
        return -seconds_between(is_workday, sessions, end, start)
    worked, day = timedelta(), start.date()
    while day <= end.date():
        if is_workday(day):
            for opens, closes in _sessions(sessions, day):
                worked += max(min(closes, end) - max(opens, start), timedelta())
        day += _DAY
    return worked // _SECOND


def add_seconds(
    is_workday: IsWorkday, sessions: Sequence[Session], start: datetime, seconds: int
) -> datetime:
    """The first moment by which so many seconds of sessions have passed; `start` itself for none.

    A limit that ends with a session ends there, not where the next one begins. Raises what `is_workday` raises of a year that
    nobody entered, as `seconds_between` does.
    """
    if seconds < 0:
        raise ValueError("working time is added, not taken away")
    start, left = start.replace(microsecond=0), timedelta(seconds=seconds)
    if not left:
        return start
    day = start.date()
    while True:  # ends at the latest where a year is unknown
        if is_workday(day):
            for opens, closes in _sessions(sessions, day):
                begins = max(opens, start)
                if begins < closes and left <= closes - begins:
                    return begins + left
                left -= max(closes - begins, timedelta())
        day += _DAY


def _sessions(sessions: Sequence[Session], day: date) -> Iterator[tuple[datetime, datetime]]:
    for session in sessions:
        yield datetime.combine(day, session.opens), datetime.combine(day, session.closes)
