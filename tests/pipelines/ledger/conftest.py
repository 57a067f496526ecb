"""A ledger in a folder of its own, and the moment at which tests act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipelines.ledger import Ledger


@pytest.fixture(scope="session")
def at() -> datetime:
    return datetime(2026, 5, 6, 9, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(url: str, tmp_path: Path, at: datetime) -> Iterator[Ledger]:
    with Ledger.open(url, deployment="demo", home=tmp_path, at=at) as opened:
        yield opened
