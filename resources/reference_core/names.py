"""Names and addresses of the simulated insurer's customers, people and partners; nobody in here exists.

Some names carry characters that real cores meet and old encodings lose: 镕 堃 · lie outside GB2312, 㛃 䶮 𠅤 outside GBK.
Numbers with check digits are in `check_digits`, provinces and plates in `places`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core.drawing import chosen, either, words

_SURNAMES = [
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余",
    "欧阳",
    "司马",
]
_GIVEN = [
    *"伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉玲红飞鑫宇浩欣怡子涵梓萱一诺思远博雅晨曦志明海燕"
]
_RARE = ["镕", "堃", "㛃", "䶮", "𠅤", "镕堃", "㛃怡", "一䶮"]
_MINORITY = ["阿依古丽·买买提", "古丽娜·艾山", "巴特尔·额尔德尼", "扎西·次仁"]
_TRADES = [*"鑫恒瑞德盛泰宏远华兴嘉润"]
_BRANCHES = ["物流", "机械", "纺织", "电子", "食品", "建材", "化工", "商贸", "医疗器械", "软件"]
_ROADS = [
    "人民路",
    "解放路",
    "中山路",
    "建设大道",
    "滨江路",
    "科技园路",
    "文化街",
    "学府路",
    "和平里",
    "新华街",
]


def person_names(rng: np.random.Generator, count: int) -> pl.Series:
    """Full names; every 37th carries a rare character and every 41st a middle dot, so small books have them too."""
    surnames = chosen(rng, _SURNAMES, count)
    plain = surnames + chosen(rng, _GIVEN, count)
    plain = plain + either(rng.random(count) < 0.7, chosen(rng, _GIVEN, count), "")
    places = np.arange(count)
    names = either(places % 37 == 5, surnames + words(_RARE, places // 37 % len(_RARE)), plain)
    return either(places % 41 == 7, words(_MINORITY, places // 41 % len(_MINORITY)), names)


def company_names(rng: np.random.Generator, cities: pl.Series) -> pl.Series:
    count = len(cities)
    trade = chosen(rng, _TRADES, count) + chosen(rng, _TRADES, count)
    return cities + "示例" + trade + chosen(rng, _BRANCHES, count) + "有限公司"


def addresses(rng: np.random.Generator, cities: pl.Series) -> pl.Series:
    count = len(cities)
    numbers = pl.Series(rng.integers(1, 999, count)).cast(pl.String)
    return cities + chosen(rng, _ROADS, count) + numbers + "号"
