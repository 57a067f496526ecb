"""What PostgreSQL says when something is wrong, in the words of the catalogue; what may quote data is left out.

Classes of errors are those of the SQLSTATE (PostgreSQL 15, Appendix A), since the texts are in the server's language.
"""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, Unavailable

_ENGLISH = re.compile(r"(?:ERROR|FATAL|PANIC):  (.*)")
_ANY_LANGUAGE = re.compile(r"[^\s:]+:  (.*)")
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
    """What the server or libpq said in one line, without the driver's own words and the statement that it repeats."""
    primary = _ENGLISH.search(text) or _ANY_LANGUAGE.search(text)
    if primary:
        return primary[1].strip()
    return (text.splitlines() or [""])[0].rpartition("failed: ")[2].strip()
