"""Appending, rerunning, reserving, erasing, opening: what the stages rely on."""

from __future__ import annotations

import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused, Tampered, Unavailable
from pipelines.ledger import Ledger

FILING = "filing/circ_audit.detail.JH-2026-003"


def code_of(call: pytest.ExceptionInfo[Refused] | pytest.ExceptionInfo[Tampered]) -> str:
    assert str(call.value)
    return call.value.code


def test_an_event_reads_back_as_it_was_appended(ledger: Ledger, at: datetime) -> None:
    payload = {"户": "𠮷野家", "n": -3, "是": True, "无": None, "表": ["a", {"b": "😀"}]}
    event = ledger.append(FILING, "noted", payload, actor="王芳", at=at, command_id="c1", type_version=2)
    assert ledger.events(FILING) == [event]
    assert (event.stream, event.seq, event.type, event.type_version) == (FILING, 1, "noted", 2)
    assert (event.actor, event.at, event.command_id, event.payload) == ("王芳", at, "c1", payload)


def test_times_are_recorded_with_the_offset_of_shanghai(ledger: Ledger) -> None:
    utc = datetime(2026, 5, 5, 18, 30, 0, 5, tzinfo=UTC)
    event = ledger.append(FILING, "noted", {}, actor="a", at=utc, command_id="c1")
    assert event.at == utc
    assert event.at.isoformat() == "2026-05-06T02:30:00.000005+08:00"


def test_streams_count_on_their_own_and_are_listed_by_prefix(ledger: Ledger, at: datetime) -> None:
    for n, stream in enumerate([FILING, "request/浙保〔2026〕3号", FILING]):
        ledger.append(stream, "noted", {}, actor="a", at=at, command_id=f"c{n}")
    assert [event.seq for event in ledger.events(FILING)] == [1, 2]
    assert ledger.streams() == [FILING, "ledger", "request/浙保〔2026〕3号"]
    assert ledger.streams("request/") == ["request/浙保〔2026〕3号"]
    assert ledger.event_count() == 4
    assert ledger.events("filing/none") == []


def test_a_rerun_of_a_command_appends_nothing_and_returns_the_earlier_event(
    ledger: Ledger, at: datetime
) -> None:
    first = ledger.append(FILING, "noted", {"a": 1}, actor="a", at=at, command_id="c1")
    later = at.replace(hour=10)
    again = ledger.append(FILING, "noted", {"a": 1}, actor="a", at=later, command_id="c1", expected_seq=0)
    assert again == first
    assert ledger.event_count() == 2


@pytest.mark.parametrize(
    ("stream", "type", "payload"),
    [(FILING, "noted", {"a": 2}), (FILING, "other", {"a": 1}), ("filing/x", "noted", {"a": 1})],
)
def test_a_command_id_is_refused_for_another_fact(
    ledger: Ledger, at: datetime, stream: str, type: str, payload: dict[str, int]
) -> None:
    ledger.append(FILING, "noted", {"a": 1}, actor="a", at=at, command_id="c1")
    with pytest.raises(Refused) as refused:
        ledger.append(stream, type, payload, actor="a", at=at, command_id="c1")
    assert code_of(refused) == "ledger.command_reused"
    assert ledger.event_count() == 2


def test_a_decision_on_an_old_state_is_refused(ledger: Ledger, at: datetime) -> None:
    ledger.append(FILING, "noted", {}, actor="a", at=at, command_id="c1", expected_seq=0)
    with pytest.raises(Refused) as refused:
        ledger.append(FILING, "noted", {}, actor="b", at=at, command_id="c2", expected_seq=0)
    assert code_of(refused) == "ledger.moved_on"
    assert len(ledger.events(FILING)) == 1


def test_a_float_is_refused_and_nothing_recorded(ledger: Ledger, at: datetime) -> None:
    with pytest.raises(BadInput, match=r"\$\.金额：不接受 float"):
        ledger.append(FILING, "noted", {"金额": 0.1}, actor="a", at=at, command_id="c1")
    assert ledger.events(FILING) == []


def test_a_time_without_offset_is_refused(ledger: Ledger) -> None:
    with pytest.raises(BadInput, match="2026-05-06T09:00:00"):
        ledger.append(FILING, "noted", {}, actor="a", at=datetime(2026, 5, 6, 9), command_id="c1")  # noqa: DTZ001


@pytest.mark.parametrize("actor", ["", "a\x00b", "a\nb", "\ud800"])
def test_an_actor_that_cannot_be_read_is_refused(ledger: Ledger, at: datetime, actor: str) -> None:
    with pytest.raises(BadInput, match="actor"):
        ledger.append(FILING, "noted", {}, actor=actor, at=at, command_id="c1")


@pytest.mark.parametrize("type", ["delivery_reserved", "payload_erased", "ledger_created"])
def test_the_ledgers_own_events_cannot_be_appended_by_others(ledger: Ledger, at: datetime, type: str) -> None:
    with pytest.raises(Refused, match=type):
        ledger.append(FILING, type, {}, actor="a", at=at, command_id="c1")


def test_a_delivery_is_reserved_once_whatever_command_asks(ledger: Ledger, at: datetime) -> None:
    event, is_new = ledger.reserve("f", 1, "sftp", {"package": "p1"}, actor="a", at=at, command_id="c1")
    assert is_new
    assert (event.stream, event.type) == ("filing/f", "delivery_reserved")
    assert event.payload == {"package": "p1", "version": 1, "channel": "sftp"}
    assert ledger.reserve("f", 1, "sftp", {"package": "p1"}, actor="a", at=at, command_id="c1") == (
        event,
        False,
    )
    assert ledger.reserve("f", 1, "sftp", {"package": "p2"}, actor="b", at=at, command_id="c2") == (
        event,
        False,
    )
    assert len(ledger.events("filing/f")) == 1


def test_another_version_or_channel_is_reserved_on_its_own(ledger: Ledger, at: datetime) -> None:
    for n, (version, channel) in enumerate([(1, "sftp"), (2, "sftp"), (1, "interface")]):
        _, is_new = ledger.reserve("f", version, channel, {}, actor="a", at=at, command_id=f"c{n}")
        assert is_new
    assert ledger.verify().problems == ()


def test_an_erased_payload_is_gone_from_the_files_and_the_chain_holds(
    ledger: Ledger, at: datetime, tmp_path: Path
) -> None:
    secret = "身份证110101199003077774"
    ledger.append(FILING, "noted", {"证件": secret}, actor="a", at=at, command_id="c1")
    ledger.append(FILING, "noted", {}, actor="a", at=at, command_id="c2")
    assert any(secret.encode() in path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    erasure = ledger.erase(FILING, 1, actor="b", at=at, reason="本人申请")
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    first, second = ledger.events(FILING)
    assert (first.payload, second.payload) == (None, {})
    assert (erasure.stream, erasure.type, erasure.actor) == ("ledger", "payload_erased", "b")
    assert erasure.payload == {
        "stream": FILING,
        "seq": 1,
        "payload_digest": first.payload_digest,
        "reason": "本人申请",
    }
    assert ledger.verify().problems == ()


def test_erasing_again_changes_nothing(ledger: Ledger, at: datetime) -> None:
    ledger.append(FILING, "noted", {"a": 1}, actor="a", at=at, command_id="c1")
    first = ledger.erase(FILING, 1, actor="b", at=at, reason="r")
    assert ledger.erase(FILING, 1, actor="c", at=at, reason="s") == first
    assert ledger.append(FILING, "noted", {"a": 1}, actor="a", at=at, command_id="c1").payload is None
    assert ledger.event_count() == 3


def test_what_the_ledger_itself_needs_cannot_be_erased(ledger: Ledger, at: datetime) -> None:
    ledger.reserve("f", 1, "sftp", {}, actor="a", at=at, command_id="c1")
    for stream in ("filing/f", "ledger"):
        with pytest.raises(Refused, match=stream):
            ledger.erase(stream, 1, actor="a", at=at, reason="r")
    with pytest.raises(BadInput, match="filing/f"):
        ledger.erase("filing/f", 2, actor="a", at=at, reason="r")


def test_the_first_event_names_deployment_and_key(ledger: Ledger, at: datetime) -> None:
    (genesis,) = ledger.events("ledger")
    assert (genesis.type, genesis.at) == ("ledger_created", at)
    assert genesis.payload is not None
    assert genesis.payload["deployment"] == "demo"
    assert len(genesis.payload["public_key"]) == 64


def test_a_ledger_opens_again_with_what_it_held(
    ledger: Ledger, url: str, at: datetime, tmp_path: Path
) -> None:
    event = ledger.append(FILING, "noted", {}, actor="a", at=at, command_id="c1")
    ledger.close()
    with Ledger.open(url, deployment="demo", home=tmp_path) as again:
        assert again.events(FILING) == [event]
        assert again.event_count() == 2


def test_another_deployments_ledger_is_refused(ledger: Ledger, url: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"demo.*华安") as refused:
        Ledger.open(url, deployment="华安", home=tmp_path)
    assert code_of(refused) == "ledger.other_deployment"
    assert ledger.verify().problems == ()


def test_another_key_is_refused(ledger: Ledger, url: str, tmp_path: Path) -> None:
    (tmp_path / "keys" / "ledger_ed25519").unlink()
    with pytest.raises(Refused) as refused:
        Ledger.open(url, deployment="demo", home=tmp_path)
    assert code_of(refused) == "ledger.other_key"


def test_the_private_key_is_for_its_owner_only(ledger: Ledger, url: str, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "ledger_ed25519"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        Ledger.open(url, deployment="demo", home=tmp_path)


def test_a_lost_database_is_not_begun_anew_behind_signed_heads(
    ledger: Ledger, url: str, at: datetime, tmp_path: Path
) -> None:
    ledger.sign_head(at)
    ledger.close()
    for path in tmp_path.glob("ledger.db*"):
        path.unlink()
    with pytest.raises(Tampered) as lost:
        Ledger.open(url, deployment="demo", home=tmp_path)
    assert code_of(lost) == "ledger.lost"


def test_a_broken_stream_decides_nothing(ledger: Ledger, at: datetime, tmp_path: Path) -> None:
    ledger.append(FILING, "opinion_given", {"opinion": "disagree"}, actor="a", at=at, command_id="c1")
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("UPDATE payload SET canonical_json = replace(canonical_json, 'dis', '')")
    raw.close()
    with pytest.raises(Tampered) as broken:
        ledger.events(FILING)
    assert [problem.code for problem in broken.value.details] == ["ledger.payload_changed"]


def test_a_stream_whose_tail_was_deleted_takes_no_further_event(
    ledger: Ledger, at: datetime, tmp_path: Path
) -> None:
    for n in range(2):
        ledger.append(FILING, "noted", {}, actor="a", at=at, command_id=f"c{n}")
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("DELETE FROM event WHERE stream = ? AND seq = 2", (FILING,))
    raw.close()
    with pytest.raises(Tampered) as broken:
        ledger.append(FILING, "noted", {}, actor="a", at=at, command_id="c9")
    assert code_of(broken) == "ledger.head_differs"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(Tampered) as broken:
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path)
    assert code_of(broken) == "ledger.unreadable"


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(Unavailable, match="unable to open"):
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:topsecret@h/d", "nonsense", ""]
)
def test_an_address_of_no_ledger_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="BAOSONG_DATABASE_URL") as refused:
        Ledger.open(url, deployment="demo", home=tmp_path)
    assert "topsecret" not in str(refused.value)


def test_tables_of_a_newer_version_are_refused(ledger: Ledger, url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("UPDATE ledger_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(Refused) as refused:
        Ledger.open(url, deployment="demo", home=tmp_path)
    assert code_of(refused) == "ledger.newer_tables"


def test_the_migrations_make_exactly_the_tables_of_the_models(ledger: Ledger, url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from pipelines.ledger.database import open_engine, reading
    from pipelines.ledger.models import metadata

    engine = open_engine(url)
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "ledger_version"})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
