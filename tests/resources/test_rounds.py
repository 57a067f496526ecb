"""A round exists whole or not at all, and never changes."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import BadInput, Refused, Tampered, Unavailable
from resources.rounds import RoundManifest, RoundStore

FILING = "circ_audit.detail.JH-2026-003"
SCHEMA = pa.schema([("BDH", pa.string()), ("BF", pa.decimal128(20, 2))])
EXTRA = {"source": "sqlite schema 0a", "parameters": {"date_from": "2026-01-01"}}


def batch(*numbers: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"BDH": number, "BF": None} for number in numbers], SCHEMA)


def write(
    store: RoundStore, number: int, *policies: str, extra: dict[str, object] | None = None
) -> RoundManifest:
    with store.write(FILING, number) as writer:
        with writer.table("BDXXB", SCHEMA) as table:
            for policy in policies:
                table.write(batch(policy))
        with writer.table("PAXXB", SCHEMA):
            pass
        return writer.commit(EXTRA if extra is None else extra)


@pytest.fixture
def store(tmp_path: Path) -> RoundStore:
    return RoundStore(tmp_path / "rounds")


def test_a_committed_round_holds_its_tables_and_says_what_they_are(store: RoundStore) -> None:
    manifest = write(store, 1, "P1", "P2")
    folder = store.path(FILING, 1)
    assert sorted(path.name for path in folder.iterdir()) == [
        "BDXXB.parquet",
        "PAXXB.parquet",
        "manifest.json",
    ]
    assert {name: table.rows for name, table in manifest.tables.items()} == {"BDXXB": 2, "PAXXB": 0}
    assert manifest.extra == EXTRA
    sha256 = hashlib.sha256((folder / "BDXXB.parquet").read_bytes()).hexdigest()
    assert manifest.tables["BDXXB"].sha256 == sha256
    assert pq.read_table(folder / "BDXXB.parquet").column("BDH").to_pylist() == ["P1", "P2"]
    assert pq.read_schema(folder / "PAXXB.parquet") == SCHEMA
    assert manifest.digest == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert store.manifest(FILING, 1) == store.verify(FILING, 1, digest=manifest.digest) == manifest
    assert store.tables(FILING, 1)["BDXXB"] == folder / "BDXXB.parquet"
    assert store.rounds(FILING) == [1]


def test_files_of_a_round_are_read_only_and_nothing_else_is_left(store: RoundStore) -> None:
    write(store, 1, "P1")
    folder = store.path(FILING, 1)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    assert [path.name for path in folder.parent.iterdir()] == ["1"]


def test_the_same_extraction_has_the_same_manifest_on_every_run(tmp_path: Path) -> None:
    first, second = (write(RoundStore(tmp_path / name), 1, "P1", "镕") for name in ("a", "b"))
    assert first == second


def test_committing_the_same_round_again_returns_it(store: RoundStore) -> None:
    first = write(store, 1, "P1")
    before = store.path(FILING, 1).stat().st_ino
    assert write(store, 1, "P1") == first
    assert store.path(FILING, 1).stat().st_ino == before
    assert [path.name for path in store.path(FILING, 1).parent.iterdir()] == ["1"]


@pytest.mark.parametrize(("policy", "extra"), [("P2", None), ("P1", {"source": "another"})])
def test_another_round_in_its_place_is_refused(
    store: RoundStore, policy: str, extra: dict[str, object] | None
) -> None:
    first = write(store, 1, "P1")
    with pytest.raises(Refused) as refused:
        write(store, 1, policy, extra=extra)
    assert refused.value.code == "round.exists"
    assert store.verify(FILING, 1) == first
    assert write(store, 2, policy, extra=extra).round == 2
    assert store.rounds(FILING) == [1, 2]


def test_an_extraction_that_fails_leaves_nothing(store: RoundStore) -> None:
    with (
        pytest.raises(BadInput),
        store.write(FILING, 1) as writer,
        writer.table("BDXXB", SCHEMA) as table,
    ):
        table.write(batch("P1"))
        raise BadInput("round.missing", filing=FILING, round=1, path="x")
    assert store.rounds(FILING) == []
    assert list(store.path(FILING, 1).parent.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from resources.rounds import RoundStore
schema = pa.schema([("BDH", pa.string())])
with RoundStore(Path(sys.argv[1])).write(sys.argv[2], 1) as writer:
    with writer.table("BDXXB", schema) as table:
        table.write(pa.RecordBatch.from_pylist([{"BDH": "P1"}], schema))
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_only_what_can_be_discarded(store: RoundStore) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, store.root, FILING], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    (left,) = (store.root / FILING).iterdir()
    assert left.name.startswith(".tmp-1-")
    assert store.rounds(FILING) == []
    manifest = write(store, 1, "P1")
    assert store.discard_uncommitted(FILING) == (left,)
    assert [path.name for path in (store.root / FILING).iterdir()] == ["1"]
    assert store.verify(FILING, 1) == manifest


def test_a_round_the_ledger_never_recorded_is_discarded_too(store: RoundStore) -> None:
    write(store, 1, "P1")
    write(store, 2, "P1", "P2")
    assert store.discard_uncommitted(FILING) == ()
    assert store.discard_uncommitted(FILING, recorded=[1]) == (store.path(FILING, 2),)
    assert store.rounds(FILING) == [1]
    assert [path.name for path in (store.root / FILING).iterdir()] == ["1"]
    assert write(store, 2, "P3").tables["BDXXB"].rows == 1
    assert store.discard_uncommitted("circ_audit.detail.other") == ()


def test_every_changed_missing_and_foreign_file_is_named(store: RoundStore) -> None:
    manifest = write(store, 1, "P1")
    folder = store.path(FILING, 1)
    table = folder / "BDXXB.parquet"
    table.chmod(0o644)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(bytes(content))
    (folder / "PAXXB.parquet").unlink()
    (folder / "note.txt").write_text("x", encoding="utf-8")
    with pytest.raises(Tampered) as tampered:
        store.verify(FILING, 1, digest="0" * 64)
    assert [(each.code, Path(str(each.values["path"])).name) for each in tampered.value.details] == [
        ("round.file_changed", "manifest.json"),
        ("round.file_changed", "BDXXB.parquet"),
        ("round.file_missing", "PAXXB.parquet"),
        ("round.file_unknown", "note.txt"),
    ]
    assert store.manifest(FILING, 1) == manifest


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"tables": {"A": {"rows": 1}}}', b"\xff"])
def test_a_damaged_manifest_is_named(store: RoundStore, content: bytes) -> None:
    write(store, 1, "P1")
    path = store.path(FILING, 1) / "manifest.json"
    path.chmod(0o644)
    path.write_bytes(content)
    with pytest.raises(Tampered) as tampered:
        store.verify(FILING, 1)
    assert tampered.value.code == "round.manifest_damaged"


def test_a_manifest_of_another_round_is_named(store: RoundStore) -> None:
    write(store, 1, "P1")
    store.path(FILING, 1).rename(store.path(FILING, 2))
    with pytest.raises(Tampered):
        store.manifest(FILING, 2)
    (store.path(FILING, 2) / "manifest.json").unlink()
    with pytest.raises(Tampered) as tampered:
        store.manifest(FILING, 2)
    assert tampered.value.code == "round.file_missing"


def test_a_round_that_is_not_there_is_named(store: RoundStore) -> None:
    for number in (0, 3):
        with pytest.raises(BadInput) as bad:
            store.manifest(FILING, number)
        assert (bad.value.code, bad.value.values["round"]) == ("round.missing", number)


@pytest.mark.parametrize("filing", ["", "a.b", "a.b.c.d", "../x.y.z", "a.b.c/d", "a.b.报"])
def test_only_a_filing_id_names_a_folder(store: RoundStore, filing: str) -> None:
    with pytest.raises(BadInput) as bad:
        store.path(filing, 1)
    assert bad.value.code == "round.filing_id"


def test_what_the_caller_adds_cannot_pass_for_the_stores_own(store: RoundStore) -> None:
    with pytest.raises(ValueError, match="round"), store.write(FILING, 1) as writer:
        writer.commit({"round": 7})
    with store.write(FILING, 1) as writer, pytest.raises(ValueError, match="twice"):
        with writer.table("A", SCHEMA):
            pass
        with writer.table("A", SCHEMA):
            pass


def test_a_manifest_is_canonical_json(store: RoundStore) -> None:
    write(store, 1, "P1", extra={"b": 1, "a": "报送"})
    text = (store.path(FILING, 1) / "manifest.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    assert "报送" in text


def test_a_disk_that_refuses_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "rounds").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(Unavailable) as unavailable, RoundStore(tmp_path / "rounds").write(FILING, 1):
        pass
    assert unavailable.value.code == "round.disk"
    assert [path.name for path in tmp_path.iterdir()] == ["rounds"]
