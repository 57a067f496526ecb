"""A corrected value is read as a value of a file is: what the border refuses, no correction brings in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipelines.errors import BadInput
from pipelines.stages.typed_value import typed_value
from tests.validations.engine.sample_standard import english, sample, write_standard
from validations.engine import Standard

__all__ = ["english", "sample", "write_standard"]


@pytest.mark.parametrize(
    ("table", "field", "given", "value"),
    [
        ("COVER", "SEQ", "10", 10),
        ("POLICY", "PREMIUM", "-1000.5", Decimal("-1000.50")),
        ("POLICY", "PREMIUM", "12.3000", Decimal("12.30")),
        ("POLICY", "BEGINS", "2026-01-31", date(2026, 1, 31)),
        ("POLICY", "PHONE", "０10", "０10"),
    ],
)
def test_a_value_of_its_type_is_taken_exactly(
    sample: Standard, table: str, field: str, given: str, value: object
) -> None:
    assert typed_value(sample.table(table), field, given) == value


@pytest.mark.parametrize(
    ("table", "field", "given", "said"),
    [
        ("COVER", "SEQ", "1_0", "no -?[0-9]+ (64 bit): "),
        ("COVER", "SEQ", "１０", "full"),
        ("COVER", "SEQ", "99999999999999999999", "no -?[0-9]+ (64 bit): "),
        ("POLICY", "PREMIUM", "1_000.00", "no decimal(20,2): "),
        ("POLICY", "PREMIUM", "1e3", "no decimal(20,2): "),
        ("POLICY", "PREMIUM", " 5", "no decimal(20,2): "),
        ("POLICY", "PREMIUM", "0.005", "no decimal(20,2): "),
        ("POLICY", "PREMIUM", "NaN", "no decimal(20,2): "),
        ("POLICY", "BEGINS", "20260101", "no YYYY-MM-DD: "),
        ("POLICY", "BEGINS", "2026-W01-1", "no YYYY-MM-DD: "),
        ("POLICY", "BEGINS", "2026-02-30", "no YYYY-MM-DD: "),
    ],
)
def test_what_no_file_may_hold_no_correction_brings_in(
    sample: Standard, table: str, field: str, given: str, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        typed_value(sample.table(table), field, given)
    assert f"{table}.{field}" in str(caught.value) and said in str(caught.value)
