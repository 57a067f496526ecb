"""What the simulated insurer sells, and the dates of its book: lines, products, coverages, shares ceded.

Plain facts as frozen data; nothing here draws a random number or touches a file. The accounts are in `chart`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2025, 7, 1)
LAST_DAY = date(2026, 4, 30)
PERIODS = tuple(f"{2025 + (6 + m) // 12}{(6 + m) % 12 + 1:02d}" for m in range(10))
VAT_PERCENT = 6
CURRENCY = "CNY"
COUNTRY = "CHN"
HEAD_OFFICE = "000000"
BANK = "示范银行"
PRODUCTS_SOLD = 2  # of each line; the third has ceased


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
    """A line of business with its products' names, its coverages and its habits in the simulated book.

    `ceded_bp` is what its two reinsurers take, 0 where the line is kept; `item` is the kind of thing insured.
    """

    code: str
    name: str
    weight: float
    products: tuple[str, str]
    coverages: tuple[CoverageKind, ...]
    median_premium_cents: int
    claim_permille: int
    cause: str
    item: str
    is_corporate: bool = False
    ceded_bp: tuple[int, int] = (0, 0)
    may_pay_in_instalments: bool = False

    @property
    def is_vehicle(self) -> bool:
        return self.item == "机动车"

    @property
    def commission_cap_bp(self) -> int:
        return 400 if self.code == "JQ" else 2_000


def _covers(line: str, *kinds: tuple[str, int, int]) -> tuple[CoverageKind, ...]:
    return tuple(CoverageKind(f"{line}-{code}", share, times) for code, share, times in kinds)


LINES = (
    Line(
        "JQ",
        "机动车交通事故责任强制保险",
        0.27,
        ("机动车交强险（家庭自用汽车）", "机动车交强险（其他汽车）"),
        _covers("JQ", ("A", 100, 210)),
        95_000,
        120,
        "碰撞",
        "机动车",
    ),
    Line(
        "SY",
        "商业车险",
        0.24,
        ("机动车商业保险", "新能源汽车商业保险"),
        _covers("SY", ("CS", 55, 60), ("SZ", 35, 700), ("CSRY", 10, 300)),
        350_000,
        240,
        "碰撞",
        "机动车",
    ),
    Line(
        "QC",
        "企业财产保险",
        0.06,
        ("财产基本险", "财产一切险"),
        _covers("QC", ("ZX", 80, 900), ("YL", 20, 400)),
        1_800_000,
        90,
        "火灾",
        "建筑物",
        is_corporate=True,
        ceded_bp=(2_000, 1_000),
        may_pay_in_instalments=True,
    ),
    Line(
        "JC",
        "家庭财产保险",
        0.07,
        ("家庭财产综合险", "家庭财产基本险"),
        _covers("JC", ("FW", 60, 2_500), ("SN", 40, 900)),
        30_000,
        60,
        "水管爆裂",
        "房屋",
    ),
    Line(
        "GC",
        "工程保险",
        0.02,
        ("建筑工程一切险", "安装工程一切险"),
        _covers("GC", ("WZ", 75, 600), ("DS", 25, 300)),
        2_600_000,
        70,
        "暴雨",
        "工程项目",
        is_corporate=True,
        ceded_bp=(3_000, 1_500),
        may_pay_in_instalments=True,
    ),
    Line(
        "ZR",
        "责任保险",
        0.07,
        ("公众责任险", "雇主责任险"),
        _covers("ZR", ("ZX", 100, 500)),
        600_000,
        90,
        "第三者人身伤害",
        "场所",
        is_corporate=True,
        ceded_bp=(1_000, 500),
        may_pay_in_instalments=True,
    ),
    Line(
        "XY",
        "信用保险",
        0.015,
        ("国内贸易信用险", "短期出口信用险"),
        _covers("XY", ("ZX", 100, 120)),
        1_200_000,
        60,
        "买方拖欠",
        "合同",
        is_corporate=True,
        ceded_bp=(2_500, 1_500),
    ),
    Line(
        "BZ",
        "保证保险",
        0.025,
        ("工程履约保证险", "投标保证险"),
        _covers("BZ", ("ZX", 100, 80)),
        400_000,
        40,
        "未按约履行",
        "合同",
        is_corporate=True,
        ceded_bp=(2_000, 1_000),
    ),
    Line(
        "CB",
        "船舶保险",
        0.01,
        ("沿海内河船舶险", "渔船保险"),
        _covers("CB", ("CT", 70, 150), ("ZR", 30, 100)),
        1_500_000,
        110,
        "触碰",
        "船舶",
        is_corporate=True,
        ceded_bp=(3_000, 2_000),
    ),
    Line(
        "HY",
        "货物运输保险",
        0.05,
        ("国内货物运输险", "进出口货物运输险"),
        _covers("HY", ("ZX", 100, 800)),
        260_000,
        80,
        "运输途中碰撞",
        "货物",
        is_corporate=True,
        ceded_bp=(1_000, 1_000),
    ),
    Line(
        "TF",
        "特殊风险保险",
        0.005,
        ("卫星发射及在轨保险", "核电站运营保险"),
        _covers("TF", ("ZX", 100, 60)),
        3_000_000,
        50,
        "设备失效",
        "卫星航天",
        is_corporate=True,
        ceded_bp=(4_000, 3_000),
        may_pay_in_instalments=True,
    ),
    Line(
        "NY",
        "农业保险",
        0.03,
        ("水稻种植险", "能繁母猪养殖险"),
        _covers("NY", ("ZX", 100, 20)),
        80_000,
        130,
        "洪涝",
        "种植养殖",
    ),
    Line(
        "JK",
        "短期健康保险",
        0.05,
        ("个人医疗险", "团体补充医疗险"),
        _covers("JK", ("ZY", 70, 400), ("MZ", 30, 100)),
        60_000,
        110,
        "住院",
        "人员",
    ),
    Line(
        "YW",
        "意外伤害保险",
        0.09,
        ("个人意外伤害险", "驾乘人员意外险"),
        _covers("YW", ("SG", 70, 2_000), ("YL", 30, 200)),
        20_000,
        50,
        "意外跌倒",
        "人员",
    ),
    Line(
        "QT",
        "其他保险",
        0.015,
        ("网络安全保险", "知识产权保险"),
        _covers("QT", ("ZX", 100, 300)),
        500_000,
        40,
        "数据泄露",
        "其他",
        is_corporate=True,
    ),
)
CODES = tuple(line.code for line in LINES)
VEHICLE_LINES = tuple(line.code for line in LINES if line.is_vehicle)
