"""Which constraints a field declares, by the names under which rules judge them. How they are judged is `contract`'s."""

from __future__ import annotations

from validations.engine.standard import Field, Rule, Table


def declared_constraints(field: Field) -> set[str]:
    """Names of all constraints on a field; text is always to be encodable, dates are always in range."""
    names = {name for name in ("mandatory", "length", "codes", "pattern") if getattr(field, name)}
    names |= {f"check:{field.check}"} if field.check else set()
    return names | {"text": {"encoding"}, "date": {"date_range"}}.get(field.type, set())


def constraint_fields(table: Table, rule: Rule) -> tuple[str, ...]:
    """The fields of `table` that a constraint rule judges."""
    if rule.table not in (None, table.name):
        return ()
    return tuple(
        field.name
        for field in table.stored_fields
        if rule.field in (None, field.name) and rule.constraint in declared_constraints(field)
    )
