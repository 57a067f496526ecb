"""Whether what was found is what an example says: every finding one of the expected, every expected one found.

Keys are compared whole and as text; table, field and figures where the author says them. Figures are numbers: 60 is 60.00.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from validations.kit.examples import Expected


@dataclass(frozen=True)
class Found:
    """One finding of one rule, as far as examples speak of it."""

    table: str
    key: dict[str, str | None]
    field: str | None
    value: str | None
    expected: str | None
    difference: str | None
    reason: str | None = None
    """Why the row could not be judged; None where it was."""

    def __str__(self) -> str:
        said = _shown(self.table, self.key, self.field, self.value, self.expected, self.difference)
        return f"{said} ({self.reason})" if self.reason else said


@dataclass(frozen=True)
class Mismatch:
    """What was expected and not found, and what was found and not expected, in words of the author."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]


def mismatch(expected: Sequence[Expected], found: Sequence[Found]) -> Mismatch | None:
    """None when they are the same; the more an expectation says, the earlier it chooses its finding."""
    left = list(found)
    missing: list[str] = []
    for wanted in sorted(expected, key=_silence):
        match = next((item for item in left if _is(wanted, item)), None)
        if match is None:
            missing.append(
                _shown(
                    wanted.table, wanted.key, wanted.field, wanted.value, wanted.expected, wanted.difference
                )
            )
        else:
            left.remove(match)
    surplus = tuple(str(item) for item in left)
    return Mismatch(tuple(missing), surplus) if missing or surplus else None


def _silence(wanted: Expected) -> int:
    said = (wanted.table, wanted.field, wanted.value, wanted.expected, wanted.difference)
    return sum(part is None for part in said)


def _is(wanted: Expected, found: Found) -> bool:
    return (
        wanted.key == found.key
        and wanted.table in (None, found.table)
        and wanted.field in (None, found.field)
        and _same(wanted.value, found.value)
        and _same(wanted.expected, found.expected)
        and _same(wanted.difference, found.difference)
    )


def _same(wanted: str | None, found: str | None) -> bool:
    if wanted is None or wanted == found:
        return True
    try:
        return found is not None and Decimal(wanted) == Decimal(found)
    except InvalidOperation:
        return False


def _shown(
    table: str | None,
    key: dict[str, str | None],
    field: str | None,
    value: str | None,
    expected: str | None,
    difference: str | None,
) -> str:
    names = ", ".join(f"{name}: {text}" for name, text in key.items())
    figures = {"field": field, "value": value, "expected": expected, "difference": difference}
    said = "".join(f", {name}: {text}" for name, text in figures.items() if text is not None)
    return f"{table + ' ' if table else ''}{{{names}}}{said}"
