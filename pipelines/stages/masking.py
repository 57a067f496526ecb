"""Personal data is masked wherever somebody reads who does not need it. Which fields are personal is the standard's matter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any

from validations.engine.standard import Standard

MASK = "***"
_ENDINGS = ("value", "expected", "difference")
"""What columns that speak of a cell's value end with: `value`, `new_value`, `answered_expected` …"""


def masked(value: str | None, is_personal: bool) -> str | None:
    """The value, or the mask in its place; nothing stays nothing."""
    return MASK if is_personal and value is not None else value


def personal_fields(standard: Standard, table: str) -> frozenset[str]:
    """The fields of a table that are personal; none of a table that the standard no longer has."""
    if table not in standard.tables:
        return frozenset()
    return frozenset(field.name for field in standard.table(table).fields if field.personal)


def masked_key(key: str, personal: Set[str]) -> str:
    """A key (canonical JSON) with its personal parts masked."""
    parts = {name: masked(value, name in personal) for name, value in json.loads(key).items()}
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def masked_finding(standard: Standard, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of findings or of the register with key and values masked; why a row could not be judged quotes it."""
    personal = personal_fields(standard, row["table"])
    shown = {**row, "key": masked_key(row["key"], personal)}
    for name in row:
        if name.endswith(_ENDINGS):
            shown[name] = masked(row[name], row["field"] in personal)
    if "reason" in row:
        shown["reason"] = masked(row["reason"], bool(personal))
    return shown
