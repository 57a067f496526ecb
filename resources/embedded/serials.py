"""Running numbers of the detail data (流水号): organisation, the period's end, ten digits; rules T10, T11."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SERIAL = re.compile(r"(?P<organisation>[0-9A-Z]{2,12})(?P<date>[0-9]{8})(?P<number>[0-9]{10})")


class Serials:
    """The numbers of one package, file after file.

    They rise by one in a file; a file starts at 1 or goes on where the last file of its organisation ended.
    """

    def __init__(self, date: str) -> None:
        self._date = date
        self._previous: dict[str, int] = {}
        self._seen_in_file: set[str] = set()

    def begin_file(self) -> None:
        self._seen_in_file = set()

    def judge(self, value: str, organisation: str) -> Iterator[tuple[str, str]]:
        """Rule and message of whatever is wrong with the next number of this file."""
        parts = _SERIAL.fullmatch(value)
        if parts is None:
            yield "T10", f"流水号“{value}”应为机构代码 + 年月日 + 10 位序号"
            return
        owner, number = parts["organisation"], int(parts["number"])
        if parts["date"] != self._date or (organisation and owner != organisation):
            yield "T10", f"流水号“{value}”的机构或日期与文件不符"
        allowed = {self._previous.get(owner, 0) + 1}
        if owner not in self._seen_in_file:
            allowed.add(1)
        if number not in allowed:
            yield "T11", f"流水号“{value}”不连续"
        self._previous[owner] = number
        self._seen_in_file.add(owner)
