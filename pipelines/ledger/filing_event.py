"""What every event of a filing is built on. The events stand in `filing_events` and `finding_events`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class FilingEvent(BaseModel):
    """Base of all payloads in a stream `filing/<id>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class Fact(BaseModel):
    """A part of an event's payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")
