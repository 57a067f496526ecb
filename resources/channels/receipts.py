"""The receipt (回执) as published in docs/interface.md: read strictly, kept as canonical text. No transport here."""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.errors import BadInput

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ReceiptError(BaseModel):
    """One thing the regulator objects to; `organisation` and `item` are empty when it is about the whole file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    organisation: str
    item: str
    rule: Annotated[str, Field(min_length=1)]
    message: Annotated[str, Field(min_length=1)]


class Receipt(BaseModel):
    """What the regulator answered to one file, named by its SHA-256."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    number: Annotated[str, Field(min_length=1)]
    result: Literal["accepted", "rejected"]
    file_name: Annotated[str, Field(min_length=1)]
    sha256: Sha256
    received_at: AwareDatetime
    issuer: Annotated[str, Field(min_length=1)]
    errors: tuple[ReceiptError, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.result == "rejected") != bool(self.errors):
            raise ValueError("a rejected receipt has errors, an accepted one has none")
        return self

    @property
    def text(self) -> str:
        """Canonical JSON: sorted keys, no spaces. The same receipt has the same text, whoever wrote it."""
        return json.dumps(
            self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )


def parse_receipt(text: str) -> Receipt:
    """Read a receipt. Raises BadInput naming the place where it departs from the published form."""
    try:
        return Receipt.model_validate_json(text)
    except ValidationError as error:
        raise BadInput("receipt.unreadable", reason=reason_of(error), excerpt=excerpt_of(text)) from None


def reason_of(error: ValidationError) -> str:
    """The first departure, by its place; values of the file are left out."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def excerpt_of(text: str) -> str:
    """The beginning of an answer on one line, short enough for a message."""
    line = " ".join(
        "".join(character if character.isprintable() else " " for character in text[:400]).split()
    )
    return line[:120] + ("…" if len(line) > 120 or len(text) > 400 else "")
