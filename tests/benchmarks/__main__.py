"""`make bench`: what judging and extracting cost, as ratios to a physical floor measured in the same run.

The floor of judging and of the content digest is a DuckDB scan that aggregates every column of the same Parquet files;
the floor of extraction is fetching the same rows from the same SQLite file and throwing them away. CPU seconds, medians
of three. The full bench against other engines belongs to the engine's own issue.
"""

from __future__ import annotations

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import sqlalchemy as sa

from pipelines.stages.content import parameters_of
from pipelines.stages.extract import extract
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.request import RequestDraft, raise_request, review_request
from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.reference_core import OrganisationSeed, generate
from resources.settings import Settings
from validations.engine import judge, table_digest

POLICIES = 100_000
REPEATS = 3


def main() -> None:
    """Build one core, extract one round, measure, print a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        _make_core(settings)
        with open_installation(settings) as installation:
            filing = _open_filing(installation)
            began = time.process_time()
            state = extract(installation, filing)
            extraction = time.process_time() - began
            standard = installation.standard("circ_audit")
            source = installation.rounds.path(filing, 1)
            tables = {name: source / f"{name}.parquet" for name in state.rounds[0].fact.tables}
            rows = sum(facts.rows for facts in state.rounds[0].fact.tables.values())
            scan = _median(lambda: _scan(tables))
            judging = _median(
                lambda: judge(
                    standard, tables, report="detail", parameters=parameters_of(state),
                    findings=Path(folder) / "findings.parquet",
                )
            )  # fmt: skip
            digest = _median(lambda: [table_digest(standard.table(n), p) for n, p in tables.items()])
            fetch = _median(lambda: _fetch(installation.home / "core.db"))
    sys.stdout.write(
        f"{rows:,} rows of circ_audit, {POLICIES:,} policies; {platform.machine()}, Python {platform.python_version()}\n\n"
        "| what | CPU s | floor | floor CPU s | ratio |\n| --- | ---: | --- | ---: | ---: |\n"
        f"| judge, all content rules | {judging:.2f} | scan of all columns | {scan:.2f} | {judging / scan:.1f} |\n"
        f"| content digest | {digest:.2f} | scan of all columns | {scan:.2f} | {digest / scan:.1f} |\n"
        f"| extract, reconcile, digest | {extraction:.2f} | SQLite fetch of the same tables | {fetch:.2f} | "
        f"{extraction / fetch:.1f} |\n"
    )


def _median(work: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


def _scan(tables: dict[str, Path]) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        for path in tables.values():
            connection.execute("SELECT max(COLUMNS(*)) FROM read_parquet(?)", [str(path)]).fetchall()


def _fetch(core: Path) -> None:
    """The plain cost of reading every column of the tables that the extraction reads."""
    engine = sa.create_engine(f"sqlite:///{core}")
    with engine.connect() as connection:
        for table in (
            "organisation",
            "customer",
            "product",
            "policy",
            "coverage",
            "endorsement",
            "claim",
            "payment",
        ):
            for _ in connection.execute(sa.select(sa.text("*")).select_from(sa.text(table))):
                pass
    engine.dispose()


def _make_core(settings: Settings) -> None:
    deployment = load_deployment(settings.deployment, settings.home)
    seeds = [
        OrganisationSeed(o.code, o.name, o.parent, o.level, o.is_own_account, o.region or "110102")
        for o in deployment.organisations
    ]
    FileClock(settings.home / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's own zone
    generate(
        settings.home / "core.db", policies=POLICIES, seed=1, organisations=seeds, defects=None, answer_key=None,
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


if __name__ == "__main__":
    main()
