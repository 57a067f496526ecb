"""The ledger's first tables: event, payload, reservation, head. There is no way down: a ledger is never dropped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payload",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column(
            "salt", sa.Text, comment="random; with the text below it gives the digest; NULL once erased"
        ),
        sa.Column("canonical_json", sa.Text, comment="NULL once erased"),
        sa.Column("erased_at", sa.Text, comment="time of the payload_erased event that names it"),
        sa.PrimaryKeyConstraint("digest", name="pk_payload"),
    )
    op.create_table(
        "event",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("type_version", sa.Integer, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("command_id", sa.Text, nullable=False),
        sa.Column("payload_digest", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq", name="pk_event"),
        sa.UniqueConstraint("command_id", name="uq_event_command_id"),
        sa.UniqueConstraint("payload_digest", name="uq_event_payload_digest"),
        sa.ForeignKeyConstraint(["payload_digest"], ["payload.digest"], name="fk_event_payload_digest"),
    )
    op.create_table(
        "reservation",
        sa.Column("filing", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column(
            "seq",
            sa.Integer,
            nullable=False,
            comment="of its delivery_reserved event in stream filing/<filing>",
        ),
        sa.PrimaryKeyConstraint("filing", "version", "channel", name="pk_reservation"),
    )
    op.create_table(
        "head",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_head"),
    )
