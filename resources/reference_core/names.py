"""Names and addresses of the simulated insurer's customers; nobody in here exists.

Some names carry characters that real cores meet and old encodings lose: 镕 堃 · lie outside GB2312, 㛃 䶮 𠅤 outside GBK.
Numbers with check digits are in `check_digits`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resources.reference_core.check_digits import Ints, Texts

_SURNAMES = np.array(
    [*"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余", "欧阳", "司马"],
    dtype=object,
)
_GIVEN = np.array(
    list(
        "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉玲红飞鑫宇浩欣怡子涵梓萱一诺思远博雅晨曦志明海燕"
    ),
    dtype=object,
)
_RARE = np.array(["镕", "堃", "㛃", "䶮", "𠅤", "镕堃", "㛃怡", "一䶮"], dtype=object)
_MINORITY = np.array(["阿依古丽·买买提", "古丽娜·艾山", "巴特尔·额尔德尼", "扎西·次仁"], dtype=object)
_TRADES = np.array(list("鑫恒瑞德盛泰宏远华兴嘉润"), dtype=object)
_BRANCHES = np.array(
    ["物流", "机械", "纺织", "电子", "食品", "建材", "化工", "商贸", "医疗器械", "软件"], dtype=object
)
_ROADS = np.array(
    ["人民路", "解放路", "中山路", "建设大道", "滨江路", "科技园路", "文化街", "学府路", "和平里", "新华街"],
    dtype=object,
)

_PLACES = {
    "11": ("北京市", "京A"),
    "31": ("上海市", "沪A"),
    "33": ("浙江省", "浙A"),
    "44": ("广东省", "粤A"),
    "51": ("四川省", "川A"),
}


def place_of(region: str) -> str:
    """The province or city a GB/T 2260 code begins with; the code itself where this book has no name for it."""
    return _PLACES.get(region[:2], (f"地区{region}", ""))[0]


def plate_of(region: str) -> str:
    """The first two characters of a number plate of that region."""
    return _PLACES.get(region[:2], ("", "京B"))[1]


def person_names(rng: np.random.Generator, count: int) -> Texts:
    """Full names; every 37th carries a rare character and every 41st a middle dot, so small books have them too."""
    second = np.where(rng.random(count) < 0.7, rng.choice(_GIVEN, count), "")
    names: Texts = rng.choice(_SURNAMES, count) + rng.choice(_GIVEN, count) + second
    places = np.arange(count)
    rare = places % 37 == 5
    names[rare] = rng.choice(_SURNAMES, int(rare.sum())) + _RARE[places[rare] // 37 % len(_RARE)]
    dotted = places % 41 == 7
    names[dotted] = _MINORITY[places[dotted] // 41 % len(_MINORITY)]
    return names


def company_names(rng: np.random.Generator, cities: Texts) -> Texts:
    count = len(cities)
    trade = rng.choice(_TRADES, count) + rng.choice(_TRADES, count)
    return cities + "示例" + trade + rng.choice(_BRANCHES, count) + "有限公司"


def addresses(rng: np.random.Generator, cities: Texts) -> Texts:
    count = len(cities)
    numbers: Ints = rng.integers(1, 999, count)
    roads: Texts = rng.choice(_ROADS, count)
    return cities + roads + numbers.astype(str).astype(object) + "号"


def account_numbers(rng: np.random.Generator, count: int) -> Texts:
    """19-digit bank account numbers of a made-up bank."""
    tail: npt.NDArray[np.int64] = rng.integers(10**12, 10**13, count)
    digits: Texts = tail.astype(str).astype(object)
    return "622848" + digits
