"""The reference core on PostgreSQL: the SQLite file copied table by table, all of it or nothing.

The tables are those of the DDL, which both databases read; what they hold was decided when the file was generated.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import sqlglot
from sqlglot import exp

from pipelines.errors import Refused
from resources.deployment import SqliteSource
from resources.reference_core.store import SCHEMA
from resources.sources import open_source
from resources.sources.postgresql_connections import writing_session

_TYPES = {"TEXT": pa.string(), "INT": pa.int32(), "BIGINT": pa.int64(), "DATE": pa.date32()}


def copy_to_postgresql(
    database: Path, url: str, *, progress: Callable[[str, int, int], None], schema: Path = SCHEMA
) -> dict[str, int]:
    """Create the DDL's tables at `url` and fill them from `database`; the rows of each.

    Raises Refused `core.exists` where one of them stands already, BadInput for a value that a table cannot hold.
    """
    statements = [each for each in sqlglot.parse(schema.read_text(encoding="utf-8"), read="postgres") if each]
    tables = {
        made.this.name: pa.schema([(each.name, _arrow_type(each)) for each in made.expressions])
        for each in statements
        if isinstance(made := each.this, exp.Schema)
    }
    source = SqliteSource(name="core", kind="sqlite", database=str(database.resolve()))
    rows: dict[str, int] = {}
    with open_source(source, database.parent) as snapshot, writing_session("core", url) as session:
        there = {
            row["relname"] for row in session.rows("SELECT relname::text FROM pg_class WHERE relkind = 'r'")
        }
        if there & set(tables):
            raise Refused("core.exists", tables=", ".join(sorted(there & set(tables))))
        for statement in statements:
            if isinstance(statement.this, exp.Schema):
                session.run(statement.sql(dialect="postgres", comments=False))
        for done, (table, columns) in enumerate(tables.items()):
            progress(table, done, len(tables))
            wide = pa.schema([(f.name, pa.int64() if f.type == pa.int32() else f.type) for f in columns])
            batches = snapshot.stream(
                f"SELECT {', '.join(columns.names)} FROM {table}", {}, wide, sql_file=table
            )
            narrow = (batch.cast(columns) for batch in batches)
            rows[table] = session.ingest(table, pa.RecordBatchReader.from_batches(columns, narrow))
        for statement in statements:
            if not isinstance(statement.this, exp.Schema):
                session.run(statement.sql(dialect="postgres", comments=False))
        session.run("ANALYZE")
    return rows


def _arrow_type(column: exp.Expr) -> pa.DataType:
    return _TYPES[column.args["kind"].this.name]
