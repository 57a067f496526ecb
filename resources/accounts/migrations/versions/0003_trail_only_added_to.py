"""The database itself refuses to change or remove an entry of the trail, whoever asks it with a statement."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SAID = "the trail is only added to"
_SQLITE = (
    ("changed", "UPDATE", ""),
    ("removed", "DELETE", ""),
    # INSERT OR REPLACE removes without asking the trigger above
    ("replaced", "INSERT", "WHEN EXISTS (SELECT 1 FROM account_trail WHERE number = NEW.number)"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, act, when in _SQLITE:
            op.execute(
                f"CREATE TRIGGER account_trail_{name} BEFORE {act} ON account_trail {when} "
                f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION account_trail_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SAID}'; END $$"
    )
    for name, acts, each in (("changed", "UPDATE OR DELETE", "ROW"), ("emptied", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER account_trail_{name} BEFORE {acts} ON account_trail "
            f"FOR EACH {each} EXECUTE FUNCTION account_trail_kept()"
        )
