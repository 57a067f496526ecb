"""The demo's definitions, and small insurers whose filings Dagster runs for real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.stages.installation import open_installation
from pipelines.stages.request import RequestDraft, raise_request, review_request
from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.reference_core import OrganisationSeed, generate
from resources.settings import CHECKOUT, Settings

DEPLOYMENT = CHECKOUT / "resources" / "demo" / "deployment"

MakeHome = Callable[..., Settings]
OpenFiling = Callable[[Settings, str], str]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses the ledger that the machine's environment names."""
    monkeypatch.delenv("BAOSONG_DATABASE_URL", raising=False)


@pytest.fixture(scope="session")
def make_home(tmp_path_factory: pytest.TempPathFactory) -> MakeHome:
    """`make_home(policies=…, defects=…)`: a home at 2026-05-06 09:00, with a core when policies are wanted."""

    def make(policies: int = 0, defects: Path | None = None) -> Settings:
        settings = Settings(home=tmp_path_factory.mktemp("home"), deployment=DEPLOYMENT, database_url=None)
        FileClock(settings.home / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's zone
        if policies:
            organisations = [
                OrganisationSeed(
                    o.code,
                    o.name,
                    o.parent,
                    o.level,
                    is_own_account=o.is_own_account,
                    region=o.region or "110102",
                )
                for o in load_deployment(DEPLOYMENT, settings.home).organisations
            ]
            generate(
                settings.home / "core.db",
                policies=policies,
                seed=1,
                organisations=organisations,
                defects=defects,
                answer_key=settings.home / "answer_key.csv",
                progress=lambda what, done, total: None,
            )
        return settings

    return make


@pytest.fixture(scope="session")
def definitions(make_home: MakeHome) -> dg.Definitions:
    settings = make_home()
    return build_definitions(settings, load_deployment(DEPLOYMENT, settings.home))


@pytest.fixture(scope="session")
def open_filing() -> OpenFiling:
    """`open_filing(settings, number)`: an audit filing requested and reviewed; returns its id."""
    return _open_filing


def _open_filing(settings: Settings, number: str, tables: tuple[str, ...] = ()) -> str:
    document = settings.home / f"{number}.txt"
    document.write_text("通知", encoding="utf-8")
    draft = RequestDraft(
        number=number,
        standard="circ_audit",
        report="detail",
        authority="广东保监局",
        date_from=date(2026, 1, 1),
        date_to=date(2026, 3, 31),
        organisations=("330000", "440000", "510000"),
        deadline=date(2026, 5, 15),
        document=document,
        tables=tables,
    )
    with open_installation(settings) as installation:
        users = installation.deployment.user
        raise_request(installation, draft, users("requester_440000"))
        review_request(installation, number, users("audit_reviewer"), opinion="accept", comment="无误")
    return draft.filing
