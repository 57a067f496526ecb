"""What time it is: the system's clock, or a clock in a file that a rehearsal advances.

Time is handed in everywhere as a `Clock`; nothing else in the product reads the machine's time. Working
days and deadlines live in `calendar.py`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from pipelines.errors import BadInput, Refused
from resources.deployment.models import Deployment

SHANGHAI = "Asia/Shanghai"


class Clock(Protocol):
    """Anything that tells the time, always aware, in the deployment's time zone."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def __init__(self, timezone: str = SHANGHAI) -> None:
        self._zone = ZoneInfo(timezone)

    def now(self) -> datetime:
        return datetime.now(self._zone)


class FileClock:
    """A clock that starts where a file says and flows at the machine's pace from there; it never goes back.

    The file holds `{"simulated": ISO time, "real": ISO time when that was set}`, so all processes agree.
    """

    def __init__(self, path: Path, timezone: str = SHANGHAI) -> None:
        self.path = path
        self._zone = ZoneInfo(timezone)

    def start(self, at: datetime) -> datetime:
        """Set the clock to `at` (naive: in the clock's zone), creating or restarting it."""
        simulated = at.astimezone(self._zone) if at.tzinfo else at.replace(tzinfo=self._zone)
        self._write(simulated)
        return simulated

    def now(self) -> datetime:
        """The simulated time. Raises BadInput `clock.not_started` or `clock.unreadable`."""
        simulated, real = self._read()
        passed = max(datetime.now(UTC) - real, timedelta())  # the machine's clock may be set back
        return (simulated + passed).astimezone(self._zone)

    def advance(self, *, to: datetime | None = None, by: timedelta | None = None) -> datetime:
        """Move forward to a time or by a span; returns the new time. Raises Refused `clock.backwards`."""
        if (to is None) == (by is None):
            raise ValueError("advance takes either to= or by=")
        now = self.now()
        target = now + by if by is not None else to
        assert target is not None
        target = target.astimezone(self._zone) if target.tzinfo else target.replace(tzinfo=self._zone)
        if target < now:
            raise Refused(
                "clock.backwards", now=now.isoformat(" ", "seconds"), to=target.isoformat(" ", "seconds")
            )
        self._write(target)
        return target

    def _read(self) -> tuple[datetime, datetime]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            simulated, real = datetime.fromisoformat(data["simulated"]), datetime.fromisoformat(data["real"])
        except FileNotFoundError:
            raise BadInput("clock.not_started", path=self.path) from None
        except (ValueError, KeyError, TypeError):
            raise BadInput("clock.unreadable", path=self.path) from None
        if simulated.tzinfo is None or real.tzinfo is None:
            raise BadInput("clock.unreadable", path=self.path)
        return simulated, real

    def _write(self, simulated: datetime) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"simulated": simulated.isoformat(), "real": datetime.now(UTC).isoformat()})
        draft = self.path.with_name(f"{self.path.name}.tmp-{os.getpid()}")
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(self.path)


def open_clock(deployment: Deployment) -> SystemClock | FileClock:
    """The clock the deployment asks for; a file clock is `clock` in the home."""
    if deployment.clock == "file":
        return FileClock(deployment.home / "clock", deployment.timezone)
    return SystemClock(deployment.timezone)


def open_file_clock(deployment: Deployment) -> FileClock:
    """The clock for those who want to set or advance it. Raises Refused `clock.system` where time is real."""
    clock = open_clock(deployment)
    if isinstance(clock, FileClock):
        return clock
    raise Refused("clock.system", deployment=deployment.name)
