"""What changed between two rounds of a table: plain Python says the same, and nothing of the files' layout counts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput
from pipelines.stages.table_changes import CHANGES_SCHEMA, TableChanges, table_changes
from validations.engine import Field, Table, Title, arrow_schema

Row = tuple[Any, ...]
Change = tuple[str, str, str, str | None, str | None, str | None, str | None]


def made_table(key: tuple[str, ...] = ("NO", "SEQ"), organisation: str | None = "ORG") -> Table:
    def field(name: str, **kind: Any) -> Field:
        return Field(name=name, title=Title(name, name), **kind)

    fields = (
        field("LSH", type="text", assigned=True),
        field("SEQ", type="integer"),
        field("ORG", type="text"),
        field("NO", type="text"),
        field("NOTE", type="text"),
        field("BF", type="decimal", precision=18, scale=2),
        field("BE", type="decimal", precision=38, scale=4),
        field("QBRQ", type="date"),
    )
    return Table(
        name="BDXXB", title=Title("保单", "Policies"), key=key, fields=fields, organisation=organisation
    )


TABLE = made_table()
NAMES = [field.name for field in TABLE.stored_fields]


def row(no: str | None = "P1", seq: int | None = 1, **others: Any) -> Row:
    said = {
        "NO": no,
        "SEQ": seq,
        "ORG": "440000",
        "NOTE": "",
        "BF": Decimal("12.30"),
        "QBRQ": date(2026, 5, 1),
    }
    said |= others
    return tuple(said.get(name) for name in NAMES)


def write(path: Path, rows: Sequence[Row], **options: Any) -> Path:
    columns = list(zip(*rows, strict=True)) or [()] * len(NAMES)
    schema = arrow_schema(TABLE)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, **options)
    return path


def compared(
    folder: Path, before: Sequence[Row], after: Sequence[Row], table: Table = TABLE
) -> tuple[TableChanges, list[Change]]:
    out = folder / "changes.parquet"
    counted = table_changes(
        table, write(folder / "before.parquet", before), write(folder / "after.parquet", after), out
    )
    assert pq.read_schema(out).equals(CHANGES_SCHEMA)
    return counted, pl.read_parquet(out).rows()


def test_each_changed_field_is_one_row_with_old_and_new_as_findings_write_values(tmp_path: Path) -> None:
    before = row(BF=Decimal("12.30"), BE=Decimal("-0.5"), QBRQ=None, NOTE='a "quoted"\nline')
    after = row(BF=Decimal("100.00"), BE=Decimal("-0.5"), QBRQ=date(2026, 12, 31), NOTE="")
    counted, changes = compared(tmp_path, [before, row("P2")], [row("P2"), after])
    key = '{"SEQ":"1","NO":"P1"}'
    assert changes == [
        ("BDXXB", key, "changed", "BF", "12.30", "100.00", "440000"),
        ("BDXXB", key, "changed", "NOTE", 'a "quoted"\nline', "", "440000"),
        ("BDXXB", key, "changed", "QBRQ", None, "2026-12-31", "440000"),
    ]
    assert counted == TableChanges("BDXXB", 0, 0, 1, {"NOTE": 1, "BF": 1, "QBRQ": 1}, 2, 2)
    assert list(counted.fields) == ["NOTE", "BF", "QBRQ"]


def test_a_row_added_or_removed_is_one_row_without_field_and_values(tmp_path: Path) -> None:
    counted, changes = compared(tmp_path, [row("旧"), row("P2")], [row("P2"), row('新"\n', ORG="510000")])
    assert changes == [
        ("BDXXB", '{"SEQ":"1","NO":"新\\"\\n"}', "added", None, None, None, "510000"),
        ("BDXXB", '{"SEQ":"1","NO":"旧"}', "removed", None, None, None, "440000"),
    ]
    assert counted == TableChanges("BDXXB", 1, 1, 0, {}, 2, 2)


def test_an_empty_text_is_not_null_and_null_is_equal_to_null(tmp_path: Path) -> None:
    before = [row("P1", NOTE=None), row("P2", NOTE=None), row(None, None, NOTE=None)]
    after = [row("P1", NOTE=""), row("P2", NOTE=None), row(None, None, NOTE=None, BF=None)]
    _, changes = compared(tmp_path, before, after)
    assert changes == [
        ("BDXXB", '{"SEQ":"1","NO":"P1"}', "changed", "NOTE", None, "", "440000"),
        ("BDXXB", '{"SEQ":null,"NO":null}', "changed", "BF", "12.30", None, "440000"),
    ]


def test_a_row_belongs_to_its_later_organisation_else_to_its_earlier_one(tmp_path: Path) -> None:
    before = [row("P1", ORG="110000"), row("P2", ORG="110000")]
    _, changes = compared(tmp_path, before, [row("P1", ORG="310000"), row("P2", ORG=None)])
    assert [change[3:] for change in changes] == [
        ("ORG", "110000", "310000", "310000"),
        ("ORG", "110000", None, "110000"),
    ]
    _, changes = compared(tmp_path, [row("P1")], [], made_table(organisation=None))
    assert changes == [("BDXXB", '{"SEQ":"1","NO":"P1"}', "removed", None, None, None, None)]


def test_equal_rows_of_a_repeated_key_cancel_before_the_rest_is_paired_in_order(tmp_path: Path) -> None:
    before = [row(NOTE="same"), row(NOTE="same"), row(NOTE="b"), row(NOTE="d")]
    after = [row(NOTE="c"), row(NOTE="same"), row(NOTE="a"), row(NOTE="e"), row(NOTE="same")]
    counted, changes = compared(tmp_path, before, after)
    assert [change[2:6] for change in changes] == [
        ("changed", "NOTE", "b", "a"),
        ("changed", "NOTE", "d", "c"),
        ("added", None, None, None),
    ]
    assert counted == TableChanges("BDXXB", 1, 0, 2, {"NOTE": 2}, 4, 5)


def test_copies_of_one_row_that_are_gone_are_counted_each(tmp_path: Path) -> None:
    counted, changes = compared(tmp_path, [row()] * 5 + [row("P2")], [row()] * 2 + [row("P2")] * 3)
    kinds = [(json.loads(change[1])["NO"], change[2]) for change in changes]
    assert kinds == [("P1", "removed")] * 3 + [("P2", "added")] * 2
    assert (counted.added, counted.removed, counted.changed) == (2, 3, 0)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("BE", Decimal(18446744073709551617).scaleb(-4), Decimal(36893488147419103234).scaleb(-4)),
        ("BE", None, Decimal(18446744073709551617).scaleb(-4)),
        ("BE", None, Decimal(0)),
        ("BF", None, Decimal(0)),
        ("QBRQ", None, date(1970, 1, 1)),
    ],
)
def test_no_collision_of_the_hash_of_one_column_hides_a_change(
    tmp_path: Path, name: str, old: Any, new: Any
) -> None:
    """A decimal of 128 bits with equal halves has the hash 0, whatever the halves are."""
    counted, _ = compared(tmp_path, [row(**{name: old})], [row(**{name: new})])
    assert counted.fields == {name: 1}


def test_a_value_that_moves_into_the_next_text_is_a_change_of_both(tmp_path: Path) -> None:
    counted, changes = compared(tmp_path, [row(ORG="44", NOTE="00x")], [row(ORG="4400", NOTE="x")])
    assert [change[3:6] for change in changes] == [("NOTE", "00x", "x"), ("ORG", "44", "4400")]
    assert counted.changed == 1


@pytest.mark.parametrize("key", [("NO",), ("SEQ", "NO"), tuple(NAMES)])
def test_the_key_is_written_in_the_dictionarys_order(tmp_path: Path, key: tuple[str, ...]) -> None:
    _, changes = compared(tmp_path, [], [row()], made_table(key))
    assert list(json.loads(changes[0][1])) == [name for name in NAMES if name in key]


def test_neither_order_nor_layout_of_equal_files_is_a_change(tmp_path: Path) -> None:
    rows = [row(f"P{i % 70}", i % 3, NOTE=f"第{i}行" if i % 5 else None) for i in range(500)]
    before = write(tmp_path / "before.parquet", rows, row_group_size=7)
    after = write(tmp_path / "after.parquet", rows[::-1], compression="none", use_dictionary=False)
    counted = table_changes(TABLE, before, after, tmp_path / "changes.parquet")
    assert counted == TableChanges("BDXXB", 0, 0, 0, {}, 500, 500)
    assert pl.read_parquet(tmp_path / "changes.parquet").rows() == []


def test_the_same_change_gives_the_same_bytes_and_leaves_nothing_beside_them(tmp_path: Path) -> None:
    before = [row(f"P{i % 40}", i % 2, NOTE=str(i)) for i in range(300)]
    after = [
        row(f"P{i % 40}", i % 2, NOTE=str(i * (i % 7 > 0)), BF=None if i % 11 else Decimal(i))
        for i in range(310)
    ]
    outs: list[bytes] = []
    for number, turned in enumerate((1, -1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        compared(folder, before[::turned], after[::turned])
        assert sorted(path.name for path in folder.iterdir()) == [
            "after.parquet", "before.parquet", "changes.parquet",
        ]  # fmt: skip
        outs.append((folder / "changes.parquet").read_bytes())
    assert outs[0] == outs[1]


def test_files_whose_columns_differ_are_refused_with_every_column_named(tmp_path: Path) -> None:
    frame = pq.read_table(write(tmp_path / "before.parquet", [row()]))
    changed = frame.drop_columns(["BF"]).append_column("NEW", pa.array(["x"]))
    changed = changed.set_column(0, "SEQ", pa.array(["1"]))
    pq.write_table(changed, tmp_path / "after.parquet")
    with pytest.raises(BadInput) as caught:
        table_changes(
            TABLE, tmp_path / "before.parquet", tmp_path / "after.parquet", tmp_path / "out" / "c.parquet"
        )
    assert caught.value.code == "compare.files_differ"
    assert [(d.code, d.values["column"], Path(str(d.values["path"])).name) for d in caught.value.details] == [
        ("compare.column_type", "SEQ", "after.parquet"),
        ("compare.column_missing", "BF", "after.parquet"),
        ("compare.column_extra", "NEW", "after.parquet"),
    ]
    assert "BDXXB" in str(caught.value)


def test_a_column_that_both_files_have_beside_the_dictionary_does_not_count(tmp_path: Path) -> None:
    for name, value in (("before", "x"), ("after", "y")):
        path = write(tmp_path / f"{name}.parquet", [row()])
        pq.write_table(pq.read_table(path).append_column("LSH", pa.array([value])), path)
    counted = table_changes(
        TABLE, tmp_path / "before.parquet", tmp_path / "after.parquet", tmp_path / "c.parquet"
    )
    assert (counted.added, counted.removed, counted.changed) == (0, 0, 0)


def test_a_damaged_file_is_refused_and_nothing_stays_behind(tmp_path: Path) -> None:
    before = write(tmp_path / "before.parquet", [row(f"P{i}", NOTE="文字" * 50) for i in range(2000)])
    data = bytearray(before.read_bytes())
    data[200:400] = bytes(200)
    after = tmp_path / "after.parquet"
    after.write_bytes(data)
    with pytest.raises(BadInput) as caught:
        table_changes(TABLE, before, after, tmp_path / "changes.parquet")
    assert caught.value.code == "compare.not_read"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["after.parquet", "before.parquet"]


texts = st.one_of(st.none(), st.sampled_from(["", "a", "A", 'say "no"', "两\n行", "赔款", "\U00020000", "\uffee"]), st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=14))  # fmt: skip
any_rows = st.tuples(
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, "110000", "440000"]),
    st.sampled_from([None, "P1", "P2", 'P"3', "保单"]),
    texts,
    st.one_of(st.none(), st.decimals("-1e3", "1e3", places=2)),
    st.one_of(st.none(), st.decimals("-1e33", "1e33", places=4)),
    st.one_of(st.none(), st.dates()),
)
FORMS = {"BF": ".2f", "BE": ".4f"}


@st.composite
def two_rounds(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Rows, and what edits of single cells, losses, copies and new rows make of them, in another order."""
    before = draw(st.lists(any_rows, max_size=12))
    after: list[Row] = []
    for kept in before:
        match draw(st.sampled_from(["keep", "keep", "edit", "lose", "double"])):
            case "edit":
                place = draw(st.integers(0, len(NAMES) - 1))
                after.append((*kept[:place], draw(any_rows)[place], *kept[place + 1 :]))
            case "double":
                after += [kept, kept]
            case "keep":
                after.append(kept)
            case _:
                pass
    return before, draw(st.permutations(after + draw(st.lists(any_rows, max_size=3))))


def said(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return format(value if value else abs(value), FORMS[name])  # no -0.00
    return value.isoformat() if isinstance(value, date) else str(value)


def key_of(line: Row) -> str:
    values = {name: said(name, line[NAMES.index(name)]) for name in NAMES if name in TABLE.key}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def in_order(lines: Counter[Row]) -> list[Row]:
    def place(line: Row) -> list[tuple[Any, ...]]:
        cells = [cell.encode() if isinstance(cell, str) else cell for cell in line]
        return [(cell is not None, *([] if cell is None else [cell])) for cell in cells]

    return sorted(lines.elements(), key=place)


def oracle(before: list[Row], after: list[Row]) -> list[Change]:
    """The changes by the wording of the function, in plain Python."""
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    by_key: dict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for side, lines in enumerate((gone, come)):
        for line in in_order(lines):
            by_key[key_of(line)][side].append(line)
    changes: list[Change] = []
    for key in sorted(by_key, key=str.encode):
        olds, news = by_key[key]
        for old, new in zip(olds, news, strict=False):
            owner = new[NAMES.index("ORG")] or old[NAMES.index("ORG")]
            for name in sorted(NAMES):
                was, now = (said(name, line[NAMES.index(name)]) for line in (old, new))
                if was != now:
                    changes.append(("BDXXB", key, "changed", name, was, now, owner))
        for kind, rest in (("removed", olds[len(news) :]), ("added", news[len(olds) :])):
            changes += [("BDXXB", key, kind, None, None, None, line[NAMES.index("ORG")]) for line in rest]
    return changes


a_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)


@a_folder
@given(two_rounds())
def test_plain_python_finds_the_same_changes(tmp_path: Path, rounds: tuple[list[Row], list[Row]]) -> None:
    counted, changes = compared(tmp_path, *rounds)
    assert changes == oracle(*rounds)
    kinds = Counter(change[2] for change in changes)
    assert (counted.added, counted.removed) == (kinds["added"], kinds["removed"])
    assert counted.fields == Counter(change[3] for change in changes if change[2] == "changed")
    assert counted.rows_earlier - counted.removed + counted.added == counted.rows_later == len(rounds[1])


@a_folder
@given(two_rounds())
def test_the_changes_applied_to_the_earlier_round_give_the_later_one(
    tmp_path: Path, rounds: tuple[list[Row], list[Row]]
) -> None:
    """With keys that are not repeated: what was added is looked up, for its values are not written twice."""
    before, after = ({key_of(line): line for line in lines} for lines in rounds)
    _, changes = compared(tmp_path, list(before.values()), list(after.values()))
    made = {
        key: {name: said(name, v) for name, v in zip(NAMES, line, strict=True)}
        for key, line in before.items()
    }
    for _, key, kind, field, old, new, _ in changes:
        if kind == "removed":
            del made[key]
        elif kind == "added":
            assert key not in made
            made[key] = {name: said(name, v) for name, v in zip(NAMES, after[key], strict=True)}
        else:
            assert field is not None
            assert made[key][field] == old != new
            made[key][field] = new
    assert made == {
        key: {name: said(name, v) for name, v in zip(NAMES, line, strict=True)} for key, line in after.items()
    }


@a_folder
@given(two_rounds())
def test_the_files_swapped_give_the_mirrored_changes(
    tmp_path: Path, rounds: tuple[list[Row], list[Row]]
) -> None:
    mirrored = {"added": "removed", "removed": "added", "changed": "changed"}
    forth, there = compared(tmp_path, *rounds)
    back, again = compared(tmp_path, rounds[1], rounds[0])
    assert [c[:6] for c in again] == [
        (t, k, mirrored[kind], f, new, old) for t, k, kind, f, old, new, _ in there
    ]
    assert back == TableChanges(
        forth.table,
        forth.removed,
        forth.added,
        forth.changed,
        forth.fields,
        forth.rows_later,
        forth.rows_earlier,
    )
