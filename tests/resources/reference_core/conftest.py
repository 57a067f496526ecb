"""A small insurer and its clean core, made once for all tests of the reference core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resources.reference_core import OrganisationSeed, generate

ORGANISATIONS = (
    OrganisationSeed("000000", "总公司", None, 0, is_own_account=False, region="110102"),
    OrganisationSeed("000001", "总公司本级", "000000", 1, is_own_account=True, region="110102"),
    OrganisationSeed("330000", "浙江分公司", "000000", 1, is_own_account=False, region="330106"),
    OrganisationSeed("440000", "广东分公司", "000000", 1, is_own_account=False, region="440106"),
    OrganisationSeed("330100", "杭州中支", "330000", 2, is_own_account=False, region="330106"),
    OrganisationSeed("330700", "金华中支", "330000", 2, is_own_account=False, region="330702"),
)

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def make_core() -> Make:
    """`make_core(path, policies=…, seed=…, defects=…)` writes a core with its answer key beside it."""

    def make(path: Path, *, policies: int = 600, seed: int = 1, defects: Path | None = None) -> Path:
        generate(
            path,
            policies=policies,
            seed=seed,
            organisations=ORGANISATIONS,
            defects=defects,
            answer_key=path.with_name("answer_key.csv"),
            progress=lambda what, done, total: None,
        )
        return path

    return make


@pytest.fixture(scope="session")
def clean_core(tmp_path_factory: pytest.TempPathFactory, make_core: Make) -> Path:
    return make_core(tmp_path_factory.mktemp("clean") / "core.db", policies=3000)
