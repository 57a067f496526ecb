"""A rule run on a round of a filing finds what the filing's validation found, and moves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.rule import app
from pipelines.errors import BadInput
from tests.flow.conftest import Resume
from tests.flow.play import SCHEDULE_P, STATISTICS, open_statistics, opened, run


def test_a_round_is_read_and_nothing_is_recorded(
    schedule_p_in_review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(schedule_p_in_review) as installation:
        before = installation.state(SCHEDULE_P)
        monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
        monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(installation.settings.deployment))
    assert before.content is not None
    counts = before.content.fact.counts
    rule = max(counts, key=lambda each: counts[each])
    done = CliRunner().invoke(app, ["run", rule, "--filing", SCHEDULE_P, "--round", "1", "--json"])
    said = json.loads(done.stdout)
    assert (done.exit_code, said["count"], len(said["failing"])) == (1, counts[rule], min(5, counts[rule]))
    assert said["rows"] == {"TRIANGLE": before.content.fact.rows}
    done = CliRunner().invoke(app, ["run", rule, "--filing", SCHEDULE_P, "--round", "9"])
    assert isinstance(done.exception, BadInput) and done.exception.code == "round.missing"
    with opened(schedule_p_in_review) as installation:
        assert installation.state(SCHEDULE_P).seq == before.seq


def test_another_report_than_the_filings_is_derived_as_such(
    begin: Resume, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    run(installation, STATISTICS, "extract")
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(installation.settings.deployment))
    asked = ["run", "F01", "--filing", STATISTICS, "--round", "1", "--json"]
    rows: dict[str, int] = {}
    for report in ("flash", "monthly"):
        done = CliRunner().invoke(app, [*asked, "--report", report])
        assert done.exit_code == 0, done.exception
        rows[report] = json.loads(done.stdout)["rows"]["BSXM"]
    assert 0 < rows["flash"] < rows["monthly"]
