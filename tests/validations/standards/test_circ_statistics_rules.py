"""circ_statistics beyond its examples: the roll-up against an independent one by hand, and the item master's own order.

What each rule lets pass and finds stands in the standard's `examples/`.
"""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validations.engine import arrow_schema, derive, load_standard

STANDARD = load_standard("circ_statistics")
KINDS = {"flash": "KB", "monthly": "YB", "quarterly": "JB", "half_year": "BB", "annual": "NB"}
"""Report → its column in the item master, in the order in which each contains the one before."""
Organisations = Mapping[str, str | None]
Leaves = Mapping[tuple[str, str], Decimal]
Values = dict[tuple[str, str], Decimal]
BOOK: Organisations = {
    "000000": None,
    "000001": "000000",
    "440000": "000000",
    "440100": "440000",
    "440600": "440000",
}


@cache
def master() -> dict[str, dict[str, str]]:
    path = STANDARD.path / "tables" / "XMB.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {line["XMDM"]: line for line in csv.DictReader(file)}


def rolled_up_by_hand(organisations: Organisations, leaves: Leaves) -> Values:
    """Organisations from the deepest up, general leaves only; then each organisation's items from the leaves up."""
    totals: dict[str, dict[str, Decimal]] = {code: defaultdict(Decimal) for code in organisations}

    def depth(code: str) -> int:
        above = organisations[code]
        return 0 if above is None else 1 + depth(above)

    for (code, item), value in leaves.items():
        totals[code][item] += value
    for code in sorted(organisations, key=depth, reverse=True):
        above = organisations[code]
        for item, value in totals[code].items():
            if above is not None and master()[item]["SFKJ"] == "1":
                totals[above][item] += value

    def value_of(code: str, item: str) -> Decimal:
        children = [name for name, line in master().items() if line["SJXM"] == item]
        total = totals[code].get(item, Decimal(0))
        total += sum(value_of(code, child) for child in children)
        for term in master()[item]["JSGS"].replace("-", "+-").split("+"):
            if term:
                total += (-1 if term[0] == "-" else 1) * value_of(code, term.lstrip("-"))
        return total

    return {
        (code, item): value_of(code, item)
        for code in organisations
        for item, line in master().items()
        if line["LX"] != "比率"
    }


def derived(organisations: Organisations, leaves: Leaves, report: str, table: str = "BSXM") -> Values:
    """What the standard's SQL makes of the same rows."""
    rows = {
        "JGB": [{"JGDM": code, "SJJGDM": above} for code, above in organisations.items()],
        "XMZ": [{"JGDM": code, "XMDM": item, "JE": value} for (code, item), value in leaves.items()],
        "ZZYE": [],
    }
    with tempfile.TemporaryDirectory() as name:
        tables: dict[str, Path] = {}
        for table_name, said in rows.items():
            schema = arrow_schema(STANDARD.table(table_name))
            columns = [pa.array([row.get(field.name) for row in said], field.type) for field in schema]
            tables[table_name] = Path(name) / f"{table_name}.parquet"
            pq.write_table(pa.Table.from_arrays(columns, schema=schema), tables[table_name])
        parameters = {
            "report": report, "date_from": "2026-01-01", "date_to": "2026-12-31", "year_from": "2026-01-01",
            "period_from": "202601", "period_to": "202612", "key": "2026",
        }  # fmt: skip
        paths = derive(STANDARD, tables, parameters=parameters, out=Path(name) / "out")
        return {(code, item): value for code, item, value in pl.read_parquet(paths[table]).iter_rows()}


# ---- the roll-up

LEAF_ITEMS = sorted(item for item, line in master().items() if line["SFMJ"] == "1")
CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents).scaleb(-2))
LEAVES = st.dictionaries(
    st.tuples(st.sampled_from(sorted(BOOK)), st.sampled_from(LEAF_ITEMS)), CENTS, max_size=40
)


@settings(max_examples=12, deadline=None)
@given(LEAVES)
def test_the_roll_up_is_what_another_hand_rolls_up(leaves: Leaves) -> None:
    assert derived(BOOK, leaves, "annual") == rolled_up_by_hand(BOOK, leaves)


PARENTS = st.lists(st.integers(0, 6), min_size=7, max_size=7)


@settings(max_examples=8, deadline=None)
@given(PARENTS, LEAVES)
def test_any_tree_of_organisations_rolls_up(parents: list[int], leaves: Leaves) -> None:
    codes = [f"{number:06d}" for number in range(8)]
    tree = {codes[0]: None} | {codes[n + 1]: codes[min(parent, n)] for n, parent in enumerate(parents)}
    planted = {(codes[sum(item.encode()) % 8], item): value for (_, item), value in leaves.items()}
    assert derived(tree, planted, "annual") == rolled_up_by_hand(tree, planted)


def test_policyholders_are_each_organisations_own_count() -> None:
    leaves = {
        (code, "KH010000"): Decimal(n)
        for code, n in (("440100", 2), ("440600", 2), ("440000", 3), ("000000", 4))
    }
    values = derived(BOOK, leaves, "annual")
    shown = {code: str(values[code, "KH000000"]) for code in BOOK}
    assert shown == {"440100": "2.00", "440600": "2.00", "440000": "3.00", "000001": "0.00", "000000": "4.00"}


def test_a_ratio_is_computed_from_the_sums_and_rounded_half_up() -> None:
    leaves = {
        ("440100", "BF010000"): Decimal("200.00"), ("440100", "PK010000"): Decimal("40.01"),
        ("440600", "BF010000"): Decimal("100.00"), ("440600", "PK010000"): Decimal("-10.00"),
    }  # fmt: skip
    values = derived(BOOK, leaves, "monthly", "BLB")
    assert {code: str(values[code, "L1000000"]) for code in ("440100", "440600", "440000", "000000")} == {
        "440100": "20.01",  # 20.005
        "440600": "-10.00",
        "440000": "10.00",  # 30.01 of 300.00, not the sum of the two
        "000000": "10.00",
    }
    assert ("000001", "L1000000") not in values


# ---- what is due


@pytest.mark.parametrize(("report", "column"), KINDS.items())
def test_every_due_item_of_every_organisation_is_there_and_zero_where_there_is_nothing(
    report: str, column: str
) -> None:
    due = {item for item, line in master().items() if line[column] == "1"}
    values = derived(BOOK, {("440100", "BF030100"): Decimal("1.00")}, report)
    assert set(values) == {(code, item) for code in BOOK for item in due}
    grown = {"BF000000", "BF030000", "BF030100", "SR000000", "YZ000000"}
    assert {value for (_, item), value in values.items() if item not in grown} == {Decimal(0)}


def test_each_report_demands_all_that_the_smaller_ones_do() -> None:
    sets = [{item for item, line in master().items() if line[column] == "1"} for column in KINDS.values()]
    assert [len(items) for items in sets] == [5, 250, 446, 466, 482]
    assert all(smaller < larger for smaller, larger in itertools.pairwise(sets))
    assert sets[0] == {"BF000000", "BF030000", "PK000000", "PK030000", "QD000000"}


# ---- the item master


def test_codes_are_of_eight_characters_made_of_indicator_line_and_channel() -> None:
    assert {
        (len(item), item) for item, line in master().items() if item != line["ZB"] + line["XL"] + line["QD"]
    } == set()
    assert {len(item) for item in master()} == {8}
    assert len({line["XMMC"] for line in master().values()}) == len(master())
    assert len({line["XMYW"] for line in master().values()}) == len(master())


def test_computed_items_opening_items_and_ratios_name_items() -> None:
    for item, line in master().items():
        terms = [term for term in line["JSGS"].replace("-", "+").split("+") if term]
        named = [*terms, *(line[name] for name in ("SJXM", "QMXM", "FZXM", "FMXM") if line[name])]
        assert set(named) <= set(master()), item
        assert bool(terms) == (line["SFJS"] == "1" and line["LX"] != "比率"), item
        assert bool(line["QMXM"]) == (line["LX"] == "期初"), item
        assert all(master()[term]["SFKJ"] == line["SFKJ"] for term in terms), item
        if line["QMXM"]:
            closing = master()[line["QMXM"]]
            assert (closing["LX"], closing["XL"], closing["NB"]) == ("期末", line["XL"], line["NB"]), item


def test_the_facts_indicators_and_lines_are_all_there() -> None:
    indicators = {line["ZB"] for line in master().values()}
    assert indicators >= {
        "BF", "BE", "QD", "YX", "PK", "YJ", "WJ", "WB", "YB", "IB", "LF", "WD", "SX", "YG", "SF", "FC", "TP", "YS",
        "TB", "ZK", "ZC", "FZ", "QY",
    }  # fmt: skip
    titles = {
        line["XMMC"].removeprefix("原保险保费收入-") for line in master().values() if line["ZB"] == "BF"
    }
    assert titles >= {
        "企业财产保险", "家庭财产保险", "机动车辆保险", "机动车交通事故责任强制保险", "商业车险", "工程保险", "责任保险",
        "信用保险", "保证保险", "船舶保险", "货物运输保险", "特殊风险保险", "农业保险", "短期健康保险", "意外伤害保险", "其他保险",
    }  # fmt: skip
