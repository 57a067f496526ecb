"""Extracting a core and judging it: a clean one gives no findings, a damaged one exactly its answer key."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from resources.deployment import Deployment, load_deployment
from resources.reference_core import OrganisationSeed, generate, kinds, repair, repairs_path
from resources.settings import CHECKOUT
from resources.sources import open_source
from validations.engine import Judgement, arrow_schema, judge, load_standard

ANSWER = ("standard", "table", "key", "field", "rule")
DEMO_SCOPE = ("330000", "440000", "510000")
SEED = 1


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return load_deployment(CHECKOUT / "resources" / "demo" / "deployment", tmp_path_factory.mktemp("home"))


def make_core(demo: Deployment, home: Path, policies: int, defects: Path | None, *, seed: int = SEED) -> None:
    seeds = [
        OrganisationSeed(
            o.code, o.name, o.parent, o.level, is_own_account=o.is_own_account, region=o.region or "110102"
        )
        for o in demo.organisations
    ]
    generate(
        home / "core.db",
        policies=policies,
        seed=seed,
        organisations=seeds,
        defects=defects,
        answer_key=home / "answer_key.csv",
        progress=lambda what, done, total: None,
    )


def judge_core(
    demo: Deployment, home: Path, organisations: tuple[str, ...], date_from: str, date_to: str
) -> tuple[Judgement, set[tuple[str, ...]]]:
    """Extract the audit's tables from `home/core.db` and judge them; the findings in the answer key's words."""
    standard = load_standard("circ_audit")
    below = tuple(o.code for code in organisations for o in demo.organisations_under(code))
    parameters = {
        "date_from": date_from,
        "date_to": date_to,
        "period_from": date_from[:7].replace("-", ""),
        "period_to": date_to[:7].replace("-", ""),
    }
    tables: dict[str, Path] = {}
    with open_source(demo.sources["reference_core"], home) as snapshot:
        for name in standard.report("detail").tables:
            table = standard.table(name)
            sql = demo.sql_file("reference_core", "circ_audit", name)
            tables[name] = home / f"{name}.parquet"
            everything = {**parameters, "organisations": organisations, "sub_organisations": below}
            schema = arrow_schema(table)
            with pq.ParquetWriter(tables[name], schema) as writer:
                for batch in snapshot.stream(
                    sql.read_text(encoding="utf-8"), everything, schema, sql_file=sql
                ):
                    writer.write_batch(batch)
    findings = home / "findings.parquet"
    judgement = judge(standard, tables, report="detail", parameters=parameters, findings=findings)
    found = pl.read_parquet(findings).select("table", "key", "field", "rule")
    return judgement, {("circ_audit", *row) for row in found.iter_rows()}


def answers(home: Path) -> set[tuple[str, ...]]:
    with (home / "answer_key.csv").open(encoding="utf-8", newline="") as file:
        return {tuple(row[name] for name in ANSWER) for row in csv.DictReader(file)}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("scope", ["demo", "all"])
def test_a_clean_core_has_no_findings(demo: Deployment, tmp_path: Path, scope: str, seed: int) -> None:
    make_core(demo, tmp_path, 2000, None, seed=seed)
    if scope == "demo":
        judgement, found = judge_core(demo, tmp_path, DEMO_SCOPE, "2026-01-01", "2026-03-31")
    else:
        codes = tuple(o.code for o in demo.level_one())
        judgement, found = judge_core(demo, tmp_path, codes, "2025-07-01", "2026-04-30")
        assert judgement.rows["BDXXB"] == 2000
    assert found == set()
    assert judgement.total == 0
    assert all(rows > 0 for rows in judgement.rows.values())


def test_the_demo_finds_exactly_its_answer_key_until_the_branches_mend_it(
    demo: Deployment, tmp_path: Path
) -> None:
    make_core(demo, tmp_path, 2000, CHECKOUT / "resources" / "demo" / "defects.yaml")
    judgement, found = judge_core(demo, tmp_path, DEMO_SCOPE, "2026-01-01", "2026-03-31")
    assert found == answers(tmp_path)
    assert judgement.total == len(found)
    for organisation in DEMO_SCOPE:
        repair(tmp_path / "core.db", repairs_path(tmp_path / "answer_key.csv"), organisation=organisation)
    _, left = judge_core(demo, tmp_path, DEMO_SCOPE, "2026-01-01", "2026-03-31")
    assert left == set()


@pytest.mark.parametrize("seed", [3, 4])
def test_every_kind_of_defect_is_found_where_it_is_and_nowhere_else(
    demo: Deployment, tmp_path: Path, seed: int
) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text("".join(f"- {{kind: {kind}, count: 4}}\n" for kind in kinds()), encoding="utf-8")
    make_core(demo, tmp_path, 6000, plan, seed=seed)
    codes = tuple(o.code for o in demo.level_one())
    judgement, found = judge_core(demo, tmp_path, codes, "2025-07-01", "2026-04-30")
    assert found == answers(tmp_path)
    assert judgement.total == len(found)
    assert {rule for rule, count in judgement.counts.items() if count} == set(kinds())


@pytest.mark.prove
def test_a_million_clean_policies_have_no_findings(demo: Deployment, tmp_path: Path) -> None:
    """As many as a large insurer's; ten million rows."""
    make_core(demo, tmp_path, 1_000_000, None)
    codes = tuple(o.code for o in demo.level_one())
    judgement, found = judge_core(demo, tmp_path, codes, "2025-07-01", "2026-04-30")
    assert judgement.rows["BDXXB"] == 1_000_000
    assert found == set()
    assert judgement.total == 0


@pytest.mark.prove
def test_every_kind_of_defect_is_found_among_a_million_policies_and_nothing_else(
    demo: Deployment, tmp_path: Path
) -> None:
    plan = tmp_path / "defects.yaml"
    branches = "organisations: ['330000', '440000', '510000']"  # drawing rows of each reads the book once
    plan.write_text(
        "".join(f"- {{kind: {kind}, count: 20, {branches}}}\n" for kind in kinds()), encoding="utf-8"
    )
    make_core(demo, tmp_path, 1_000_000, plan)
    codes = tuple(o.code for o in demo.level_one())
    judgement, found = judge_core(demo, tmp_path, codes, "2025-07-01", "2026-04-30")
    assert found == answers(tmp_path)
    assert judgement.total == len(found)
    assert {rule for rule, count in judgement.counts.items() if count} == set(kinds())
