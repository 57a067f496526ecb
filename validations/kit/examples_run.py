"""Running all examples of a standard: the world passes every rule, each example does what it says, no rule is dead.

How one example is judged is `trial`'s matter, how findings are compared `matching`'s, how it is printed the command's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipelines.errors import BaosongError
from validations.engine.standard import Rule, Standard
from validations.kit.examples import Example, Place, Row, Suite
from validations.kit.figures_run import has_figures, try_figures
from validations.kit.matching import Mismatch, mismatch
from validations.kit.spread import spread
from validations.kit.trial import WORLD, Trial
from validations.kit.worlds import read_rows

Progress = Callable[[int, int], None]

Item = tuple[str, int | tuple[str, ...]]
"""What to try: the world by these rules, its figures, the number of an example of a rule, that of one of a derived table."""


@dataclass(frozen=True)
class Failure:
    """An example that is not what it says, or a rule that the world breaks: what was missing, what was too much."""

    rule: str
    example: str
    place: Place
    reason: str | None = None
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExamplesRun:
    """What running the examples showed. `dead`: rules that no example saw fire; `silent`: none saw pass."""

    tables: int
    rules: int
    package_rules: int
    examples: int
    failures: tuple[Failure, ...]
    dead: tuple[str, ...]
    silent: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every example is what it says and every rule has both kinds."""
        return not (self.failures or self.dead or self.silent)


def run_examples(
    suite: Suite,
    folder: Path,
    rules: Sequence[str] | None = None,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> ExamplesRun:
    """Run the examples of `rules` (ids; all content rules without), and the world."""
    standard = suite.standard
    content = [
        rule for rule in standard.rules if rule.judges == "content" and (not rules or rule.id in rules)
    ]
    own = {rule.id for rule in content}
    items: list[Item] = [("world", tuple(rule.id for rule in content))]
    items += [("rule", number) for number, example in enumerate(suite.examples) if example.subject in own]
    items += [] if rules else [("derived", number) for number in range(len(suite.derived))]
    examples = len(items) - 1
    items += [("figures", ())] if has_figures(standard) and not rules else []
    failures: list[Failure] = []
    fired: set[str] = set()
    passed: set[str] = set()
    results = spread(partial(_worker, suite), items, folder, processes)
    for done, ((kind, what), found) in enumerate(zip(items, results, strict=True), start=1):
        failures += found
        if kind == "rule" and isinstance(what, int) and not found:
            example = suite.examples[what]
            (fired if example.fails else passed).add(example.subject)
        if progress:
            progress(done, len(items))
    return ExamplesRun(
        tables=len(standard.tables),
        rules=len(content),
        package_rules=sum(rule.judges == "package" for rule in standard.rules),
        examples=examples,
        failures=tuple(failures),
        dead=tuple(rule.id for rule in content if rule.id not in fired),
        silent=tuple(rule.id for rule in content if rule.id not in passed),
    )


def _worker(suite: Suite, folder: Path) -> Callable[[Item], list[Failure]]:
    """What tries one item after the other, keeping the tables it has written."""
    trial = Trial(suite, folder)

    def work(item: Item) -> list[Failure]:
        kind, what = item
        if kind == "figures":
            return _figures(trial)
        if not isinstance(what, int):
            return _world(trial, [suite.standard.rule(rule) for rule in what])
        if kind == "derived":
            failure = try_derived(trial, suite.derived[what])
            return [failure] if failure is not None else []
        example = suite.examples[what]
        failure = _try(trial, suite.standard.rule(example.subject), example)
        return [failure] if failure is not None else []

    return work


def _world(trial: Trial, rules: Sequence[Rule]) -> list[Failure]:
    place = Place(f"{trial.suite.standard.path.name}/examples/world.yaml", 1)
    try:
        outcome = trial.outcome(WORLD, rules)
    except BaosongError as problem:
        return [Failure("", "", place, reason=str(problem))]
    return [
        Failure(rule, "", place, surplus=tuple(str(item) for item in found))
        for rule, found in outcome.found.items()
        if found
    ]


def _figures(trial: Trial) -> list[Failure]:
    """Figures that do not open into what they are made of, in the world or under an example's parameters."""
    world = Place(f"{trial.suite.standard.path.name}/examples/world.yaml", 1)
    return [
        Failure(
            each.subject,
            each.example.name,
            each.example.place if each.example.name else world,
            surplus=each.reasons,
        )
        for each in try_figures(trial)
    ]


def _try(trial: Trial, rule: Rule, example: Example) -> Failure | None:
    try:
        outcome = trial.outcome(example, [rule])
    except BaosongError as problem:
        return Failure(rule.id, example.name, example.place, reason=str(problem))
    if rule.id in outcome.not_judged:
        return Failure(rule.id, example.name, example.place, reason=outcome.not_judged[rule.id])
    wrong = mismatch(example.finds, outcome.found[rule.id])
    return _failure(rule.id, example, wrong) if wrong else None


def try_derived(trial: Trial, example: Example, standard: Standard | None = None) -> Failure | None:
    """Whether a derived table (by `standard`, if it is a mutant) holds the rows an example gives, none that it lacks."""
    try:
        rows = read_rows(trial.derived(example, standard)[example.subject])
    except BaosongError as problem:
        return Failure(example.subject, example.name, example.place, reason=str(problem))
    missing = tuple(_shown(row) for row in example.gives if not _holds(rows, row))
    surplus = tuple(_shown(row) for row in example.lacks if _holds(rows, row))
    return _failure(example.subject, example, Mismatch(missing, surplus)) if missing or surplus else None


def _failure(subject: str, example: Example, wrong: Mismatch) -> Failure:
    return Failure(subject, example.name, example.place, missing=wrong.missing, surplus=wrong.surplus)


def _holds(rows: Sequence[Row], wanted: Row) -> bool:
    return any(all(row.get(name) == value for name, value in wanted.items()) for row in rows)


def _shown(row: Row) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in row.items()) + "}"
