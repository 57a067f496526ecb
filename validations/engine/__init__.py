"""Judging by a standard: dictionary → pandera contract; rules → SQL; findings; digests; calculators.

Code knows how, the folders of `validations/standards` know what. Nothing here knows filings, ledgers or channels.
Names load when first used: pandera takes seconds that a command which judges nothing should not pay.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from validations.engine.reports import MONTHS, DueRule, PackageProfile, Report
from validations.engine.shapes import (
    Constant,
    DueTable,
    ForeignKey,
    Formula,
    NoOverlap,
    Reference,
    SameValues,
    Sequence,
    SumEquals,
    Term,
    Unique,
)
from validations.engine.standard import (
    Code,
    CodeList,
    Field,
    FieldCheck,
    Macro,
    Parameter,
    Phase,
    RootCause,
    Rule,
    Standard,
    Table,
)
from validations.engine.terms import Effective, Title

if TYPE_CHECKING:
    from validations.engine.contract import schema
    from validations.engine.deriving import derive, stored_inputs
    from validations.engine.digest import table_digest, table_digests
    from validations.engine.findings import FINDINGS_SCHEMA
    from validations.engine.judgement import Judgement, NotJudged
    from validations.engine.judging import judge
    from validations.engine.loader import list_standards, load_standard
    from validations.engine.showing import show_sql
    from validations.engine.types import arrow_schema
    from validations.engine.waivers import Waiver

STANDARDS = Path(__file__).parents[1] / "standards"
"""The product's own standards; a deployment's folders are searched before it."""

_ROOMS = {
    "FINDINGS_SCHEMA": "findings",
    "Judgement": "judgement",
    "NotJudged": "judgement",
    "Waiver": "waivers",
    "arrow_schema": "types",
    "derive": "deriving",
    "judge": "judging",
    "list_standards": "loader",
    "load_standard": "loader",
    "schema": "contract",
    "show_sql": "showing",
    "stored_inputs": "deriving",
    "table_digest": "digest",
    "table_digests": "digest",
}

__all__ = [
    "FINDINGS_SCHEMA",
    "MONTHS",
    "STANDARDS",
    "Code",
    "CodeList",
    "Constant",
    "DueRule",
    "DueTable",
    "Effective",
    "Field",
    "FieldCheck",
    "ForeignKey",
    "Formula",
    "Judgement",
    "Macro",
    "NoOverlap",
    "NotJudged",
    "PackageProfile",
    "Parameter",
    "Phase",
    "Reference",
    "Report",
    "RootCause",
    "Rule",
    "SameValues",
    "Sequence",
    "Standard",
    "SumEquals",
    "Table",
    "Term",
    "Title",
    "Unique",
    "Waiver",
    "arrow_schema",
    "derive",
    "judge",
    "list_standards",
    "load_standard",
    "schema",
    "show_sql",
    "stored_inputs",
    "table_digest",
    "table_digests",
]


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value
