"""circ_statistics: values rolled up by hand and by BSXM.sql agree; every content rule passes a clean world and finds its defect."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from resources.calendar import WorkingCalendar
from resources.settings import CHECKOUT
from validations.engine import Standard, derive, judge, load_standard
from validations.engine.sql_text import read_query

World = dict[str, list[dict[str, Any]]]
Finding = tuple[str, str, str, str | None, str | None]
Judged = Callable[[Standard, World, dict[str, str]], set[Finding]]
Written = Callable[[Standard, World], dict[str, Path]]
Reported = Callable[[World, str], dict[tuple[str, str], Decimal]]
STANDARD = load_standard("circ_statistics")
PARAMETERS = {"report": "monthly"}
ORGANISATIONS = (
    ("000000", None, 0), ("000001", "000000", 1), ("440000", "000000", 1), ("440100", "440000", 2), ("440600", "440000", 2)
)  # fmt: skip
LEAVES = (
    ("440100", "BF030100", "100.10"),
    ("440100", "BF030200", "200.20"),
    ("440600", "BF030200", "50.05"),
    ("440600", "BF010000", "-7.00"),
    ("000001", "BF010000", "1000.00"),
    ("440100", "KH000000", "2.00"),
    ("440600", "KH000000", "2.00"),
    ("440000", "KH000000", "3.00"),
    ("000001", "KH000000", "1.00"),
    ("000000", "KH000000", "4.00"),
    ("440000", "ZB010000", "10.00"),
    ("440000", "ZB020000", "5.00"),
    ("440000", "ZB030000", "15.00"),
)
LEDGER = (
    ("440000", "BF030100", "6031JQ", "100.10"),
    ("440000", "BF030200", "6031SY", "250.25"),
    ("440000", "BF010000", "6031QC", "-7.00"),
    ("000001", "BF010000", "6031QC", "1000.00"),
)


def clean_world() -> World:
    return {
        "JGB": [
            {"JGDM": code, "JGMC": f"机构{code}", "SJJGDM": above, "CJ": level, "SFBJ": "是" if code == "000001" else "否"}
            for code, above, level in ORGANISATIONS
        ],
        "XMZ": [{"JGDM": o, "XMDM": item, "JE": Decimal(value)} for o, item, value in LEAVES],
        "ZZYE": [{"JGDM": o, "XMDM": item, "KMBH": account, "JE": Decimal(value)} for o, item, account, value in LEDGER],
    }  # fmt: skip


@pytest.fixture
def reported(written: Written, tmp_path: Path) -> Reported:
    """BSXM of a world for one report: {(organisation, item): value}."""

    def roll_up(world: World, report: str) -> dict[tuple[str, str], Decimal]:
        tables = written(STANDARD, world)
        path = derive(STANDARD, tables, parameters={"report": report}, out=tmp_path)["BSXM"]
        return {
            (organisation, item): value for organisation, item, value in pl.read_parquet(path).iter_rows()
        }

    return roll_up


def test_rolled_up_by_hand(reported: Reported) -> None:
    values = reported(clean_world(), "monthly")
    assert {key: str(value) for key, value in values.items() if value} == {
        # items of a sub-branch: leaves, then 车险 = 交强 + 商业, then the total
        ("440100", "BF030100"): "100.10", ("440100", "BF030200"): "200.20", ("440100", "BF030000"): "300.30",
        ("440100", "BF000000"): "300.30",
        ("440600", "BF030200"): "50.05", ("440600", "BF030000"): "50.05", ("440600", "BF010000"): "-7.00",
        ("440600", "BF000000"): "43.05",
        # the branch is the sum of its sub-branches
        ("440000", "BF030100"): "100.10", ("440000", "BF030200"): "250.25", ("440000", "BF030000"): "350.35",
        ("440000", "BF010000"): "-7.00", ("440000", "BF000000"): "343.35",
        # the head office's own account is a branch like others
        ("000001", "BF010000"): "1000.00", ("000001", "BF000000"): "1000.00",
        ("000000", "BF030100"): "100.10", ("000000", "BF030200"): "250.25", ("000000", "BF030000"): "350.35",
        ("000000", "BF010000"): "993.00", ("000000", "BF000000"): "1343.35",
        # policyholders do not add up: each organisation's own count, 4 and not 3 + 1 + 2 + 2
        ("440100", "KH000000"): "2.00", ("440600", "KH000000"): "2.00", ("440000", "KH000000"): "3.00",
        ("000001", "KH000000"): "1.00", ("000000", "KH000000"): "4.00",
        # what only the branch knows goes up from there
        ("440000", "ZB010000"): "10.00", ("440000", "ZB020000"): "5.00", ("440000", "ZB030000"): "15.00",
        ("000000", "ZB010000"): "10.00", ("000000", "ZB020000"): "5.00", ("000000", "ZB030000"): "15.00",
    }  # fmt: skip


def test_every_due_item_of_every_organisation_is_there(reported: Reported) -> None:
    items = set(STANDARD.codes["items"].values)
    expected = {(organisation, item) for organisation, *_ in ORGANISATIONS for item in items}
    assert set(reported(clean_world(), "monthly")) == expected
    flash = {item for _, item in reported(clean_world(), "flash")}
    assert flash == {"BF000000", "BF030000", "PK000000", "PK030000", "QD000000"}


def test_superiors_in_a_circle_end(reported: Reported) -> None:
    world = clean_world()
    world["JGB"][0]["SJJGDM"] = "440000"
    assert reported(world, "monthly")["000000", "BF030100"] == Decimal("100.10")


def test_item_master_and_code_lists_name_the_same_items() -> None:
    derived = STANDARD.table("BSXM").derive
    assert derived is not None
    query = read_query(derived.read_text(encoding="utf-8"), STANDARD.tables, references={})
    assert query.parameters == ("report",)
    lines = [
        line.strip(" (),").split(",") for line in query.text.splitlines() if line.startswith("        ('")
    ]
    master = {cells[0].strip("'"): [cell.strip(" '") for cell in cells[1:]] for cells in lines}
    assert tuple(master) == STANDARD.codes["items"].values
    assert (
        tuple(code for code, cells in master.items() if cells[2] == "1")
        == STANDARD.codes["leaf_items"].values
    )
    parents = {cells[0] for cells in master.values()} - {"NULL"}
    assert parents == {code for code, cells in master.items() if cells[2] == "0"}
    for code, (parent, level, *_) in master.items():
        assert int(level) == (1 if parent == "NULL" else int(master[parent][1]) + 1), code


def test_april_is_due_on_sunday_the_tenth_and_planned_for_saturday_a_workday() -> None:
    due = STANDARD.report("monthly").due
    calendar = WorkingCalendar()
    deadline = calendar.due_date(
        date(2026, 4, 30), days=due.days, working_days=due.working_days, postponement=due.postponement
    )
    assert deadline == date(2026, 5, 10)
    assert calendar.planned_date(deadline) == date(2026, 5, 9)


def test_the_ledgers_lines_are_the_items_lines() -> None:
    """The SQL's line → item table names leaf items only."""
    for name in ("XMZ", "ZZYE"):
        text = (CHECKOUT / "sql" / "reference_core" / "circ_statistics" / f"{name}.sql").read_text(
            encoding="utf-8"
        )
        for suffix in ("010000", "020000", "030100", "030200", "040000", "050000", "060000"):
            assert f"'{suffix}'" in text
            assert {f"BF{suffix}", f"PK{suffix}"} <= set(STANDARD.codes["leaf_items"].values)
    with (STANDARD.path.parent / "circ_audit" / "codes" / "line.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        assert {row["code"] for row in csv.DictReader(file)} == {"QC", "JC", "JQ", "SY", "ZR", "HY", "YW"}


def put(table: str, row: int, **values: object) -> Callable[[World], None]:
    return lambda world: world[table][row].update(values)


def add(table: str, **values: object) -> Callable[[World], None]:
    return lambda world: world[table].append(values)


def both(*changes: Callable[[World], None]) -> Callable[[World], None]:
    def change(world: World) -> None:
        for each in changes:
            each(world)

    return change


def key(organisation: str, item: str) -> str:
    return f'{{"JGDM":"{organisation}","XMDM":"{item}"}}'


NO_CLAIMS = {"JGDM": "440000", "XMDM": "WJ020000", "JE": Decimal(0)}
DEFECTS: list[tuple[str, str, str, str, Callable[[World], None]]] = [
    ("A01", "JGB", '{"JGDM":"440000"}', "JGMC", put("JGB", 2, JGMC=None)),
    ("A02", "XMZ", key("440000", "WJ020000"), "JGDM", both(add("XMZ", **NO_CLAIMS), add("XMZ", **NO_CLAIMS))),
    ("A05", "JGB", '{"JGDM":"440000"}', "JGMC", put("JGB", 2, JGMC="长" * 101)),
    ("C01", "XMZ", key("440000", "BF000000"), "XMDM", add("XMZ", JGDM="440000", XMDM="BF000000", JE=Decimal(1))),
    ("C02", "JGB", '{"JGDM":"44010A"}', "JGDM", add("JGB", JGDM="44010A", JGMC="x", CJ=2, SFBJ="否")),
    ("E01", "XMZ", key("999999", "BE000000"), "JGDM", add("XMZ", JGDM="999999", XMDM="BE000000", JE=Decimal(1))),
    ("E01", "ZZYE", key("999999", "BE000000"), "JGDM", add("ZZYE", JGDM="999999", XMDM="BE000000", KMBH="x", JE=Decimal(1))),
    ("E01", "JGB", '{"JGDM":"440700"}', "SJJGDM", add("JGB", JGDM="440700", JGMC="x", SJJGDM="999999", CJ=2, SFBJ="否")),
    ("R09", "BSXM", key("440000", "BF030200"), "JE", put("ZZYE", 1, JE=Decimal("250.26"))),
]  # fmt: skip


def test_clean_world_has_no_findings(judged: Judged) -> None:
    assert judged(STANDARD, clean_world(), PARAMETERS) == set()


@pytest.mark.parametrize("defect", DEFECTS, ids=[f"{d[0]}-{d[3]}" for d in DEFECTS])
def test_one_defect_gives_exactly_its_finding(
    judged: Judged, defect: tuple[str, str, str, str, Callable[[World], None]]
) -> None:
    rule, table, text, field, damage = defect
    world = clean_world()
    damage(world)
    assert {found[:4] for found in judged(STANDARD, world, PARAMETERS)} == {(rule, table, text, field)}


@pytest.mark.parametrize(
    ("rule", "item", "first"),
    [
        ("F01", "BF040000", "BF000000"),
        ("F02", "BF030200", "BF030000"),
        ("F03", "PK040000", "PK000000"),
        ("F04", "PK030200", "PK030000"),
        ("F05", "ZB010000", "ZB020000"),
        ("F06", "WJ010000", "WJ040000"),
        ("F07", "TB020000", "TB000000"),
    ],
)
def test_a_changed_item_breaks_its_formula(
    written: Written, tmp_path: Path, rule: str, item: str, first: str
) -> None:
    """A figure changed in the report itself, after the roll-up: only its formula can see it."""
    paths = written(STANDARD, clean_world())
    paths |= derive(STANDARD, paths, parameters=PARAMETERS, out=tmp_path / "derived")
    cell = (pl.col("JGDM") == "440600") & (pl.col("XMDM") == item)
    frame = pl.read_parquet(paths["BSXM"])
    changed = (
        pl.when(cell).then(pl.col("JE") + Decimal("1.00")).otherwise(pl.col("JE")).cast(pl.Decimal(20, 2))
    )
    frame.with_columns(changed.alias("JE")).write_parquet(paths["BSXM"])
    judge(STANDARD, paths, report="monthly", parameters=PARAMETERS, findings=tmp_path / "findings.parquet")
    found = pl.read_parquet(tmp_path / "findings.parquet").select("rule", "table", "key", "difference").rows()
    assert [(r, t, k, abs(Decimal(d))) for r, t, k, d in found] == [
        (rule, "BSXM", key("440600", first), Decimal(1))
    ]


def test_every_content_rule_has_a_defect() -> None:
    tested = {defect[0] for defect in DEFECTS} | {f"F0{n}" for n in range(1, 8)}
    assert {rule.id for rule in STANDARD.rules} == tested
