"""A department hands in an off-system table (系统外数据): the whole of it, or with every mistake named nothing of it.

The upload and what was read from it are kept under their digests before the event that names them, so a killed command
is repeated and ends the same. How a file is read is `off_system_input`'s affair.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import OffSystemUploaded
from pipelines.stages.again import asked_again
from pipelines.stages.canonical import file_digest, sync_folder
from pipelines.stages.certificate import written_totals
from pipelines.stages.installation import Installation
from pipelines.stages.leftovers import clear_leftovers, draft_name
from pipelines.stages.off_system import (
    UPLOADER,
    Owed,
    is_of_department,
    owed_table,
    table_file,
    upload_file,
)
from pipelines.stages.off_system_input import read_upload
from resources.deployment import User
from validations.engine import table_digest
from validations.engine.file_input import require_file
from validations.engine.values_input import visible

ORGANISATIONS_SHOWN = 10


@asked_again
def upload(
    installation: Installation,
    filing: str,
    user: User,
    *,
    table: str,
    file: Path,
    encoding: str = "utf-8",
    seen: int | None = None,
) -> FilingState:
    """Take in one table of a filing; it takes the place of what was handed in before. The same file twice changes nothing.

    `seen` is the place in the ledger that the user looked at: an upload that came later is not replaced unseen.

    Raises BadInput with every mistake of the file, Refused for people of other departments or branches, under a nil return,
    once the content is being signed or is packaged, and when another file was handed in since.
    """
    state = installation.state(filing)
    owed = owed_table(installation, state, table)
    if not (is_of_department(user, owed.department) or user.has_role(UPLOADER)):
        named = installation.department_name(owed.department)
        raise Refused("off_system.other_department", user=user.name, table=table, department=named)
    if state.packages:
        raise Refused("off_system.packaged", filing=filing, version=state.version)
    if state.is_in_sign_off:
        raise Refused("off_system.in_sign_off", filing=filing, table=table)
    if owed.is_nil:
        raise Refused("off_system.nil", filing=filing, table=table)
    standard = installation.standard(state.opened.fact.standard)
    require_file(file)
    with _building(installation.folder("off_system", filing)) as building:
        original = building / f"original{file.suffix.lower()}"
        shutil.copyfile(file, original)
        try:
            parquet = read_upload(standard, state, owed.table, file, building, encoding=encoding)
        finally:  # whatever was found in a file that somebody is saving says nothing
            if file_digest(file) != file_digest(original):
                raise BadInput("off_system.file_changed", path=file)
        _require_organisations(installation, user, owed, filing, parquet)
        totals = written_totals(parquet)
        fact = OffSystemUploaded(
            table=table,
            name=visible(file.name, 255),
            file=file_digest(original),
            digest=table_digest(owed.table, parquet),
            rows=totals.rows,
            sums=totals.sums,
            department=owed.department,
        )
        _keep(original, upload_file(installation, filing, fact))
        _keep(parquet, table_file(installation, filing, table, fact.digest))
    before = owed.upload.fact if owed.upload else None
    if before and (before.file, before.digest) == (fact.file, fact.digest):
        return state
    if owed.upload and seen is not None and owed.upload.seq > seen:
        by = installation.deployment.users.get(owed.upload.actor)
        raise Refused("off_system.replaced", table=table, user=by.name if by else owed.upload.actor)
    command = f"off-system:{table}:{fact.file}:{state.seq}"
    return installation.record(state, fact, actor=user.id, command=command)


@contextmanager
def _building(root: Path) -> Generator[Path]:
    """A folder to work in, on the disk where the files will be kept; what killed processes left is removed."""
    root.mkdir(parents=True, exist_ok=True)
    clear_leftovers(root)
    building = Path(tempfile.mkdtemp(prefix=draft_name(""), dir=root))
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _keep(source: Path, target: Path) -> None:
    """Put a file in its place for good. One that is there already gives way: what was read now is what was digested."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)
    sync_folder(target.parent)


def _require_organisations(
    installation: Installation, user: User, owed: Owed, filing: str, parquet: Path
) -> None:
    """Whoever belongs to some organisations hands in their rows alone, and takes nobody else's away."""
    if "*" in user.organisations:
        return
    column = owed.table.organisation
    if column is None:
        raise Refused("off_system.whole_table", user=user.name, table=owed.table.name)
    concerned = _organisations(parquet, column)
    if owed.upload:
        before = table_file(installation, filing, owed.table.name, owed.upload.fact.digest)
        concerned |= _organisations(before, column) if before.is_file() else {""}
    known = {each.code for each in installation.deployment.organisations}
    others = sorted(c for c in concerned if c not in known or not installation.deployment.may_see(user, c))
    if others:
        raise Refused(
            "off_system.other_organisation",
            user=user.name,
            table=owed.table.name,
            others=", ".join(other or "—" for other in others[:ORGANISATIONS_SHOWN]),
        )


def _organisations(parquet: Path, column: str) -> set[str]:
    return {code or "" for code in pl.read_parquet(parquet, columns=[column], glob=False)[column].unique()}
