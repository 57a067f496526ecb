"""Trying an example: its tables written and derived, its rule judged with those that suppress it, its findings read.

Rules and standard may be mutants; what an outcome means is for `examples_run` and `mutation` to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq

from pipelines.errors import BadInput, text
from validations.engine.deriving import derive
from validations.engine.judging import judge
from validations.engine.standard import Rule, Standard
from validations.kit.examples import CONTENT, Change, Example, Place, Rows, Suite
from validations.kit.matching import Found
from validations.kit.reach import inputs, is_judged_table_by_table, references_in, tables_read
from validations.kit.worlds import MissingRow, applied, read_rows, write_rows

WORLD = Example("", "", Place("examples/world.yaml", 1), {}, {})
"""The world as it is."""


@dataclass(frozen=True)
class Outcome:
    """What each judged rule found, by its id; why the others were not judged."""

    found: dict[str, tuple[Found, ...]]
    not_judged: dict[str, str]


class Trial:
    """A suite's examples, tried one by one; tables stay in `folder` while examples are tried again and again."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        self.suite, self.folder = suite, folder
        self._tables: dict[int, dict[str, Path]] = {}
        self._derived: dict[int, dict[str, Path]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def outcome(self, example: Example, rules: Sequence[Rule], standard: Standard | None = None) -> Outcome:
        """Judge `rules` (mutants of rules too) on an example's tables, and the rules that suppress them.

        Phases do not count here: every rule is shown by itself. Raises BadInput when nothing can be judged.
        """
        standard = standard or self.suite.standard
        judged = {rule.id: rule for rule in rules}
        for rule in rules:
            judged |= {root.rule: standard.rule(root.rule) for root in rule.suppressed_by}
        parameters = self.parameters(example)
        path = self.folder / "findings.parquet"
        judgement = judge(
            replace(standard, rules=_with_code_lists(standard, judged), phases=()),
            self._needed(example, tuple(judged.values()), standard),
            report=parameters.get("report"),
            parameters=parameters,
            findings=path,
            references=self.references(example, tuple(judged.values())),
            rules=set(judged),
            nil_returns=self.suite.world.nil_returns if example.nil_returns is None else example.nil_returns,
            partial=True,
        )
        found: dict[str, list[Found]] = {rule.id: [] for rule in rules if rule.id in judgement.counts}
        for row in cast("list[dict[str, Any]]", pq.read_table(path).to_pylist() if judgement.total else []):
            if row["rule"] in found:
                found[row["rule"]].append(_found(row))
        reasons = {item.rule: str(item) for item in judgement.not_judged}
        return Outcome(
            {rule: tuple(findings) for rule, findings in found.items()},
            {rule.id: reasons.get(rule.id, text("kit.not_judged")) for rule in rules if rule.id not in found},
        )

    def references(self, example: Example, rules: Sequence[Rule]) -> dict[str, dict[str, Path]]:
        """The tables of other contents that these rules read, where the world or the example has that content."""
        paths: dict[str, dict[str, Path]] = {}
        given = self.suite.world.references
        for rule in rules:
            for space, name in references_in(rule.query) if rule.query is not None else ():
                if space not in given and space not in example.changes:
                    continue
                change = example.changes.get(space, {}).get(name, Change())
                rows = _applied(name, given.get(space, {}).get(name, ()), change)
                folder = self._folder(example) / space
                folder.mkdir(exist_ok=True)
                table = self.suite.references[space].table(name)
                paths.setdefault(space, {})[name] = write_rows(table, rows, folder / f"{name}.parquet")
        return paths

    def parameters(self, example: Example) -> dict[str, str]:
        """The world's parameters with those of the example."""
        return {**self.suite.world.parameters, **example.parameters}

    def derived(self, example: Example, standard: Standard | None = None) -> dict[str, Path]:
        """The derived tables of an example that its world does not give, after its changes to them."""
        standard = standard or self.suite.standard
        wanted = [
            name
            for name, table in standard.tables.items()
            if table.derive is not None and name not in self.suite.world.tables
        ]
        if not wanted:
            return {}
        touched = any(
            name in example.changes.get(CONTENT, {}) for table in wanted for name in inputs(standard, table)
        )
        if (
            standard is self.suite.standard
            and not touched
            and not example.parameters
            and example is not WORLD
        ):
            paths = self.derived(WORLD)
        else:
            paths = self._derive(example, standard, wanted)
        for name, change in example.changes.get(CONTENT, {}).items():
            if name in paths:
                rows = _applied(name, read_rows(paths[name]), change)
                changed = self._folder(example) / f"{name}.parquet"
                paths = {**paths, name: write_rows(standard.table(name), rows, changed)}
        return paths

    def _derive(self, example: Example, standard: Standard, wanted: Iterable[str]) -> dict[str, Path]:
        is_mutant = standard is not self.suite.standard
        if not is_mutant and id(example) in self._derived:
            return self._derived[id(example)]
        out = self._folder(example) / ("derived-by-mutant" if is_mutant else "derived")
        found = derive(standard, self.tables(example), parameters=self.parameters(example), out=out)
        found = {name: path for name, path in found.items() if name in wanted}
        if not is_mutant:
            self._derived[id(example)] = found
        return found

    def tables(self, example: Example) -> dict[str, Path]:
        """The tables of an example that are not derived; those it does not change are the world's files."""
        if id(example) not in self._tables:
            standard, world = self.suite.standard, self.suite.world
            folder = self._folder(example)
            paths = {} if example is WORLD else dict(self.tables(WORLD))
            changes = example.changes.get(CONTENT, {})
            for name, table in standard.tables.items():
                is_extracted = table.derive is None or name in world.tables
                if is_extracted and (example is WORLD or name in changes):
                    rows = _applied(name, world.tables.get(name, ()), changes.get(name, Change()))
                    paths[name] = write_rows(table, rows, folder / f"{name}.parquet")
            self._tables[id(example)] = paths
        return self._tables[id(example)]

    def _needed(self, example: Example, rules: Sequence[Rule], standard: Standard) -> dict[str, Path]:
        """The tables that these rules need of an example: the fewer, the faster."""
        report = self.parameters(example).get("report")
        due = standard.report(report).tables if report else tuple(standard.tables)
        names: set[str] = set()
        changed = set(example.changes.get(CONTENT, {}))
        for rule in rules:
            read = tables_read(standard, rule)
            if read is not None:
                names |= set(read)
            else:
                names |= changed if changed and is_judged_table_by_table(rule) else set(due)
        tables: Mapping[str, Path] = self.tables(example)
        if any(name not in tables for name in names):
            tables = {**tables, **self.derived(example, standard)}
        return {name: path for name, path in tables.items() if name in names}

    def _folder(self, example: Example) -> Path:
        folder = self.folder / ("world" if example is WORLD else f"example-{id(example)}")
        folder.mkdir(exist_ok=True)
        return folder


def _with_code_lists(standard: Standard, judged: Mapping[str, Rule]) -> tuple[Rule, ...]:
    """The rules judged, in the standard's order, and those that take code lists from the rule that judges the rest."""
    kept = [
        judged.get(rule.id, rule)
        for rule in standard.rules
        if rule.id in judged or (rule.constraint or "").startswith("codes:")
    ]
    known = {rule.id for rule in kept}
    return (*kept, *(rule for rule in judged.values() if rule.id not in known))


def _applied(name: str, rows: Rows, change: Change) -> Rows:
    try:
        return applied(rows, change)
    except MissingRow as missing:
        raise BadInput(
            "kit.no_such_row", file=missing.place.file, line=missing.place.line, table=name, row=missing.shown
        ) from missing


def _found(row: dict[str, Any]) -> Found:
    key = cast("dict[str, str | None]", json.loads(row["key"]))
    return Found(
        row["table"], key, row["field"], row["value"], row["expected"], row["difference"], row["reason"]
    )
