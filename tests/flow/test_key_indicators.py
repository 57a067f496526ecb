"""The figures people look at first, with last period's and last year's; and what a finding has been through."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import BadInput, Tampered
from pipelines.stages.baseline import a_year_earlier, adopt
from pipelines.stages.explain import explain
from pipelines.stages.finding_history import tell_finding
from pipelines.stages.installation import Installation
from pipelines.stages.key_indicators import Indicator, key_indicators, percent
from pipelines.stages.nil_return import declare_nil_return
from pipelines.stages.request import open_due
from pipelines.stages.validate import read_findings
from tests.flow.conftest import Resume
from tests.flow.play import (
    AUDIT,
    STATISTICS,
    agree,
    answer_all,
    answer_audit,
    open_statistics,
    own_deployment,
    preparer,
    run,
)

NEXT_YEAR = "circ_statistics.monthly.2027-04"


def by_name(installation: Installation, filing: str) -> dict[str, Indicator]:
    return {each.name: each for each in key_indicators(installation, installation.state(filing))}


def content_of(installation: Installation, filing: str) -> Path:
    state = installation.state(filing)
    assert state.content is not None
    return installation.folder("contents", filing) / state.content.fact.content


def company(installation: Installation, filing: str, item: str) -> Decimal:
    frame = pl.read_parquet(content_of(installation, filing) / "BSXM.parquet")
    return frame.filter(JGDM="000000", XMDM=item)["JE"].item()


def test_the_indicators_of_the_statistics_are_the_companys_and_say_why_one_is_missing(
    begin: Resume, tmp_path: Path
) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    run(installation, STATISTICS, "extract", "validate")
    found = by_name(installation, STATISTICS)
    premium, paid = (company(installation, STATISTICS, item) for item in ("BF000000", "PK000000"))
    assert (found["premium"].value, found["premium"].cell) == (premium, "BSXM:000000:BF000000")
    assert found["claims_paid"].value == paid
    assert found["loss_ratio"].value == (100 * paid / premium).quantize(Decimal("0.01"))
    assert (found["expense_ratio"].value, found["expense_ratio"].reason) == (None, "本报表不报此项，或算不出")
    assert found["premium"].last_period.reason == "首次报送：首次经本系统报送（模拟）"
    assert found["premium"].last_year.reason == "没有获得受理的、期末为 2025-04-30 的 monthly"

    half = pl.read_parquet(content_of(installation, STATISTICS) / "BSXM.parquet").with_columns(
        pl.when(pl.col("XMDM") == "BF000000")
        .then(premium / 2)
        .otherwise("JE")
        .cast(pl.Decimal(20, 2))
        .alias("JE")
    )
    half.write_parquet(tmp_path / "BSXM.parquet")
    adopt(
        installation,
        STATISTICS,
        preparer(installation),
        {"BSXM": tmp_path / "BSXM.parquet"},
        date_from=date(2026, 3, 1),
        date_to=date(2026, 3, 31),
        reason="三月由旧系统报送",
    )
    found = by_name(installation, STATISTICS)
    was = (premium / 2).quantize(Decimal("0.01"))
    assert (found["premium"].last_period.value, found["premium"].last_period.date_to) == (
        was,
        date(2026, 3, 31),
    )
    assert found["premium"].change_on_period == Decimal("100.0")
    assert (found["claims_paid"].last_period.value, found["claims_paid"].change_on_period) == (paid, 0)
    assert found["loss_ratio"].last_period.reason == "当时报送的内容没有可比的表 BLB"
    explained = explain(installation, installation.state(STATISTICS), "BSXM:440000:BF000000", depth=1)
    assert explained.figure is not None and explained.last_period is not None
    assert explained.figure.last_period == explained.last_period.value == was


def test_last_years_value_is_that_of_the_filing_accepted_then(
    begin: Resume, servers: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment")
    (deployment / "calendar.yaml").write_text(
        "years: [2027]\nholidays: [2027-01-01, 2027-05-03]\n", encoding="utf-8"
    )
    installation = begin(clean=True, servers=servers, deployment=deployment)
    open_statistics(installation)
    run(installation, STATISTICS, "extract", "validate", "review")
    agree(installation, STATISTICS)
    run(installation, STATISTICS, "package", "deliver", "acknowledge")
    assert NEXT_YEAR in [state.id for state in open_due(installation, date(2027, 5, 6))]
    declare_nil_return(
        installation, NEXT_YEAR, preparer(installation), table="ZZYE", reason="核心系统只到 2026 年（模拟）"
    )
    run(installation, NEXT_YEAR, "extract", "validate")
    policies = by_name(installation, NEXT_YEAR)["policies"]
    was, now = (company(installation, filing, "QD000000") for filing in (STATISTICS, NEXT_YEAR))
    assert was == 786
    assert (policies.value, policies.last_year.value, policies.last_year.date_to) == (
        now,
        was,
        date(2026, 4, 30),
    )
    assert policies.change_on_year == percent(now, was) != 0
    explained = explain(installation, installation.state(NEXT_YEAR), "BSXM:440000:QD000000")
    assert explained.last_year is not None and explained.figure is not None
    assert explained.figure.last_year == explained.last_year.value is not None
    branches = [part.figure for part in explained.figure.parts[0].figure.parts]
    assert sum((each.last_year or Decimal(0) for each in branches), Decimal(0)) == explained.last_year.value
    accepted = content_of(installation, STATISTICS) / "BSXM.parquet"
    pl.read_parquet(accepted).head(10).write_parquet(accepted)
    with pytest.raises(Tampered):
        key_indicators(installation, installation.state(NEXT_YEAR))


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 4, 30), date(2025, 4, 30)),
        (date(2028, 2, 29), date(2027, 2, 28)),
        (date(2029, 2, 28), date(2028, 2, 29)),
        (date(2026, 5, 15), date(2025, 5, 15)),
    ],
)
def test_a_months_last_day_was_the_last_day_a_year_earlier(day: date, before: date) -> None:
    assert a_year_earlier(day) == before


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        ("110", "100", "10.0"),
        ("-50", "-100", "50.0"),
        ("100", "0", None),
        ("1", "3", "-66.7"),
        (None, "1", None),
    ],
)
def test_changes_are_in_percent_of_what_it_was(now: str | None, before: str, change: str | None) -> None:
    found = percent(Decimal(now) if now else None, Decimal(before))
    assert found == (Decimal(change) if change else None)


def test_a_finding_tells_in_which_contents_it_was_and_a_corrected_cell_what_it_was(
    resume: Resume, audit_in_review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(audit_in_review)
    state = installation.state(AUDIT)
    findings = read_findings(installation, state)
    wrong = findings.filter(rule="D05", organisation="440000").row(0, named=True)
    premium = pl.read_parquet(installation.rounds.tables(AUDIT, 1)["BDXXB"])["BFBHS"].sum()
    assert by_name(installation, AUDIT)["premium"].value == premium
    answer_all(installation, AUDIT, answer_audit, tmp_path / "filled")
    state = run(installation, AUDIT, "validate")
    story = tell_finding(installation, state, wrong["finding"])
    assert (story.rule, story.message) == ("D05", "增值税额不等于含税保费减不含税保费")
    assert (story.value, story.expected, story.difference) == (
        wrong["value"],
        wrong["expected"],
        wrong["difference"],
    )
    assert [(each.round, each.is_found, each.value) for each in story.history] == [
        (1, True, wrong["value"]),
        (1, False, None),
    ]
    assert not story.is_current
    number = json.loads(wrong["key"])["BDH"]
    explained = explain(installation, state, f"BDXXB:{number}", field="ZZS")
    assert explained.figure is not None and explained.findings == ()
    (difference,) = explained.figure.differences
    assert (explained.figure.value, explained.figure.total) == (
        Decimal(wrong["expected"]),
        Decimal(wrong["value"]),
    )
    assert difference.amount == Decimal(wrong["expected"]) - Decimal(wrong["value"])
    (overlay,) = explained.overlays
    assert (overlay.reason, overlay.organisation) == (
        "接口截断所致，报表先更正，另提改库签报（模拟）",
        "440000",
    )
    name = next(cell for cell in explained.rows[0][1] if cell.field == "TBRMC")
    assert name.value == "***"

    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(installation.settings.deployment))
    shown = CliRunner().invoke(
        app, ["explain", AUDIT, f"BDXXB:{number}", "--field", "ZZS"], catch_exceptions=False
    )
    assert f"报表更正 {wrong['value']} → {wrong['expected']}" in shown.stdout.replace("\n", "")
    assert f"（更正；提取时为 {wrong['value']}）" in shown.stdout
    told = CliRunner().invoke(app, ["explain", AUDIT, wrong["finding"]], catch_exceptions=False).stdout
    assert f"有：值 {wrong['value']}" in told and "没有" in told
    with pytest.raises(BadInput, match="2 份内容中都没有"):
        tell_finding(installation, state, "0" * 32)
    (content_of(installation, AUDIT) / "findings.parquet").unlink()
    with pytest.raises(Tampered):
        tell_finding(installation, state, wrong["finding"])
