"""Every metric of a played audit against numbers worked out by hand from `audit_in_may`'s story."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.assessment.submission_metrics import SubmissionMetrics, submission_metrics
from pipelines.stages.installation import Installation
from tests.flow.play import AUDIT, opened
from tests.pipelines.assessment.audit_in_may import GUANGDONG, HEAD_OFFICE, SICHUAN, ZHEJIANG, at

CARD_DAY = at("2026-06-03 06:00")
PROVINCES = (ZHEJIANG, GUANGDONG, SICHUAN)


@pytest.fixture(scope="module")
def installation(home_in_may: Path) -> Iterator[Installation]:
    with opened(home_in_may) as opened_:
        yield opened_


@pytest.fixture(scope="module")
def may(installation: Installation) -> SubmissionMetrics:
    return submission_metrics(installation, "2026-05", as_of=CARD_DAY)


@pytest.fixture(scope="module")
def june(home_in_june: Path) -> Iterator[SubmissionMetrics]:
    with opened(home_in_june) as opened_:
        yield submission_metrics(opened_, "2026-06", as_of=at("2026-06-03 10:00"))


def counted(result: SubmissionMetrics, metric: str) -> dict[str, tuple[int, int]]:
    return {code: (result.of(metric, code).k, result.of(metric, code).n) for code in PROVINCES}


def statuses(result: SubmissionMetrics, metric: str) -> list[str]:
    return [result.of(metric, code).status for code in PROVINCES]


def listed(result: SubmissionMetrics, metric: str, branch: str, role: str) -> pl.DataFrame:
    return result.keys.filter(
        (pl.col("metric") == metric) & (pl.col("branch") == branch) & (pl.col("role") == role)
    )


def test_findings_of_the_first_extraction_are_told_per_ten_thousand_rows_of_the_branch(
    installation: Installation, may: SubmissionMetrics
) -> None:
    """40 findings of the answer key, two of them dismissed; 13 / 2,236 rows = 58.1395 in 10,000."""
    assert counted(may, "SUB-03") == {ZHEJIANG: (13, 2236), GUANGDONG: (18, 2426), SICHUAN: (7, 1969)}
    assert may.of("SUB-03", ZHEJIANG).raw == Decimal("58.1395")
    assert may.of("SUB-03", GUANGDONG).excluded == {"dismissed": 2}
    assert statuses(may, "SUB-03") == [
        "measured",
        "measured",
        "insufficient",
    ]  # 1,969 rows are fewer than 2,000
    facts = installation.state(AUDIT).rounds[0].fact.tables
    rows = [may.of("SUB-03", code).n for code in (*PROVINCES, HEAD_OFFICE)]
    assert sum(rows) == sum(table.rows for table in facts.values()) == 6865


def test_rows_of_no_branch_are_the_head_offices(may: SubmissionMetrics) -> None:
    own = may.of("SUB-03", HEAD_OFFICE)
    assert (own.k, own.n, own.status) == (0, 234, "insufficient")


def test_answers_are_in_time_by_the_day_each_question_was_due(may: SubmissionMetrics) -> None:
    """Zhejiang: 13 and 2 sent back. Guangdong: 17, and the finance department's one a day late. Sichuan: none of 7."""
    assert counted(may, "SUB-04") == {ZHEJIANG: (15, 15), GUANGDONG: (17, 18), SICHUAN: (0, 7)}
    assert statuses(may, "SUB-04") == ["measured", "measured", "insufficient"]
    missed = listed(may, "SUB-04", GUANGDONG, "den").filter(pl.col("reason").is_not_null())
    assert missed["reason"].to_list() == ["late"]
    assert set(listed(may, "SUB-04", SICHUAN, "den")["reason"]) == {"not_returned"}


def test_few_answers_are_drawn_towards_all_branches_and_accused_only_when_proven(
    may: SubmissionMetrics,
) -> None:
    """All branches: 32 of 40, which weighs 20: (15+16)/35, (17+16)/38, (0+16)/27. Wilson of 15/15: 15 / (15 + 2.7055)."""
    prior = may.priors["SUB-04"]
    assert prior is not None
    assert (float(prior.mean), prior.strength, prior.source) == (0.8, 20, "estimated")
    shrunk = [may.of("SUB-04", code).shrunk for code in PROVINCES]
    assert shrunk == [Decimal("0.8857"), Decimal("0.8684"), Decimal("0.5926")]
    assert may.of("SUB-04", ZHEJIANG).low == Decimal("0.8472")
    assert may.of("SUB-04", GUANGDONG).high == Decimal(
        "0.9875"
    )  # above the 98 % of the target: may be bad luck
    assert not any(may.of("SUB-04", code).is_flagged for code in PROVINCES)


def test_turnaround_is_working_time_at_the_branch_alone(may: SubmissionMetrics) -> None:
    """Zhejiang 8.5 h, and 4 h more for the two sent back: the four hours they lay at the department do not count.

    6 May 09:00 to 7 May 10:00 is 450 + 60 minutes; 7 May 14:00 to 8 May 09:00 is 210 + 30. The twelfth of thirteen is the
    90th percentile. Guangdong: to 8 May 17:00 two days and 390 minutes; to the 9th 10:00, a Saturday worked, 1,410.
    """
    zhejiang, guangdong = (may.of("SUB-05", code) for code in (ZHEJIANG, GUANGDONG))
    assert (zhejiang.n, zhejiang.median, zhejiang.raw) == (13, Decimal("8.5"), Decimal("12.5"))
    assert (guangdong.n, guangdong.median, guangdong.raw) == (18, Decimal("21.5"), Decimal("21.5"))
    seconds = listed(may, "SUB-05", GUANGDONG, "den")["value"]
    assert sorted(seconds.unique()) == [1290 * 60, 1410 * 60]


def test_a_branch_that_returned_nothing_has_not_delivered(may: SubmissionMetrics) -> None:
    sichuan = may.of("SUB-05", SICHUAN)
    assert (sichuan.status, sichuan.excluded, sichuan.raw) == ("not_delivered", {"not_returned": 7}, None)


def test_a_round_is_charged_to_the_branches_whose_source_fixes_made_it_due(may: SubmissionMetrics) -> None:
    assert counted(may, "SUB-06") == {ZHEJIANG: (1, 1), GUANGDONG: (1, 1), SICHUAN: (0, 1)}
    assert may.of("SUB-06", SICHUAN).excluded == {"other_branch": 1}
    assert statuses(may, "SUB-06") == ["insufficient"] * 3  # one submission


def test_a_finding_that_vanished_without_a_word_is_listed(may: SubmissionMetrics) -> None:
    assert counted(may, "SUB-15") == {ZHEJIANG: (0, 13), GUANGDONG: (0, 18), SICHUAN: (1, 7)}
    assert may.of("SUB-15", SICHUAN).raw == Decimal("0.1429")
    assert may.of("SUB-15", GUANGDONG).excluded == {"dismissed": 2}


def test_changes_that_nobody_explains_are_listed_one_by_one(
    installation: Installation, may: SubmissionMetrics
) -> None:
    """Of Guangdong's 19 changes one was declared and one was not; Sichuan's only one is what it mended in silence."""
    assert counted(may, "SUB-16") == {ZHEJIANG: (0, 11), GUANGDONG: (1, 19), SICHUAN: (1, 1)}
    unexplained = sum(may.of("SUB-16", code).k for code in PROVINCES)
    assert unexplained == installation.state(AUDIT).unexplained_drift == 2
    (key,) = listed(may, "SUB-16", GUANGDONG, "num")["key"]
    assert key.startswith('2:BDXXB:BFBHS:changed:{"BDH":"440000')
    reasons = listed(may, "SUB-16", GUANGDONG, "den").group_by("reason").agg(pl.col("value").sum())
    assert dict(reasons.iter_rows()) == {"source_fix": 17, "declared": 1, None: 1}


def test_nothing_can_come_again_in_the_first_filing_of_a_report(may: SubmissionMetrics) -> None:
    assert statuses(may, "SUB-07") == ["not_applicable"] * 3
    assert may.of("SUB-07", ZHEJIANG).excluded == {"no_earlier_filing": 13}


def test_findings_that_were_corrected_in_the_filing_before_come_again(june: SubmissionMetrics) -> None:
    """Zhejiang mended 11 and explained 2; Guangdong mended 17 and corrected one, its two dismissed ones were not corrected."""
    assert counted(june, "SUB-07") == {ZHEJIANG: (11, 13), GUANGDONG: (18, 20), SICHUAN: (0, 7)}
    assert statuses(june, "SUB-07") == ["insufficient", "measured", "insufficient"]


def test_a_branch_is_flagged_where_it_is_proven_worse_than_the_threshold(june: SubmissionMetrics) -> None:
    """Guangdong's interval begins far above 3 %; Zhejiang's does as well, of too few findings to be judged."""
    assert june.of("SUB-07", GUANGDONG).low == Decimal("0.7383")
    assert [june.of("SUB-07", code).is_flagged for code in PROVINCES] == [False, True, False]


def test_what_nothing_happened_to_is_not_applicable_and_every_branch_is_there(
    june: SubmissionMetrics,
) -> None:
    assert len(june.branches) == 38
    assert statuses(june, "SUB-04") == ["not_applicable"] * 3  # nothing was issued
    assert {each.status for each in june.measured if each.branch == "110000"} == {"not_applicable"}


def test_every_number_is_the_sum_of_its_list(may: SubmissionMetrics, june: SubmissionMetrics) -> None:
    for result in (may, june):
        for each in result.measured:
            numerator = listed(result, each.metric, each.branch, "num")["value"].sum()
            denominator = listed(result, each.metric, each.branch, "den")
            n = denominator.height if each.metric == "SUB-05" else denominator["value"].sum()
            assert (each.k, each.n) == (n if each.metric == "SUB-05" else numerator, n)
            left_out = listed(result, each.metric, each.branch, "excluded").height
            assert sum((each.excluded or {}).values()) == left_out
