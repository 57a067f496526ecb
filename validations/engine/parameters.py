"""The values of the parameters that rules and derived tables name: the filing's, the standard's own, and what is known of the
period. Reading the texts that name them is `sql_text`'s matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from pipelines.errors import BadInput
from validations.engine.field_constraints import Period
from validations.engine.sql_text import PARAMETERS
from validations.engine.standard import Parameter, Standard

_READ: Mapping[str, Callable[[str], object]] = {
    "integer": int,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "text": str,
}


def complete(standard: Standard, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters given and the standard's defaults for the rest.

    Raises BadInput for one that is unknown, or whose value is not of its type.
    """
    known = {**dict.fromkeys(PARAMETERS), **standard.parameters}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise BadInput(
            "validations.parameter_unknown",
            standard=standard.name,
            parameters=", ".join(unknown),
            known=", ".join(known),
        )
    for name, value in given.items():
        parameter = standard.parameters.get(name)
        if parameter is not None and not fits(parameter, value):
            raise BadInput("validations.parameter_value", parameter=name, value=value, type=parameter.type)
    return {**{name: p.default for name, p in standard.parameters.items()}, **given}


def bound(standard: Standard, values: Mapping[str, str]) -> dict[str, object]:
    """The values as SQL gets them: a standard's own in their declared types, so that nothing rounds them; others as text."""
    types = {name: parameter.type for name, parameter in standard.parameters.items()}
    return {name: _READ[types.get(name, "text")](value) for name, value in values.items()}


def wanted(values: Mapping[str, str], names: Iterable[str], rules: Iterable[str]) -> dict[str, str]:
    """The values of just these parameters. Raises BadInput for those that lack."""
    wanted = sorted(set(names))
    lacking = [name for name in wanted if name not in values]
    if lacking:
        ids = ", ".join(dict.fromkeys(rules))
        raise BadInput("validations.parameter_missing", rule=ids, parameters=", ".join(lacking))
    return {name: values[name] for name in wanted}


def period(parameters: Mapping[str, str]) -> Period | None:
    """First and last day of what is judged, where both are given. Raises BadInput for what is no date."""
    days: list[date] = []
    for name in ("date_from", "date_to"):
        if name in parameters:
            try:
                days.append(date.fromisoformat(parameters[name]))
            except ValueError:
                value = parameters[name]
                raise BadInput(
                    "validations.parameter_value", parameter=name, value=value, type="date"
                ) from None
    return (days[0], days[1]) if len(days) == 2 else None


def require_in_force(standard: Standard, last: date) -> None:
    """Raise BadInput where a period ends before this version of the standard took effect: other rules were in force then."""
    if last.isoformat() < standard.effective:
        raise BadInput(
            "validations.not_in_force",
            standard=standard.name,
            version=standard.version,
            effective=standard.effective,
            last=last,
        )


def fits(parameter: Parameter, value: str) -> bool:
    """Whether a text is a value of the parameter's type, written plainly."""
    try:
        match parameter.type:
            case "integer":
                return value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()
            case "decimal":
                return value.isascii() and "_" not in value and Decimal(value).is_finite()
            case "date":
                return date.fromisoformat(value).isoformat() == value
            case "text":
                return True
    except (ValueError, InvalidOperation):
        return False
