"""The mutation run: which mutants of a standard its examples notice, and which survive.

A mutant is killed when some example is no longer what it says. All mutants of one rule are judged together on each of its
examples; those of the dictionary, of macros and of derived tables are standards of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.errors import BadInput, BaosongError
from validations.engine.standard import Rule, Standard
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
    suite: Suite, folder: Path, rules: Sequence[str] | None = None, progress: Progress | None = None
) -> MutationRun:
    """Hunt the mutants of `rules` (ids); without, those of macros and derived tables too."""
    hunt = _Hunt(suite, folder)
    standard = suite.standard
    content = [
        rule for rule in standard.rules if rule.judges == "content" and (not rules or rule.id in rules)
    ]
    own = {rule.id for rule in content}
    queries = {rule.id: rule.query.read_text(encoding="utf-8") for rule in content if rule.query is not None}
    groups: list[Callable[[], Iterator[tuple[Mutant, bool]]]] = []
    for rule in content:
        groups.append(lambda rule=rule: hunt.of_rule(rule, queries))
    fields = [mutant for mutant in field_mutants(standard) if mutant.owner in own]
    groups += [lambda mutant=mutant: hunt.of_field(mutant) for mutant in fields]
    if not rules:
        groups += [lambda mutant=mutant: hunt.of_macro(mutant) for mutant in macro_mutants(standard)]
        groups += [lambda mutant=mutant: hunt.of_derived(mutant) for mutant in derive_mutants(standard)]
    outcomes: list[tuple[Mutant, bool]] = []
    for done, group in enumerate(groups):
        outcomes += list(group())
        if progress:
            progress(done + 1, len(groups))
    return _result(suite, outcomes, own if rules else None)


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
        self.narrowed: dict[tuple[str, str, str, int], object] = {}

    def of_rule(self, rule: Rule, queries: dict[str, str]) -> Iterator[tuple[Mutant, bool]]:
        """The mutants of a rule's own texts, all judged at once on one example after the other."""
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

    def of_field(self, mutant: Mutant) -> Iterator[tuple[Mutant, bool]]:
        """A mutant of the dictionary: the rule that judges this field is judged on this field alone."""
        assert mutant.field is not None
        table = self.standard.table(mutant.table)
        fields = tuple(mutant.field if f.name == mutant.field.name else f for f in table.fields)
        tables = {**self.standard.tables, table.name: replace(table, fields=fields)}
        changed = replace(self.standard, tables=tables)
        rule = replace(
            self.standard.rule(mutant.owner), table=table.name, field=mutant.field.name, suppressed_by=()
        )
        for example in self._examples([mutant.owner]):
            if example.changes and table.name not in example.changes.get(CONTENT, {}):
                continue
            was = self._outcome_of_field(example, rule)
            now = self.trial.outcome(example, [rule], changed)
            if now != was:
                yield mutant, True
                return
        yield mutant, False

    def _outcome_of_field(self, example: Example, rule: Rule) -> object:
        key = (rule.id, str(rule.table), str(rule.field), id(example))
        if key not in self.narrowed:
            self.narrowed[key] = self.trial.outcome(example, [rule])
        return self.narrowed[key]

    def of_macro(self, mutant: Mutant) -> Iterator[tuple[Mutant, bool]]:
        """A mutant of a macro, judged on the examples of every rule it has a say in."""
        macro = replace(self.standard.macros[mutant.subject], sql=mutant.text)
        changed = replace(self.standard, macros={**self.standard.macros, mutant.subject: macro})
        yield mutant, self._is_noticed(changed, users_of_macro(self.standard, mutant.subject))

    def of_derived(self, mutant: Mutant) -> Iterator[tuple[Mutant, bool]]:
        """A mutant of a derived table's SQL, judged on what it derives and on the rules that read it."""
        path = self.sql / f"{mutant.subject}-{abs(hash(mutant.text))}.sql"
        path.write_text(mutant.text, encoding="utf-8")
        table = replace(self.standard.table(mutant.subject), derive=path)
        changed = replace(self.standard, tables={**self.standard.tables, mutant.subject: table})
        touched = {mutant.subject}
        touched |= {name for name in self.standard.tables if mutant.subject in inputs(self.standard, name)}
        examples = [e for e in self.suite.derived if e.subject in touched]
        if any(try_derived(self.trial, example, changed) is not None for example in examples):
            yield mutant, True
            return
        readers = [
            r.id for r in self.standard.rules if touched & set(tables_read(self.standard, r) or touched)
        ]
        yield mutant, self._is_noticed(changed, readers, only_where=lambda e: self._derives_other(e, changed))

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
