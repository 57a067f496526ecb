"""The parts of a figure with their values, and what they come to by the standard's explanation. `explaining` asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from validations.engine.accounts import Account, added, product, ratio_of, sum_of
from validations.engine.figures import DENOMINATOR, NUMERATOR, Explanation
from validations.engine.standard import Table


@dataclass(frozen=True)
class CellValue:
    """The value of one cell and the rows of its table (from 0) that have the key; several are added up."""

    value: Decimal | None
    rows: tuple[int, ...]


@dataclass(frozen=True)
class PartRow:
    """One part of a figure as the standard's SQL gives it; `rows` are those of its own table."""

    table: str
    cell: str
    field: str
    weight: Decimal
    side: str | None
    value: Decimal | None
    rows: tuple[int, ...]

    @property
    def amount(self) -> Decimal:
        """What it contributes."""
        return product(self.weight, self.value)


def account(table: Table, explanation: Explanation, parts: Sequence[PartRow]) -> Account | None:
    """What the parts of a figure come to; None for a ratio without anything to divide by."""
    into = [part for part in parts if part.table in explanation.into]
    scale = table.field(explanation.field).scale or 0
    if explanation.ratio is None:
        return sum_of((part.amount for part in into), scale=scale)
    sides = {
        side: added(part.amount for part in into if part.side == side) for side in (NUMERATOR, DENOMINATOR)
    }
    return ratio_of(sides[NUMERATOR], sides[DENOMINATOR], times=explanation.ratio, scale=scale)
