"""The mutation run: which mutants of a standard its examples notice, and which survive.

A mutant is killed when some example is no longer what it says. All mutants of one rule are judged together on each of its
examples; those of the dictionary, of macros and of derived tables are standards of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import polars as pl

from pipelines.errors import BadInput, BaosongError
from validations.engine.field_constraints import field_constraints
from validations.engine.standard import Field, Rule, Standard, Table
from validations.kit.examples import CONTENT, Equivalent, Example, Suite
from validations.kit.examples_run import try_derived
from validations.kit.matching import mismatch
from validations.kit.mutants import (
    DERIVED,
    MACROS,
    Mutant,
    derive_mutants,
    field_mutants,
    macro_mutants,
    plain_query,
    rule_mutants,
    users_of_macro,
)
from validations.kit.reach import inputs, tables_read
from validations.kit.spread import spread
from validations.kit.trial import WORLD, Trial
from validations.kit.worlds import read_rows

Progress = Callable[[int, int], None]
_PLAIN = "~0"  # no rule's id can end so


@dataclass(frozen=True)
class MutationRun:
    """What became of the mutants. `excused` survive for a reason the author gave; `wrong` excuses excuse nothing."""

    total: int
    killed: int
    excused: tuple[tuple[Mutant, str], ...]
    survivors: tuple[Mutant, ...]
    wrong: tuple[tuple[Equivalent, str], ...]

    @property
    def is_good(self) -> bool:
        """Whether every mutant was killed or excused, and every excuse was needed."""
        return not (self.survivors or self.wrong)


def run_mutants(
    suite: Suite,
    folder: Path,
    rules: Sequence[str] | None = None,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> MutationRun:
    """Hunt the mutants of `rules` (ids); without, those of macros and derived tables too."""
    standard = suite.standard
    content = [r.id for r in standard.rules if r.judges == "content" and (not rules or r.id in rules)]
    items: list[str | Mutant] = [*content, *(m for m in field_mutants(standard) if m.owner in content)]
    if not rules:
        items += [*macro_mutants(standard), *derive_mutants(standard)]
    outcomes: list[tuple[Mutant, bool]] = []
    for done, found in enumerate(spread(partial(_worker, suite), items, folder, processes), start=1):
        outcomes += found
        if progress:
            progress(done, len(items))
    return _result(suite, outcomes, set(content) if rules else None)


def _worker(suite: Suite, folder: Path) -> Callable[[str | Mutant], list[tuple[Mutant, bool]]]:
    """What tells of one item after the other, a rule's own mutants or another mutant, which are killed."""
    hunt = _Hunt(suite, folder)

    def work(item: str | Mutant) -> list[tuple[Mutant, bool]]:
        if isinstance(item, str):
            return list(hunt.of_rule(suite.standard.rule(item)))
        if item.field is not None:
            return [(item, hunt.is_field_noticed(item))]
        if item.owner == MACROS:
            return [(item, hunt.is_macro_noticed(item))]
        return [(item, hunt.is_derivation_noticed(item))]

    return work


def _result(suite: Suite, outcomes: Sequence[tuple[Mutant, bool]], own: set[str] | None) -> MutationRun:
    excuses = {(e.owner, e.mutant): e for e in suite.equivalent}
    states: dict[tuple[str, str], bool] = {}
    for mutant, is_killed in outcomes:
        states[(mutant.owner, mutant.label)] = is_killed
        if mutant.owner in (MACROS, DERIVED):
            states[("", str(mutant))] = is_killed
    wrong = [
        (excuse, "killed" if states.get(name) else "unknown")
        for name, excuse in excuses.items()
        if (own is None or excuse.owner in own) and states.get(name, True)
    ]

    def excuse_of(mutant: Mutant) -> Equivalent | None:
        return excuses.get((mutant.owner, mutant.label)) or excuses.get(("", str(mutant)))

    alive = [mutant for mutant, is_killed in outcomes if not is_killed]
    return MutationRun(
        total=len(outcomes),
        killed=len(outcomes) - len(alive),
        excused=tuple((m, excuse.because) for m in alive if (excuse := excuse_of(m)) is not None),
        survivors=tuple(m for m in alive if excuse_of(m) is None),
        wrong=tuple(wrong),
    )


class _Hunt:
    """One run: a trial, and files for mutated SQL."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        self.suite, self.standard = suite, suite.standard
        self.trial = Trial(suite, folder / "trial")
        self.sql = folder / "sql"
        self.sql.mkdir(parents=True, exist_ok=True)
        self.frames: dict[tuple[int, str], pl.DataFrame] = {}

    def of_rule(self, rule: Rule) -> Iterator[tuple[Mutant, bool]]:
        """The mutants of a rule's own texts, all judged at once on one example after the other."""
        queries = {rule.id: rule.query.read_text(encoding="utf-8")} if rule.query is not None else {}
        plain, mutants = rule_mutants(rule, queries)
        waiting = {f"{rule.id}~{number}": mutant for number, mutant in enumerate(mutants, start=1)}
        siblings = {name: self._sibling(mutant, name) for name, mutant in waiting.items()}
        text = plain_query(queries[rule.id]) if rule.query is not None else ""
        siblings[f"{rule.id}{_PLAIN}"] = self._sibling(
            Mutant(rule.id, "", "", rule=plain, text=text), f"{rule.id}{_PLAIN}"
        )
        for example in self._examples([rule.id]):
            if not waiting:
                break
            wanted = [siblings[f"{rule.id}{_PLAIN}"], *(siblings[name] for name in waiting)]
            changed = self._changed(example, wanted)
            if f"{rule.id}{_PLAIN}" in changed:
                raise BadInput("kit.not_rewritable", rule=rule.id, example=example.place)
            for name in changed:
                yield waiting.pop(name), True
        for mutant in waiting.values():
            yield mutant, False

    def is_field_noticed(self, mutant: Mutant) -> bool:
        """A mutant of the dictionary: the rows that the demand on this one field refuses, before and after."""
        assert mutant.field is not None
        table = self.standard.table(mutant.table)
        was = self.standard.table(mutant.table).field(mutant.field.name)
        for example in self._examples([mutant.owner]):
            if example.changes and table.name not in example.changes.get(CONTENT, {}):
                continue
            report = self.trial.parameters(example).get("report")
            if report is not None and table.name not in self.standard.report(report).tables:
                continue
            frame = self._frame(example, table.name)
            if self._refused(frame, table, was, report) != self._refused(frame, table, mutant.field, report):
                return True
        return False

    def _frame(self, example: Example, table: str) -> pl.DataFrame:
        key = (id(example), table)
        if key not in self.frames:
            paths = {**self.trial.tables(example), **self.trial.derived(example)}
            self.frames[key] = pl.read_parquet(paths[table])
        return self.frames[key]

    def _refused(
        self, frame: pl.DataFrame, table: Table, field: Field, report: str | None
    ) -> list[tuple[str, int]]:
        """What is demanded of the field, and the rows that break it; codes are never mutated, so no period is needed."""
        demands = field_constraints(self.standard, table, field, report, None)
        try:
            holds = frame.select(each.holds.fill_null(value=True).alias(each.name) for each in demands)
        except pl.exceptions.PolarsError:
            return [("cannot be judged", 0)]
        return [(name, row) for name in holds.columns for row in (~holds[name]).arg_true().to_list()]

    def is_macro_noticed(self, mutant: Mutant) -> bool:
        """A mutant of a macro, judged on the examples of every rule it has a say in."""
        macro = replace(self.standard.macros[mutant.subject], sql=mutant.text)
        changed = replace(self.standard, macros={**self.standard.macros, mutant.subject: macro})
        return self._is_noticed(changed, users_of_macro(self.standard, mutant.subject))

    def is_derivation_noticed(self, mutant: Mutant) -> bool:
        """A mutant of a derived table's SQL, judged on what it derives and on the rules that read it."""
        path = self.sql / f"{mutant.subject}-{sha256(mutant.text.encode()).hexdigest()}.sql"
        path.write_text(mutant.text, encoding="utf-8")
        table = replace(self.standard.table(mutant.subject), derive=path)
        changed = replace(self.standard, tables={**self.standard.tables, mutant.subject: table})
        touched = {mutant.subject}
        touched |= {name for name in self.standard.tables if mutant.subject in inputs(self.standard, name)}
        examples = [example for example in self.suite.derived if example.subject in touched]
        if any(try_derived(self.trial, example, changed) is not None for example in examples):
            return True
        readers = [
            r.id for r in self.standard.rules if touched & set(tables_read(self.standard, r) or touched)
        ]
        return self._is_noticed(changed, readers, only_where=lambda e: self._derives_other(e, changed))

    def _derives_other(self, example: Example, changed: Standard) -> bool:
        was = {name: read_rows(path) for name, path in self.trial.derived(example).items()}
        try:
            return was != {
                name: read_rows(path) for name, path in self.trial.derived(example, changed).items()
            }
        except BaosongError:
            return True

    def _is_noticed(
        self, changed: Standard, rules: Iterable[str], only_where: Callable[[Example], bool] | None = None
    ) -> bool:
        content = [rule for rule in rules if self.standard.rule(rule).judges == "content"]
        for rule in content:
            for example in self._examples([rule]):
                if only_where is not None and not only_where(example):
                    continue
                try:
                    found = self.trial.outcome(example, [changed.rule(rule)], changed).found.get(rule, ())
                except BaosongError:
                    return True
                if mismatch(example.finds, found) is not None:
                    return True
        return False

    def _examples(self, rules: Iterable[str]) -> list[Example]:
        """The examples of rules, those that fail first: they notice most; the world, which all pass, last."""
        examples = [example for rule in rules for example in self.suite.of(rule)]
        return [*sorted(examples, key=lambda example: not example.fails), WORLD]

    def _sibling(self, mutant: Mutant, name: str) -> Rule:
        """The mutant as a rule beside its original, under a name of its own."""
        assert mutant.rule is not None
        if not mutant.text:
            return replace(mutant.rule, id=name)
        path = self.sql / f"{name}.sql"
        path.write_text(mutant.text, encoding="utf-8")
        return replace(mutant.rule, id=name, query=path)

    def _changed(self, example: Example, siblings: Sequence[Rule]) -> set[str]:
        """Which siblings make the example other than it says. One that cannot run does."""
        try:
            found = self.trial.outcome(example, siblings).found
        except BaosongError:
            if len(siblings) == 1:
                return {siblings[0].id}
            return {name for rule in siblings for name in self._changed(example, [rule])}
        return {
            rule.id
            for rule in siblings
            if rule.id not in found or mismatch(example.finds, found[rule.id]) is not None
        }
