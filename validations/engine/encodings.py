"""How long a text is in a package's encoding, and whether it may stand there at all; whole columns at a time.

The sets of characters are made from Python's codecs, which are the definition; nothing is listed by hand. Writing
the bytes is the packages' matter.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from validations.engine.reports import PackageProfile

_XML_FORBIDDEN = r"\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}"  # XML 1.0 §2.2


def _character_class(numbers: list[int]) -> str:
    """A regex class (without brackets) of the given code points, as ranges."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return "".join(rf"\x{{{a:X}}}-\x{{{b:X}}}" for a, b in ranges)


@cache
def _of_bytes(encoding: str, size: int) -> str:
    """The class of all non-ASCII characters that `encoding` writes in `size` bytes; GB's lie in the first plane."""
    numbers: list[int] = []
    for number in (*range(0x80, 0xD800), *range(0xE000, 0x10000)):
        try:
            if len(chr(number).encode(encoding)) == size:
                numbers.append(number)
        except UnicodeEncodeError:
            continue
    return _character_class(numbers)


def byte_lengths(values: pl.Series, encoding: str) -> pl.Series:
    """Bytes of each text in `encoding`; null for null. A character that cannot be encoded counts two."""
    if encoding == "utf-8":
        return values.str.len_bytes().cast(pl.Int64)
    characters = values.str.len_chars().cast(pl.Int64)
    # GB18030, GB2312: one byte for ASCII, two for the rest, four for what lies outside GB18030's two-byte set.
    other = values.str.count_matches(r"[^\x00-\x7F]").cast(pl.Int64)
    if encoding == "gb2312":
        return characters + other
    outside = values.str.count_matches(rf"[^\x00-\x7F{_of_bytes('gb18030', 2)}]").cast(pl.Int64)
    return characters + other + outside * 2


def is_longer(values: pl.Series, length: int, encoding: str) -> pl.Series:
    """True where a text needs more than `length` bytes; null is not longer."""
    # No encoding here takes more than twice UTF-8's bytes, so most values are decided without counting, and the
    # rest are counted once each: names of branches repeat.
    doubtful = values.filter((values.str.len_bytes() * 2 > length).fill_null(value=False)).unique()
    longer = doubtful.filter(byte_lengths(doubtful, encoding) > length)
    if longer.is_empty():
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    return values.is_in(longer.implode()).fill_null(value=False)


def banned_class(profile: PackageProfile) -> str:
    """The regex of what may not stand in a value: NUL, CR, LF, delimiter, unencodable; in XML controls too."""
    banned = r"\x00\r\n"
    for character in profile.delimiter or "":
        banned += rf"\x{{{ord(character):X}}}"
    if profile.format == "statistics_xml":
        banned += _XML_FORBIDDEN
    if profile.encoding == "gb2312":
        return rf"[{banned}]|[^\x00-\x7F{_of_bytes('gb2312', 2)}]"
    return rf"[{banned}]"


def may_stand(value: pl.Expr, profile: PackageProfile) -> pl.Expr:
    """Whether a text can be written under the profile as it is; null for null. GB18030, UTF-8 encode everything."""
    return ~value.str.contains(banned_class(profile))
