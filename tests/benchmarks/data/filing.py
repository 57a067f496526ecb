"""A filing extracted from a reference core: what judging from the start of a process, and extraction, are measured on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipelines.stages.content import parameters_of
from pipelines.stages.extract import extract
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.request import RequestDraft, raise_request, review_request
from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.reference_core import OrganisationSeed, generate
from resources.settings import Settings


@dataclass(frozen=True)
class Round:
    """One extracted round."""

    tables: dict[str, Path]
    rows: int
    parameters: dict[str, str]


def open_home(folder: Path, policies: int) -> str:
    """A home with a core of so many policies and an open filing of circ_audit, whose name is returned."""
    settings = Settings(home=folder)
    _make_core(settings, policies)
    with open_installation(settings) as installation:
        return _open_filing(installation)


def extract_round(folder: Path, filing: str) -> Round:
    """The filing's first round."""
    with open_installation(Settings(home=folder)) as installation:
        state = extract(installation, filing)
        source = installation.rounds.path(filing, 1)
        facts = state.rounds[0].fact.tables
        return Round(
            tables={name: source / f"{name}.parquet" for name in facts},
            rows=sum(fact.rows for fact in facts.values()),
            parameters=dict(parameters_of(state)),
        )


def _make_core(settings: Settings, policies: int) -> None:
    deployment = load_deployment(settings.deployment, settings.home)
    seeds = [
        OrganisationSeed(o.code, o.name, o.parent, o.level, o.is_own_account, o.region or "110102")
        for o in deployment.organisations
    ]
    FileClock(settings.home / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's own zone
    generate(
        settings.home / "core.db", policies=policies, seed=1, organisations=seeds, defects=None, answer_key=None,
        progress=lambda what, done, total: None,
    )  # fmt: skip


def _open_filing(installation: Installation) -> str:
    document = installation.home / "document.txt"
    document.write_text("bench\n", encoding="utf-8")
    scope = tuple(o.code for o in installation.deployment.level_one())
    draft = RequestDraft(
        "BENCH", "circ_audit", "detail", "bench", date(2026, 1, 1), date(2026, 4, 30), scope, date(2026, 5, 15), document
    )  # fmt: skip
    filing = raise_request(installation, draft, installation.user("requester_440000"))
    review_request(
        installation, "BENCH", installation.user("audit_reviewer"), opinion="accept", comment="bench"
    )
    return filing
