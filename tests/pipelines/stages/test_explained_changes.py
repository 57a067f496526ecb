"""Which changes an accepted handling explains, and above all which not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.stages.explained_changes import write_explained
from pipelines.stages.handlings import Handled
from pipelines.stages.table_changes import CHANGES_SCHEMA
from resources.settings import CHECKOUT
from validations.engine import Standard, load_standard

Change = tuple[str, str, str, str | None, str | None, str | None, str]


@pytest.fixture(scope="module")
def standard() -> Standard:
    return load_standard("circ_audit", [CHECKOUT / "validations" / "standards"])


def key(**parts: str) -> str:
    return json.dumps(parts, separators=(",", ":"))


def promise(rule: str, table: str, of: str, field: str | None = None, **more: Any) -> Handled:
    given: dict[str, Any] = {"handling": "source_fix", "new_value": None, **more}
    return Handled(
        finding=f"{rule}|{of}|{field}", rule=rule, rule_digest="", severity="block", table=table, key=of, field=field,
        value=None, expected=None, difference=None, reason="", department="", organisation="440000", user="",
        **given,
    )  # fmt: skip


def changed(table: str, of: str, field: str | None, new: str = "new") -> Change:
    return table, of, "changed", field, "old", new, "440000"


def explained(
    folder: Path, standard: Standard, changes: list[Change], *promises: Handled
) -> list[str | None]:
    """What explains each change, in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    given = folder / "given.parquet"
    pl.DataFrame(changes, schema=dict.fromkeys(CHANGES_SCHEMA.names, pl.String), orient="row").write_parquet(
        given
    )
    counts = write_explained(standard, [given], promises, folder / "out.parquet")
    found = pl.read_parquet(folder / "out.parquet")["explanation"].to_list()
    assert sum(counts.values()) == found.count(None)
    return found


POLICY = key(BDH="B1")


def test_a_fix_explains_the_cell_of_a_rule_on_rows_and_no_other(standard: Standard, tmp_path: Path) -> None:
    customer = key(KHBH="K1")
    changes = [
        changed("KHXXB", customer, "ZJHM"),
        changed("KHXXB", customer, "DZ"),
        changed("KHXXB", key(KHBH="K2"), "ZJHM"),
    ]
    fix = promise("B01", "KHXXB", customer, "ZJHM")
    assert explained(tmp_path, standard, changes, fix) == [fix.finding, None, None]


def test_a_fix_of_a_rule_between_tables_explains_what_belongs_to_its_row(
    standard: Standard, tmp_path: Path
) -> None:
    """E04: a policy's premium is the sum of its covers'."""
    names = standard.table("BDXBB").stored_key
    assert set(names) > set(standard.table("BDXXB").stored_key) == {"BDH"}
    covers = [key(**{**dict.fromkeys(names, "X1"), "BDH": policy}) for policy in ("B1", "B2")]
    changes = [changed("BDXBB", cover, "XBBF") for cover in covers]
    fix = promise("E04", "BDXXB", POLICY)
    assert explained(tmp_path, standard, changes, fix) == [fix.finding, None]


@pytest.mark.parametrize("rule", ["A02", "R02"])
def test_a_fix_explains_nothing_in_tables_that_only_share_a_part_of_the_key(
    standard: Standard, tmp_path: Path, rule: str
) -> None:
    """One promised voucher says nothing about the ledger of the whole branch."""
    voucher = {name: "440000" if name == "FZJGDM" else "1" for name in standard.table("CWPZXXB").stored_key}
    account = {name: "440000" if name == "FZJGDM" else "2" for name in standard.table("ZZKJQKMB").stored_key}
    changes = [changed("ZZKJQKMB", key(**account), field) for field in ("BQDF", "BQJF")]
    assert explained(tmp_path, standard, changes, promise(rule, "CWPZXXB", key(**voucher))) == [None, None]


def test_a_correction_explains_its_own_value_and_no_other(standard: Standard, tmp_path: Path) -> None:
    changes = [
        changed("BDXXB", POLICY, "ZZS", "1019.43"),
        changed("BDXXB", POLICY, "BF", "1019.43"),
        changed("BDXXB", key(BDH="B2"), "ZZS", "1019.43"),
    ]
    right = promise("D05", "BDXXB", POLICY, "ZZS", handling="report_correction", new_value="1019.430")
    assert explained(tmp_path, standard, changes, right) == [right.finding, None, None]
    wrong = promise("D05", "BDXXB", POLICY, "ZZS", handling="report_correction", new_value="1019.44")
    assert explained(tmp_path / "wrong", standard, changes, wrong) == [None, None, None]


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_edit_of_a_row_that_nobody_spoke_of_is_never_explained(
    standard: Standard, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any rule may promise anything: rows whose key has no value in common with the promise's stay unexplained."""
    tables = st.sampled_from(sorted(name for name, table in standard.tables.items() if table.derive is None))
    rules = st.sampled_from([rule.id for rule in standard.rules])

    def row(table: str, mark: str) -> str:
        names = standard.table(table).stored_key
        values = data.draw(st.lists(st.integers(0, 3), min_size=len(names), max_size=len(names)))
        return key(**{name: f"{mark}{value}" for name, value in zip(names, values, strict=True)})

    promises = [
        promise(data.draw(rules), table, row(table, "p")) for table in data.draw(st.lists(tables, max_size=6))
    ]
    changes = [changed(table, row(table, "c"), None) for table in data.draw(st.lists(tables, max_size=6))]
    folder = tmp_path_factory.mktemp("explained")
    assert explained(folder, standard, changes, *promises) == [None] * len(changes)
