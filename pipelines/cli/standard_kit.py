"""`baosong standard test | docs | new`: what a standard's author runs to see that every rule says what was meant.

The kit does the work (`validations.kit`); here it is asked for, printed, and turned into an exit code: 0 all is well, 1 not.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from pipelines.cli.standards_named import standard_named
from pipelines.errors import LANGUAGE, BadInput, text
from validations.engine import Standard
from validations.engine.loader import load_folder

if TYPE_CHECKING:
    from validations.kit.examples_run import ExamplesRun, Failure
    from validations.kit.mutation import MutationRun

WORTH_TWO = 100
"""Examples from which a second process, which takes seconds to start, is worth it."""

FAILED = 1
"""Exit code where an example, a rule or a mutant is not as it should be."""


def test(
    standard: Annotated[str, typer.Argument(help="名称或目录 · name or folder")],
    mutants: Annotated[
        bool, typer.Option("--mutants", help="再做变异检验 · flip each comparison, too")
    ] = False,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="只试这些规则 · only these rules")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """用示例检验报送规范：每条规则都有通过和不通过的示例 · Try a standard's examples: exit 0 all well, 1 not."""
    from validations.kit.examples_run import run_examples  # noqa: PLC0415  # the judge takes seconds to load
    from validations.kit.mutation import run_mutants  # noqa: PLC0415
    from validations.kit.read_examples import read_suite  # noqa: PLC0415

    loaded, folders = standard_named(standard)
    known = [item.id for item in loaded.rules]
    unknown = [item for item in rule or [] if item not in known]
    if unknown:
        raise BadInput(
            "kit.unknown_rules", rules=", ".join(unknown), name=loaded.name, known=", ".join(known)
        )
    suite = read_suite(loaded, folders)
    processes = 1 if rule or len(suite.examples) < WORTH_TWO else min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="baosong-test-") as name:
        folder = Path(name)
        with _bar("kit.trying") as progress:
            ran = run_examples(suite, folder / "a", rule, processes=processes, progress=progress)
        hunted = None
        if mutants and not ran.failures:
            with _bar("kit.hunting") as progress:
                hunted = run_mutants(suite, folder / "b", rule, processes=processes, progress=progress)
    typer.echo(_as_json(loaded, ran, hunted) if as_json else _as_text(loaded, ran, hunted, mutants))
    if not ran.is_good or (hunted is not None and not hunted.is_good):
        raise typer.Exit(FAILED)


@contextmanager
def _bar(label: str) -> Generator[Callable[[int, int], None] | None]:
    """A progress bar for whoever watches a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text(label))
        yield lambda done, total: bar.update(task, completed=done, total=total)


def docs(
    standard: Annotated[str, typer.Argument(help="名称或目录 · name or folder")],
    out: Annotated[Path, typer.Option(help="网页写到此目录 · folder for the pages", file_okay=False)],
    against: Annotated[
        Path | None,
        typer.Option(
            help="与另一版本的目录比较 · folder of another version to compare with", file_okay=False
        ),
    ] = None,
) -> None:
    """把数据字典和规则写成可浏览的网页 · Write the dictionary and the rules as pages to browse."""
    from validations.kit.pages import write_pages  # noqa: PLC0415
    from validations.kit.read_examples import read_suite  # noqa: PLC0415
    from validations.kit.versions import differences  # noqa: PLC0415

    loaded, folders = standard_named(standard)
    older = load_folder(against) if against is not None else None
    suite = read_suite(loaded, folders) if (loaded.path / "examples").is_dir() else None
    found = differences(older, loaded) if older is not None else ()
    pages = write_pages(loaded, out, suite=suite, older=older, differences=found)
    typer.echo(text("kit.docs_written", pages=pages, path=out / "index.html"))
    if older is not None:
        typer.echo(text("kit.docs_compared", older=older.version, newer=loaded.version, count=len(found)))


def new(
    name: Annotated[str, typer.Argument(help="规范名称 · name of the standard")],
    source: Annotated[
        list[Path], typer.Option("--from", help="CSV，每张表一个 · CSV files, one per table", dir_okay=False)
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(help="更多 CSV · more CSV files", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="写到此目录下 · folder to write into", file_okay=False)] = Path(),
) -> None:
    """由 CSV 起草一个可运行的报送规范，凡猜的都注明 · Draft a standard that runs from CSV files; guesses say so."""
    from validations.kit.scaffold import scaffold  # noqa: PLC0415

    made = scaffold(name, [*source, *(more or [])], out)
    for table in made.tables:
        typer.echo(
            text(
                "kit.new_table",
                table=table.name,
                fields=len(table.fields),
                key=", ".join(table.key),
                rows=table.looked_at,
            )
        )
    for path in made.data:
        typer.echo(text("kit.new_renamed", path=path))
    typer.echo(text("kit.new_written", path=made.folder))


def _as_text(standard: Standard, ran: ExamplesRun, hunted: MutationRun | None, wanted: bool) -> str:
    lines = [_line(failure) for failure in ran.failures]
    if hunted is not None:
        lines += [text("kit.survivor", mutant=mutant) for mutant in hunted.survivors]
        lines += [
            text(f"kit.excuse_{why}", place=excuse.place, mutant=excuse.mutant)
            for excuse, why in hunted.wrong
        ]
    lines.append(f"{standard.name} {standard.version} {getattr(standard.title, LANGUAGE.get())}")
    lines.append(
        text(
            "kit.counts",
            tables=ran.tables,
            rules=ran.rules,
            package=ran.package_rules,
            examples=ran.examples,
            failed=len(ran.failures),
        )
    )
    lines.append(text("kit.dead", count=len(ran.dead), rules=_listed(ran.dead)))
    lines.append(text("kit.silent", count=len(ran.silent), rules=_listed(ran.silent)))
    if hunted is not None:
        lines.append(
            text(
                "kit.mutants",
                total=hunted.total,
                killed=hunted.killed,
                excused=len(hunted.excused),
                survived=len(hunted.survivors),
            )
        )
    elif wanted:
        lines.append(text("kit.no_mutants"))
    return "\n".join(lines)


def _line(failure: Failure) -> str:
    where = text("kit.failure", rule=failure.rule, example=failure.example, place=failure.place)
    if not failure.example:
        where = text("kit.world", rule=failure.rule, place=failure.place)
    parts = [failure.reason] if failure.reason else []
    parts += [text("kit.missing", what=item) for item in failure.missing]
    parts += [text("kit.surplus", what=item) for item in failure.surplus]
    return "\n".join([where, *(f"  - {part}" for part in parts)])


def _listed(rules: tuple[str, ...]) -> str:
    return f" ({', '.join(rules)})" if rules else ""


def _as_json(standard: Standard, ran: ExamplesRun, hunted: MutationRun | None) -> str:
    said: dict[str, object] = {
        "standard": standard.name,
        "version": standard.version,
        "digest": standard.digest,
        "tables": ran.tables,
        "rules": ran.rules,
        "package_rules": ran.package_rules,
        "examples": ran.examples,
        "dead": list(ran.dead),
        "without_pass": list(ran.silent),
        "failures": [
            {
                "rule": failure.rule,
                "example": failure.example,
                "place": str(failure.place),
                "reason": failure.reason,
                "missing": list(failure.missing),
                "surplus": list(failure.surplus),
            }
            for failure in ran.failures
        ],
    }
    if hunted is not None:
        said["mutants"] = {
            "total": hunted.total,
            "killed": hunted.killed,
            "excused": [{"mutant": str(mutant), "because": why} for mutant, why in hunted.excused],
            "survivors": [str(mutant) for mutant in hunted.survivors],
            "wrong_excuses": [
                {"mutant": excuse.mutant, "place": str(excuse.place), "why": why}
                for excuse, why in hunted.wrong
            ],
        }
    return json.dumps(said, ensure_ascii=False, indent=2)
