"""Keys of findings: the same over row order, re-extraction and edits elsewhere, and never two findings under one."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.validations.engine.sample_standard import Judge

Row = dict[str, Any]
Tables = dict[str, list[Row]]
ABOUT = ("rule", "table", "key", "field", "value", "expected", "difference")

policy = st.fixed_dictionaries(
    {
        "ORG": st.sampled_from([None, "110105", "999999"]),
        "NO": st.sampled_from([None, "P1", "P2", "P|3"]),
        "KIND": st.sampled_from([None, "个人", "外星人"]),
        "IDNO": st.sampled_from([None, "x"]),
        "PHONE": st.sampled_from([None, "1", "2"]),
        "PREMIUM": st.sampled_from([None, Decimal("1.00"), Decimal("2000.00")]),
    }
)
cover = st.fixed_dictionaries(
    {
        "NO": st.sampled_from([None, "P1", "P|3", "P9"]),
        "SEQ": st.sampled_from([None, 1, 2]),
        "AMOUNT": st.sampled_from([None, Decimal("1.00")]),
    }
)
contents = st.fixed_dictionaries(
    {"POLICY": st.lists(policy, max_size=6), "COVER": st.lists(cover, max_size=4)}
)
quick = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def keys(judged: Judge, tables: Tables) -> dict[str, tuple[Any, ...]]:
    """What each key names; fails when two findings share one."""
    _, found = judged(tables, report="detail")
    named = {row["finding"]: tuple(row[name] for name in ABOUT) for row in found}
    assert len(named) == len(found)
    return named


@quick
@given(contents, st.randoms(use_true_random=False))
def test_keys_name_the_same_findings_in_whatever_order_the_rows_come(
    judged: Judge, tables: Tables, chance: random.Random
) -> None:
    shuffled = {name: chance.sample(rows, len(rows)) for name, rows in tables.items()}
    assert keys(judged, shuffled) == keys(judged, tables)


@quick
@given(contents)
def test_keys_are_the_same_when_the_same_is_extracted_again(judged: Judge, tables: Tables) -> None:
    assert keys(judged, tables) == keys(judged, tables)


@quick
@given(contents, policy, st.sampled_from(["add", "remove", "change"]))
def test_an_edit_of_one_policy_leaves_the_keys_of_the_others(
    judged: Judge, tables: Tables, other: Row, how: str
) -> None:
    """P8 is in no table that was drawn; what concerns it comes and goes, all else keeps its key and its values."""
    mine = {**other, "NO": "P8"}
    before = {**tables, "POLICY": [*tables["POLICY"], mine]} if how != "add" else tables
    changed = {**mine, "PHONE": "010-12345678", "PREMIUM": Decimal("3000.00")}
    after = {
        "add": {**tables, "POLICY": [mine, *tables["POLICY"]]},
        "remove": tables,
        "change": {**tables, "POLICY": [changed, *tables["POLICY"]]},
    }[how]

    def of_others(named: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        return {finding: about for finding, about in named.items() if '"P8"' not in about[2]}

    assert of_others(keys(judged, after)) == of_others(keys(judged, before))


def test_several_rows_of_one_key_keep_their_keys_by_what_they_hold(judged: Judge) -> None:
    """Three rows under one number: each has its own key, which its value decides and not its place."""
    rows: list[Row] = [{"ORG": "110105", "NO": "P1", "PHONE": phone} for phone in ("c", "a", "b")]
    phones = {
        f: about for f, about in keys(judged, {"POLICY": rows, "COVER": []}).items() if about[3] == "PHONE"
    }
    assert sorted(about[4] for about in phones.values()) == ["a", "b", "c"]
    again = keys(judged, {"POLICY": rows[::-1], "COVER": []})
    assert {finding: again[finding] for finding in phones} == phones
