"""From one approved content to the files exactly as they will be sent, read back before anyone may send them.

Without a valid approval of exactly this content there is no package, whoever starts this. Formats live in `formats`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import BadInput, Refused, Tampered
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import PackageBuilt
from pipelines.stages.canonical import file_digest, sync_folder
from pipelines.stages.content import Content
from pipelines.stages.formats import PackageContext, inspect_package, package_digest, write_package
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.request_gate import require_settled
from pipelines.stages.sign_off import require_approval


def package(installation: Installation, filing: str) -> FilingState:
    """Make the package of the approved content, or find it made. The same content gives the same bytes.

    Raises Refused without approval, BadInput for a value that the format cannot carry, Tampered when a package on disk
    is not the one recorded.
    """
    state = installation.state(filing)
    require_settled(installation, state)
    content = require_approval(installation, state)
    if state.package:
        require_package(installation, state)
        return state
    standard = installation.standard(state.opened.fact.standard)
    profile = standard.packages[standard.report(state.opened.fact.report).package]
    tables = [standard.table(name) for name in content.tables]
    context = package_context(installation, state, content)
    final = package_folder(installation, state)
    nil_returns = [(t, o) for t in state.nil_returns for o in state.organisations]
    with _building(final) as folder:
        write_package(profile, tables, content.tables, context, folder, nil_returns=nil_returns)
        found = inspect_package(profile, tables, content.tables, context, folder, nil_returns=nil_returns)
        if found:
            raise BadInput("package.inspection", filing=filing, details=found)
        digest = package_digest(folder)
        files = {path.name: file_digest(path) for path in sorted(folder.iterdir())}
    fact = PackageBuilt(version=state.version, content=content.digest, package=digest, files=files)
    return installation.record(state, fact, actor=SYSTEM, command=f"package:{content.digest}")


def package_context(installation: Installation, state: FilingState, content: Content) -> PackageContext:
    opened = state.opened.fact
    return PackageContext(
        filing=state.id,
        version=state.version,
        content=content.digest,
        corporation=installation.deployment.corporation.code,
        date_from=state.date_from,
        date_to=state.date_to,
        key=opened.key,
        stamp=state.date_to,
    )


def package_folder(installation: Installation, state: FilingState, version: int | None = None) -> Path:
    """Where the package of this version lies, or of an earlier one."""
    return installation.folder("packages", state.id) / f"v{version or state.version}"


def require_package(installation: Installation, state: FilingState) -> Path:
    """The folder of the package that was recorded. Raises Refused when there is none, Tampered when it was changed."""
    if state.package is None:
        raise Refused("package.none", filing=state.id)
    folder = package_folder(installation, state)
    if not folder.is_dir() or package_digest(folder) != state.package.fact.package:
        raise Tampered("package.changed", folder=folder, package=state.package.fact.package[:12])
    return folder


@contextmanager
def _building(final: Path) -> Generator[Path]:
    """A folder that becomes `final` when all went well; what a killed run left behind is cleared away."""
    final.parent.mkdir(parents=True, exist_ok=True)
    for leftover in final.parent.glob(".tmp-*"):
        shutil.rmtree(leftover)
    building = Path(tempfile.mkdtemp(prefix=".tmp-", dir=final.parent))
    try:
        yield building
        shutil.rmtree(final, ignore_errors=True)  # a package without an event: nobody was told of it
        building.replace(final)
        sync_folder(final.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
