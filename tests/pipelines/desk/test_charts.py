"""Charts are well-formed SVG whose lengths and shades stand for the figures; texts are escaped."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from pipelines.desk.charts import bars, heat_map

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ET.Element:
    return fromstring(svg)


def widths(svg: str) -> list[float]:
    return [float(r.get("width", "0")) for r in drawn(svg).iter(f"{SVG}rect")]


def test_the_longest_bar_fills_the_room_and_half_is_half():
    long, half, none = widths(bars("问题", {"A": 400, "B": 200, "C": 0}, unit="条"))
    assert long > 100 and abs(half * 2 - long) <= 1 and none == 0


def test_a_single_finding_among_very_many_is_still_seen():
    assert min(widths(bars("t", {"A": 1_000_000, "B": 1}, unit=""))) == 1


def test_no_figures_make_an_empty_chart_not_an_error():
    assert widths(bars("t", {}, unit="")) == []
    assert drawn(heat_map("t", [], [], {})).tag == f"{SVG}svg"


def test_the_heat_map_has_a_field_for_every_pair_and_the_number_in_it():
    root = drawn(heat_map("t", ["广东", "浙江"], ["B01", "D05"], {("广东", "B01"): 7, ("浙江", "D05"): 1}))
    assert len(list(root.iter(f"{SVG}rect"))) == 4
    figures = [t.text for t in root.iter(f"{SVG}text") if "figure" in t.get("class", "")]
    assert sorted(figures, key=str) == ["1", "7"]
    shades = {r.get("class") for r in root.iter(f"{SVG}rect")}
    assert shades == {"heat heat-0", "heat heat-1", "heat heat-5"}


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1),
        st.integers(0, 10**7),
    )
)
def test_any_name_is_text_and_never_markup(values: dict[str, int]):
    names = [
        t.text for t in drawn(bars("<b>", values, unit="<")).iter(f"{SVG}text") if t.get("class") == "name"
    ]
    assert len(names) == len(values)
