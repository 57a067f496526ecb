"""A core system on PostgreSQL: the same filing from the same rows, certified, and nothing left of a round that broke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.stages.certificate import Certificate, check_certificate
from pipelines.stages.installation import Installation
from resources.reference_core.postgresql import copy_to_postgresql
from resources.sources.postgresql import PostgresqlSnapshot
from tests.flow.conftest import Resume
from tests.flow.play import AUDIT, Cores, draft, open_by_request, opened, own_deployment, run
from tests.resources.postgresql.server import PostgresqlServer

NUMBERS = count(1)
ON_POSTGRESQL = (
    "sources.yaml",
    "kind: sqlite\n    database: home:core.db",
    "kind: database\n    url: env:CORE_URL",
)


@pytest.fixture
def core(postgresql: PostgresqlServer, cores: Cores, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a database that holds the demo's core."""
    name = f"flow_{next(NUMBERS)}"
    monkeypatch.setenv("CORE_URL", postgresql.create(name))
    rows = copy_to_postgresql(cores.folder / "core.db", postgresql.url(name), progress=lambda *_: None)
    assert rows["policy"] > 0
    return name


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    return own_deployment(tmp_path / "deployment", ON_POSTGRESQL)


@pytest.fixture
def on_postgresql(core: str, begin: Resume, deployment: Path) -> Iterator[Installation]:
    installation = begin(deployment=deployment)
    (installation.home / "core.db").unlink()
    open_by_request(installation, draft(installation.home))
    yield installation


def test_the_whole_filing_is_the_same_from_both_databases(
    on_postgresql: Installation, audit_in_review: Path
) -> None:
    with opened(audit_in_review) as on_sqlite:
        expected = on_sqlite.state(AUDIT)
    state = run(on_postgresql, AUDIT, "extract", "validate")
    assert state.rounds[0].fact.tables == expected.rounds[0].fact.tables
    assert state.rounds[0].fact.source.startswith("postgresql ")
    assert state.content and expected.content
    assert state.content.fact.counts == expected.content.fact.counts


def test_the_certificate_says_what_was_counted_where_and_is_checked(on_postgresql: Installation) -> None:
    recorded = run(on_postgresql, AUDIT, "extract").rounds[0].fact
    place = on_postgresql.rounds.path(AUDIT, 1)
    manifest = json.loads((place / "manifest.json").read_bytes())
    certificate = Certificate.model_validate(manifest["certificate"])
    assert (certificate.source, certificate.identity) == ("reference_core", recorded.source)
    assert certificate.view.count(":") == 2, "xmin:xmax:xip of the server's snapshot"
    assert certificate.parameters["organisations"] == ("330000", "440000", "510000")
    assert all(table.counted == table.written for table in certificate.tables.values())
    assert check_certificate(manifest, place, recorded) == []
    table = manifest["certificate"]["tables"]["BDXXB"]
    for part, key, value, said in (
        (table["counted"], "rows", 1, "BDXXB: counted ≠ written"),
        (table["written"]["sums"], "BF", "0.01", "BDXXB: counted ≠ written"),
        (table, "statement", "0" * 64, "BDXXB: statement"),
        (manifest["sql"], "BDXXB", "SELECT 1", "BDXXB: statement"),
        (manifest["certificate"], "identity", "elsewhere", "elsewhere"),
        (manifest["certificate"]["tables"], "BDXXB", table | {"digest": "0" * 64}, "facts ≠ ledger"),
    ):
        kept, part[key] = part[key], value
        (problem,) = check_certificate(manifest, place, recorded)
        assert (problem.code, said in str(problem.values["wrong"])) == ("evidence.certificate", True), said
        part[key] = kept
    del manifest["certificate"]
    assert [problem.code for problem in check_certificate(manifest, place, recorded)] == [
        "evidence.certificate"
    ]


def test_a_table_that_cannot_be_read_leaves_no_half_round(
    on_postgresql: Installation, postgresql: PostgresqlServer, core: str
) -> None:
    with postgresql.connect(core) as connection:
        connection.execute("ALTER TABLE claim ALTER COLUMN loss_cents TYPE numeric")
        connection.execute("UPDATE claim SET loss_cents = 'NaN'")
        connection.execute("ALTER TABLE product DROP COLUMN filing_no")
    with pytest.raises(BadInput) as bad:
        run(on_postgresql, AUDIT, "extract")
    assert {str(problem.values["table"]) for problem in bad.value.details} == {"PAXXB", "XZDYB"}
    assert "gsje__cents" in str(bad.value)
    assert "filing_no" in str(bad.value)
    assert on_postgresql.rounds.rounds(AUDIT) == []
    assert not list((on_postgresql.home / "rounds").rglob("*.parquet"))


def test_a_source_that_counts_otherwise_makes_no_round(
    on_postgresql: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = PostgresqlSnapshot.totals

    def one_more(*given: object, **named: object) -> object:
        rows, sums = honest(*given, **named)  # type: ignore[arg-type]
        return rows + 1, sums

    monkeypatch.setattr(PostgresqlSnapshot, "totals", one_more)
    with pytest.raises(Refused) as refused:
        run(on_postgresql, AUDIT, "extract")
    assert refused.value.code == "extract.unreconciled"
    assert on_postgresql.rounds.rounds(AUDIT) == []


def test_the_core_is_copied_into_an_empty_database_only(
    postgresql: PostgresqlServer, core: str, cores: Cores
) -> None:
    with pytest.raises(Refused) as refused:
        copy_to_postgresql(cores.folder / "core.db", postgresql.url(core), progress=lambda *_: None)
    assert refused.value.code == "core.exists"
