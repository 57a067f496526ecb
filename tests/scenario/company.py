"""An insurer of 36 branches on a core of 200,000 policies: every branch with its own preparer, a damaged core, and the way
to mend or to touch single cells of it behind everybody's back.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.reference_core import generate, repairs_path
from tests.flow.play import START, own_deployment, seeds_of

POLICIES = 200_000
KINDS = (
    "A06", "B01", "B02", "B03", "B04", "B07", "D01", "D02", "D05", "E01", "E04", "E12",
    "D07", "D09", "D11", "D12",
)  # fmt: skip
"""Kinds of defect that touch one cell of the report each: mending a channel (C01), a name (A01) or a payee (E09) changes cells that
no rule of the finding names, which rightly waits for a declared cause."""
PER_BRANCH = 4
"""Defects of each kind in each branch, as far as its book has rows for them."""
SCARCE = {"D07": 1, "D09": 1, "B04": 2, "D12": 2}


@dataclass(frozen=True)
class Defect:
    """One row of the answer key, with the statement that mends it and what the cell read before."""

    finding: str
    rule: str
    table: str
    key: str
    field: str
    was: str | None
    sql: str
    parameters: tuple[Any, ...]


class Company:
    """The insurer in one home."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.core = self.home / "core.db"
        self.deployment = own_deployment(folder / "deployment")
        self.branches = _give_everybody_a_preparer(self.deployment, self.home)

    def found(self) -> list[Defect]:
        """Generate the damaged core; the findings it must bring, in the order of the answer key."""
        self.home.mkdir(parents=True)
        FileClock(self.home / "clock").start(START)
        plan = self.home / "defects.yaml"
        codes = json.dumps(list(self.branches))
        entries = (
            f"  - {{kind: {kind}, count: {SCARCE.get(kind, PER_BRANCH) * len(self.branches)}, organisations: {codes}}}\n"
            for kind in KINDS
        )
        plan.write_text(
            "signed_from: 2026-01-01\nsigned_to: 2026-03-31\ndefects:\n" + "".join(entries), encoding="utf-8"
        )
        answer_key = self.home / "answer_key.csv"
        generate(
            self.core,
            policies=POLICIES,
            seed=36,
            organisations=seeds_of(load_deployment(self.deployment, self.home)),
            defects=plan,
            answer_key=answer_key,
            progress=lambda what, done, total: None,
        )
        return read_answer_key(answer_key)

    def hire(self, branch: str) -> str:
        """Enter one more seller of a branch, like the first who works there; the new number."""
        code = f"XS{branch}9999"
        (columns,) = zip(
            *self.rows("SELECT name FROM pragma_table_info('seller') WHERE cid > 0"), strict=True
        )
        self.execute(
            f"INSERT INTO seller SELECT ?, {', '.join(columns)} FROM seller "
            "WHERE org_code = ? AND kind = '员工' AND status = '在职' ORDER BY seller_code LIMIT 1",
            code,
            branch,
        )
        return code

    def mend(self, defects: Collection[Defect]) -> None:
        """What people do in the core itself."""
        with closing(sqlite3.connect(self.core, timeout=60)) as connection, connection:
            for defect in defects:
                assert connection.execute(defect.sql, defect.parameters).rowcount == 1, defect

    def execute(self, sql: str, *parameters: object) -> None:
        """Touch rows of the core: at least one must be there."""
        with closing(sqlite3.connect(self.core, timeout=60)) as connection, connection:
            assert connection.execute(sql, parameters).rowcount > 0, sql

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.core, timeout=60)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def pass_to(self, moment: datetime) -> None:
        FileClock(self.home / "clock").advance(to=moment)


def read_answer_key(path: Path) -> list[Defect]:
    """The findings that must come, each with its only repair."""
    repairs: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for line in repairs_path(path).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        repairs.setdefault(_cell(entry), []).append(entry)
    defects: list[Defect] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            (repair,) = repairs[_cell(row)]
            was = repair["parameters"][0] if repair["sql"].startswith("UPDATE") else None
            defects.append(
                Defect(
                    finding_key(row["standard"], row["rule"], row["table"], row["key"], row["field"]),
                    row["rule"],
                    row["table"],
                    row["key"],
                    row["field"],
                    was if isinstance(was, str) else None,
                    repair["sql"],
                    tuple(repair["parameters"]),
                )
            )
    return defects


def _cell(row: dict[str, Any]) -> tuple[str, ...]:
    return row["rule"], row["table"], row["key"], row["field"]


def finding_key(*parts: str) -> str:
    """A finding's key, as docs/standards.md says that it is made."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def _give_everybody_a_preparer(deployment: Path, home: Path) -> Sequence[str]:
    """Add a preparer to the demo's people for each branch that has none; the codes of all branches."""
    loaded = load_deployment(deployment, home)
    branches = [o for o in loaded.level_one() if not o.is_own_account]
    lines = [
        f"  branch_{o.code}:\n    name: {o.name}填报人（模拟）\n    roles: [branch_preparer]\n"
        f'    organisations: ["{o.code}"]\n'
        for o in branches
        if f"branch_{o.code}" not in loaded.users
    ]
    with (deployment / "users.yaml").open("a", encoding="utf-8") as file:
        file.writelines(lines)
    return [o.code for o in branches]
