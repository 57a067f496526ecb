"""Where accounts lie: the file's mode, addresses, versions, faults."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pipelines.ledger import Ledger
from resources.accounts import Accounts, open_accounts
from resources.accounts.database import open_engine, reading
from resources.accounts.models import metadata
from resources.deployment import load_deployment
from resources.settings import Settings
from tests.resources.accounts.conftest import World, refusal


def opened(url: str, home: Path) -> Accounts:
    return Accounts.open(url, home, lambda: datetime(2026, 5, 6, tzinfo=UTC), lambda _: True)


def test_the_file_and_its_logs_are_for_their_owner(tmp_path: Path) -> None:
    file = tmp_path / "new" / "accounts.db"
    with opened(f"sqlite:///{file}", tmp_path) as accounts:
        accounts.invite("wang", by="boss")
        held = sqlite3.connect(file)  # keeps the logs where they are
        held.execute("SELECT count(*) FROM account").fetchone()
        modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
        held.close()
    assert modes == dict.fromkeys(("accounts.db", "accounts.db-shm", "accounts.db-wal"), 0o600)


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "accounts.db"
    opened(f"sqlite:///{file}", tmp_path).close()
    file.chmod(0o644)
    opened(f"sqlite:///{file}", tmp_path).close()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:topsecret@h/d", "nonsense", ""]
)
def test_an_address_of_no_accounts_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="BAOSONG_ACCOUNTS_URL") as refused:
        opened(url, tmp_path)
    assert "topsecret" not in str(refused.value)


def test_faults_of_the_database_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    assert refusal(opened, f"sqlite:///{tmp_path / 'folder.db'}", tmp_path) == "account.database"
    (tmp_path / "other.db").write_bytes(b"not a database at all" * 100)
    assert refusal(opened, f"sqlite:///{tmp_path / 'other.db'}", tmp_path) == "account.unreadable"
    assert refusal(opened, "postgresql://u@/none?host=/nowhere", tmp_path) == "account.database"


def test_tables_of_a_newer_version_are_refused(accounts: Accounts, world: World) -> None:
    engine = create_engine(world.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE accounts_version SET version_num = '9999'"))
    engine.dispose()
    assert refusal(world.open) == "account.newer_tables"


def test_the_migrations_make_exactly_the_tables_of_the_models(world: World) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = open_engine(world.url, world.home)
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "accounts_version"})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_ledger_and_accounts_may_share_a_database(accounts: Accounts, world: World) -> None:
    moment = datetime(2026, 5, 6, tzinfo=UTC)
    with Ledger.open(world.url, deployment="demo", home=world.home, at=moment) as ledger:
        accounts.invite("wang", by="boss")
        assert ledger.verify().problems == ()
    assert [each.user_id for each in world.open().accounts()] == ["wang"]


def test_an_installation_opens_its_own_users_accounts_by_the_real_time(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=None, accounts_url=None)
    with open_accounts(settings, load_deployment(settings.deployment, settings.home)) as accounts:
        accounts.invite("executive", by="administrator")
        assert refusal(accounts.invite, "nobody", by="administrator") == "account.no_user"
        (invited,) = accounts.accounts()
    assert invited.enrolment_until is not None and invited.enrolment_until > datetime.now(UTC)
    assert (tmp_path / "accounts.db").exists()
