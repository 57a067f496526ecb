"""Canonical JSON, digests and hashes: exact, frozen, and refusing what has no exact text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadInput
from pipelines.ledger.chain import (
    FIRST,
    ChainRow,
    canonical_json,
    check_chain,
    digest,
    event_hash,
    payload_digest,
    row_hash,
)

PAYLOAD_DIGEST = "30e4d97599e7b2dd7c17ee4e6e7b3add12b4e1275f63c387cde025f4b426807a"
EVENT_HASH = "7f8aadbd7ea3fa2baef4e55e0472f371995d5c5ef88e48e5d1fe52a09bc966af"
"""Worked out with hashlib alone from the texts in the docstrings."""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def chain(payloads: list[Any]) -> list[ChainRow]:
    """A chain of events with these payloads, made as the ledger makes it."""
    rows: list[ChainRow] = []
    for seq, value in enumerate(payloads, 1):
        text, salt = canonical_json(value), f"{seq:032x}"
        facts: dict[str, Any] = {
            "stream": "filing/a.b.c",
            "seq": seq,
            "type": "note",
            "type_version": 1,
            "actor": "王芳",
            "at": "2026-05-06T09:00:00+08:00",
            "command_id": f"c{seq}",
            "payload_digest": payload_digest(salt, text),
            "prev_hash": rows[-1].hash if rows else FIRST,
        }
        rows.append(ChainRow(**facts, hash=event_hash(**facts), salt=salt, canonical_json=text))
    return rows


def test_canonical_json_sorts_keys_by_code_point_and_writes_text_as_it_is() -> None:
    assert (
        canonical_json({"b": [1, True, None], "𠮷": "㐂", "a": "行\n"})
        == '{"a":"行\\n","b":[1,true,null],"𠮷":"㐂"}'
    )


@given(PAYLOADS)
def test_canonical_json_reads_back_as_what_was_written_and_is_its_own_canonical_form(value: Any) -> None:
    written = canonical_json(value)
    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"amount": 0.1}, "$.amount"),
        ({"a": [1, {"b": float("nan")}]}, "$.a[1].b"),
        ({"amount": Decimal("0.10")}, "$.amount"),
        ({"on": date(2026, 5, 6)}, "$.on"),
        ({"n": 2**63}, "$.n"),
        ({"text": "\ud800"}, "$.text"),
        ({"raw": b"x"}, "$.raw"),
        ({1: "x"}, "$"),
    ],
)
def test_what_has_no_exact_json_is_refused_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        canonical_json(value)
    assert [problem.values["place"] for problem in refused.value.details] == [place]
    assert place in str(refused.value)


def test_all_refused_values_are_named_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        canonical_json({"a": 1.5, "b": {"c": 2.5}})
    assert [problem.values["place"] for problem in refused.value.details] == ["$.a", "$.b.c"]
    assert "float" in str(refused.value)


def test_digests_do_not_depend_on_where_one_part_ends() -> None:
    assert digest("t", ("ab", "c")) != digest("t", ("a", "bc"))


def test_digests_and_hashes_are_frozen_for_all_time() -> None:
    row = chain([{"金额": "12.30", "户": "𠮷野"}])[0]
    assert row.payload_digest == PAYLOAD_DIGEST
    assert row.hash == EVENT_HASH


@given(st.lists(PAYLOADS, max_size=5))
def test_a_chain_holds(payloads: list[Any]) -> None:
    assert check_chain(chain(payloads)) == []


@given(st.lists(PAYLOADS, min_size=1, max_size=4), st.data())
def test_any_changed_cell_breaks_the_chain(payloads: list[Any], data: st.DataObject) -> None:
    rows = chain(payloads)
    n = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(list(vars(rows[n]))))
    old = getattr(rows[n], column)
    new = data.draw(
        (TEXTS | st.integers(0, 9) | st.none() | st.binary(max_size=4)).filter(lambda v: v != old)
    )
    rows[n] = replace(rows[n], **{column: new})
    assert check_chain(rows)


@given(st.integers(0, 3))
def test_a_removed_repeated_or_moved_event_breaks_the_chain(n: int) -> None:
    rows = chain([1, 2, 3, 4, 5])
    assert check_chain(rows[:n] + rows[n + 1 :])
    assert check_chain([*rows[: n + 1], *rows[n:]])
    assert check_chain([*rows[:n], rows[n + 1], rows[n], *rows[n + 2 :]])


def test_an_event_rewritten_with_its_hash_is_betrayed_by_the_next_one() -> None:
    rows = chain([1, 2, 3])
    forged = replace(rows[1], actor="别人")
    rows[1] = replace(forged, hash=row_hash(forged))
    assert [(problem.code, problem.values["seq"]) for problem in check_chain(rows)] == [
        ("ledger.link_broken", 3)
    ]


def test_an_erased_payload_leaves_the_chain_whole() -> None:
    rows = chain([1, 2, 3])
    rows[1] = replace(rows[1], salt=None, canonical_json=None)
    assert check_chain(rows) == []


def test_half_an_erasure_is_a_change() -> None:
    rows = chain([1])
    for column in ("salt", "canonical_json"):
        assert [p.code for p in check_chain([replace(rows[0], **{column: None})])] == [
            "ledger.payload_changed"
        ]
