"""What most kinds of defect share: the window they lie in, and the shape "draw a row, change one row, blame one field"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from resources.reference_core.answer_key import Defect, Scalar, Statement, key_text
from resources.reference_core.defect_plan import DefectRequest
from resources.reference_core.injection import Injector, Kind, Row

Answer = tuple[Defect, ...] | None
Values = dict[str, Scalar]


def window(request: DefectRequest) -> tuple[str, str]:
    return request.signed_from.isoformat(), request.signed_to.isoformat()


def periods(request: DefectRequest) -> tuple[str, str]:
    return f"{request.signed_from:%Y%m}", f"{request.signed_to:%Y%m}"


def shifted(day: Scalar, days: int) -> str:
    return (date.fromisoformat(str(day)) + timedelta(days=days)).isoformat()


def number(value: Scalar) -> int:
    return int(str(value))


def answer(
    table: str, key: Mapping[str, Scalar], field: str, rule: str, organisation: str, *repairs: Statement
) -> tuple[Defect, ...]:
    """One finding; the key's numbers are text in it, as findings write them."""
    written = {name: value if value is None else str(value) for name, value in key.items()}
    return (Defect(table, key_text(written), field, rule, organisation, repairs),)


def row_kind(
    candidates: str,
    dates: int,
    table: str,
    where: Callable[[Row], Values],
    change: Callable[[Injector, Row], Values],
    blamed: tuple[str, Callable[[Row], Values], str],
    *,
    touches: int = 1,
) -> Kind:
    """A defect in one row of the core's `table`.

    `candidates` takes the branch and `dates` times the window's first and last day; `blamed` is the standard's table, the
    key of the finding and its field.
    """
    in_table, key, field = blamed

    def inject_one(injector: Injector, request: DefectRequest, organisation: str) -> Answer:
        row = injector.draw(candidates, (organisation, *window(request) * dates), touches=touches)
        if row is None:
            return None
        undo = injector.update(table, change(injector, row), where(row))
        return answer(in_table, key(row), field, request.kind, organisation, undo)

    return inject_one
