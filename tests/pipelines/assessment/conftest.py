"""The audit of May, played once; tests read it, or change a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipelines.stages.installation import Installation
from tests.flow.conftest import check_ledger, cores
from tests.flow.play import DEMO, Cores, opened
from tests.pipelines.assessment.audit_in_may import play_june, play_may

__all__ = ["cores"]

Copy = Callable[..., Installation]


@pytest.fixture(scope="session")
def home_in_may(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = cores.furnish(tmp_path_factory.mktemp("audit-in-may"))
    with opened(home) as installation:
        play_may(installation, cores)
        check_ledger(installation)
    return home


@pytest.fixture(scope="session")
def home_in_june(home_in_may: Path, cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("audit-in-june")
    shutil.copytree(home_in_may, home, dirs_exist_ok=True)
    with opened(home) as installation:
        play_june(installation, cores)
        check_ledger(installation)
    return home


@pytest.fixture
def copy_of(tmp_path: Path) -> Iterator[Copy]:
    """`copy_of(home)`: an installation on a copy, with `deployment=` another than the demo's."""
    with ExitStack() as stack:

        def open_copy(home: Path, *, deployment: Path = DEMO) -> Installation:
            shutil.copytree(home, tmp_path / "home")
            return stack.enter_context(opened(tmp_path / "home", deployment))

        yield open_copy
