"""Accounts on SQLite and on PostgreSQL, with a clock that tests move and a hash that costs little."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from pipelines.errors import BaosongError, Refused
from resources.accounts import AccountEvent, AccountPolicy, Accounts, Client, Session
from tests.resources.postgresql.server import PostgresqlServer

NUMBERS = count(1)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "four unrelated words 稽核"
DESK = Client("192.0.2.7", "Browser/1")


def shown(key: bytes, unix_time: int, digits: int = 6) -> str:
    """An authenticator of its own, by RFC 4226 section 5.3 and RFC 6238 section 4."""
    hashed = hmac.new(key, (unix_time // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    start = hashed[-1] & 0xF
    number = int.from_bytes(hashed[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


@dataclass
class World:
    """What a test moves: the time, who is a user of the deployment, whether anybody can be told; `open` opens the same
    accounts once more."""

    url: str
    home: Path
    now: datetime = datetime(2026, 5, 6, 1, tzinfo=UTC)
    users: set[str] = field(default_factory=lambda: {"wang", "li", "boss"})
    policy: AccountPolicy = field(default_factory=AccountPolicy)
    opened: list[Accounts] = field(default_factory=list[Accounts])
    told: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    is_silenced: bool = False

    def tell(self, event: AccountEvent, user: str, by: str | None) -> None:
        if self.is_silenced:
            raise Refused("accounts.silenced")
        self.told.append((event.value, user, by))

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)

    def open(
        self,
        hasher: PasswordHasher = CHEAP,
        policy: AccountPolicy | None = None,
        *,
        provider: str | None = None,
        takes_passwords: bool = True,
    ) -> Accounts:
        accounts = Accounts.open(
            self.url,
            self.home,
            lambda: self.now,
            lambda user: user in self.users,
            policy=policy or self.policy,
            hasher=hasher,
            provider=provider,
            takes_passwords=takes_passwords,
            tell=self.tell,
        )
        self.opened.append(accounts)
        return accounts

    def code(self, secret: str, *, aside: int = 0) -> str:
        """What an authenticator shows now, or some seconds aside."""
        return shown(base64.b32decode(secret), int(self.now.timestamp()) + aside)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'accounts.db'}"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        url = server.create(f"accounts_{next(NUMBERS)}")
    made = World(url, tmp_path)
    yield made
    for accounts in made.opened:
        accounts.close()


@pytest.fixture
def accounts(world: World) -> Accounts:
    return world.open()


@pytest.fixture
def enrolled(accounts: Accounts) -> Accounts:
    """wang has an account with PASSWORD."""
    accounts.enrol("wang", accounts.invite("wang", by="boss"), PASSWORD, DESK)
    return accounts


@dataclass(frozen=True)
class Factor:
    secret: str
    recovery: tuple[str, ...]


@pytest.fixture
def factor(enrolled: Accounts, world: World) -> Factor:
    """wang also has an authenticator; the step of the code that confirmed it is past."""
    secret = enrolled.begin_totp("wang").secret
    recovery = enrolled.confirm_totp("wang", world.code(secret))
    world.pass_by(seconds=30)
    return Factor(secret, recovery)


def log_in(
    accounts: Accounts,
    user: str = "wang",
    password: str = PASSWORD,
    code: str | None = None,
    client: Client = DESK,
) -> tuple[str, Session]:
    return accounts.log_in(user, password, code, client)


def refusal(act: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """The code of the error that the act ends with."""
    with pytest.raises(BaosongError) as refused:
        act(*arguments, **named)
    return refused.value.code
