"""Pages that follow a filing while they are open: a stream of events (server-sent events) that tells when its ledger has moved.

One reading of the ledger serves all streams; a stream holds no thread and no connection to a database. Which stage bar the event
carries is the route's matter.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic

from starlette.concurrency import run_in_threadpool

from pipelines.errors import BaosongError

HEARTBEAT = ": \n\n"


@dataclass(frozen=True)
class Pace:
    """How often the ledger is looked at and, while it stands still, whether the person is still let in; how often a silent stream
    says that it lives, how long one lasts before the browser asks for another; how many there may be of one session, of one
    person and in all."""

    look_seconds: float = 2
    let_in_seconds: float = 10
    heartbeat_seconds: float = 15
    longest_seconds: float = 600
    most_of_session: int = 3
    most_of_person: int = 9
    most: int = 200


@dataclass(frozen=True)
class Page:
    """An open page: the ledger's stream that it shows, as it stood at `seen`. `session` and `person` are who follows it;
    `is_let_in` says whether they still may, `told` makes the event's data, or None where they may no more; both run in a thread
    of the pool."""

    session: str
    person: str
    stream: str
    seen: int
    is_let_in: Callable[[], bool]
    told: Callable[[], str | None]


class Streams:
    """All open streams of this process; `standing` tells how long each stream of the ledger is."""

    def __init__(self, standing: Callable[[], Mapping[str, int]], pace: Pace) -> None:
        self.pace = pace
        self._read, self._standing = standing, dict[str, int]()
        self._read_at, self._lock = float("-inf"), asyncio.Lock()
        self._of_session, self._of_person = Counter[str](), Counter[str]()
        self._is_over = asyncio.Event()

    def stop(self) -> None:
        """The server ends: every stream does, at once."""
        self._is_over.set()

    def has_place(self, session: str, person: str) -> bool:
        """Whether one more may be opened by this session of a person."""
        return (
            self._of_session.total() < self.pace.most
            and self._of_session[session] < self.pace.most_of_session
            and self._of_person[person] < self.pace.most_of_person
            and not self._is_over.is_set()
        )

    async def follow(self, page: Page) -> AsyncGenerator[str]:
        """The events for one page; ends when the person may look no more, after the longest time, and with the server.

        A ledger that does not answer ends it too: the browser asks again.
        """
        if not self.has_place(page.session, page.person):
            return
        with self._place(page), suppress(BaosongError):
            async for event in self._events(page):
                yield event

    async def _events(self, page: Page) -> AsyncGenerator[str]:
        seen = page.seen
        yield "retry: 5000\n\n"
        begun = spoke = monotonic()
        asked = float("-inf")
        while monotonic() - begun < self.pace.longest_seconds and not self._is_over.is_set():
            now = await self._now(page.stream)
            if now > seen or monotonic() - asked >= self.pace.let_in_seconds:
                if not await run_in_threadpool(page.is_let_in):
                    return
                asked = monotonic()
            if now > seen:
                seen, told = now, await run_in_threadpool(page.told)
                if told is None:
                    return
                yield f"id: {seen}\nevent: stage\n{_data(told)}\n\n"
                spoke = monotonic()
            elif monotonic() - spoke >= self.pace.heartbeat_seconds:
                yield HEARTBEAT
                spoke = monotonic()
            await self._rest()

    @contextmanager
    def _place(self, page: Page) -> Generator[None]:
        """Count a stream as long as it is open."""
        counted = ((self._of_session, page.session), (self._of_person, page.person))
        for counter, whose in counted:
            counter[whose] += 1
        try:
            yield
        finally:
            for counter, whose in counted:
                counter[whose] -= 1
                if not counter[whose]:
                    del counter[whose]

    async def _now(self, stream: str) -> int:
        async with self._lock:
            if monotonic() - self._read_at >= self.pace.look_seconds / 2:
                self._standing = dict(await run_in_threadpool(self._read))
                self._read_at = monotonic()
        return self._standing.get(stream, 0)

    async def _rest(self) -> None:
        """Until the next look, or until the server ends."""
        try:
            await asyncio.wait_for(self._is_over.wait(), self.pace.look_seconds)
        except TimeoutError:
            return


def _data(text: str) -> str:
    """The lines of an event's data, as the protocol has them."""
    return "\n".join(f"data: {line}" for line in text.splitlines())
