"""How text stands in a cell of a workbook, whoever writes it: what a cell can hold, and OOXML's own escapes.

No openpyxl and no xlsxwriter: loading one of them takes a quarter of a second that who uses the other should not pay.
"""

from __future__ import annotations

import re

MAX_CELL = 32_000
"""UTF-16 units, as Excel counts; it holds 32,767."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no cell can hold."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def cell_text(value: str | None) -> str:
    """A value as a cell can hold and show it: control characters visible, overlong text cut with a mark."""
    text = CONTROL.sub(_visible, value or "")
    short = cut_text(text, MAX_CELL)
    return text if short == text else short + "…（过长，已截断）"


def cut_text(text: str, units: int) -> str:
    """As much of the beginning of `text` as `units` UTF-16 units hold: rare characters take two."""
    if len(text) <= units // 2:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")


def unescape_text(text: str) -> str:
    """What a cell's stored text means; line ends of any system become one."""
    plain = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    if _SURROGATE.search(plain):  # half a character cannot be stored or printed; two halves are one
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain.replace("\r\n", "\n").replace("\r", "\n")


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group(0))
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"
