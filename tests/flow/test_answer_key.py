"""Extracting a core and judging it: a clean one gives no findings, a damaged one exactly its answer key."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from resources.deployment import Deployment, load_deployment
from resources.reference_core import generate, kinds, repair, repairs_path
from resources.settings import CHECKOUT
from resources.sources import open_source
from tests.flow.play import seeds_of
from validations.engine import Judgement, arrow_schema, judge, load_standard

ANSWER = ("standard", "table", "key", "field", "rule")
DEMO_SCOPE = ("330000", "440000", "510000")
SEED = 1
COMPARING = (
    "P01-previous", "P03", "P03-JGXXB", "P03-PDXXB", "P03-PKZFB", "P03-XZDYB", "P04", "P04-PAXXB", "P06", "P07",
)  # fmt: skip
"""The rules that read what was reported before."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return load_deployment(CHECKOUT / "resources" / "demo" / "deployment", tmp_path_factory.mktemp("home"))


def make_core(demo: Deployment, home: Path, policies: int, defects: Path | None, *, seed: int = SEED) -> None:
    seeds = seeds_of(demo)
    generate(
        home / "core.db",
        policies=policies,
        seed=seed,
        organisations=seeds,
        defects=defects,
        answer_key=home / "answer_key.csv",
        progress=lambda what, done, total: None,
    )


def extract_core(
    demo: Deployment,
    home: Path,
    organisations: tuple[str, ...],
    date_from: str,
    date_to: str,
    *,
    gone: tuple[str, ...] = (),
) -> dict[str, Path]:
    """The audit's tables of a period, from `home/core.db` into a folder; with sub-branches that the demo no longer has."""
    standard = load_standard("circ_audit")
    below = tuple(o.code for code in organisations for o in demo.organisations_under(code))
    scope = {"organisations": organisations, "sub_organisations": (*below, *gone)}
    everything = {**days(date_from, date_to), **scope}
    folder = home / date_to
    folder.mkdir(exist_ok=True)
    tables: dict[str, Path] = {}
    with open_source(demo.sources["reference_core"], home) as snapshot:
        for name in standard.report("detail").tables:
            table = standard.table(name)
            sql = demo.sql_file("reference_core", "circ_audit", name)
            tables[name] = folder / f"{name}.parquet"
            schema = arrow_schema(table)
            with pq.ParquetWriter(tables[name], schema) as writer:
                for batch in snapshot.stream(
                    sql.read_text(encoding="utf-8"), everything, schema, sql_file=sql
                ):
                    writer.write_batch(batch)
    return tables


def days(date_from: str, date_to: str) -> dict[str, str]:
    return {
        "date_from": date_from,
        "date_to": date_to,
        "period_from": date_from[:7].replace("-", ""),
        "period_to": date_to[:7].replace("-", ""),
    }


def judge_core(
    demo: Deployment,
    home: Path,
    organisations: tuple[str, ...],
    date_from: str,
    date_to: str,
    before: tuple[dict[str, Path], str, str] | None = None,
) -> tuple[Judgement, set[tuple[str, ...]]]:
    """Extract the audit's tables and judge them, beside what was reported `before`: tables, first day, last day.

    The findings are in the answer key's words. Without anything before exactly the rules that compare with it are left out.
    """
    tables = extract_core(demo, home, organisations, date_from, date_to)
    parameters, references = days(date_from, date_to), {}
    if before is not None:
        references = {"previous": before[0]}
        parameters |= {"previous_from": before[1], "previous_to": before[2]}
    findings = home / "findings.parquet"
    judgement = judge(
        load_standard("circ_audit"),
        tables,
        report="detail",
        parameters=parameters,
        findings=findings,
        references=references,
    )
    left_out = {(each.rule, each.why) for each in judgement.not_judged}
    assert left_out == (set() if before else {(rule, "reference") for rule in COMPARING})
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


QUARTER, QUARTER_BEFORE = ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")


@pytest.mark.parametrize("scope", ["demo", "all"])
def test_a_clean_core_has_no_findings_against_its_quarter_before(
    demo: Deployment, tmp_path: Path, scope: str
) -> None:
    make_core(demo, tmp_path, 2000, None)
    codes = DEMO_SCOPE if scope == "demo" else tuple(o.code for o in demo.level_one())
    before = extract_core(demo, tmp_path, codes, *QUARTER_BEFORE)
    judgement, found = judge_core(demo, tmp_path, codes, *QUARTER, (before, *QUARTER_BEFORE))
    assert found == set()
    assert set(COMPARING) <= set(judgement.counts)


def copy_row(core: sqlite3.Connection, table: str, where: str, **changes: object) -> None:
    """Enter the first row that fits once more, with changes."""
    cursor = core.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY 1, 2")
    names = [column for column, *_ in cursor.description]
    row = dict(zip(names, cursor.fetchone(), strict=True)) | changes
    core.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", list(row.values()))


def test_what_differs_from_the_last_filing_is_found_and_nothing_else(
    demo: Deployment, tmp_path: Path
) -> None:
    """The core as it was differs from the clean one of today in one thing for each rule that compares."""
    make_core(demo, tmp_path, 6000, None)
    today = extract_core(demo, tmp_path, DEMO_SCOPE, *QUARTER)
    last_quarter = pl.date(2025, 10, 1), pl.date(2025, 12, 30)
    signed = pl.read_parquet(today["BDXXB"]).filter(pl.col("QDRQ").is_between(*last_quarter))
    extended, backfilled, other, *_ = sorted(signed["BDH"])
    closed = pl.read_parquet(today["PAXXB"]).filter(pl.col("JARQ").is_between(*last_quarter))
    claim = min(closed.filter(pl.col("JALX") == "赔付结案")["PAH"])
    then = tmp_path / "then"
    then.mkdir()
    shutil.copy(tmp_path / "core.db", then / "core.db")
    core = sqlite3.connect(then / "core.db", isolation_level=None)
    core.execute("UPDATE policy SET ends_on = date(ends_on, '-1 day') WHERE policy_no = ?", [extended])
    core.execute("DELETE FROM policy WHERE policy_no = ?", [backfilled])
    copy_row(
        core, "claim", "org_code = '440000'", claim_no="CLAIM-GONE", policy_no=other, reported_on="2025-12-30"
    )
    core.execute("UPDATE claim SET closed_on = date(closed_on, '+1 day') WHERE claim_no = ?", [claim])
    copy_row(
        core, "endorsement", "true", endorsement_no="ENDORSEMENT-GONE", policy_no=other, seq=9, effective_on="2025-12-30"
    )  # fmt: skip
    copy_row(
        core, "payment", f"kind = 'claim' AND claim_no = '{claim}'", payment_no="GONE", calculation_no="JS-GONE", seq=9
    )  # fmt: skip
    copy_row(core, "organisation", "org_code = '440100'", org_code="440199")
    copy_row(core, "product", "true", product_code="GONE")
    ledger = "WHERE org_code = '440000' AND period = '202512' AND account_no"
    core.execute(f"UPDATE gl_balance SET closing_debit_cents = closing_debit_cents + 1 {ledger} = '1002'")
    core.execute(f"UPDATE gl_balance SET credit_cents = credit_cents + 1000000000 {ledger} = '6031SY'")
    core.close()
    before = extract_core(demo, then, DEMO_SCOPE, *QUARTER_BEFORE, gone=("440199",))

    _, found = judge_core(demo, tmp_path, DEMO_SCOPE, *QUARTER, (before, *QUARTER_BEFORE))
    expected = {
        ("ZZKJQKMB", ("440000", "1002", "202601", "CNY"), "QCJF", "P01-previous"),
        ("ZZKJQKMB", ("440000", "6031SY", "202601", "CNY"), "BQDF", "P06"),
        ("PAXXB", ("CLAIM-GONE",), None, "P03"),
        ("PDXXB", ("ENDORSEMENT-GONE",), None, "P03-PDXXB"),
        ("PKZFB", (claim, "JS-GONE", "9"), None, "P03-PKZFB"),
        ("JGXXB", ("440199",), None, "P03-JGXXB"),
        ("XZDYB", ("GONE",), None, "P03-XZDYB"),
        ("BDXXB", (extended,), "ZBRQ", "P04"),
        ("PAXXB", (claim,), "JARQ", "P04-PAXXB"),
        ("BDXXB", (backfilled,), "QDRQ", "P07"),
    }
    assert {
        (table, tuple(json.loads(key).values()), field, rule) for _, table, key, field, rule in found
    } == expected
    assert {rule for *_, rule in expected} == set(COMPARING)


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
    branches = (
        "count: 20, organisations: ['330000', '440000', '510000']"  # drawing rows of each reads the book once
    )
    # Few organisations and treaties there are, and a branch's month in the ledger carries at most one.
    scarce = dict.fromkeys(("B10", "E16", "R05", "R06", "R07", "R08", "R10"), "count: 4")
    plan.write_text(
        "".join(f"- {{kind: {kind}, {scarce.get(kind, branches)}}}\n" for kind in kinds()), encoding="utf-8"
    )
    make_core(demo, tmp_path, 1_000_000, plan)
    codes = tuple(o.code for o in demo.level_one())
    judgement, found = judge_core(demo, tmp_path, codes, "2025-07-01", "2026-04-30")
    assert found == answers(tmp_path)
    assert judgement.total == len(found)
    assert {rule for rule, count in judgement.counts.items() if count} == set(kinds())
