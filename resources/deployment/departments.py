"""Which department of the head office answers for which rules, and which branch answers for a merged one.

Only shapes and questions; people's departments stand with the people in `models`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from pydantic import Field

from resources.deployment.types import Model


class Title(Model):
    zh: str
    en: str


class Department(Model):
    """A department (部门). `owns` lists per standard the rules, tables or groups of rules that it answers for.

    The default department answers for what nobody owns.
    """

    title: Title
    owns: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    is_default: bool = False


class Merger(Model):
    """A row of mergers.csv: from `effective` on, `into` answers for what `code` reported."""

    code: Annotated[str, Field(min_length=1)]
    into: Annotated[str, Field(min_length=1)]
    effective: date


def department_of(
    departments: Mapping[str, Department], standard: str, *, rule: str, table: str, group: str
) -> str:
    """The code of the department that answers for a rule's findings in a table: the rule decides before the table, the
    table before the group of rules, the default department takes the rest."""
    for name in (rule, table, group):
        for code, department in departments.items():
            if name in department.owns.get(standard, ()):
                return code
    return next(code for code, department in departments.items() if department.is_default)


def merged_into(mergers: Iterable[Merger], code: str, on: date) -> str:
    """The organisation that answers for `code` on a day, after all mergers in force then."""
    in_force = {merger.code: merger.into for merger in mergers if merger.effective <= on}
    while code in in_force:
        code = in_force[code]
    return code
