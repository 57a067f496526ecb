"""Off-system tables in deployment.yaml: owed by a department that exists, of a standard that has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.deployment import app
from pipelines.errors import BadInput
from resources.deployment import load_deployment
from tests.flow.play import own_deployment, replace_text

FIRST = "    lead_working_days: 3\n"


def test_an_off_system_table_is_owed_by_a_department(tmp_path: Path) -> None:
    named = ("deployment.yaml", FIRST, "    off_system: {JGB: reinsurers}\n")
    folder = own_deployment(tmp_path / "deployment", named)
    with pytest.raises(BadInput) as refused:
        load_deployment(folder, tmp_path)
    (detail,) = refused.value.details
    assert detail.code == "deployment.unknown_department"
    assert "filings.circ_statistics.off_system.JGB 中的部门 reinsurers 不在 departments.yaml 中" in str(
        detail
    )
    replace_text(folder / "deployment.yaml", "reinsurers", "finance")
    assert load_deployment(folder, tmp_path).filings["circ_statistics"].off_system == {"JGB": "finance"}


def test_it_is_a_table_of_the_standard_that_is_not_derived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ("deployment.yaml", FIRST, "    off_system: {BSXM: finance, NOPE: claims}\n")
    folder = own_deployment(tmp_path / "deployment", named)
    monkeypatch.setenv("BAOSONG_HOME", str(tmp_path / "home"))
    checked = CliRunner().invoke(app, ["check", str(folder)]).exception
    assert isinstance(checked, BadInput)
    assert [detail.code for detail in checked.details] == [
        "off_system.derived_table",
        "off_system.unknown_table",
    ]
    assert "filings.circ_statistics.off_system 中的表 BSXM 由报送规范推算得出，不能上传" in str(checked)
    replace_text(folder / "deployment.yaml", "BSXM: finance, NOPE: claims", "JGB: finance")
    said = CliRunner().invoke(app, ["check", str(folder)]).output
    assert "circ_statistics 的系统外数据（由部门上传，不用 SQL 提取）：JGB" in said
