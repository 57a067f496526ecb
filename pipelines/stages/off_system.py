"""Off-system data (系统外数据): which tables of a filing departments keep outside the systems, who owes them, what is there.

The deployment says which; an upload is an event that names its file and what was read from it. Taking an upload in is
`off_system_upload`'s work, laying it into a round `off_system_round`'s. Light: sensors ask here every two seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, Tampered, text
from pipelines.ledger.filing import FilingState, Recorded
from pipelines.ledger.filing_events import OffSystemUploaded
from pipelines.stages.bulk_facts import kept
from pipelines.stages.installation import Installation
from resources.deployment import Deployment, User
from validations import engine
from validations.engine import Standard, Table

SUFFIXES = (".xlsx", ".csv", ".parquet")
UPLOADER = "data_engineer"
"""May hand in for every department."""


@dataclass(frozen=True)
class Owed:
    """One off-system table of a filing: the department that owes it, its latest upload, whether it is declared nil.

    `is_promised`: a source fix was promised of the latest round's rows, which here means another upload; none came since.
    """

    table: Table
    department: str
    upload: Recorded[OffSystemUploaded] | None
    is_nil: bool
    is_promised: bool = False

    @property
    def is_missing(self) -> bool:
        return self.upload is None and not self.is_nil


def owed_tables(installation: Installation, state: FilingState) -> tuple[Owed, ...]:
    """The off-system tables of a filing's report, in the report's order."""
    opened = state.opened.fact
    config = installation.deployment.filings.get(opened.standard)
    if config is None or not config.off_system:
        return ()
    standard = installation.standard(opened.standard)
    promised = _promised(installation, state)
    return tuple(
        Owed(
            table=standard.table(name),
            department=config.off_system[name],
            upload=state.off_system.get(name),
            is_nil=name in state.nil_returns,
            is_promised=name in promised,
        )
        for name in standard.report(opened.report).tables
        if name in config.off_system
    )


def keeps_off_system(installation: Installation, state: FilingState) -> frozenset[str]:
    """The departments that keep tables of the filing's standard outside the systems; none for most."""
    config = installation.deployment.filings.get(state.opened.fact.standard)
    return frozenset(config.off_system.values()) if config else frozenset()


def _promised(installation: Installation, state: FilingState) -> set[str]:
    """The tables of which a source fix was promised since the latest round and that nobody handed in again."""
    last = state.rounds[-1].seq if state.rounds else state.seq
    accepted = [r for r in state.answer_reviews if r.seq > last and r.fact.accepted.get("source_fix")]
    try:
        promised = [kept(installation, state.id, each.fact.decisions) for each in accepted]
    except Tampered:
        return set()  # nobody waits for what was said in them; the stages that use them refuse
    tables = {
        name
        for rows in promised
        for name in rows.filter(decision="accept", handling="source_fix")["table"].unique()
    }
    return tables - {u.fact.table for u in state.uploads if u.seq > last}


def missing_uploads(installation: Installation, state: FilingState) -> tuple[Owed, ...]:
    """Those that nobody has handed in or declared nil yet."""
    return tuple(owed for owed in owed_tables(installation, state) if owed.is_missing)


def owed_table(installation: Installation, state: FilingState, table: str) -> Owed:
    """The off-system table of that name. Raises BadInput when the filing has none such."""
    tables = {owed.table.name: owed for owed in owed_tables(installation, state)}
    if table not in tables:
        known = ", ".join(tables) or "—"
        raise BadInput("off_system.not_off_system", table=table, filing=state.id, known=known)
    return tables[table]


def shown_state(owed: Owed) -> str:
    """What is there of a table, in one line."""
    if owed.upload is not None:
        fact, by = owed.upload.fact, owed.upload.actor
        values = {"rows": fact.rows, "user": by, "at": f"{owed.upload.at:%Y-%m-%d %H:%M}"}
        code = "off_system.is_promised" if owed.is_promised else "off_system.there"
        return text(code, digest=fact.digest[:12], **values)
    return text("off_system.is_nil" if owed.is_nil else "off_system.is_missing", department=owed.department)


def is_of_department(user: User, department: str) -> bool:
    """Whether a person hands in for a department: one who decides for it."""
    return user.speaks_for(department)


def upload_file(installation: Installation, filing: str, upload: OffSystemUploaded) -> Path:
    """The workbook exactly as it was handed in, under its SHA-256."""
    return installation.folder("off_system", filing) / f"{upload.file}{Path(upload.name).suffix.lower()}"


def table_file(installation: Installation, filing: str, table: str, digest: str) -> Path:
    """What was read from an upload, under its content digest."""
    return installation.folder("off_system", filing) / f"{table}-{digest}.parquet"


def check_off_system(deployment: Deployment) -> None:
    """Compare every off-system table of a deployment with the standards.

    Raises BadInput naming all that no standard has, or that a standard derives and nobody can hand in.
    """
    problems: list[BaosongError] = []
    for name, config in deployment.filings.items():
        if config.off_system:
            standard = engine.load_standard(name, deployment.standard_folders)
            problems += wrong_tables(standard, deployment)
    if problems:
        raise BadInput("deployment.invalid", path=deployment.path, count=len(problems), details=problems)


def wrong_tables(standard: Standard, deployment: Deployment) -> Iterator[BaosongError]:
    """What is configured as off-system in a standard and cannot be."""
    config = deployment.filings[standard.name]
    for name in config.off_system:
        place = {"standard": standard.name, "table": name, "file": deployment.path / "deployment.yaml"}
        if name not in standard.tables:
            known = ", ".join(n for n, table in standard.tables.items() if table.derive is None)
            yield BadInput("off_system.unknown_table", details=(), known=known, **place)
        elif standard.table(name).derive is not None:
            yield BadInput("off_system.derived_table", details=(), **place)
