"""Whom an OpenID provider vouches for, by what each session was opened, and flows to the provider that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "account",
        sa.Column(
            "provider_issuer",
            sa.Text,
            comment="the OpenID provider that vouches for the person; NULL until linked",
        ),
    )
    op.add_column("account", sa.Column("provider_subject", sa.Text, comment="who the person is there"))
    op.create_index("ix_account_provider", "account", ["provider_issuer", "provider_subject"], unique=True)
    op.add_column(
        "account_session",
        sa.Column(
            "means",
            sa.Text,
            comment="what was given last: password, totp, recovery, oidc; NULL before it was kept",
        ),
    )
    op.add_column(
        "account_session",
        sa.Column(
            "draft",
            sa.Text,
            comment="encrypted; what was written before the person had to go to the provider",
        ),
    )
    op.create_table(
        "account_spent_flow",
        sa.Column("state_hash", sa.Text, nullable=False),
        sa.Column(
            "until",
            sa.Text,
            nullable=False,
            comment="when the flow is over by time, and this row counts no more",
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_account_spent_flow"),
    )
