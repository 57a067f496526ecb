"""Off-system tables as the people of their departments see them: who owes what, what was handed in, what was wrong in a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.desk.visit import Visit
from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import Recorded
from pipelines.ledger.filing_events import OffSystemUploaded
from pipelines.stages.off_system import UPLOADER, Owed, is_of_department, owed_tables

_CELL = re.compile(r"(?P<file>.*?)\[(?P<sheet>.+)!(?P<column>[A-Z]+)(?P<row>[0-9]+)\]", re.DOTALL)


@dataclass(frozen=True)
class Table:
    """One table with its uploads, the newest first."""

    owed: Owed
    uploads: tuple[Recorded[OffSystemUploaded], ...]

    @property
    def waits(self) -> bool:
        """Whether somebody has to hand it in, for the first time or again."""
        return self.owed.is_missing or (self.owed.is_promised and not self.owed.is_nil)


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a file and what to do, and where: empty where it is not one cell's matter."""

    said: str
    sheet: str = ""
    row: str = ""
    column: str = ""


def tables_of(visit: Visit) -> list[Table]:
    """The filing's off-system tables of the person's departments, those that somebody waits for first."""
    state = visit.state
    found = [
        Table(owed, tuple(u for u in reversed(state.uploads) if u.fact.table == owed.table.name))
        for owed in owed_tables(visit.installation, state)
        if is_of_department(visit.user, owed.department) or visit.user.has_role(UPLOADER)
    ]
    return sorted(found, key=lambda each: not each.waits)


def require_own(visit: Visit, table: str) -> None:
    """Raises Refused for a table that is not one of the filing's, or another department's."""
    if table not in {each.owed.table.name for each in tables_of(visit)}:
        raise Refused("desk.out_of_scope")


def mistakes_of(error: BaosongError) -> list[Mistake]:
    """Every mistake that an upload was refused for, one by one."""
    if error.code != "input.invalid" or not isinstance(error, BadInput):
        return []
    return [_mistake(detail) for detail in error.details]


def _mistake(detail: BaosongError) -> Mistake:
    found = _CELL.match(str(detail.values.get("place", "")))
    if found is None:
        return Mistake(str(detail))
    said = str(type(detail)(detail.code, details=detail.details, **{**detail.values, "place": ""})).strip()
    return Mistake(said, found["sheet"], found["row"], found["column"])
