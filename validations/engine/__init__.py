"""Judging by a standard: dictionary → pandera contract; rules → SQL; findings; digests; calculators.

Code knows how, the folders of `validations/standards` know what. Nothing here knows filings, ledgers or channels.
Names load when first used: pandera takes seconds that a command which judges nothing should not pay.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from validations.engine.standard import (
    MONTHS,
    Code,
    CodeList,
    DueRule,
    Field,
    ForeignKey,
    Formula,
    PackageProfile,
    Reference,
    Report,
    Rule,
    Standard,
    SumEquals,
    Table,
    Term,
    Title,
    Unique,
)

if TYPE_CHECKING:
    from validations.engine.contract import schema
    from validations.engine.deriving import derive
    from validations.engine.digest import table_digest
    from validations.engine.findings import FINDINGS_SCHEMA
    from validations.engine.judging import Judgement, judge
    from validations.engine.loader import list_standards, load_standard
    from validations.engine.types import arrow_schema

STANDARDS = Path(__file__).parents[1] / "standards"
"""The product's own standards; a deployment's folders are searched before it."""

_ROOMS = {
    "schema": "contract",
    "derive": "deriving",
    "table_digest": "digest",
    "FINDINGS_SCHEMA": "findings",
    "Judgement": "judging",
    "judge": "judging",
    "list_standards": "loader",
    "load_standard": "loader",
    "arrow_schema": "types",
}

__all__ = [
    "FINDINGS_SCHEMA",
    "MONTHS",
    "STANDARDS",
    "Code",
    "CodeList",
    "DueRule",
    "Field",
    "ForeignKey",
    "Formula",
    "Judgement",
    "PackageProfile",
    "Reference",
    "Report",
    "Rule",
    "Standard",
    "SumEquals",
    "Table",
    "Term",
    "Title",
    "Unique",
    "arrow_schema",
    "derive",
    "judge",
    "list_standards",
    "load_standard",
    "schema",
    "table_digest",
]


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value
