"""The sample standard of the engine's tests, with examples of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.validations.engine.sample_standard import FILES, english
from validations.engine.loader import load_folder
from validations.kit.examples import Suite
from validations.kit.read_examples import read_suite

__all__ = ["english", "read"]

WORLD = """\
parameters: {date_from: 2026-01-01, date_to: 2026-12-31}
tables:
  POLICY:
    - {NO: P1, ORG: "440000", KIND: 单位, PHONE: 010-12345678, PREMIUM: 60.00, BEGINS: 2026-01-10, ENDS: 2027-01-09}
    - {NO: P2, ORG: "440000", KIND: 单位, PREMIUM: 1, BEGINS: 2026-02-01, ENDS: 2027-01-31}
  COVER:
    - {NO: P1, SEQ: 1, AMOUNT: 59.00}
    - {NO: P1, SEQ: 2, AMOUNT: "1"}
    - {NO: P2, SEQ: 1, AMOUNT: 1}
"""

EXAMPLES = """\
D01:
  pass:
    - name: one day
      set: {POLICY: [{NO: P1, ENDS: 2026-01-10}]}
  fail:
    - name: ends before it begins
      set: {POLICY: [{NO: P1, ENDS: 2026-01-09}]}
      finds: [{NO: P1, field: BEGINS, value: 2026-01-10, expected: 2026-01-09}]
D02:
  pass:
    - name: a company may
      set: {POLICY: [{NO: P1, PREMIUM: 1000}]}
    - name: a person just below
      set: {POLICY: [{NO: P1, KIND: 个人, PREMIUM: 999.99}]}
  fail:
    - name: a person may not
      set: {POLICY: [{NO: P1, KIND: 个人, PREMIUM: 1000}]}
      finds: [{NO: P1}]
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Suite]:
    """Read the sample's examples with some files replaced."""

    def run(changes: Mapping[str, str | None] | None = None) -> Suite:
        folder = tmp_path / "sample"
        files = {**FILES, "examples/world.yaml": WORLD, "examples/d.yaml": EXAMPLES, **(changes or {})}
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_text(content, encoding="utf-8")
        return read_suite(load_folder(folder))

    return run
