"""The environment of one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import BadInput
from resources.settings import CHECKOUT, Settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DEPLOYMENT", "DATABASE_URL", "ACCOUNTS_URL", "LANGUAGE"):
        monkeypatch.delenv(f"BAOSONG_{name}", raising=False)


def test_without_an_environment_the_demo_lives_under_the_checkout() -> None:
    settings = Settings.load()
    assert settings.home == CHECKOUT / ".baosong"
    assert settings.deployment == CHECKOUT / "resources" / "demo" / "deployment"
    assert settings.ledger_url == f"sqlite:///{CHECKOUT / '.baosong' / 'ledger.db'}"
    assert settings.accounts_database_url == f"sqlite:///{CHECKOUT / '.baosong' / 'accounts.db'}"
    assert settings.language == "zh"


def test_paths_become_absolute_and_the_database_is_taken_as_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAOSONG_HOME", "here")
    monkeypatch.setenv("BAOSONG_DATABASE_URL", "postgresql://u:geheim@h/ledger")
    monkeypatch.setenv("BAOSONG_ACCOUNTS_URL", "postgresql://u:geheim@h/accounts")
    settings = Settings.load()
    assert settings.home == tmp_path / "here"
    assert settings.ledger_url == "postgresql://u:geheim@h/ledger"
    assert settings.accounts_database_url == "postgresql://u:geheim@h/accounts"
    assert "geheim" not in repr(settings)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAOSONG_LANGUAGE", "fr")
    with pytest.raises(BadInput) as bad:
        Settings.load()
    assert [detail.values["variable"] for detail in bad.value.details] == ["BAOSONG_LANGUAGE"]
