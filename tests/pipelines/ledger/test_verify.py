"""Verification finds every change: each cell, each row, cut tails, rewritten history, altered heads."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipelines.errors import Tampered
from pipelines.ledger import Ledger, VerifyReport
from pipelines.ledger.chain import ChainRow, payload_digest, row_hash
from pipelines.ledger.database import open_engine
from pipelines.ledger.heads import open_key, public_text
from pipelines.ledger.verify import verify_ledger

TABLES = ("event", "payload", "reservation", "head")
Change = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, at: datetime) -> Path:
    """The home of a ledger with something of everything; closed, so that the file holds it all."""
    home = tmp_path_factory.mktemp("original")
    with Ledger.open(f"sqlite:///{home / 'ledger.db'}", deployment="demo", home=home, at=at) as ledger:
        for n in range(3):
            ledger.append("filing/f", "noted", {"n": n, "户": "𠮷"}, actor="王芳", at=at, command_id=f"f{n}")
        ledger.sign_head(at)
        ledger.reserve("f", 1, "sftp", {"package": "p"}, actor="baosong", at=at, command_id="r1")
        ledger.append("request/r", "raised", {}, actor="李娜", at=at, command_id="q0")
        ledger.reserve("g", 2, "interface", {"package": "q"}, actor="baosong", at=at, command_id="r2")
        ledger.erase("filing/f", 2, actor="张伟", at=at, reason="本人申请")
        ledger.sign_head(at)
        ledger.append("filing/f", "noted", {"n": 9}, actor="王芳", at=at, command_id="f9")
        ledger.sign_head(at)
        assert ledger.verify() == VerifyReport(events=9, streams=4, heads=3, problems=())
    return home


@pytest.fixture(scope="module")
def changed(
    original: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., list[Tampered]]]:
    """What verification says after `change` was made to a copy of the original's database (and heads)."""
    home = tmp_path_factory.mktemp("changed") / "home"
    key = public_text(open_key(original))

    def check(change: Change | None = None, heads: Callable[[Path], object] | None = None) -> list[Tampered]:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(original, home)
        if change:
            with closing(sqlite3.connect(home / "ledger.db")) as raw:
                change(raw)
                raw.commit()
        if heads:
            heads(home / "heads")
        engine = open_engine(f"sqlite:///{home / 'ledger.db'}")
        report = verify_ledger(engine, home=home, deployment="demo", public_key=key)
        engine.dispose()
        problems = list(report.problems)
        assert all(isinstance(problem, Tampered) and str(problem) for problem in problems)
        return problems  # type: ignore[return-value]

    yield check


def cells(home: Path) -> list[tuple[str, int, str, Any]]:
    """Every cell of the four tables: table, rowid, column, value."""
    found: list[tuple[str, int, str, Any]] = []
    with closing(sqlite3.connect(home / "ledger.db")) as raw:
        raw.row_factory = sqlite3.Row
        for table in TABLES:
            for row in raw.execute(f"SELECT rowid AS id, * FROM {table}"):
                found += [
                    (table, row["id"], column, row[column]) for column in tuple(row.keys()) if column != "id"
                ]
    return found


def is_same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def set_cell(table: str, row: int, column: str, value: object) -> Change:
    """Set one cell, constraints or not; hypothesis gives up a value that the table cannot take or already has."""

    def change(raw: sqlite3.Connection) -> None:
        read = f"SELECT {column} FROM {table} WHERE rowid = ?"
        old = raw.execute(read, (row,)).fetchone()[0]
        try:
            raw.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
        except sqlite3.IntegrityError:
            raise Unchangeable from None
        if is_same(raw.execute(read, (row,)).fetchone()[0], old):
            raise Unchangeable

    return change


class Unchangeable(Exception):
    pass


def test_an_untouched_copy_is_clean(changed: Callable[..., list[Tampered]]) -> None:
    assert changed() == []


def test_every_cell_of_every_table_is_watched(original: Path, changed: Callable[..., list[Tampered]]) -> None:
    watched = 0
    for table, row, column, value in cells(original):
        others: list[object] = [value + 1, 99, str(value) + "x"] if isinstance(value, int) else []
        if isinstance(value, str):
            others = [value + " ", value.swapcase(), value.encode(), value[:-1], None]
        if value is None:
            others = ["", "2026-05-06T09:00:00+08:00", 0]
        for other in others:
            try:
                problems = changed(set_cell(table, row, column, other))
            except Unchangeable:
                continue
            assert problems, (table, row, column, value, other)
            watched += 1
    assert watched > 400


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_value_in_any_cell_is_noticed(
    data: st.DataObject, original: Path, changed: Callable[..., list[Tampered]]
) -> None:
    table, row, column, _ = data.draw(st.sampled_from(cells(original)))
    text = st.text(st.characters(exclude_categories=["Cs"]))
    value = data.draw(
        st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | text | st.binary()
    )
    try:
        problems = changed(set_cell(table, row, column, value))
    except Unchangeable:
        assume(False)
    else:
        assert problems


def test_every_deleted_row_is_noticed(original: Path, changed: Callable[..., list[Tampered]]) -> None:
    for table, row in sorted({(table, row) for table, row, _, _ in cells(original)}):
        assert changed(lambda raw, t=table, r=row: raw.execute(f"DELETE FROM {t} WHERE rowid = ?", (r,))), (
            table,
            row,
        )


def test_an_emptied_table_is_noticed(changed: Callable[..., list[Tampered]]) -> None:
    for table in TABLES:
        assert changed(lambda raw, t=table: raw.execute(f"DELETE FROM {t}"))


@pytest.mark.parametrize(
    ("insert", "code"),
    [
        (
            "INSERT INTO event SELECT stream, 50, type, 1, actor, at, 'new', 'none', prev_hash, hash FROM event LIMIT 1",
            "ledger.sequence_gap",
        ),
        ("INSERT INTO payload VALUES ('d', 's', '{}', NULL)", "ledger.payload_unclaimed"),
        ("INSERT INTO payload VALUES ('d', NULL, NULL, '2026')", "ledger.payload_unclaimed"),
        ("INSERT INTO reservation VALUES ('f', 1, 'interface', 4)", "ledger.reservation_alone"),
        ("INSERT INTO head VALUES ('filing/h', 1, 'x')", "ledger.head_differs"),
    ],
)
def test_an_inserted_row_is_noticed(insert: str, code: str, changed: Callable[..., list[Tampered]]) -> None:
    assert code in [problem.code for problem in changed(lambda raw: raw.execute(insert))]


def test_a_changed_event_is_named_with_stream_and_sequence(changed: Callable[..., list[Tampered]]) -> None:
    problems = changed(lambda raw: raw.execute("UPDATE event SET actor = '别人' WHERE command_id = 'f1'"))
    assert [(p.code, p.values["stream"], p.values["seq"]) for p in problems] == [
        ("ledger.event_changed", "filing/f", 2)
    ]
    assert str(problems[0]).startswith("流 filing/f 序号 2：事件的列与其哈希不符")


def test_a_payload_wiped_without_its_event_is_named(changed: Callable[..., list[Tampered]]) -> None:
    wipe = (
        "UPDATE payload SET salt = NULL, canonical_json = NULL, erased_at = '2026-05-06T09:00:00+08:00'"
        " WHERE digest = (SELECT payload_digest FROM event WHERE command_id = 'f0')"
    )
    problems = changed(lambda raw: raw.execute(wipe))
    assert [(p.code, p.values["stream"], p.values["seq"]) for p in problems] == [
        ("ledger.erasure_differs", "filing/f", 1)
    ]


def cut_tail(raw: sqlite3.Connection, stream: str, after: int) -> None:
    """Remove the events of `stream` after one, so that all four tables agree with each other."""
    raw.execute(
        "DELETE FROM payload WHERE digest IN (SELECT payload_digest FROM event WHERE stream = ? AND seq > ?)",
        (stream, after),
    )
    raw.execute("DELETE FROM event WHERE stream = ? AND seq > ?", (stream, after))
    raw.execute("DELETE FROM reservation WHERE 'filing/' || filing = ? AND seq > ?", (stream, after))
    raw.execute("DELETE FROM head WHERE stream = ? AND ? = 0", (stream, after))
    raw.execute(
        "UPDATE head SET seq = ?, hash = (SELECT hash FROM event WHERE stream = ? AND seq = ?) WHERE stream = ?",
        (after, stream, after, stream),
    )


def remove_heads(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("stream", "after", "last"), [("filing/f", 4, 5), ("filing/f", 3, 4), ("request/r", 0, 1)]
)
def test_a_cleanly_cut_tail_is_shown_by_the_signed_head_alone(
    stream: str, after: int, last: int, changed: Callable[..., list[Tampered]]
) -> None:
    problems = changed(lambda raw: cut_tail(raw, stream, after))
    assert {p.code for p in problems} == {"ledger.signed_missing"}
    assert (stream, last) in {(p.values["stream"], p.values["seq"]) for p in problems}
    assert changed(lambda raw: cut_tail(raw, stream, after), remove_heads) == []


def test_a_cleanly_rewritten_last_event_is_shown_by_the_signed_head_alone(
    changed: Callable[..., list[Tampered]],
) -> None:
    def rewrite(raw: sqlite3.Connection) -> None:
        query = "SELECT e.*, salt, canonical_json FROM event e JOIN payload ON digest = payload_digest"
        row = ChainRow(*raw.execute(query + " WHERE command_id = 'f9'").fetchone())
        digest = payload_digest("ab", '{"n":10}')
        hash = row_hash(ChainRow(**{**vars(row), "payload_digest": digest}))
        raw.execute("UPDATE payload SET digest = ?, salt = 'ab', canonical_json = ? WHERE digest = ?",
                    (digest, '{"n":10}', row.payload_digest))  # fmt: skip
        raw.execute("UPDATE event SET payload_digest = ?, hash = ? WHERE command_id = 'f9'", (digest, hash))
        raw.execute("UPDATE head SET hash = ? WHERE stream = 'filing/f'", (hash,))

    problems = changed(rewrite)
    assert [(p.code, p.values["file"]) for p in problems] == [("ledger.signed_differs", "heads/000003.json")]
    assert changed(rewrite, remove_heads) == []


def test_every_changed_byte_of_a_head_file_is_noticed(
    changed: Callable[..., list[Tampered]], original: Path
) -> None:
    size = len((original / "heads" / "000002.json").read_bytes())
    for position in range(0, size, 7):

        def flip(folder: Path, at: int = position) -> None:
            path = folder / "000002.json"
            content = bytearray(path.read_bytes())
            content[at] ^= 0x20
            path.write_bytes(content)

        problems = changed(heads=flip)
        assert "heads/000002.json" in {p.values.get("file") for p in problems}, position


def test_a_head_file_deleted_in_the_middle_is_named(changed: Callable[..., list[Tampered]]) -> None:
    problems = changed(heads=lambda folder: (folder / "000002.json").unlink())
    assert [(p.code, p.values["file"]) for p in problems] == [
        ("ledger.head_file_missing", "heads/000002.json")
    ]


def test_a_head_file_put_in_anothers_place_is_named(changed: Callable[..., list[Tampered]]) -> None:
    problems = changed(heads=lambda folder: shutil.copyfile(folder / "000001.json", folder / "000002.json"))
    assert "heads/000002.json" in {p.values["file"] for p in problems}


def test_a_head_signed_with_another_key_is_named(
    changed: Callable[..., list[Tampered]], tmp_path: Path, at: datetime
) -> None:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path, at=at) as other:
        foreign = other.sign_head(at)
    problems = changed(heads=lambda folder: shutil.copyfile(foreign, folder / "000003.json"))
    assert [(p.code, p.values["file"]) for p in problems] == [("ledger.head_file_key", "heads/000003.json")]


def test_garbage_in_a_head_file_is_named(changed: Callable[..., list[Tampered]]) -> None:
    for garbage in (b"", b"\xff\xfe", b"[]", b"null", b'{"key": 1.5}', b"[" * 100_000):
        problems = changed(heads=lambda folder, g=garbage: (folder / "000003.json").write_bytes(g))
        assert {p.values["file"] for p in problems} == {"heads/000003.json"}, garbage[:10]


def test_a_damaged_database_page_is_a_problem_and_no_crash(changed: Callable[..., list[Tampered]]) -> None:
    def damage(folder: Path) -> None:
        path = folder.parent / "ledger.db"
        content = bytearray(path.read_bytes())
        for page in range(4096, len(content), 4096):
            content[page : page + 64] = b"\xff" * 64
        path.write_bytes(content)

    assert "ledger.unreadable" in {p.code for p in changed(heads=damage)}


def test_text_that_is_no_utf8_is_a_problem_and_no_crash(changed: Callable[..., list[Tampered]]) -> None:
    problems = changed(
        lambda raw: raw.execute("UPDATE event SET actor = CAST(x'ff' AS TEXT) WHERE command_id = 'f0'")
    )
    assert [p.code for p in problems] == ["ledger.unreadable"]


def test_a_ledger_with_a_changed_beginning_is_not_opened_and_says_all_that_is_wrong(
    original: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(original, home)
    with closing(sqlite3.connect(home / "ledger.db")) as raw:
        raw.execute("UPDATE event SET at = '2020' WHERE stream = 'ledger' AND seq = 1")
        raw.execute("UPDATE event SET actor = '别人' WHERE command_id = 'f0'")
        raw.commit()
    with pytest.raises(Tampered) as broken:
        Ledger.open(f"sqlite:///{home / 'ledger.db'}", deployment="demo", home=home)
    found = {(p.values.get("stream"), p.values.get("seq")) for p in broken.value.details}
    assert {("ledger", 1), ("filing/f", 1)} <= found


def test_the_signed_head_says_where_all_streams_stand(original: Path) -> None:
    head = json.loads((original / "heads" / "000003.json").read_bytes())["head"]
    assert {stream: seq for stream, (seq, _) in head["streams"].items()} == {
        "filing/f": 5,
        "filing/g": 1,
        "ledger": 2,
        "request/r": 1,
    }
    assert (head["number"], head["deployment"], head["at"]) == (3, "demo", "2026-05-06T09:00:00+08:00")
