"""The tables of the accounts. How they come to exist is told in `migrations/`; who reads and writes them, in the other rooms.

Their names begin with `account`, so they may share a PostgreSQL database with the ledger.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from resources.tables import Moment

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


account = Table(
    "account",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("password_hash", Text, comment="argon2id; NULL until the person has enrolled"),
    Column(
        "password_number", Integer, nullable=False, comment="counts the passwords; hashing anew is no new one"
    ),
    Column("enrolment_hash", Text, comment="of the one-time code; NULL when there is none or it was used"),
    Column("enrolment_until", Moment),
    Column("is_locked", Boolean, nullable=False, comment="by an administrator, until one unlocks"),
    Column("totp_secret", Text, comment="encrypted; NULL when the second factor is off"),
    Column("totp_pending", Text, comment="encrypted; provisional until a code confirms it"),
    Column("totp_last_step", BigInteger, comment="time step of the last code used; no earlier one is taken"),
    Column("last_login_at", Moment),
    Column(
        "provider_issuer", Text, comment="the OpenID provider that vouches for the person; NULL until linked"
    ),
    Column("provider_subject", Text, comment="who the person is there"),
    Index("ix_account_provider", "provider_issuer", "provider_subject", unique=True),
)

recovery_code = Table(
    "account_recovery_code",
    metadata,
    Column("user_id", Text, ForeignKey(account.c.user_id), primary_key=True),
    Column("code_hash", Text, primary_key=True),
    Column("used_at", Moment),
)

session = Table(
    "account_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey(account.c.user_id), nullable=False, index=True),
    Column("begun_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("authenticated_at", Moment, nullable=False),
    Column("client_address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("csrf_secret", Text, nullable=False),
    Column(
        "means", Text, comment="what was given last: password, totp, recovery, oidc; NULL before it was kept"
    ),
    Column("draft", Text, comment="encrypted; what was written before the person had to go to the provider"),
)

attempt = Table(
    "account_attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False, comment="hash of a user id or of a client's network"),
    Column("at", Moment, nullable=False),
    Index("ix_account_attempt_subject", "subject", "at"),
)

lock_out = Table(
    "account_lock_out",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("times", Integer, nullable=False, comment="in a row; each lock is twice the one before"),
)

spent_flow = Table(
    "account_spent_flow",
    metadata,
    Column("state_hash", Text, primary_key=True),
    Column(
        "until", Moment, nullable=False, comment="when the flow is over by time, and this row counts no more"
    ),
)

trail = Table(
    "account_trail",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("user_id", Text, index=True, comment="NULL where nobody known was named"),
    Column("event", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON object of texts"),
)
