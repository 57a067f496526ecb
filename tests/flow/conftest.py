"""What the flow's tests share: source databases and half-played filings made once, servers per file of tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.errors import BaosongError, Refused
from pipelines.stages.installation import Installation
from resources.deployment import load_deployment
from resources.reference_core import generate, load_schedule_p
from resources.settings import CHECKOUT
from tests.flow.play import (
    AUDIT,
    DEMO,
    SCHEDULE_P,
    START,
    Cores,
    agree,
    answer_all,
    draft,
    execute,
    explain,
    open_by_request,
    opened,
    reach_servers,
    run,
    schedule_p_draft,
    seeds_of,
    send_out,
)

POLICIES = 2_000
SEED = 2026
Resume = Callable[..., Installation]


@pytest.fixture(scope="session")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Cores:
    """A core with the demo's defects, the same core without, and Schedule P."""
    folder = tmp_path_factory.mktemp("cores")
    seeds = seeds_of(load_deployment(DEMO, folder))
    for name, defects in (
        ("core.db", CHECKOUT / "resources" / "demo" / "defects.yaml"),
        ("clean.db", None),
    ):
        generate(
            folder / name,
            policies=POLICIES,
            seed=SEED,
            organisations=seeds,
            defects=defects,
            answer_key=folder / ("answer_key.csv" if defects else "nothing.csv"),
            progress=lambda what, done, total: None,
        )
    load_schedule_p(folder / "schedule_p.db")
    return Cores(folder)


def leave_few_filers(home: Path) -> None:
    """Six filers of medical malpractice are enough where their number is not the matter: workbooks take time."""
    few = "SELECT grcode FROM triangle WHERE lob = 'medmal' AND bulk_loss < 0 GROUP BY grcode ORDER BY grcode LIMIT 6"
    execute(home / "schedule_p.db", f"DELETE FROM triangle WHERE lob = 'medmal' AND grcode NOT IN ({few})")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of running stand-ins: designated SFTP server, commission, bureau."""
    home = tmp_path_factory.mktemp("servers")
    command = [sys.executable, "-m", "resources.embedded"]
    start = [*command, "start", "--detach", "--judging-seconds", "0", "--home", str(home)]
    subprocess.run(start, cwd=CHECKOUT, check=True, capture_output=True)
    yield home
    stop = [*command, "stop", "--home", str(home)]
    subprocess.run(stop, cwd=CHECKOUT, check=True, capture_output=True)


@pytest.fixture(scope="session")
def audit_listed(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the audit's problem data waits for its first review."""
    home = cores.furnish(tmp_path_factory.mktemp("audit-listed"))
    with opened(home) as installation:
        open_by_request(installation, draft(home))
        run(installation, AUDIT, "extract", "validate", "review")
    return home


@pytest.fixture(scope="session")
def audit_in_review(audit_listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the audit's problem data has just gone out."""
    home = tmp_path_factory.mktemp("audit-in-review")
    shutil.copytree(audit_listed, home, dirs_exist_ok=True)
    with opened(home) as installation:
        send_out(installation, AUDIT)
    return home


@pytest.fixture(scope="session")
def schedule_p_in_review(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which Schedule P's problem data (of six filers) has just gone out."""
    home = cores.furnish(tmp_path_factory.mktemp("schedule-p-in-review"))
    leave_few_filers(home)
    with opened(home) as installation:
        open_by_request(installation, schedule_p_draft(home))
        run(installation, SCHEDULE_P, "extract", "validate", "review")
    return home


@pytest.fixture(scope="session")
def schedule_p_reviewed(schedule_p_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All explained, judged again, ready for its sign-off."""
    home = tmp_path_factory.mktemp("schedule-p-reviewed")
    shutil.copytree(schedule_p_in_review, home, dirs_exist_ok=True)
    with opened(home) as installation:
        answer_all(installation, SCHEDULE_P, explain, home / "filled", otherwise="filer_correspondent")
        run(installation, SCHEDULE_P, "validate", "review")
    return home


@pytest.fixture(scope="session")
def schedule_p_approved(schedule_p_reviewed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed by its whole route, not packaged yet."""
    home = tmp_path_factory.mktemp("schedule-p-approved")
    shutil.copytree(schedule_p_reviewed, home, dirs_exist_ok=True)
    with opened(home) as installation:
        agree(installation, SCHEDULE_P)
    return home


@pytest.fixture
def resume(tmp_path: Path) -> Iterator[Resume]:
    """Open a copy of a half-played home: `resume(home)`, with `servers=` to reach and `deployment=` other than the demo's.

    Whatever the test did, the ledger must verify afterwards.
    """
    with ExitStack() as stack:

        def open_copy(home: Path, *, servers: Path | None = None, deployment: Path = DEMO) -> Installation:
            copy = tmp_path / "home"
            shutil.copytree(home, copy)
            if servers is not None:
                reach_servers(copy, servers)
            installation = stack.enter_context(opened(copy, deployment))
            stack.callback(lambda: check_ledger(installation))
            return installation

        yield open_copy


@pytest.fixture
def begin(cores: Cores, tmp_path: Path) -> Iterator[Resume]:
    """Open a new home: `begin()`, with `clean=True` for a core without defects, `at=` another day. The ledger must verify afterwards."""
    with ExitStack() as stack:

        def open_new(
            *,
            clean: bool = False,
            servers: Path | None = None,
            deployment: Path = DEMO,
            at: datetime = START,
        ) -> Installation:
            home = cores.furnish(tmp_path / "home", clean=clean, at=at)
            if servers is not None:
                reach_servers(home, servers)
            installation = stack.enter_context(opened(home, deployment))
            stack.callback(lambda: check_ledger(installation))
            return installation

        yield open_new


def check_ledger(installation: Installation) -> None:
    assert installation.ledger.verify().problems == ()


def refused(
    installation: Installation, stage: str, code: str, kind: type[BaosongError] = Refused
) -> BaosongError:
    """The stage refuses with this code and leaves the filing as it was."""
    before = installation.state(SCHEDULE_P)
    with pytest.raises(kind) as caught:
        run(installation, SCHEDULE_P, stage)
    assert caught.value.code == code, str(caught.value)
    assert installation.state(SCHEDULE_P) == before
    return caught.value
