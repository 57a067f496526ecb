"""People, companies, vehicles: numbers whose check digits are right, names, all varied. Which are wrong is `defects`' matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tests.benchmarks.data.columns import Bytes, Mask, Numbers, characters, day, digits, letters, texts
from validations.engine.calculators import (
    ORGANISATION_CODE_WEIGHTS,
    RESIDENT_ID_CHECK,
    RESIDENT_ID_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
)

REGIONS = np.array(
    [110101, 110105, 120102, 130102, 140105, 210102, 220102, 230102, 310101, 310115, 320102, 320505, 330102, 330203,
     340102, 350102, 360102, 370102, 410102, 420102, 430102, 440103, 440305, 450102, 500103, 510104, 530102, 610102]
)  # fmt: skip
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲建国红梅玉华志永春光海山川云飞天宇浩然子轩雨涵"
    "思远嘉怡欣佳晨俊博雅婷雪琪诗梦瑶鑫鹏程帆航凯旋龙虎凤麟松柏竹菊荷莲清源泉江河湖"
)
COMPANY = "恒信达安泰和顺通盛源丰华康瑞祥宏远鼎新中创联合力天地金石长青东方南北西岭峰汇融智汇诚优佳美乐福"
VIN = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True)
class People:
    """Resident identity numbers as bytes, with what they say: born on (days since 1970), male or not."""

    numbers: Bytes
    born: Numbers
    is_male: Mask


def people(random: np.random.Generator, count: int) -> People:
    """Identity numbers of 18 places, GB 11643."""
    region = REGIONS[random.integers(0, len(REGIONS), count)]
    born = random.integers(day("1945-01-01"), day("2006-01-01"), count)
    calendar = born.astype("datetime64[D]")
    year = calendar.astype("datetime64[Y]").astype(np.int64) + 1970
    month = calendar.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day_of_month = (calendar - calendar.astype("datetime64[M]")).astype(np.int64) + 1
    sequence = random.integers(1, 1000, count)
    number = ((region * 10000 + year) * 100 + month) * 100 + day_of_month
    body = np.concatenate([digits(number, 14), digits(sequence, 3)], axis=1)
    total = ((body - ord("0")).astype(np.int64) * np.array(RESIDENT_ID_WEIGHTS)).sum(axis=1)
    check = letters(RESIDENT_ID_CHECK, total % 11)
    return People(np.concatenate([body, check[:, None]], axis=1), born, sequence % 2 == 1)


def organisation_codes(random: np.random.Generator, count: int) -> Bytes:
    """Organisation codes of 9 places, GB 11714."""
    values = np.array([int(c, 36) for c in USCC_ALPHABET])  # so that a USCC can hold them
    picks = random.integers(0, len(USCC_ALPHABET), (count, 8))
    total = (values[picks] * np.array(ORGANISATION_CODE_WEIGHTS)).sum(axis=1)
    check = letters("0123456789X", -total % 11)
    return np.concatenate([letters(USCC_ALPHABET, picks), check[:, None]], axis=1)


def credit_codes(random: np.random.Generator, count: int) -> Bytes:
    """Unified social credit codes of 18 places, GB 32100, around a valid organisation code."""
    region = REGIONS[random.integers(0, len(REGIONS), count)]
    head = letters("129", random.integers(0, 3, (count, 2)))
    body = np.concatenate([head, digits(region, 6), organisation_codes(random, count)], axis=1)
    index = np.full(256, 0, dtype=np.int64)
    index[np.frombuffer(USCC_ALPHABET.encode(), dtype=np.uint8)] = np.arange(len(USCC_ALPHABET))
    total = (index[body] * np.array(USCC_WEIGHTS)).sum(axis=1)
    check = letters(USCC_ALPHABET, -total % 31)
    return np.concatenate([body, check[:, None]], axis=1)


def names(random: np.random.Generator, count: int) -> pa.Array:
    """Names: four fifths people of two or three characters, one fifth companies."""
    company = random.random(count) < 0.2
    given = np.array(random.integers(0, len(GIVEN), (count, 2)))
    first = characters(SURNAMES, random.integers(0, len(SURNAMES), count))
    town = np.array(
        [np.frombuffer(t.encode(), dtype=np.uint8) for t in ("北京", "上海", "广州", "深圳", "杭州", "成都")]
    )
    trade = np.array(
        [np.frombuffer(t.encode(), dtype=np.uint8) for t in ("贸易有限公司", "物流有限公司", "科技有限公司")]
    )
    person = ~company
    return texts(
        first,
        characters(GIVEN, given[:, 0]),
        characters(GIVEN, given[:, 1]),
        town[random.integers(0, len(town), count)],
        characters(COMPANY, random.integers(0, len(COMPANY), count)),
        characters(COMPANY, random.integers(0, len(COMPANY), count)),
        characters(COMPANY, random.integers(0, len(COMPANY), count)),
        trade[random.integers(0, len(trade), count)],
        keep={
            0: person, 1: person, 2: person & (random.random(count) < 0.7),
            3: company, 4: company, 5: company, 6: company & (random.random(count) < 0.5), 7: company,
        },
    )  # fmt: skip


def vehicles(random: np.random.Generator, count: int) -> Bytes:
    """Vehicle identification numbers of 17 places; their check digit is nobody's matter here."""
    return letters(VIN, random.integers(0, len(VIN), (count, 17)))


def mobiles(random: np.random.Generator, count: int) -> Bytes:
    """Mobile numbers."""
    return digits(random.integers(13_000_000_000, 20_000_000_000, count), 11)
