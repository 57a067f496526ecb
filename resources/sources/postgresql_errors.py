"""What PostgreSQL says when something is wrong, in the words of the catalogue; what may quote data is left out.

Classes of errors are those of the SQLSTATE (PostgreSQL 15, Appendix A), since the texts are in the server's language.
"""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, Unavailable

_PRIMARY = re.compile(r"(?:ERROR|FATAL|PANIC|[^\s:]+):  (.*)")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|'[^']*'")
_STATEMENT = ("42", "0A", "3F")  # wrong names or types, what is not supported, no such schema
_ENCODING = ("22021", "22P05")


def explained(error: Exception, source: str, sql_file: Path | str) -> BaosongError:
    """BadInput for what the SQL's author can mend, Unavailable for all that passes."""
    state = getattr(error, "sqlstate", None) or ""
    reason = _reason(str(error))
    if state == "57014":
        return Unavailable("source.cancelled", source=source, file=sql_file, reason=reason)
    if state in _ENCODING:
        return BadInput("source.not_utf8_somewhere", file=sql_file)
    if state.startswith(_STATEMENT):
        return BadInput("source.sql", file=sql_file, source=source, reason=f"{reason} [{state}]")
    if state.startswith(("22", "21", "23")):  # about values
        shown = _QUOTED.sub("…", reason)
        return BadInput("source.sql", file=sql_file, source=source, reason=f"{shown} [{state}]")
    return Unavailable("source.down", source=source, reason=reason)


def _reason(text: str) -> str:
    """The first line of what the server or libpq said, without the driver's own words before it."""
    first = (text.splitlines() or [""])[0]
    primary = _PRIMARY.search(first)
    if primary:
        return primary[1].strip()
    return first.rpartition("failed: ")[2].strip()
