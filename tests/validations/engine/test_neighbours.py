"""Standards that read others, months of reports, tables that are a CSV: what loading checks of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from validations.engine import STANDARDS, load_standard

NAME = "circ_statistics"
"""It reads `circ_audit` in one rule, names months, and keeps its items in a CSV."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder of a standard by itself, as evidence and deployments hold it."""
    shutil.copytree(STANDARDS / NAME, tmp_path / NAME)
    return tmp_path


def replace_text(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load_standard(NAME, (folder, STANDARDS))
    return [str(detail) for detail in caught.value.details]


def test_the_standard_it_reads_may_lie_in_another_folder(copy: Path) -> None:
    assert load_standard(NAME, (copy, STANDARDS)).path.parent == copy


def test_without_the_standard_it_reads_it_does_not_load_unless_alone(copy: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_standard(NAME, (copy,))
    assert "circ_audit." in str(caught.value.details[0])
    assert load_standard(NAME, (copy,), alone=True).digest == load_standard(NAME).digest


def test_alone_its_other_mistakes_are_still_found(copy: Path) -> None:
    replace_text(copy / NAME / "rules" / "R10.sql", "FROM BSXM AS h", "FROM BSXX AS h")
    with pytest.raises(BadInput) as caught:
        load_standard(NAME, (copy,), alone=True)
    assert [detail.code for detail in caught.value.details if isinstance(detail, BadInput)] == [
        "validations.sql_unknown_table"
    ]


def test_months_in_which_no_such_period_ends_are_refused(copy: Path) -> None:
    replace_text(copy / NAME / "standard.yaml", "months: [3, 9]", "months: [1, 2]")
    (said,) = mistakes(copy)
    assert said.endswith("reports.2.months: none of these months is the last of a quarterly period")


def test_a_month_that_does_not_exist_is_refused(copy: Path) -> None:
    replace_text(copy / NAME / "standard.yaml", "months: [3, 9]", "months: [3, 13]")
    assert any("13" in said for said in mistakes(copy))


def test_a_csv_with_other_columns_than_its_table_is_refused(copy: Path) -> None:
    replace_text(copy / NAME / "tables" / "XMB.csv", "XMDM,XMMC,", "XMDM,XMXX,")
    (said,) = mistakes(copy)
    assert "XMXX" in said
    assert "XMB.csv:1" in said


def test_a_csv_that_is_not_there_is_named(copy: Path) -> None:
    (copy / NAME / "tables" / "XMB.csv").unlink()
    assert any("tables/XMB.csv" in said for said in mistakes(copy))
