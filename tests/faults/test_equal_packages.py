"""The same content is packaged into the same bytes wherever that happens: locale, language, time zone, hash seed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from pipelines.stages.installation import open_installation
from tests.faults.world import AUDIT, STATISTICS, World

PLACES = {
    "Line Islands": {"LC_ALL": "C", "LANG": "C", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    "Pago Pago": {
        "LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Pacific/Pago_Pago", "PYTHONHASHSEED": "4294967295",
        "BAOSONG_LANGUAGE": "en",
    },
    "Turkey, without UTF-8": {
        "LC_ALL": "POSIX", "LANG": "tr_TR.ISO-8859-9", "TZ": "Europe/Istanbul", "PYTHONHASHSEED": "77",
        "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8",
    },
}  # fmt: skip
pytestmark = pytest.mark.prove


def bytes_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def recorded(world: World, filing: str) -> tuple[str, str]:
    """The digests of content and package that the ledger names."""
    with open_installation(world.settings) as installation:
        package = installation.state(filing).package
    assert package is not None
    return package.fact.content, package.fact.package


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("filing", [AUDIT, STATISTICS])
def test_a_package_is_the_same_everywhere(world: World, tmp_path: Path, filing: str, place: str) -> None:
    world.restore("packaged")
    here = bytes_of(world.home / "packages" / filing), recorded(world, filing)
    elsewhere = World(tmp_path)
    shutil.copytree(world.saved("approved"), elsewhere.home)
    code, said = elsewhere.baosong("run", "package", filing, **PLACES[place])
    assert code == 0, said
    assert (bytes_of(elsewhere.home / "packages" / filing), recorded(elsewhere, filing)) == here


@pytest.mark.parametrize("place", PLACES)
def test_a_round_is_the_same_everywhere(world: World, tmp_path: Path, place: str) -> None:
    world.restore("packaged")
    here = world.ending("extract", AUDIT).digests
    elsewhere = World(tmp_path)
    shutil.copytree(world.saved("opened"), elsewhere.home)
    code, said = elsewhere.baosong("run", "extract", AUDIT, **PLACES[place])
    assert code == 0, said
    assert elsewhere.ending("extract", AUDIT).digests == here
