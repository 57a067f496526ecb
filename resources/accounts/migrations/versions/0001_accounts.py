"""The first tables of the accounts. There is no way down: the audit trail is never dropped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, comment="argon2id; NULL until the person has enrolled"),
        sa.Column(
            "password_number",
            sa.Integer,
            nullable=False,
            comment="counts the passwords; hashing anew is no new one",
        ),
        sa.Column(
            "enrolment_hash", sa.Text, comment="of the one-time code; NULL when there is none or it was used"
        ),
        sa.Column("enrolment_until", sa.Text),
        sa.Column("is_locked", sa.Boolean, nullable=False, comment="by an administrator, until one unlocks"),
        sa.Column("totp_secret", sa.Text, comment="encrypted; NULL when the second factor is off"),
        sa.Column("totp_pending", sa.Text, comment="encrypted; provisional until a code confirms it"),
        sa.Column(
            "totp_last_step",
            sa.BigInteger,
            comment="time step of the last code used; no earlier one is taken",
        ),
        sa.Column("last_login_at", sa.Text),
        sa.PrimaryKeyConstraint("user_id", name="pk_account"),
    )
    op.create_table(
        "account_recovery_code",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_account_recovery_code"),
        sa.ForeignKeyConstraint(["user_id"], ["account.user_id"], name="fk_account_recovery_code_user_id"),
    )
    op.create_table(
        "account_session",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("begun_at", sa.Text, nullable=False),
        sa.Column("last_seen_at", sa.Text, nullable=False),
        sa.Column("authenticated_at", sa.Text, nullable=False),
        sa.Column("client_address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("csrf_secret", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_session"),
        sa.UniqueConstraint("token_hash", name="uq_account_session_token_hash"),
        sa.ForeignKeyConstraint(["user_id"], ["account.user_id"], name="fk_account_session_user_id"),
    )
    op.create_index("ix_account_session_user_id", "account_session", ["user_id"])
    op.create_table(
        "account_attempt",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, comment="hash of a user id or of a client's network"),
        sa.Column("at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_attempt"),
    )
    op.create_index("ix_account_attempt_subject", "account_attempt", ["subject", "at"])
    op.create_table(
        "account_lock_out",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False, comment="in a row; each lock is twice the one before"),
        sa.PrimaryKeyConstraint("subject", name="pk_account_lock_out"),
    )
    op.create_table(
        "account_trail",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, comment="NULL where nobody known was named"),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False, comment="JSON object of texts"),
        sa.PrimaryKeyConstraint("number", name="pk_account_trail"),
    )
    op.create_index("ix_account_trail_user_id", "account_trail", ["user_id"])
