"""What a content is compared with (上期数据): the last accepted filing before it, or a baseline that a person declared.

Rules between periods read it as `previous.TABLE`, rules between standards as `<standard>.TABLE`. Finding nothing is not the
same as there being nothing: somebody says so, with a reason, before anyone signs. Judging is `validate`'s work.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import BaselineDeclared
from pipelines.stages.canonical import json_digest, sync_folder
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.stored_content import StoredContent, accepted_content, verified_tables
from pipelines.stages.unjudged import lacking
from resources.deployment import User
from validations.engine import Standard, table_digest
from validations.engine.parquet_input import check_parquet
from validations.engine.plan import references_of

PREVIOUS = "previous"


@dataclass(frozen=True)
class References:
    """Tables of other contents by namespace, what names them in the ledger, and the parameters they bring."""

    tables: Mapping[str, Mapping[str, Path]] = field(default_factory=dict[str, Mapping[str, Path]])
    digests: Mapping[str, str] = field(default_factory=dict[str, str])
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def digest(self) -> str:
        """One name for all that is compared with and the days it stands for; empty when nothing is."""
        return json_digest({**self.digests, **self.parameters}) if self.digests else ""


def references(installation: Installation, state: FilingState, standard: Standard) -> References:
    """What the rules of this filing's report compare with, as far as it exists.

    Raises Tampered when an accepted content's files are not what was accepted.
    """
    wanted: dict[str, set[str]] = {}
    for space, table in references_of(standard, state.opened.fact.report):
        wanted.setdefault(space, set()).add(table)
    tables: dict[str, Mapping[str, Path]] = {}
    digests: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for space, names in sorted(wanted.items()):
        found = (
            previous_content(installation, state)
            if space == PREVIOUS
            else _same_period(installation, state, space)
        )
        if found is None:
            continue
        other = standard if space == PREVIOUS else installation.standard(space)
        tables[space] = verified_tables(found, other, names)
        digests[space] = found.digest
        if space == PREVIOUS:
            parameters = {"previous_from": str(found.date_from), "previous_to": str(found.date_to)}
    return References(tables, digests, parameters)


def rows_before(installation: Installation, state: FilingState) -> dict[str, int]:
    """Rows of each table that was reported before; empty where nothing was."""
    previous = previous_content(installation, state)
    if previous is None:
        return {}
    return {name: pq.read_metadata(path).num_rows for name, path in previous.paths.items() if path.is_file()}


def lacks_baseline(state: FilingState) -> tuple[str, ...]:
    """The rules that could not be judged since nobody has said what came before."""
    is_first = state.baseline is not None and state.baseline.fact.digest is None
    return () if is_first else lacking(state, PREVIOUS)


def declare_none(installation: Installation, filing: str, user: User, *, reason: str) -> FilingState:
    """State that nothing was reported before this filing: a first report. Raises Refused when something was."""
    require_role(user, "data_engineer", act="baseline")
    state = installation.state(filing)
    accepted = _last_accepted(installation, state)
    if accepted is not None:
        raise Refused("baseline.there_is_one", filing=filing, previous=accepted.id)
    return _declare(installation, state, user, BaselineDeclared(reason=reason))


def adopt(
    installation: Installation,
    filing: str,
    user: User,
    files: Mapping[str, Path],
    *,
    date_from: date,
    date_to: date,
    reason: str,
) -> FilingState:
    """Adopt tables (Parquet) as what was reported before, for a period that ends before this one's end.

    They are checked, copied, named by their content digests, and never change again. Raises BadInput for what does not fit.
    """
    require_role(user, "data_engineer", act="baseline")
    state = installation.state(filing)
    standard = installation.standard(state.opened.fact.standard)
    if not date_from <= date_to < state.date_to:
        raise BadInput("baseline.period", filing=filing, date_to=date_to, before=state.date_to)
    root = installation.folder("baselines", filing)
    root.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".tmp-{os.getpid()}-", dir=root))
    try:
        digests = _copied(standard, files, building)
        digest = json_digest(digests)
        target = root / digest
        if not target.exists():
            building.rename(target)
            sync_folder(root)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    fact = BaselineDeclared(
        reason=reason, digest=digest, tables=digests, date_from=date_from, date_to=date_to
    )
    return _declare(installation, state, user, fact)


def _declare(
    installation: Installation, state: FilingState, user: User, fact: BaselineDeclared
) -> FilingState:
    if not fact.reason.strip():
        raise BadInput("baseline.no_reason", filing=state.id)
    if state.is_in_sign_off:
        raise Refused("baseline.in_sign_off", filing=state.id)
    command = f"baseline:{fact.digest or 'none'}:{state.seq}"
    return installation.record(state, fact, actor=user.id, command=command)


def _copied(standard: Standard, files: Mapping[str, Path], folder: Path) -> dict[str, str]:
    digests: dict[str, str] = {}
    problems: list[BaosongError] = []
    for name, path in files.items():
        try:
            if name not in standard.tables:
                raise BadInput(
                    "validations.table_unknown", given=path, table=name, known=", ".join(standard.tables)
                )
            target = folder / f"{name}.parquet"
            check_parquet(standard.table(name), path)
            shutil.copyfile(path, target)
            digests[name] = table_digest(standard.table(name), target)
        except BadInput as problem:
            problems.append(problem)
    if problems:
        raise BadInput("validations.files_invalid", details=problems, standard=standard.name)
    return digests


def previous_content(installation: Installation, state: FilingState) -> StoredContent | None:
    """What a filing's rules compare with: the baseline that somebody adopted, else the last accepted filing's content."""
    declared = state.baseline.fact if state.baseline else None
    if declared and declared.digest and declared.date_from and declared.date_to:
        folder = installation.folder("baselines", state.id) / declared.digest
        paths = {name: folder / f"{name}.parquet" for name in declared.tables}
        return StoredContent(declared.digest, declared.date_from, declared.date_to, paths, declared.tables)
    accepted = _last_accepted(installation, state)
    return accepted_content(installation, accepted) if accepted else None


def _last_accepted(installation: Installation, state: FilingState) -> FilingState | None:
    """The accepted filing of the same standard and scope whose period ended last before this one's; of several reports on
    that period the one that the standard lists last, which is the widest."""
    opened = state.opened.fact
    order = {
        report.name: place for place, report in enumerate(installation.standard(opened.standard).reports)
    }
    before = [
        other
        for other in installation.states(opened.standard)
        if _is_accepted(other)
        and other.date_to < state.date_to
        and set(other.organisations) == set(state.organisations)
        and (not other.tables or set(other.tables) >= set(installation.tables(state)))
    ]
    return max(before, key=lambda o: (o.date_to, order.get(o.opened.fact.report, -1)), default=None)


def _same_period(installation: Installation, state: FilingState, standard: str) -> StoredContent | None:
    """The accepted content of another standard for the same period and scope; of the own standard another report's that
    ends on the same day."""
    opened = state.opened.fact
    for other in installation.states(standard):
        said = other.opened.fact
        same = other.date_to == state.date_to and (
            said.report != opened.report
            if said.standard == opened.standard
            else other.date_from == state.date_from
        )
        if _is_accepted(other) and same and set(other.organisations) >= set(state.organisations):
            return accepted_content(installation, other)
    return None


def last_years_content(installation: Installation, state: FilingState) -> StoredContent | None:
    """The content of the accepted filing of the same report and scope whose period ended a year earlier."""
    opened = state.opened.fact
    day = a_year_earlier(state.date_to)
    for other in installation.states(opened.standard):
        said = other.opened.fact
        is_same = said.report == opened.report and set(other.organisations) == set(state.organisations)
        if _is_accepted(other) and is_same and other.date_to == day:
            return accepted_content(installation, other)
    return None


def a_year_earlier(day: date) -> date:
    """The same day of the year before; a month's last day stays its last day."""
    if (day + timedelta(days=1)).day == 1:
        return day.replace(year=day.year - 1, day=monthrange(day.year - 1, day.month)[1])
    return day.replace(year=day.year - 1)


def _is_accepted(state: FilingState) -> bool:
    return state.receipt is not None and state.receipt.fact.result == "accepted" and state.package is not None
