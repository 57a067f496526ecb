"""The shape of findings (问题数据): the Arrow schema every reader relies on. Who finds them is `judge`'s matter."""

from __future__ import annotations

import pyarrow as pa

FINDINGS_SCHEMA = pa.schema(
    [
        pa.field("finding", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("table", pa.string()),
        pa.field("key", pa.string()),
        pa.field("organisation", pa.string()),
        pa.field("field", pa.string()),
        pa.field("value", pa.string()),
        pa.field("expected", pa.string()),
        pa.field("difference", pa.string()),
        pa.field("row", pa.int64()),
    ]
)
"""`finding` is stable over rounds: SHA-256, 32 hex digits, of standard, rule, table, key and field. `key` is canonical JSON
with every value as text, fields in the dictionary's order. `row` counts from 0 in the content's table; NULL for aggregates."""
