"""The answer key of injected defects, and the repairs that a branch's clerk would make in the core.

The answer key speaks the standard's words (table, key, field, rule), one row per finding that validation must report.
The repair list holds, per row, the statement that undoes the defect: demo data, standing in for a branch's edit in its
core system. Baosong itself never writes to a core.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import BadInput
from resources.reference_core.store import sync

STANDARD = "circ_audit"
Scalar = str | int | None
_COLUMNS = ("standard", "table", "key", "field", "rule")


@dataclass(frozen=True)
class Statement:
    """One SQL statement with its positional parameters."""

    sql: str
    parameters: tuple[Scalar, ...]


@dataclass(frozen=True)
class Defect:
    """One finding that must come, and how the branch mends its cause.

    `key` is canonical JSON of the business key in the dictionary's order; `repairs` is empty for a finding that only
    follows from another defect.
    """

    table: str
    key: str
    field: str
    rule: str
    organisation: str
    repairs: tuple[Statement, ...]
    standard: str = STANDARD


def key_text(key: Mapping[str, Scalar]) -> str:
    return json.dumps(dict(key), ensure_ascii=False, separators=(",", ":"))


def write_answer_key(path: Path, defects: Sequence[Defect]) -> None:
    """CSV, sorted by its columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(sorted((d.standard, d.table, d.key, d.field, d.rule) for d in defects))
    _replace(path, text.getvalue())


def repairs_path(answer_key: Path) -> Path:
    """Where the repair list of an answer key lies: beside it."""
    return answer_key.with_suffix(".repairs.jsonl")


def write_repairs(path: Path, defects: Iterable[Defect]) -> None:
    """JSON lines, one per statement, in the order of injection (overlapping ones are undone backwards)."""
    lines = [
        json.dumps(
            {
                **{name: getattr(defect, name) for name in _COLUMNS},
                "organisation": defect.organisation,
                "sql": statement.sql,
                "parameters": list(statement.parameters),
            },
            ensure_ascii=False,
        )
        for defect in defects
        for statement in defect.repairs
    ]
    _replace(path, "".join(line + "\n" for line in lines))


def repair(core: Path, repairs: Path, *, organisation: str, rules: Sequence[str] = ()) -> int:
    """Undo the defects of one branch (of some rules only, where given) in the core; how many defects were mended.

    Repeating it changes nothing more. Raises BadInput when a file is missing or not a repair list.
    """
    chosen = [
        (key, statement)
        for key, owner, rule, statement in _read_repairs(repairs)
        if owner == organisation and (not rules or rule in rules)
    ]
    if not core.is_file():
        raise BadInput("core.not_found", path=core)
    connection = sqlite3.connect(core, timeout=30)
    try:
        with connection:
            for _, statement in reversed(chosen):
                connection.execute(statement.sql, statement.parameters)
    except sqlite3.Error as error:
        raise BadInput("core.repair_failed", path=core, reason=error) from error
    finally:
        connection.close()
    return len({key for key, _ in chosen})


def _read_repairs(path: Path) -> list[tuple[tuple[str, ...], str, str, Statement]]:
    if not path.is_file():
        raise BadInput("core.not_found", path=path)
    found: list[tuple[tuple[str, ...], str, str, Statement]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            key = tuple(str(entry[name]) for name in _COLUMNS)
            statement = Statement(str(entry["sql"]), tuple(entry["parameters"]))
            found.append((key, str(entry["organisation"]), str(entry["rule"]), statement))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput("core.repairs_line", path=path, line=number, reason=error) from error
    return found


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8", newline="")
    sync(draft)
    draft.replace(path)
    sync(path.parent)
