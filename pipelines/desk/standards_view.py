"""What the pages of standards (规范) show: the standards of this deployment, who has to do with whom in one, its deadlines in words.

What a standard says is `validations.engine`'s matter, its relations that of `validations.kit`, which writes the same as static
pages (`baosong standard docs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.desk.rendering import label
from pipelines.desk.visit import Visit
from pipelines.errors import Refused
from validations.engine import Code, CodeList, Rule, Standard, Table
from validations.engine.reports import DueRule
from validations.kit.catalogue import Catalogue, catalogue
from validations.kit.pages import rule_facts

_MOST_KEPT = 8
_kept: dict[str, Catalogue] = {}
_lock = Lock()


def standards_of(visit: Visit) -> list[Standard]:
    """The standards by which this deployment files."""
    return [visit.installation.standard(name) for name in visit.installation.deployment.filings]


def standard_named(visit: Visit, name: str) -> Standard:
    """One of them. Raises Refused for any other name."""
    if name not in visit.installation.deployment.filings:
        raise Refused("desk.out_of_scope")
    return visit.installation.standard(name)


def relations_of(standard: Standard) -> Catalogue:
    """Rules of fields and tables, and what suppresses what; kept as long as the standard's digest is the same."""
    with _lock:
        known = _kept.get(standard.digest)
    if known is None:
        known = catalogue(standard)
        with _lock:
            if len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[standard.digest] = known
    return known


def due_said(due: DueRule) -> str:
    """When a report is due, in words."""
    if due.by == "request":
        return label("standards.due.request")
    if due.working_days is not None:
        return label("standards.due.working_days", days=due.working_days)
    return label(f"standards.due.{due.postponement}", days=due.days)


def table_of(standard: Standard, name: str) -> Table:
    """Raises Refused where the standard has no such table."""
    if name not in standard.tables:
        raise Refused("desk.out_of_scope")
    return standard.tables[name]


def codes_like(codes: CodeList, words: str) -> list[Code]:
    """The codes that begin with the words, or whose name in either language has them; all for none."""
    wanted = words.casefold()
    return [
        each
        for each in codes.codes
        if each.code.casefold().startswith(wanted)
        or wanted in each.title.zh.casefold()
        or wanted in each.title.en.casefold()
    ]


def rule_of(standard: Standard, name: str) -> Rule:
    """Raises Refused where the standard has no such rule."""
    for rule in standard.rules:
        if rule.id == name:
            return rule
    raise Refused("desk.out_of_scope")


def rule_told(standard: Standard, rule: Rule) -> Mapping[str, Any]:
    """What stands on a rule's page: tables, the SQL as written and as it runs, expressions it names, what it suppresses."""
    return rule_facts(relations_of(standard), rule, None)


def sql_of(path: Path | None) -> str:
    """The text of a file that computes a table; empty for one that is extracted."""
    return path.read_text(encoding="utf-8").strip() if path is not None and path.suffix == ".sql" else ""
