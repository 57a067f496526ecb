"""Secrets are found by reference, kept from others, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from resources.secrets import is_reference, resolve


@pytest.mark.parametrize("text", ["env:TOKEN", "file:embedded/secrets/token", "file:a..b/c"])
def test_places_are_references(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "geheim",
        "env:",
        "env:a b",
        "env:1A",
        "file:",
        "file:/etc/passwd",
        "file:../x",
        "file:a/../../x",
        "ENV:A",
    ],
)
def test_anything_else_is_taken_for_the_secret_itself(tmp_path: Path, text: str) -> None:
    assert not is_reference(text)
    with pytest.raises(BadInput) as bad:
        resolve(text, tmp_path)
    assert bad.value.code == "secrets.not_a_reference"
    assert "geheim" not in str(bad.value)


def test_a_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUREAU_TOKEN", "geheim ")
    assert resolve("env:BUREAU_TOKEN", tmp_path) == "geheim "
    monkeypatch.setenv("BUREAU_TOKEN", "")
    with pytest.raises(BadInput, match="BUREAU_TOKEN"):
        resolve("env:BUREAU_TOKEN", tmp_path)


def test_a_file_of_the_owner_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("geheim\n", encoding="utf-8")
    path.chmod(0o600)
    assert resolve("file:token", tmp_path) == "geheim"


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("geheim", encoding="utf-8")
    path.chmod(0o640)
    with pytest.raises(Refused) as refused:
        resolve("file:token", tmp_path)
    assert refused.value.code == "secrets.readable_by_others"
    assert "0640" in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_a_missing_empty_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as bad:
        resolve("file:token", tmp_path)
    assert bad.value.code == "secrets.file_missing"
    for content, code in ((b"\n", "secrets.file_missing"), (b"\xff\xfe", "secrets.file_unreadable")):
        (tmp_path / "token").write_bytes(content)
        (tmp_path / "token").chmod(0o600)
        with pytest.raises(BadInput) as bad:
            resolve("file:token", tmp_path)
        assert bad.value.code == code
