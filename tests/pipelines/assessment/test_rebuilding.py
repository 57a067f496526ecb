"""The same ledger gives the same bytes; what is open, lost or changed is said, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.assessment.submission_metrics import submission_metrics, write_metrics
from pipelines.errors import BadInput, Tampered
from pipelines.stages.installation import Installation
from tests.flow.play import AUDIT, BRANCHES, Cores, draft, open_by_request, opened, own_deployment, run
from tests.pipelines.assessment.audit_in_may import GUANGDONG, SICHUAN, ZHEJIANG, at

Copy = Callable[..., Installation]
CARD_DAY = at("2026-06-03 06:00")


def test_a_rebuilt_result_is_byte_identical_on_any_later_day(copy_of: Copy, home_in_may: Path) -> None:
    installation = copy_of(home_in_may)
    first = submission_metrics(installation, "2026-05", as_of=CARD_DAY)
    again = submission_metrics(installation, "2026-05", as_of=at("2026-07-15 12:00"))
    assert first.json() == again.json()
    path = write_metrics(installation, first)
    assert write_metrics(installation, again) == path
    assert path.name == f"{first.score_id}.json"
    assert path.read_text(encoding="utf-8") == first.json()
    assert [each.suffix for each in sorted(path.parent.iterdir())] == [".json", ".parquet"]


def test_what_happens_later_leaves_the_result_of_that_day_as_it_was(
    home_in_may: Path, home_in_june: Path
) -> None:
    with opened(home_in_may) as then, opened(home_in_june) as now:
        before = submission_metrics(then, "2026-05", as_of=CARD_DAY)
        after = submission_metrics(now, "2026-05", as_of=CARD_DAY)
        later = submission_metrics(now, "2026-05", as_of=at("2026-06-30 12:00"))
    assert before.json() == after.json() == later.json()


def test_the_keys_are_kept_as_lists_beside_the_result(copy_of: Copy, home_in_may: Path) -> None:
    installation = copy_of(home_in_may)
    result = submission_metrics(installation, "2026-05", as_of=CARD_DAY)
    kept = pl.read_parquet(write_metrics(installation, result).with_suffix(".parquet"))
    assert kept.columns == ["metric", "branch", "month", "filing", "key", "role", "value", "reason"]
    assert kept.equals(result.keys)
    assert set(kept["role"]) == {"num", "den", "excluded"}
    late = kept.filter(pl.col("reason") == "late").row(0, named=True)
    assert (late["metric"], late["branch"], late["month"], late["filing"]) == (
        "SUB-04",
        GUANGDONG,
        "2026-05",
        AUDIT,
    )


def test_numbers_are_written_with_four_decimals_and_sorted_keys(home_in_may: Path) -> None:
    with opened(home_in_may) as installation:
        text = submission_metrics(installation, "2026-05", as_of=CARD_DAY).json()
    document = json.loads(text)
    assert text == json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
    assert document["branches"][ZHEJIANG]["SUB-05"] == {
        "status": "measured", "k": 13, "n": 13, "raw": "12.5000", "median": "8.5000", "shrunk": None, "low": None,
        "high": None, "excluded": {}, "is_flagged": False,
    }  # fmt: skip
    assert document["priors"]["SUB-04"] == {"mean": "0.8000", "strength": "20.0000", "source": "estimated"}


def test_what_is_not_due_yet_is_left_out_until_it_is(home_in_may: Path) -> None:
    """On the 8th at 12:00 Guangdong and Sichuan still have the afternoon; on the 9th early, nobody of Sichuan answered."""
    with opened(home_in_may) as installation:
        noon = submission_metrics(installation, "2026-05", as_of=at("2026-05-08 12:00"))
        next_day = submission_metrics(installation, "2026-05", as_of=at("2026-05-09 08:00"))
    assert noon.of("SUB-04", ZHEJIANG).k == 15
    for branch, count in ((GUANGDONG, 18), (SICHUAN, 7)):
        open_ = noon.of("SUB-04", branch)
        assert (open_.status, open_.n, open_.excluded) == ("insufficient", 0, {"not_due_yet": count})
    assert (next_day.of("SUB-04", GUANGDONG).k, next_day.of("SUB-04", GUANGDONG).n) == (17, 18)
    assert (next_day.of("SUB-04", SICHUAN).k, next_day.of("SUB-04", SICHUAN).n) == (0, 7)
    assert noon.score_id != next_day.score_id


def test_a_month_without_filings_measures_nothing_and_says_so_of_every_branch(home_in_may: Path) -> None:
    with opened(home_in_may) as installation:
        april = submission_metrics(installation, "2026-04", as_of=CARD_DAY)
    assert {each.status for each in april.measured} == {"not_applicable"}
    assert len(april.measured) == 38 * 7
    assert april.keys.is_empty()
    assert april.inputs["streams"] == {}


@pytest.mark.parametrize("lost", ["contents", "facts", "comparisons"])
def test_a_lost_file_fails_the_metrics_that_need_it_of_the_branches_it_concerns(
    copy_of: Copy, home_in_may: Path, lost: str
) -> None:
    installation = copy_of(home_in_may)
    needing = {
        "contents": {"SUB-03", "SUB-07", "SUB-15"},
        "facts": {"SUB-03", "SUB-04", "SUB-05", "SUB-06", "SUB-07", "SUB-15"},
        "comparisons": {"SUB-16"},
    }
    for path in (installation.home / lost / AUDIT).rglob("*.parquet"):
        path.unlink()
    result = submission_metrics(installation, "2026-05", as_of=CARD_DAY)
    assert {each.metric for each in result.failures} == needing[lost]
    assert {(each.filing, each.error.code) for each in result.failures} == {
        (AUDIT, "assessment.file_changed")
    }
    for metric in needing[lost]:
        assert result.of(metric, GUANGDONG).status == "failed"
        assert result.of(metric, GUANGDONG).raw is None
        assert result.of(metric, "110000").status == "not_applicable"
    assert str(installation.home) not in result.json()


def test_a_round_that_was_changed_is_not_counted(copy_of: Copy, home_in_may: Path) -> None:
    installation = copy_of(home_in_may)
    table = installation.rounds.path(AUDIT, 1) / "KHXXB.parquet"
    table.chmod(0o644)
    table.write_bytes(table.read_bytes()[:-1] + b"0")
    result = submission_metrics(installation, "2026-05", as_of=CARD_DAY)
    assert [(each.metric, each.error.code) for each in result.failures] == [("SUB-03", "round.tampered")]
    assert result.of("SUB-03", ZHEJIANG).status == "failed"
    assert result.of("SUB-04", ZHEJIANG).status == "measured"


def test_another_number_under_the_same_name_is_tampered(copy_of: Copy, home_in_may: Path) -> None:
    installation = copy_of(home_in_may)
    result = submission_metrics(installation, "2026-05", as_of=CARD_DAY)
    path = write_metrics(installation, result)
    path.write_text(path.read_text(encoding="utf-8").replace('"k":15', '"k":14', 1), encoding="utf-8")
    with pytest.raises(Tampered) as caught:
        write_metrics(installation, result)
    assert caught.value.code == "assessment.not_reproduced"


def test_after_a_merger_the_receiving_branch_answers_for_all_rows(
    copy_of: Copy, home_in_may: Path, tmp_path: Path
) -> None:
    merged = own_deployment(tmp_path / "deployment")
    (merged / "mergers.csv").write_text("code,into,effective\n330000,440000,2026-01-01\n", encoding="utf-8")
    result = submission_metrics(copy_of(home_in_may, deployment=merged), "2026-05", as_of=CARD_DAY)
    both = result.of("SUB-03", GUANGDONG)
    assert (both.k, both.n) == (13 + 18, 2236 + 2426)
    assert result.of("SUB-03", ZHEJIANG).status == "not_applicable"


def test_limits_and_frozen_means_of_the_deployment_hold(
    copy_of: Copy, home_in_may: Path, tmp_path: Path
) -> None:
    """Sichuan 0 of 7 with a mean of 0.9 that weighs 63: 56.7 / 70; judged from five on, its interval proves it late."""
    limits = (
        "assessment: {metrics: {SUB-04: {least: 5, threshold: 0.9}},"
        " priors: {2026Q2: {SUB-04: {mean: 0.9, strength: 63}}}}\nfilings:"
    )
    deployment = own_deployment(tmp_path / "deployment", ("deployment.yaml", "filings:", limits))
    result = submission_metrics(copy_of(home_in_may, deployment=deployment), "2026-05", as_of=CARD_DAY)
    sichuan = result.of("SUB-04", SICHUAN)
    assert (sichuan.status, f"{sichuan.shrunk}", sichuan.is_flagged) == ("measured", "0.8100", True)
    prior = result.priors["SUB-04"]
    assert prior is not None
    assert prior.source == "frozen"


def test_a_metric_or_month_that_there_is_not_is_named(
    copy_of: Copy, home_in_may: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(
        tmp_path / "deployment",
        ("deployment.yaml", "filings:", "assessment: {metrics: {SUB-99: {least: 5}}}\nfilings:"),
    )
    installation = copy_of(home_in_may, deployment=deployment)
    for month, code in (("2026-05", "assessment.unknown_metric"), ("2026-13", "assessment.month")):
        with pytest.raises(BadInput) as caught:
            submission_metrics(installation, month, as_of=CARD_DAY)
        assert caught.value.code == code


def test_a_branch_of_the_filing_without_any_row_has_too_little_to_be_judged(
    cores: Cores, tmp_path: Path
) -> None:
    """A branch just founded: it is asked for, and the core has nothing of it yet."""
    founded = "990000,新设分公司,000000,1,false,110105\n110100,"
    deployment = own_deployment(tmp_path / "deployment", ("organisations.csv", "110100,", founded))
    with opened(cores.furnish(tmp_path / "home"), deployment) as installation:
        open_by_request(installation, replace(draft(installation.home), organisations=(*BRANCHES, "990000")))
        run(installation, AUDIT, "extract", "validate", "review")
        result = submission_metrics(installation, "2026-05", as_of=installation.now())
    new = result.of("SUB-03", "990000")
    assert (new.status, new.k, new.n, new.raw, new.is_flagged) == ("insufficient", 0, 0, None, False)
    (key,) = result.keys.filter(pl.col("branch") == "990000", pl.col("metric") == "SUB-03").iter_rows(
        named=True
    )
    assert (key["role"], key["value"], key["reason"]) == ("den", 0, "no_rows")
    assert (result.of("SUB-06", "990000").k, result.of("SUB-06", "990000").n) == (0, 1)
