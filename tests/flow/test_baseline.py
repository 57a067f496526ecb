"""What a filing is compared with: a declared first report, an adopted baseline, or the filing accepted before it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import BadInput, Refused, Tampered
from pipelines.ledger.filing_events import WhyNotJudged
from pipelines.stages.baseline import adopt, declare_none, references
from pipelines.stages.content import build_content
from pipelines.stages.installation import Installation
from pipelines.stages.request import open_due
from pipelines.stages.sign_off import closed_gates, open_sign_off
from tests.flow.conftest import Resume
from tests.flow.play import FLASH, STATISTICS, agree, next_signer, open_statistics, preparer, run

MAY = "circ_statistics.monthly.2026-05"
APRIL = {"date_from": date(2026, 3, 1), "date_to": date(2026, 3, 31), "reason": "三月由旧系统报送"}


def test_nothing_is_signed_until_somebody_says_what_came_before(begin: Resume) -> None:
    installation = begin(clean=True)
    open_due(installation, date(2026, 5, 6))
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    lacking = state.content.fact.not_judged
    assert lacking["P02"] == "previous.BSXM" and "P02" not in state.content.fact.counts
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, STATISTICS, preparer(installation))
    (gate,) = caught.value.details
    assert gate.code == "sign_off.no_baseline" and "P02" in str(gate)
    assert f"baosong baseline none {STATISTICS}" in str(gate)
    declare_none(installation, STATISTICS, preparer(installation), reason="首次报送")
    assert open_sign_off(installation, STATISTICS, preparer(installation)).is_in_sign_off


def test_an_adopted_baseline_is_compared_with_and_changes_what_was_judged(
    begin: Resume, tmp_path: Path
) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    content = installation.folder("contents", STATISTICS) / state.content.fact.content
    before = pl.read_parquet(content / "BSXM.parquet")
    grown = before.with_columns(
        pl.when((pl.col("JGDM") == "440000") & (pl.col("XMDM") == "WJ020000"))
        .then(pl.col("JE") + 1)
        .otherwise(pl.col("JE"))
        .cast(before.schema["JE"])
        .alias("JE")
    )
    folder = tmp_path / "march"
    folder.mkdir()
    grown.write_parquet(folder / "BSXM.parquet")
    files = {"BSXM": folder / "BSXM.parquet"}
    adopt(installation, STATISTICS, preparer(installation), files, **APRIL)
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, STATISTICS, preparer(installation))
    assert "sign_off.reference_changed" in [gate.code for gate in caught.value.details]
    state = run(installation, STATISTICS, "validate")
    assert state.content is not None and state.content.fact.reference != ""
    assert "P02" in state.content.fact.counts
    assert state.content.fact.not_judged.get("P02") is None


def test_the_same_tables_adopted_for_another_period_are_judged_and_gated_anew(
    begin: Resume, tmp_path: Path
) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate")
    assert state.content is not None
    content = installation.folder("contents", STATISTICS) / state.content.fact.content
    (tmp_path / "BSXM.parquet").write_bytes((content / "BSXM.parquet").read_bytes())
    files = {"BSXM": tmp_path / "BSXM.parquet"}
    adopt(installation, STATISTICS, preparer(installation), files, **APRIL)
    once = run(installation, STATISTICS, "validate", "review")
    earlier = {**APRIL, "date_from": date(2026, 2, 1), "date_to": date(2026, 2, 28)}
    adopt(installation, STATISTICS, preparer(installation), files, **earlier)
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, STATISTICS, preparer(installation))
    assert "sign_off.reference_changed" in [gate.code for gate in caught.value.details]
    twice = run(installation, STATISTICS, "validate")
    assert once.content is not None and twice.content is not None
    assert once.content.fact.content == twice.content.fact.content
    assert len(twice.contents) == len(once.contents) + 1


def left_out(installation: Installation, why: dict[str, WhyNotJudged], **missing: str) -> list[str]:
    """The gates of the sign-off had the judging left these rules out, in an event that says why or not."""
    state = installation.state(STATISTICS)
    assert state.content is not None
    changed = state.content.fact.model_copy(update={"not_judged": missing, "not_judged_why": why})
    installation.record(state, changed, actor="system", command=f"left-out:{state.seq}")
    state = installation.state(STATISTICS)
    return [gate.code for gate in closed_gates(installation, state, build_content(installation, state))]


def test_what_was_not_judged_is_gated_by_its_reason(begin: Resume) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    state = run(installation, STATISTICS, "extract", "validate", "review")
    assert state.content is not None
    assert set(state.content.fact.not_judged_why.values()) == {"reference"}
    assert state.content.fact.not_judged["P09"] == "circ_statistics.BSXM"
    declare_none(installation, STATISTICS, preparer(installation), reason="首次报送")
    assert left_out(installation, {"P09": "reference"}, P09="circ_statistics.BSXM") == []
    assert left_out(installation, {"P02": "reference"}, P02="previous.BSXM, circ_audit.BDXXB") == []
    assert left_out(installation, {"F01": "table"}, F01="BSXM") == ["sign_off.table_missing"]
    assert left_out(installation, {"F01": "phase"}, F01="A01") == ["sign_off.phase_stopped"]
    assert left_out(installation, {}, F01="A01") == ["sign_off.phase_stopped"]
    assert left_out(installation, {}, P09="circ_statistics.BSXM", P02="previous.BSXM") == []


def test_an_early_event_that_does_not_say_why_still_asks_for_the_baseline(begin: Resume) -> None:
    installation = begin(clean=True)
    for filing in open_due(installation, date(2026, 5, 6)):
        assert filing.baseline is None
    run(installation, STATISTICS, "extract", "validate", "review")
    assert left_out(installation, {}, P02="previous.BSXM") == ["sign_off.no_baseline"]


def test_signers_are_told_which_rules_did_not_judge_what_they_sign(
    begin: Resume, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    run(installation, STATISTICS, "extract", "validate", "review")
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(installation.settings.deployment))
    asked = ["sign-off", STATISTICS, "--as", preparer(installation).id]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "条规则没有判断，签署的内容未经它们检查" in done.stdout
    assert "  P09 未判断：没有可对照的数据 circ_statistics.BSXM" in done.stdout
    first = next_signer(installation, STATISTICS)
    asked = ["sign", STATISTICS, "--opinion", "agree", "--comment", "同意", "--as", first.id]
    assert "P09 未判断" in CliRunner().invoke(app, asked).stdout
    shown = CliRunner().invoke(app, ["filing", "show", STATISTICS]).stdout
    assert "未判断的规则:\n" in shown and "circ_statistics.BSXM" in shown


@pytest.mark.parametrize("last", [date(2026, 4, 30), date(2026, 6, 30)])
def test_a_baseline_ends_before_the_period_does(begin: Resume, tmp_path: Path, last: date) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    with pytest.raises(BadInput, match="须先于本期截止日 2026-04-30"):
        adopt(
            installation,
            STATISTICS,
            preparer(installation),
            {},
            date_from=date(2026, 3, 1),
            date_to=last,
            reason="x",
        )


def test_every_table_that_does_not_fit_is_named_and_nothing_is_adopted(begin: Resume, tmp_path: Path) -> None:
    installation = begin(clean=True)
    state = open_statistics(installation)
    files = {name: tmp_path / f"{name}.parquet" for name in ("BSXM", "NOPE")}
    for path in files.values():
        pl.DataFrame({"JGDM": ["1"], "XMDM": ["2"]}).write_parquet(path)
    with pytest.raises(BadInput) as caught:
        adopt(installation, STATISTICS, preparer(installation), files, **APRIL)
    assert len(caught.value.details) == 2
    assert installation.state(STATISTICS).seq == state.seq
    assert list(installation.folder("baselines", STATISTICS).iterdir()) == []


def test_a_month_is_compared_with_its_flash_report_once_that_is_accepted(
    begin: Resume, servers: Path
) -> None:
    installation = begin(clean=True, servers=servers)
    monthly = open_statistics(installation)
    standard = installation.standard("circ_statistics")
    assert references(installation, monthly, standard).digests == {}
    run(installation, FLASH, "extract", "validate", "review")
    agree(installation, FLASH)
    flash = run(installation, FLASH, "package", "deliver", "acknowledge")
    assert flash.package is not None
    compared = references(installation, monthly, standard)
    assert compared.digests == {"circ_statistics": flash.package.fact.content}
    assert set(compared.tables["circ_statistics"]) == {"BSXM"}
    state = run(installation, STATISTICS, "extract", "validate")
    assert state.content is not None
    assert state.content.fact.counts["P09"] == 0


def test_the_next_month_is_compared_with_the_one_accepted_before(begin: Resume, servers: Path) -> None:
    installation = begin(clean=True, servers=servers)
    open_statistics(installation)
    run(installation, STATISTICS, "extract", "validate", "review")
    agree(installation, STATISTICS)
    accepted = run(installation, STATISTICS, "package", "deliver", "acknowledge")
    assert accepted.receipt is not None and accepted.receipt.fact.result == "accepted"
    opened = {state.id: state for state in open_due(installation, date(2026, 6, 8))}
    standard = installation.standard("circ_statistics")
    compared = references(installation, opened[MAY], standard)
    assert accepted.package is not None
    assert compared.digests == {"previous": accepted.package.fact.content}
    assert compared.parameters == {"previous_from": "2026-04-01", "previous_to": "2026-04-30"}
    with pytest.raises(Refused, match=f"上一次受理的是 {STATISTICS}"):
        declare_none(installation, MAY, preparer(installation), reason="首次")
    content = installation.folder("contents", STATISTICS) / accepted.package.fact.content
    tampered = content / "BSXM.parquet"
    tampered.chmod(0o644)
    pl.read_parquet(tampered).head(10).write_parquet(tampered)
    with pytest.raises(Tampered, match=r"BSXM\.parquet"):
        references(installation, opened[MAY], standard)
