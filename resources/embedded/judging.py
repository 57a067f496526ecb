"""Which published layout a file claims to be, by its name, and the verdict. The layouts are elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from resources.embedded.layouts import Limits, Problem, UnreadableError, capped
from resources.embedded.statistics_layout import judge_statistics
from resources.embedded.text_layout import judge_text_package


def judge_file(path: Path, *, name: str, filing: str, serials: bool, limits: Limits) -> list[Problem]:
    """All problems of one received file. `serials`: the first field of every row is a running number."""
    try:
        if re.search(r"\.xml$", name, re.IGNORECASE):
            found = judge_statistics(path, name=name, limits=limits)
        elif re.search(r"\.zip$", name, re.IGNORECASE):
            found = judge_text_package(path, filing=filing, serials=serials, limits=limits)
        else:
            found = [Problem("G02", f"文件名 {name} 的扩展名不是 .xml 或 .zip，无法识别报文格式")]
    except UnreadableError as stop:
        found = [stop.problem]
    return capped(found)
