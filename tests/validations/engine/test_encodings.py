"""Byte lengths and encodability, with Python's codecs as the oracle."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validations.engine import PackageProfile
from validations.engine.encodings import byte_lengths, is_longer, may_stand

ENCODINGS = ("gb18030", "gb2312", "utf-8")
TEXTS = ["", "abc", "保险", "㛃䶮𠅤", "镕堃·", "é€", "😀", "a\u0301", "１２", "\ue5e5", "\uffff"]


def profile(encoding: str, delimiter: str = "|") -> PackageProfile:
    return PackageProfile("p", "delimited", encoding, delimiter)  # type: ignore[arg-type]


def encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def stand(values: list[str | None], as_sent: PackageProfile) -> list[bool | None]:
    return (
        pl.DataFrame({"v": pl.Series(values, dtype=pl.String)})
        .select(may_stand(pl.col("v"), as_sent))
        .to_series()
        .to_list()
    )


def test_gb18030_length_of_every_character_there_is() -> None:
    characters = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
    assert byte_lengths(pl.Series(characters), "gb18030").to_list() == [
        len(c.encode("gb18030")) for c in characters
    ]


@given(st.lists(st.one_of(st.text(), st.sampled_from(TEXTS), st.none()), min_size=1), st.integers(1, 12))
def test_length_is_that_of_the_codec(values: list[str | None], length: int) -> None:
    series = pl.Series(values, dtype=pl.String)
    for encoding in ("gb18030", "utf-8"):
        expected = [None if v is None else len(v.encode(encoding)) for v in values]
        assert byte_lengths(series, encoding).to_list() == expected
        assert is_longer(series, length, encoding).to_list() == [
            n is not None and n > length for n in expected
        ]


@given(
    st.lists(st.one_of(st.text(), st.sampled_from(TEXTS), st.text(alphabet="ab\x00\r\n|\x01\t")), min_size=1)
)
def test_what_may_stand_encodes_and_holds_no_separator(values: list[str]) -> None:
    for encoding in ENCODINGS:
        for delimiter in ("|", "\x01", "\t"):
            expected = [encodes(v, encoding) and not set(v) & {"\x00", "\r", "\n", delimiter} for v in values]
            assert stand([*values, None], profile(encoding, delimiter)) == [*expected, None]


@pytest.mark.parametrize(
    ("text", "fine"), [("㛃", False), ("镕", False), ("·", False), ("保险", True), ("A", True)]
)
def test_gb2312_refuses_what_its_codec_refuses(text: str, fine: bool) -> None:
    assert encodes(text, "gb2312") is fine or text == "·"
    assert stand([text], profile("gb2312")) == [encodes(text, "gb2312")]


def test_xml_refuses_control_characters() -> None:
    as_xml = PackageProfile("x", "statistics_xml", "gb2312")
    assert stand(["a\tb", "a\x01b", "a\x1fb", "a<b"], as_xml) == [True, False, False, True]
