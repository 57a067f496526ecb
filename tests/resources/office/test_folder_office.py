"""The office of two folders: drafts go out once and whole, and nothing that was not agreed is believed of what comes in."""

from __future__ import annotations

import json
import os
import string
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import Unavailable
from resources.office import FolderOffice, OfficeAnswer, OfficeDraft

DRAFT = OfficeDraft(
    key="demo:circ_audit.detail.JH-1:sign-off:ab:0",
    filing="circ_audit.detail.JH-1",
    number="QB-circ_audit.detail.JH-1-V1",
    title="报送签报",
    content="ab" * 32,
    route=("audit_reviewer", "executive"),
    prepared_by="data_engineer",
)
STATUSES = ("waiting", "agreed", "disagreed", "withdrawn")
ON_FILES = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def office(tmp_path: Path) -> FolderOffice:
    for name in ("outbox", "inbox"):
        (tmp_path / name).mkdir()
    return FolderOffice(tmp_path / "outbox", tmp_path / "inbox")


def answer(office: FolderOffice, reference: str, content: bytes | str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (office.inbox / f"{reference}.json").write_bytes(data)


def test_a_draft_is_handed_in_once_under_a_reference_that_follows_from_its_key(office: FolderOffice) -> None:
    reference = office.create(DRAFT)
    (path,) = office.outbox.iterdir()
    assert path.name == f"{reference}.json"
    written = path.read_bytes()
    said = json.loads(written)
    assert said["reference"] == reference
    assert (said["filing"], said["route"]) == (DRAFT.filing, ["audit_reviewer", "executive"])
    again = office.create(replace(DRAFT, prepared_by="engineer2"))
    assert (again, path.read_bytes()) == (reference, written), "the same key is the same sign-off"
    assert office.create(replace(DRAFT, key="another")) != reference
    assert len(list(office.outbox.iterdir())) == 2


@ON_FILES
@given(keys=st.lists(st.text(max_size=80), min_size=1, max_size=8))
def test_one_file_and_one_reference_per_key_whatever_it_is(office: FolderOffice, keys: list[str]) -> None:
    before = {path.name for path in office.outbox.iterdir()}
    encodable = [key for key in keys if key.isascii() or key.encode("utf-8", "ignore").decode() == key]
    references = {key: office.create(replace(DRAFT, key=key)) for key in encodable}
    assert references == {key: office.create(replace(DRAFT, key=key)) for key in encodable}
    assert len(set(references.values())) == len(references)
    written = {path.name for path in office.outbox.iterdir()}
    assert written - before <= {f"{reference}.json" for reference in references.values()}
    assert {path.parent for path in office.outbox.rglob("*")} <= {office.outbox}


def test_a_draft_waits_until_the_office_answers(office: FolderOffice) -> None:
    reference = office.create(DRAFT)
    assert office.status(reference) == OfficeAnswer("waiting")
    said = {"reference": reference, "status": "agreed", "at": "2026-05-09T10:00:00+08:00", "by": "总经理",
            "text": "同意报送"}  # fmt: skip
    answer(office, reference, json.dumps(said, ensure_ascii=False))
    at = datetime.fromisoformat("2026-05-09T10:00:00+08:00")
    assert office.status(reference) == OfficeAnswer("agreed", at, "总经理", "同意报送")


@pytest.mark.parametrize("status", STATUSES)
def test_every_agreed_status_is_read(office: FolderOffice, status: str) -> None:
    answer(office, "EOA-2026-0153", json.dumps({"reference": "EOA-2026-0153", "status": status}))
    assert office.status("EOA-2026-0153").status == status, "also of a sign-off that a person made there"


@pytest.mark.parametrize(
    "reference",
    ["", ".", "..", "../outbox/x", "/etc/passwd", "a/b", "a\\b", "签报〔2026〕1号", "x" * 65, "a\n", "-a"],
)
def test_a_reference_that_is_no_file_name_is_unknown_and_touches_nothing(
    office: FolderOffice, reference: str
) -> None:
    assert office.status(reference) == OfficeAnswer("unknown")


def test_a_reference_that_nobody_handed_in_is_unknown(office: FolderOffice) -> None:
    assert office.status("QB-0000") == OfficeAnswer("unknown")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"[]", "keys other than"),
        (b"\xff\xfe", "decode"),
        ("[" * 60_000, "nested too deeply"),
        (" " * (64 * 1024 + 1), "more than 65536 bytes"),
        ('{"reference":"R","status":"agreed","status":"disagreed"}', "a key twice"),
        ('{"reference":"R","status":"agreed","extra":"x"}', "keys other than"),
        ('{"reference":"R"}', "keys other than"),
        ('{"reference":"S","status":"agreed"}', "another reference"),
        ('{"reference":"R","status":"unknown"}', "a status other than"),
        ('{"reference":"R","status":true}', "status is not a text"),
        ('{"reference":"R","status":NaN}', "NaN is no JSON"),
        ('{"reference":"R","status":"agreed","at":"2026-05-09T10:00:00"}', "without an offset"),
        ('{"reference":"R","status":"agreed","at":"soon"}', "Invalid isoformat"),
        ('{"reference":"R","status":"agreed","text":"\\u001b[2J"}', "control characters"),
        ('{"reference":"R","status":"agreed","text":"' + "x" * 2001 + '"}', "text is not a text"),
    ],
)
def test_what_was_not_agreed_is_not_believed(office: FolderOffice, content: bytes | str, reason: str) -> None:
    answer(office, "R", content)
    with pytest.raises(Unavailable) as caught:
        office.status("R")
    assert (caught.value.code, caught.value.exit_code) == ("office.not_as_agreed", 4)
    assert reason in str(caught.value)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "reference": st.sampled_from(["R", "S", "../R", ""]) | JSON,
        "status": st.sampled_from([*STATUSES, "unknown", "AGREED"]) | JSON,
        "at": st.datetimes().map(datetime.isoformat) | st.just("2026-05-09T10:00:00+08:00") | JSON,
        "by": st.text(max_size=10) | JSON,
        "text": st.text(max_size=10) | JSON,
        "more": JSON,
    },
)


@ON_FILES
@given(content=st.binary(max_size=200) | JSON.map(json.dumps) | NEARLY.map(json.dumps))
def test_whatever_lies_in_the_inbox_is_an_answer_as_agreed_or_a_message(
    office: FolderOffice, content: bytes | str
) -> None:
    answer(office, "R", content)
    try:
        said = office.status("R")
    except Unavailable as error:
        assert error.code == "office.not_as_agreed"
        assert all(letter.isprintable() for letter in str(error))
        return
    written = json.loads(content)
    assert (written["reference"], written["status"]) == ("R", said.status)
    assert said.status in STATUSES
    assert said.at is None or said.at.tzinfo is not None
    assert all(letter.isprintable() or letter == "\n" for letter in said.by + said.text)


def test_links_folders_and_pipes_in_the_inbox_are_not_read(office: FolderOffice, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"reference":"L","status":"agreed"}', encoding="utf-8")
    (office.inbox / "L.json").symlink_to(secret)
    (office.inbox / "D.json").mkdir()
    os.mkfifo(office.inbox / "P.json")
    for reference in string.ascii_uppercase[3], "L", "P":
        with pytest.raises(Unavailable) as caught:
            office.status(reference)
        assert caught.value.code == "office.inbox"


def test_a_share_that_is_not_there_is_said_to_be_away_and_not_made(tmp_path: Path) -> None:
    office = FolderOffice(tmp_path / "share" / "outbox", tmp_path / "share" / "inbox")
    with pytest.raises(Unavailable) as caught:
        office.create(DRAFT)
    assert caught.value.code == "office.outbox"
    assert not (tmp_path / "share").exists()


def test_a_killed_writing_leaves_nothing_that_counts(
    office: FolderOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            office.create(DRAFT)
    assert list(office.outbox.glob("[!.]*.json")) == []
    reference = office.create(DRAFT)
    assert json.loads((office.outbox / f"{reference}.json").read_text(encoding="utf-8"))["key"] == DRAFT.key
