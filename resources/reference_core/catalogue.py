"""What the simulated insurer sells and how it books it: lines, products, coverages, GL accounts, the book's dates.

Plain facts as frozen data; nothing here draws a random number or touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2025, 7, 1)
LAST_DAY = date(2026, 4, 30)
PERIODS = tuple(f"{2025 + (6 + m) // 12}{(6 + m) % 12 + 1:02d}" for m in range(10))
VAT_PERCENT = 6
CURRENCY = "CNY"


@dataclass(frozen=True)
class OrganisationSeed:
    """One organisation as the deployment names it; levels 0 head office, 1 branch, 2 sub-branch."""

    code: str
    name: str
    parent: str | None
    level: int
    is_own_account: bool
    region: str


@dataclass(frozen=True)
class CoverageKind:
    """A coverage of a line: its share of the premium in hundredths, its limit as a multiple of the premium."""

    code: str
    share_percent: int
    limit_times: int


@dataclass(frozen=True)
class Line:
    """A line of business with its two products' names, its coverages and its habits in the simulated book."""

    code: str
    name: str
    weight: float
    products: tuple[str, str]
    coverages: tuple[CoverageKind, ...]
    median_premium_cents: int
    claim_rate: float
    is_vehicle: bool
    is_corporate: bool


LINES = (
    Line(
        "JQ",
        "机动车交通事故责任强制保险",
        0.30,
        ("机动车交强险", "摩托车交强险"),
        (CoverageKind("JQ-A", 100, 210),),
        95_000,
        0.12,
        True,
        False,
    ),
    Line(
        "SY",
        "商业车险",
        0.30,
        ("机动车商业保险", "新能源汽车商业保险"),
        (CoverageKind("SY-CS", 55, 60), CoverageKind("SY-SZ", 35, 700), CoverageKind("SY-CSRY", 10, 300)),
        350_000,
        0.24,
        True,
        False,
    ),
    Line(
        "QC",
        "企业财产保险",
        0.07,
        ("财产基本险", "财产一切险"),
        (CoverageKind("QC-ZX", 80, 900), CoverageKind("QC-YL", 20, 400)),
        1_800_000,
        0.09,
        False,
        True,
    ),
    Line(
        "JC",
        "家庭财产保险",
        0.08,
        ("家庭财产综合险", "家庭财产基本险"),
        (CoverageKind("JC-FW", 60, 2500), CoverageKind("JC-SN", 40, 900)),
        30_000,
        0.06,
        False,
        False,
    ),
    Line(
        "HY",
        "货物运输保险",
        0.05,
        ("国内货物运输险", "进出口货物运输险"),
        (CoverageKind("HY-ZX", 100, 800),),
        260_000,
        0.08,
        False,
        True,
    ),
    Line(
        "ZR",
        "责任保险",
        0.08,
        ("公众责任险", "雇主责任险"),
        (CoverageKind("ZR-ZX", 100, 500),),
        600_000,
        0.09,
        False,
        True,
    ),
    Line(
        "YW",
        "意外伤害保险",
        0.12,
        ("个人意外伤害险", "驾乘人员意外险"),
        (CoverageKind("YW-SG", 70, 2000), CoverageKind("YW-YL", 30, 200)),
        20_000,
        0.05,
        False,
        False,
    ),
)


@dataclass(frozen=True)
class Account:
    """A GL account; leaves of income and claims carry the line. `direction` is 借 or 贷."""

    number: str
    name: str
    parent: str | None
    direction: str


_PLAIN = (
    Account("1002", "银行存款", None, "借"),
    Account("1122", "应收保费", None, "借"),
    Account("2202", "应付手续费", None, "贷"),
    Account("2221", "应交税费", None, "贷"),
    Account("2601", "未到期责任准备金", None, "贷"),
    Account("2602", "未决赔款准备金", None, "贷"),
    Account("4001", "营运资金", None, "贷"),
    Account("6403", "税金及附加", None, "借"),
    Account("6421", "手续费及佣金支出", None, "借"),
    Account("6501", "提取未到期责任准备金", None, "借"),
    Account("6502", "提取未决赔款准备金", None, "借"),
    Account("6601", "业务及管理费", None, "借"),
)
SUMMARY_ACCOUNTS = (Account("6031", "保费收入", None, "贷"), Account("6511", "赔付支出", None, "借"))
LEAF_ACCOUNTS = tuple(
    sorted(
        [
            *_PLAIN,
            *(Account(f"6031{line.code}", f"保费收入-{line.name}", "6031", "贷") for line in LINES),
            *(Account(f"6511{line.code}", f"赔付支出-{line.name}", "6511", "借") for line in LINES),
        ],
        key=lambda account: account.number,
    )
)
