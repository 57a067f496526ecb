"""What the pages read, kept as long as the ledger stands where it stood: folded states, and the register as a file.

Nothing here is a truth of its own: an event that anybody appends makes the next page read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar, cast

import polars as pl

from pipelines.ledger.change import ChangeState
from pipelines.ledger.filing import FilingState
from pipelines.ledger.request import RequestState
from pipelines.stages.change_request import find_change
from pipelines.stages.installation import Installation
from pipelines.stages.register_file import register_file

State = TypeVar("State")
T = TypeVar("T")
MOST_COUNTED = 256


class Reading:
    """Reads through one installation; safe to be used by several threads."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._kept: dict[str, tuple[int, FilingState | RequestState | ChangeState]] = {}
        self._counted: dict[Hashable, object] = {}
        self._lock = Lock()
        self._writing: dict[str, Lock] = {}

    def filings(self) -> list[FilingState]:
        """All filings, the one that is due first at the head."""
        prefix, installation = "filing/", self._installation
        found = [self._fresh(name, seq, installation.state, prefix) for name, seq in self._standing(prefix)]
        return sorted(found, key=lambda state: (state.deadline, state.id))

    def filing(self, filing: str) -> FilingState:
        """One filing. Raises as `Installation.state`."""
        for name, seq in self._standing(f"filing/{filing}"):
            if name == f"filing/{filing}":
                return self._fresh(name, seq, self._installation.state, "filing/")
        return self._installation.state(filing)

    def requests(self) -> list[RequestState]:
        """All requests, the one registered last at the head."""
        prefix, installation = "request/", self._installation
        found = [self._fresh(name, seq, installation.request, prefix) for name, seq in self._standing(prefix)]
        return sorted(found, key=lambda request: request.demands[0].at, reverse=True)

    def changes(self) -> list[ChangeState]:
        """All change requests, the one raised last at the head."""
        prefix, installation = "change/", self._installation
        found = [
            self._fresh(name, seq, lambda number: find_change(installation, number), prefix)
            for name, seq in self._standing(prefix)
        ]
        known = [change for change in found if change is not None]
        return sorted(known, key=lambda change: (change.raised_at, change.number), reverse=True)

    def register(self, state: FilingState) -> pl.LazyFrame:
        """The register of a filing, to be filtered before it is collected; no columns before anything was judged."""
        if state.content is None:
            return pl.LazyFrame()
        with self._lock:
            writing = self._writing.setdefault(state.id, Lock())
        with writing:
            return pl.scan_parquet(register_file(self._installation, state))

    def remembered(self, state: FilingState, key: Hashable, count: Callable[[], T]) -> T:
        """What was counted over the register as it stands, counted once; another event forgets it."""
        whole = (state.id, state.seq, key)
        with self._lock:
            if whole in self._counted:
                return cast("T", self._counted[whole])
        found = count()
        with self._lock:
            while len(self._counted) >= MOST_COUNTED:
                del self._counted[next(iter(self._counted))]
            self._counted[whole] = found
        return found

    def _standing(self, prefix: str) -> list[tuple[str, int]]:
        return list(self._installation.ledger.standing(prefix).items())

    def _fresh(self, stream: str, seq: int, read: Callable[[str], State], prefix: str) -> State:
        with self._lock:
            kept = self._kept.get(stream)
        if kept is None or kept[0] != seq:
            state = read(stream.removeprefix(prefix))
            if state is None:
                return state
            with self._lock:
                self._kept[stream] = (state.seq, state)  # type: ignore[attr-defined, assignment]
            return state
        return kept[1]  # type: ignore[return-value]
