"""What the assessment reads: filings folded from the ledger as of a moment, and the files that their events name.

A file is read only after its digest was found to be the recorded one. What is counted is said elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.errors import Tampered
from pipelines.ledger import Ledger
from pipelines.ledger.filing import FilingState, Recorded, fold
from pipelines.ledger.filing_events import ContentValidated, RoundsCompared
from resources.deployment import Deployment
from validations.engine import Standard

MOMENT = pl.Datetime("us", "UTC")


class Books(Protocol):
    """Where everything is: an opened installation has all of it."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def deployment(self) -> Deployment: ...
    @property
    def home(self) -> Path: ...
    def standard(self, name: str) -> Standard: ...


@dataclass(frozen=True)
class FilingRecord:
    """A filing that was extracted, as its events up to `as_of` tell it; `head` is the hash of the last of them.

    `month` (YYYY-MM) is that of the first extraction, in the deployment's zone: to it belongs everything that the filing is
    measured by, also what people do about it later. What is known after a month's card was closed is not written into it.
    """

    state: FilingState
    head: str
    month: str
    as_of: datetime
    zone: ZoneInfo

    @property
    def first(self) -> Recorded[ContentValidated] | None:
        """The first judging of what was extracted first; None before it."""
        return self.state.contents[0] if self.state.contents else None

    @property
    def extracted_on(self) -> date:
        """The day of the first extraction, by which organisations are mapped to the branches that answer for them."""
        return self.state.rounds[0].at.astimezone(self.zone).date()

    @property
    def today(self) -> date:
        return self.as_of.astimezone(self.zone).date()


def read_filings(books: Books, as_of: datetime) -> list[FilingRecord]:
    """All filings extracted by then, in the order of their names."""
    zone = ZoneInfo(books.deployment.timezone)
    found: list[FilingRecord] = []
    for stream in books.ledger.streams("filing/"):
        events = [event for event in books.ledger.events(stream) if event.at <= as_of]
        state = fold(events)
        if state is not None and state.rounds:
            month = f"{state.rounds[0].at.astimezone(zone):%Y-%m}"
            found.append(FilingRecord(state, events[-1].hash, month, as_of, zone))
    return found


def findings_of(books: Books, filing: str, content: ContentValidated) -> pl.DataFrame:
    """What was found in a content."""
    path = books.home / "contents" / filing / content.content / "findings.parquet"
    return pl.read_parquet(_unchanged(path, content.findings))


def facts_of(books: Books, filing: str, digest: str) -> pl.DataFrame:
    """The rows of a bulk fact."""
    return pl.read_parquet(_unchanged(books.home / "facts" / filing / f"{digest}.parquet", digest))


def changes_of(books: Books, filing: str, compared: RoundsCompared) -> pl.LazyFrame:
    """All row changes between two rounds, with what explains each."""
    path = books.home / "comparisons" / filing / str(compared.later) / "changes.parquet"
    return pl.scan_parquet(_unchanged(path, compared.changes))


def moment(at: datetime) -> pl.Expr:
    """A moment as a value of a column."""
    return pl.lit(at.astimezone(UTC), dtype=MOMENT)


def stacked(frames: list[pl.DataFrame], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Frames of exactly these columns one under the other; none give an empty one."""
    return pl.concat([pl.DataFrame(schema=schema), *(frame.select(*schema) for frame in frames)])


def _unchanged(path: Path, digest: str) -> Path:
    if path.is_file():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == digest:
                return path
    raise Tampered("assessment.file_changed", path=path)
