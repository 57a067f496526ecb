"""The ledger's tables. How they come to exist is told in `migrations/`; what may be written into them in `store.py`.

Times are texts because the chain hashes exactly what is stored.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

payload = Table(
    "payload",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("salt", Text, comment="random; with the text below it gives the digest; NULL once erased"),
    Column("canonical_json", Text, comment="NULL once erased"),
    Column("erased_at", Text, comment="time of the payload_erased event that names it"),
)

event = Table(
    "event",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("type_version", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("command_id", Text, nullable=False, unique=True),
    Column("payload_digest", Text, ForeignKey(payload.c.digest), nullable=False, unique=True),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

reservation = Table(
    "reservation",
    metadata,
    Column("filing", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("channel", Text, primary_key=True),
    Column(
        "seq", Integer, nullable=False, comment="of its delivery_reserved event in stream filing/<filing>"
    ),
)

head = Table(
    "head",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)
