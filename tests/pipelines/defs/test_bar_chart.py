"""Bar charts of assets: well-formed, in proportion, and nothing in a name becomes markup."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pipelines.defs.bar_chart import bar_chart

SVG = "{http://www.w3.org/2000/svg}"
TEXT = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=12)


@given(TEXT, st.dictionaries(TEXT, st.integers(0, 10**9), min_size=1, max_size=8), TEXT)
def test_each_name_has_a_bar_in_proportion_and_its_number(
    title: str, values: dict[str, int], unit: str
) -> None:
    svg = ET.fromstring(bar_chart(title, values, unit))  # noqa: S314 - our own
    said = [text.text for text in svg.iter(f"{SVG}text")]
    assert said == [title, unit, *(word for name, n in values.items() for word in (name, f"{n:,}"))]
    _, *bars = svg.iter(f"{SVG}rect")
    widths = [int(bar.attrib["width"]) for bar in bars]
    left = {int(bar.attrib["x"]) for bar in bars}
    assert len(widths) == len(values) and len(left) == 1 and min(left) > 0
    most = max(values.values()) or 1
    for width, number in zip(widths, values.values(), strict=True):
        assert abs(width - number / most * max(widths)) <= 1


def test_markup_in_a_name_is_text() -> None:
    svg = bar_chart("<script>", {"a</text><script>alert(1)</script>": 1}, '"')
    assert "<script" not in svg
