"""One installation for all attacks of a file: what they do to it may stay, for no attack may depend on another's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.desk.live import Pace
from tests.flow.attacks.attacker import Attacker
from tests.flow.attacks.honest import EDITS, furnish
from tests.flow.desk_play import at_desk
from tests.flow.play import opened, own_deployment

SHORT = Pace(look_seconds=0.05, longest_seconds=0.1)
"""A stream of events that ends soon: it is read to its end like any other answer."""


@pytest.fixture(scope="module")
def attacker(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """The audit's problem data has gone out, and there is something for every route. The ledger must verify afterwards.

    The process's own temporary files lie beside the home and are looked at too.
    """
    ground = tmp_path_factory.mktemp("attacked")
    shutil.copytree(audit_in_review, ground / "home")
    (ground / "tmp").mkdir()
    deployment = own_deployment(tmp_path_factory.mktemp("attacked-deployment") / "deployment", *EDITS)
    before, tempfile.tempdir = tempfile.tempdir, str(ground / "tmp")
    try:
        with opened(ground / "home", deployment) as installation:
            there = furnish(installation)
            with at_desk(installation, pace=SHORT) as street:
                yield Attacker(street, there)
            assert installation.ledger.verify().problems == ()
    finally:
        tempfile.tempdir = before
    assert sorted(path.name for path in ground.iterdir()) == ["home", "tmp"]
    assert list((ground / "tmp").iterdir()) == []
