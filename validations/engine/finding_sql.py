"""The columns in which every judge says what it found, and the SQL of a finding's key, owner and values."""

from __future__ import annotations

from collections.abc import Iterable

from validations.engine.session import literal, quoted
from validations.engine.standard import Table

COLUMNS = {
    "rule": "rule_id",
    "table": "table_name",
    "key": "VARCHAR",
    "organisation": "VARCHAR",
    "field": "VARCHAR",
    "value": "VARCHAR",
    "expected": "VARCHAR",
    "difference": "VARCHAR",
    "row": "BIGINT",
    "reason": "VARCHAR",
}
"""`rule_id`, `table_name`: ENUMs of the session, by which millions of findings sort faster than by texts.
`reason`: why the row could not be judged; NULL where it was, and broke the rule."""

NO_KEY = "{}"
"""The key of a finding on a table as a whole."""


def key_json(table: Table, alias: str = "t", *, prefix: str = "") -> str:
    """SQL of the canonical JSON of a row's business key: every value as text, NULL as null.

    `prefix` stands before the names of the columns that hold the key, not before its own names.
    """
    parts = [
        f"{literal(('{' if i == 0 else ',') + chr(34) + name + chr(34) + ':')}"
        f" || coalesce(CAST(to_json(CAST({alias}.{quoted(prefix + name)} AS VARCHAR)) AS VARCHAR), 'null')"
        for i, name in enumerate(table.stored_key)
    ]
    return " || ".join([*parts, "'}'"])


def organisation_sql(table: Table, alias: str = "t") -> str:
    """SQL of the organisation that a row belongs to."""
    return f"CAST({alias}.{quoted(table.organisation)} AS VARCHAR)" if table.organisation else "NULL"


def value_of_field(fields: Iterable[str], field: str, alias: str = "t") -> str:
    """SQL of the text of the field that the SQL expression `field` names, whichever of `fields` it is in this row."""
    cases = " ".join(f"WHEN {literal(name)} THEN CAST({alias}.{quoted(name)} AS VARCHAR)" for name in fields)
    return f"CASE {field} {cases} END"
