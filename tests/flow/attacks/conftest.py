"""One installation for all attacks of a file: what they do to it may stay, for no attack may depend on another's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.attacks.attacker import Attacker
from tests.flow.desk_play import at_desk
from tests.flow.play import open_by_request, opened, schedule_p_draft


@pytest.fixture(scope="module")
def attacker(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """The audit's problem data has gone out, and there is a filing that is no branch's business. The ledger must verify afterwards.

    The process's own temporary files lie beside the home and are looked at too.
    """
    ground = tmp_path_factory.mktemp("attacked")
    shutil.copytree(audit_in_review, ground / "home")
    (ground / "tmp").mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(ground / "tmp")
    try:
        with opened(ground / "home") as installation:
            open_by_request(installation, schedule_p_draft(ground / "home"))
            with at_desk(installation) as street:
                yield Attacker(street)
            assert installation.ledger.verify().problems == ()
    finally:
        tempfile.tempdir = before
    assert sorted(path.name for path in ground.iterdir()) == ["home", "tmp"]
    assert list((ground / "tmp").iterdir()) == []
