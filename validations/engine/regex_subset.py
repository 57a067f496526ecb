"""The regular expressions a dictionary may use: what Rust's regex, RE2 and Python read alike."""

from __future__ import annotations

import re

import polars as pl

_REFUSED = (
    (r"\(\?(?!:)", "(?…"),  # lookaround, flags, names
    (r"\\[1-9]", "\\1"),  # backreference
    (
        r"\\[dDwWsSbBAzZpPkKGQEXRhHvVuUN]",
        "\\d \\w \\s \\b \\A \\z \\p",
    ),  # Unicode in some engines, bytes in others
    (r"(?<!\\)[\^$]", "^ $"),  # the whole value must match anyway; `$` accepts a final newline in Python
    (r"[*+?}]\+", "a++"),  # possessive
    (r"\[\[|\[:|&&|--|~~", "[[:x:]] &&"),  # set operations
)


def outside_subset(pattern: str) -> str | None:
    """What in `pattern` only some engines understand, or why none does; None when it is fine."""
    plain = pattern.replace("\\\\", "")
    # A caret that negates a class is common to all.
    plain = re.sub(r"(?<!\\)\[\^", "[", plain)
    for refused, shown in _REFUSED:
        if re.search(refused, plain):
            return shown
    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except (re.error, pl.exceptions.ComputeError) as error:
        return str(error).strip().splitlines()[-1]
    return None
