"""What can happen to a request (报送需求): one frozen model per event type of a stream `request/<key>`.

A demand is written whole each time, so that nobody has to add up amendments to know what was asked for. Whether an event may
happen is decided by the stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from pipelines.ledger.recorded import Document

RequestOpinion = Literal["accept", "return", "refuse"]


class RequestEvent(BaseModel):
    """Base of all payloads in a stream `request/<key>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class RequestDemand(RequestEvent):
    """What the regulator's document demands, and which filing it is to open. Dates inclusive.

    `number` is the document's own, empty in early events, whose stream is named by it. `tables` empty: all of the report.
    `nil_returns` gives per table why it is rightly empty.
    """

    number: str = ""
    standard: str
    report: str
    filing: str
    authority: str
    dated: date | None = None
    date_from: date
    date_to: date
    organisations: tuple[str, ...]
    tables: tuple[str, ...] = ()
    deadline: date
    documents: tuple[Document, ...]
    nil_returns: Mapping[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _one_document_of_early_events(cls, data: Any) -> Any:
        if isinstance(data, dict) and "document_sha256" in data:
            rest = {k: v for k, v in data.items() if k not in ("document", "document_sha256")}
            kept, digest = data["document"], data["document_sha256"]
            return {**rest, "documents": [{"name": kept, "file": kept, "sha256": digest, "bytes": 0}]}
        return data


class RequestRaised(RequestDemand):
    """A branch or a department registered the regulator's document."""

    kind = "request_raised"


class RequestAmended(RequestDemand):
    """The document was changed, or what was registered is corrected; `changed` names the fields that differ."""

    kind = "request_amended"
    changed: tuple[str, ...]
    reason: str


class RequestReviewed(RequestEvent):
    """The audit department's review of the demand before it in the stream: accepted, returned for mending, or refused."""

    kind = "request_reviewed"
    opinion: RequestOpinion
    comment: str


class RequestWithdrawn(RequestEvent):
    """The regulator's demand fell away, or it was registered in error."""

    kind = "request_withdrawn"
    reason: str


REQUEST_EVENTS: dict[str, type[RequestEvent]] = {
    model.kind: model for model in (RequestRaised, RequestAmended, RequestReviewed, RequestWithdrawn)
}
