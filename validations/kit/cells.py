"""Values of examples as YAML has them, turned into the dictionary's types: nothing is guessed, nothing is rounded.

What a row or a change is, is known to `read_examples`; here one cell is one value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from validations.engine.standard import Field
from validations.engine.types import PRECISION
from validations.kit.examples import Cell

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FLOAT_DIGITS = 15
"""Digits that a float surely keeps as they were written."""


class WrongCell(ValueError):
    """A value that is none of its field's type; the text says what was expected."""


def cell(field: Field, said: object) -> Cell:
    """The value of a field. Raises WrongCell."""
    if said is None:
        return None
    if isinstance(said, Mapping):
        said = _repeated(cast("Mapping[str, Any]", said))
    if isinstance(said, float):
        said = _exact(said)
    match field.type:
        case "text":
            if not isinstance(said, str):
                raise WrongCell(f'"{said}"')  # 000000 is a number to YAML, and no longer six zeros
            return said
        case "integer":
            if not re.fullmatch("-?[0-9]{1,18}", str(said)):
                raise WrongCell("-?[0-9]+")
            return int(str(said))
        case "decimal":
            return _decimal(field, str(said))
        case "date":
            try:
                return date.fromisoformat(str(said))
            except ValueError as error:
                raise WrongCell("YYYY-MM-DD") from error


def as_text(value: Cell) -> str | None:
    """A typed value as findings write it."""
    return None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def said_as_text(field: Field | None, said: object) -> str | None:
    """What an author wrote of a finding, as findings write it. Raises WrongCell."""
    if said is None or field is None:
        return None if said is None else str(said)
    return as_text(cell(field, said))


def _repeated(said: Mapping[str, Any]) -> str:
    return str(said["repeat"]) * int(said["times"])


def _exact(said: float) -> str:
    text = repr(said)
    if "e" in text or "n" in text or len(text.replace("-", "").replace(".", "")) > _FLOAT_DIGITS:
        raise WrongCell(f'"{text}"')  # in quotes every digit counts
    return text


def _decimal(field: Field, text: str) -> Decimal:
    precision, scale = field.precision or PRECISION, field.scale or 0
    if not _NUMBER.fullmatch(text):
        raise WrongCell(f"decimal({precision},{scale})")
    value = Decimal(text)
    exact = (
        value.quantize(Decimal(1).scaleb(-scale)) if abs(value) < Decimal(10) ** (precision - scale) else None
    )
    if exact is None or exact != value:
        raise WrongCell(f"decimal({precision},{scale})")
    return exact
