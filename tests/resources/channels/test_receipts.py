"""Receipts are read strictly and keep one canonical text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadInput
from resources.channels import parse_receipt

ERROR = {"organisation": "310000", "item": "A01", "rule": "S11", "message": "大于全公司"}
GOOD: dict[str, Any] = {
    "number": "JS-2026-000001",
    "result": "rejected",
    "file_name": "DATA00992026042.xml",
    "sha256": "a" * 64,
    "received_at": "2026-05-09T10:00:01+08:00",
    "issuer": "示例",
    "errors": [ERROR],
}


def test_the_text_is_canonical_whatever_the_layout_it_came_in() -> None:
    receipt = parse_receipt(json.dumps(GOOD, indent=3))
    assert receipt.text == json.dumps(GOOD, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert parse_receipt(receipt.text) == receipt
    assert receipt.errors[0].organisation == "310000"


@pytest.mark.parametrize(
    "change",
    [
        {"result": "perhaps"},
        {"result": "accepted"},
        {"errors": []},
        {"sha256": "A" * 64},
        {"received_at": "2026-05-09T10:00:01"},
        {"number": ""},
        {"number": 7},
        {"extra": 1},
        {"errors": [ERROR | {"rule": ""}]},
        {"errors": [{"rule": "S11"}]},
    ],
)
def test_what_departs_from_the_published_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as wrong:
        parse_receipt(json.dumps(GOOD | change))
    assert wrong.value.code == "receipt.unreadable"


@given(st.text())
def test_any_other_text_is_bad_input_and_never_a_traceback(text: str) -> None:
    with pytest.raises(BadInput) as wrong:
        parse_receipt(text)
    assert len(str(wrong.value)) < 600
