"""What is asked of a judging, before it begins: rules and tables that exist, a standard as it was loaded, a period if one is needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pipelines.errors import BadInput
from validations.engine.constraints import constraints_of
from validations.engine.loader import folder_digest
from validations.engine.standard import Rule, Standard


def require_period(
    standard: Standard, rules: Sequence[Rule], tables: Collection[str], on: date | None
) -> None:
    """Raises BadInput where codes come and go, and nobody says which time is judged."""
    if on is not None:
        return
    used = {
        str(field.codes)
        for name in tables
        for field in standard.table(name).stored_fields
        for rule in rules
        if rule.constraint is not None
        and any(c.startswith("codes") for c in constraints_of(standard, standard.table(name), rule, field))
    }
    dated = [
        name
        for name in sorted(used)
        if not all(code.effective.is_always for code in standard.codes[name].codes)
    ]
    if dated:
        raise BadInput("validations.codes_need_period", lists=", ".join(dated))


def roots_of(standard: Standard, rules: Collection[str]) -> set[str]:
    """The rules of the standard whose findings may explain those of `rules`, and those that may explain theirs."""
    causes = {rule.id: {root.rule for root in rule.suppressed_by} for rule in standard.rules}
    roots: set[str] = set()
    following = set(rules)
    while following := {root for name in following for root in causes[name] & causes.keys()} - roots:
        roots |= following
    return roots - set(rules)


def require_known(
    standard: Standard, rules: Collection[str], nil_returns: Collection[str], demanded: Collection[str] = ()
) -> None:
    """Raises BadInput for names that the standard lacks, and where its files are no longer those that were loaded."""
    known = {rule.id for rule in standard.rules}
    problems = [
        BadInput("validations.no_rule", rule=name, known=", ".join(sorted(known)))
        for name in rules
        if name not in known
    ]
    problems += [
        BadInput("validations.table_unknown", given=given, table=name, known=", ".join(standard.tables))
        for given, names in (("nil return", nil_returns), ("demanded", demanded))
        for name in names
        if name not in standard.tables
    ]
    if problems:
        raise BadInput("validations.names_unknown", details=problems, standard=standard.name)
    if folder_digest(standard.path) != standard.digest:
        raise BadInput("validations.standard_changed", standard=standard.name, path=standard.path)
