"""The first tables of the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("due", sa.Date),
        sa.Column("noted_at", sa.Text, nullable=False),
        sa.Column("read_at", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_notice"),
        sa.UniqueConstraint("person", "kind", "subject", "cause", name="uq_notice_person"),
    )
    op.create_index("ix_notice_unread", "notice", ["person", "read_at"])
    op.create_table(
        "notice_delivery",
        sa.Column("notice", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.Text),
        sa.Column("next_at", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("notice", "channel", name="pk_notice_delivery"),
        sa.ForeignKeyConstraint(["notice"], ["notice.number"], name="fk_notice_delivery_notice"),
    )
    op.create_index("ix_notice_delivery_state", "notice_delivery", ["state", "next_at"])
    op.create_index("ix_notice_delivery_recipient", "notice_delivery", ["channel", "recipient", "tried_at"])
