"""Every content rule of circ_audit: a small clean world passes, one defect gives exactly that one finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validations.engine import Standard, load_standard
from validations.engine.calculators import uscc
from validations.engine.check_kernels import USCC_ALPHABET

World = dict[str, list[dict[str, Any]]]
PARAMETERS = {
    "date_from": "2026-01-01",
    "date_to": "2026-03-31",
    "period_from": "202601",
    "period_to": "202603",
    "report": "detail",
}
BRANCH = {"BXJGDM": "440000", "BXJGMC": "广东分公司", "CJRQ": date(2026, 3, 31)}
PERSON = "11010519491231002X"  # GB 11643's own example: born 1949-12-31, female
COMPANY = "91350100M000100Y43"
STANDARD = load_standard("circ_audit")


def clean_world() -> World:
    """One policy with two coverages, two endorsements, one claim with two payments, and the ledger of it all."""
    organisation = {
        "FZJGDM": "440000", "FZJGMC": "广东分公司", "JGLX": "省分", "GLJGDM": "440000", "JGXQDM": "440000",
        "XZQHDM": "440106", "TYSHXYDM": COMPANY, "CLRQ": date(2005, 1, 1), "YYZT": "开业", "YB": "440010",
    }  # fmt: skip
    person = {
        "KHBH": "K1", "KHLX": "个人", "KHMC": "王㛃", "ZJLX": "居民身份证", "ZJHM": PERSON,
        "ZJYXQ": date(9999, 12, 31), "XB": "女", "CSRQ": date(1949, 12, 31), "XZQHDM": "110105",
        "SJHM": "13800000000", "DZ": "和平里1号",
    }  # fmt: skip
    company = {
        "KHBH": "K2", "KHLX": "单位", "KHMC": "示范公司", "ZJLX": "统一社会信用代码", "ZJHM": COMPANY,
    }  # fmt: skip
    product = {
        "XZDM": "SY01", "XZMC": "商业险", "XL": "SY", "BABH": "备1", "SXRQ": date(2020, 1, 1),
        "ZFXBZ": "主险", "ZGTJXZ": "行业示范",
    }  # fmt: skip
    policy = {
        "BDH": "P1", "TBDH": "T1", "XZDM": "SY01", "XL": "SY", "GLJGDM": "440000", "CDJGDM": "440100",
        "TBRKHBH": "K1", "BBXRKHBH": "K2", "TBRMC": "王㛃", "BBXRMC": "示范公司", "QDRQ": date(2026, 1, 10),
        "QBRQ": date(2026, 1, 10), "ZBRQ": date(2027, 1, 9), "HBDM": "CNY", "BE": Decimal("5000.00"),
        "BF": Decimal("1060.00"), "BFBHS": Decimal("1000.00"), "ZZS": Decimal("60.00"), "XSQD": "直销",
        "BDZT": "有效",
    }  # fmt: skip
    coverages = [
        {"BDH": "P1", "BDXH": 1, "XBDM": "SY-CS", "XBBF": Decimal("1000.00")},
        {"BDH": "P1", "BDXH": 2, "XBDM": "SY-SZ", "XBBF": Decimal("60.00")},
    ]
    endorsements = [
        {
            "PDH": "E1", "BDH": "P1", "PDXH": 1, "XL": "SY", "PGLX": "保费变更", "PDSXRQ": date(2026, 2, 1),
            "BFBHL": Decimal("106.00"), "BFBHLBHS": Decimal("100.00"), "PGQBF": Decimal("1060.00"),
            "PGHBF": Decimal("1166.00"), "PGYY": "标的价值调整",
        },
        {
            "PDH": "E2", "BDH": "P1", "PDXH": 2, "XL": "SY", "PGLX": "信息变更", "PDSXRQ": date(2026, 2, 9),
            "BFBHL": Decimal(0), "BFBHLBHS": Decimal(0), "PGQBF": Decimal("1166.00"),
            "PGHBF": Decimal("1166.00"), "PGYY": "联系方式变更",
        },
    ]  # fmt: skip
    claim = {
        "PAH": "C1", "BAH": "B1", "LAH": "L1", "BDH": "P1", "XZDM": "SY01", "CXRQ": date(2026, 2, 2),
        "BARQ": date(2026, 2, 3), "LARQ": date(2026, 2, 4), "JARQ": date(2026, 3, 5), "CXYY": "碰撞",
        "WJPK": Decimal(0), "YJPK": Decimal("300.00"), "PAZT": "已结案", "JALX": "赔付结案",
    }  # fmt: skip
    payments = [
        {
            "PAH": "C1", "JSSH": "J1", "ZFXH": number, "XL": "SY", "PKJE": amount, "HBDM": "CNY",
            "SKRMC": "示范公司", "SKRYHZH": "6222", "ZFRQ": date(2026, 3, number), "ZFFS": "转账",
        }
        for number, amount in ((1, Decimal("100.00")), (2, Decimal("200.00")))
    ]  # fmt: skip
    accounts = [
        ("6031SY", "202601", Decimal(0), Decimal(0), Decimal("1000.00")),
        ("6031SY", "202602", Decimal("1000.00"), Decimal(0), Decimal("100.00")),
        ("6511SY", "202603", Decimal(0), Decimal("300.00"), Decimal(0)),
    ]
    ledger = [
        {
            "FZJGDM": "440000", "KMBH": number, "KJQJ": month, "KMMC": "科目", "KMJC": 2, "HBDM": "CNY",
            "QCJF": Decimal(0), "QCDF": opening, "BQJF": debit, "BQDF": credit, "QMJF": debit,
            "QMDF": opening + credit,
        }
        for number, month, opening, debit, credit in accounts
    ]  # fmt: skip
    world = {
        "JGXXB": [organisation], "KHXXB": [person, company], "XZDYB": [product], "BDXXB": [policy],
        "BDXBB": coverages, "PDXXB": endorsements, "PAXXB": [claim], "PKZFB": payments, "ZZKJQKMB": ledger,
    }  # fmt: skip
    return {name: [BRANCH | row for row in rows] for name, rows in world.items()}


def put(table: str, row: int = 0, **values: object) -> Callable[[World], None]:
    return lambda world: world[table][row].update(values)


def again(table: str, row: int = 0, **values: object) -> Callable[[World], None]:
    return lambda world: world[table].append(world[table][row] | values)


def both(*changes: Callable[[World], None]) -> Callable[[World], None]:
    def change(world: World) -> None:
        for each in changes:
            each(world)

    return change


def lose(table: str, row: int = 0) -> Callable[[World], None]:
    def change(world: World) -> None:
        del world[table][row]

    return change


POLICY, PERSON_KEY, CLAIM = {"BDH": "P1"}, {"KHBH": "K1"}, {"PAH": "C1"}
GL_JANUARY = {"FZJGDM": "440000", "KMBH": "6031SY", "KJQJ": "202601", "HBDM": "CNY"}
GL_CLAIMS = {"FZJGDM": "440000", "KMBH": "6511SY", "KJQJ": "202603", "HBDM": "CNY"}
OTHER_DAY = date(2026, 3, 30)
DEFECTS: list[tuple[str, str, dict[str, str], str, Callable[[World], None]]] = [
    ("A01", "BDXXB", POLICY, "BBXRMC", put("BDXXB", BBXRMC=None)),
    ("A01", "BDXXB", POLICY, "TBRMC", put("BDXXB", TBRMC="  ")),
    ("A02", "KHXXB", PERSON_KEY, "KHBH", again("KHXXB", DZ="重复录入")),
    ("A02", "PDXXB", {"PDH": "E1"}, "PDH", again("PDXXB", BFBHLBHS=Decimal(0), PGYY="重复录入")),
    ("A04-JGXXB", "JGXXB", {"FZJGDM": "440000"}, "CJRQ", put("JGXXB", CJRQ=OTHER_DAY)),
    ("A04-KHXXB", "KHXXB", PERSON_KEY, "CJRQ", put("KHXXB", CJRQ=OTHER_DAY)),
    ("A04-XZDYB", "XZDYB", {"XZDM": "SY01"}, "CJRQ", put("XZDYB", CJRQ=OTHER_DAY)),
    ("A04-BDXXB", "BDXXB", POLICY, "CJRQ", put("BDXXB", CJRQ=OTHER_DAY)),
    ("A04-BDXBB", "BDXBB", {"BDH": "P1", "BDXH": "1"}, "CJRQ", put("BDXBB", CJRQ=OTHER_DAY)),
    ("A04-PDXXB", "PDXXB", {"PDH": "E1"}, "CJRQ", put("PDXXB", CJRQ=OTHER_DAY)),
    ("A04-PAXXB", "PAXXB", CLAIM, "CJRQ", put("PAXXB", CJRQ=OTHER_DAY)),
    ("A04-PKZFB", "PKZFB", {"PAH": "C1", "JSSH": "J1", "ZFXH": "1"}, "CJRQ", put("PKZFB", CJRQ=OTHER_DAY)),
    ("A04-ZZKJQKMB", "ZZKJQKMB", GL_JANUARY, "CJRQ", put("ZZKJQKMB", CJRQ=OTHER_DAY)),
    ("A05", "KHXXB", PERSON_KEY, "DZ", put("KHXXB", DZ="长" * 251)),
    ("A06", "KHXXB", PERSON_KEY, "DZ", put("KHXXB", DZ="和平里\x011号")),
    ("A06", "KHXXB", PERSON_KEY, "DZ", put("KHXXB", DZ="和平里\n1号")),
    ("A07", "KHXXB", PERSON_KEY, "ZJYXQ", put("KHXXB", ZJYXQ=date(2999, 12, 31))),
    ("B01", "KHXXB", PERSON_KEY, "ZJHM", put("KHXXB", ZJHM="110105194912310021")),
    ("B01", "KHXXB", PERSON_KEY, "ZJHM", put("KHXXB", ZJHM="110105194912310030")),  # B03 only follows
    ("B02", "KHXXB", PERSON_KEY, "CSRQ", put("KHXXB", CSRQ=date(1950, 1, 1))),
    ("B03", "KHXXB", PERSON_KEY, "XB", put("KHXXB", XB="男")),
    ("B04", "KHXXB", {"KHBH": "K2"}, "ZJHM", put("KHXXB", 1, ZJHM="91350100M000100Y44")),
    ("B04-JGXXB", "JGXXB", {"FZJGDM": "440000"}, "TYSHXYDM", put("JGXXB", TYSHXYDM="91350100M000100Y44")),
    ("B07", "KHXXB", PERSON_KEY, "SJHM", put("KHXXB", SJHM="12800000000")),
    ("B08", "KHXXB", PERSON_KEY, "XZQHDM", put("KHXXB", XZQHDM="1101")),
    ("B10", "JGXXB", {"FZJGDM": "440000"}, "YB", put("JGXXB", YB="4400")),
    ("C01", "BDXXB", POLICY, "XSQD", put("BDXXB", XSQD="微信")),
    ("C02", "ZZKJQKMB", GL_JANUARY | {"KJQJ": "202613"}, "KJQJ", again("ZZKJQKMB", KJQJ="202613")),
    ("D01", "BDXXB", POLICY, "ZBRQ", put("BDXXB", ZBRQ=date(2026, 1, 9))),
    ("D02", "BDXXB", POLICY, "QDRQ", put("BDXXB", QBRQ=date(2026, 1, 9))),
    ("D03", "PAXXB", CLAIM, "BARQ", put("PAXXB", BARQ=date(2026, 2, 1))),
    ("D03", "PAXXB", CLAIM, "LARQ", put("PAXXB", LARQ=date(2026, 2, 2))),
    ("D03", "PAXXB", CLAIM, "JARQ", put("PAXXB", LARQ=None, JARQ=date(2026, 2, 2))),
    ("D05", "BDXXB", POLICY, "ZZS", put("BDXXB", ZZS=Decimal("60.01"))),
    ("D06", "PDXXB", {"PDH": "E1"}, "BFBHL", put("PDXXB", PGQBF=Decimal("1060.01"))),
    ("E01", "BDXXB", POLICY, "TBRKHBH", put("BDXXB", TBRKHBH="K9")),
    ("E01", "BDXXB", POLICY, "BBXRKHBH", put("BDXXB", BBXRKHBH="K9")),
    ("E01", "BDXXB", POLICY, "XZDM", put("BDXXB", XZDM="SY09")),
    ("E01", "BDXBB", {"BDH": "P9", "BDXH": "3"}, "BDH", again("BDXBB", BDH="P9", BDXH=3)),
    ("E01", "PAXXB", CLAIM, "BDH", put("PAXXB", BDH="P9")),
    ("E02", "PDXXB", {"PDH": "E2"}, "BDH", put("PDXXB", 1, BDH="P9")),
    ("E02", "PDXXB", {"PDH": "E1"}, "BDH", put("PDXXB", BDH="P9")),  # E03 of the later one only follows
    ("E03", "PDXXB", {"PDH": "E2"}, "PGHBF", put("PDXXB", 1, PGQBF=Decimal(1170), PGHBF=Decimal(1170))),
    ("E04", "BDXXB", POLICY, "BF", put("BDXBB", XBBF=Decimal("1000.01"))),
    ("E04", "BDXXB", POLICY, "BF", both(lose("BDXBB"), lose("BDXBB"))),
    ("E07", "PAXXB", CLAIM, "YJPK", put("PAXXB", YJPK=Decimal("300.01"))),
    ("R01", "ZZKJQKMB", GL_JANUARY, "BQDF", put("ZZKJQKMB", BQDF=Decimal(1001), QMDF=Decimal(1001))),
    ("R01", "ZZKJQKMB", GL_JANUARY, "BQDF", lose("ZZKJQKMB")),
    ("R01", "ZZKJQKMB", GL_JANUARY | {"KMBH": "6031JQ"}, "BQDF", again("ZZKJQKMB", KMBH="6031JQ")),
    ("R02", "ZZKJQKMB", GL_CLAIMS, "BQJF", put("ZZKJQKMB", 2, BQJF=Decimal(301), QMJF=Decimal(301))),
    ("R06", "ZZKJQKMB", GL_JANUARY, "QMDF", put("ZZKJQKMB", QMDF=Decimal(1001))),
    ("R06", "ZZKJQKMB", GL_CLAIMS, "QMJF", put("ZZKJQKMB", 2, QMJF=Decimal(301))),
]  # fmt: skip
Finding = tuple[str, str, str, str | None, str | None]
Judged = Callable[[Standard, World, dict[str, str]], set[Finding]]
OWN = ("FZJGDM", "BXJGDM", "GLJGDM")
NUMBERS = ("KHBH", "TBRKHBH", "BBXRKHBH", "XZDM", "BDH", "PDH", "PAH", "JSSH")


def place(number: int) -> str:
    return f"{700_000 + number}"


def moved(values: dict[str, Any], number: int) -> dict[str, Any]:
    """The same row or key in a branch of its own, with business numbers of its own."""
    own = {name: place(number) for name in OWN if name in values}
    numbers = {name: f"{values[name]}-{number}" for name in NUMBERS if name in values}
    return values | own | numbers


@pytest.fixture(scope="module")
def findings(judged: Judged) -> dict[str, set[tuple[str, str, str, str | None]]]:
    """Each defect damages a world of its own; all worlds are judged together, and findings told apart by the branch."""
    together: World = {name: [] for name in clean_world()}
    for number, (*_, damage) in enumerate(DEFECTS):
        world = clean_world()
        damage(world)
        for name, rows in world.items():
            together[name] += [moved(row, number) for row in rows]
    by_branch: dict[str, set[tuple[str, str, str, str | None]]] = {
        place(n): set() for n in range(len(DEFECTS))
    }
    for rule, table, key, field, organisation in judged(STANDARD, together, PARAMETERS):
        by_branch[str(organisation)].add((rule, table, key, field))
    return by_branch


def test_clean_world_has_no_findings(judged: Judged) -> None:
    assert judged(STANDARD, clean_world(), PARAMETERS) == set()


@pytest.mark.parametrize(
    "number", range(len(DEFECTS)), ids=[f"{d[0]}-{d[3]}-{n}" for n, d in enumerate(DEFECTS)]
)
def test_one_defect_gives_exactly_its_finding(
    findings: dict[str, set[tuple[str, str, str, str | None]]], number: int
) -> None:
    rule, table, key, field, _ = DEFECTS[number]
    text = json.dumps(moved(key, number), ensure_ascii=False, separators=(",", ":"))
    assert findings[place(number)] == {(rule, table, text, field)}


def test_payments_without_their_claim_are_found_each(judged: Judged) -> None:
    world = clean_world()
    del world["PAXXB"][0]
    keys = [f'{{"PAH":"C1","JSSH":"J1","ZFXH":"{number}"}}' for number in (1, 2)]
    expected = {("E06", "PKZFB", key, "PAH", "440000") for key in keys}
    assert judged(STANDARD, world, PARAMETERS) == expected


def test_rows_of_other_periods_do_not_count_against_the_ledger(judged: Judged) -> None:
    world = clean_world()
    early = {"BDH": "P0", "QDRQ": date(2025, 12, 31), "QBRQ": date(2026, 1, 1)}
    world["BDXXB"].append(world["BDXXB"][0] | early)
    world["BDXBB"] += [row | {"BDH": "P0"} for row in world["BDXBB"]]
    assert judged(STANDARD, world, PARAMETERS) == set()


def test_absent_values_are_not_judged_but_by_mandatory(judged: Judged) -> None:
    world = clean_world()
    world["KHXXB"][0].update(XB=None, CSRQ=None, SJHM=None, DZ=None, ZJYXQ=None)
    world["PAXXB"][0].update(LAH=None, LARQ=None, JARQ=None, JALX=None, PAZT="已报案")
    world["PDXXB"][1].update(PGQBF=None, PGHBF=None)
    assert judged(STANDARD, world, PARAMETERS) == set()


def test_every_content_rule_has_a_defect() -> None:
    content = {rule.id for rule in STANDARD.rules if rule.judges == "content"}
    assert content == {defect[0] for defect in DEFECTS} | {"E06"}
    assert {rule.id for rule in STANDARD.rules} - content == {"A03", "R12"}


@settings(max_examples=4, deadline=None)
@given(
    codes=st.lists(
        st.text(alphabet=USCC_ALPHABET, min_size=9, max_size=9), min_size=20, max_size=40, unique=True
    )
)
def test_uscc_in_sql_agrees_with_the_calculator(judged: Judged, codes: list[str]) -> None:
    """The macro is_uscc judges every check character as the plain function does."""
    every = [f"91440106{code}{check}" for code in codes for check in USCC_ALPHABET]
    world = clean_world()
    world["KHXXB"] += [world["KHXXB"][1] | {"KHBH": f"X{n}", "ZJHM": code} for n, code in enumerate(every)]
    found = {key for rule, _, key, *_ in judged(STANDARD, world, PARAMETERS) if rule == "B04"}
    assert found == {f'{{"KHBH":"X{n}"}}' for n, code in enumerate(every) if not uscc(code)}
    assert sum(map(uscc, every)) == len(codes)  # one check character each
