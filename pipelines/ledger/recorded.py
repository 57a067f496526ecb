"""An event's payload as the folded states keep it: with who, when, and its place in the stream. What payloads mean is told elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

F_co = TypeVar("F_co", bound=BaseModel, covariant=True)


class FilingEvent(BaseModel):
    """Base of all payloads in a stream `filing/<id>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class Fact(BaseModel):
    """A part of an event's payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Document(Fact):
    """A document that was handed in: its own name, and the file that is kept under its SHA-256."""

    name: str
    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Recorded(Generic[F_co]):
    """An event's payload with who, when, and its place in the stream."""

    seq: int
    actor: str
    at: datetime
    hash: str
    fact: F_co
