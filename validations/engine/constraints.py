"""Which constraints a field declares, and which rule judges each. How they are judged is `contract`'s."""

from __future__ import annotations

from validations.engine.standard import Field, Rule, Standard, Table


def declared_constraints(field: Field) -> tuple[str, ...]:
    """Names of all constraints on a field; text is always to be encodable, dates are always in range."""
    names = [name for name in ("mandatory", "length", "pattern") if getattr(field, name)]
    names += [f"codes:{field.codes}"] if field.codes else []
    names += [f"check:{check.name}" for check in field.checks]
    return (*names, *{"text": ("encoding",), "date": ("date_range",)}.get(field.type, ()))


def constraints_of(standard: Standard, table: Table, rule: Rule, field: Field) -> tuple[str, ...]:
    """The constraints on a field that a rule judges: `codes` means the lists that no rule names by itself."""
    if (
        rule.constraint is None
        or rule.table not in (None, table.name)
        or rule.field not in (None, field.name)
    ):
        return ()
    if rule.constraint != "codes":
        return tuple(name for name in declared_constraints(field) if name == rule.constraint)
    named = {other.constraint for other in standard.rules if other.constraint}
    return tuple(
        name for name in declared_constraints(field) if name.startswith("codes:") and name not in named
    )


def constraint_fields(standard: Standard, table: Table, rule: Rule) -> tuple[str, ...]:
    """The fields of `table` that a constraint rule judges."""
    return tuple(f.name for f in table.stored_fields if constraints_of(standard, table, rule, f))
