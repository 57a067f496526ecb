"""The pages of a standard: every table, field, rule and code is there, in both languages, linked, escaped, without network."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.validations.engine.sample_standard import FILES
from validations.engine import Standard, load_standard
from validations.engine.loader import load_folder
from validations.kit.examples import Suite
from validations.kit.pages import write_pages
from validations.kit.read_examples import read_suite
from validations.kit.versions import Detail, differences

Read = Callable[..., Suite]


class Reader(HTMLParser):
    """Links, ids and the text of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            if name == "id" and value is not None:
                self.ids.add(value)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages")
    standard = load_standard("schedule_p")
    assert write_pages(standard, out, suite=read_suite(standard)) == 2 * (5 + 1 + 16 + 1)
    return out


def test_every_table_rule_and_code_list_has_a_page_in_both_languages(pages: Path) -> None:
    standard = load_standard("schedule_p")
    for folder in (pages, pages / "en"):
        for name in standard.tables:
            assert (folder / "tables" / f"{name}.html").is_file()
        for rule in standard.rules:
            assert (folder / "rules" / f"{rule.id}.html").is_file()
        for name in standard.codes:
            assert (folder / "codes" / f"{name}.html").is_file()


def test_every_link_leads_to_a_page_and_a_place_that_exist(pages: Path) -> None:
    read = {path: Reader(path) for path in pages.rglob("*.html")}
    for path, page in read.items():
        for link in page.links:
            address, _, place = link.partition("#")
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.is_file(), (path, link)
            assert not place or unquote(place) in read[target].ids, (path, link)


def test_pages_need_no_network_and_no_script_to_be_read(pages: Path) -> None:
    for path in pages.rglob("*.html"):
        page = Reader(path)
        assert not any("//" in link for link in page.links)
        assert ("script" in page.tags) == (path.name == "search.html")
    assert "url(" not in (pages / "style.css").read_text(encoding="utf-8")


def test_a_rule_shows_what_it_says_where_it_comes_from_and_its_examples(pages: Path) -> None:
    page = Reader(pages / "rules" / "S08.html").text
    for part in (
        "累计已付赔款大于已发生赔款",
        "Cumulative paid losses exceed incurred losses",
        "NAIC annual statement, Schedule P; CAS loss reserving database (Meyers & Shi)",
        "需签报说明",
        "CumPaidLoss <= IncurLoss",
        "付出的比发生的多 schedule_p/examples/triangle.yaml",
        "TRIANGLE {GRCODE: 86, LOB: comauto, AccidentYear: 1988, DevelopmentLag: 10} ← {CumPaidLoss: 1101}",
        "值 1101 · 应为 1100 · 差额 1",
    ):
        assert part in page, part
    assert "WITH due AS (" in Reader(pages / "rules" / "S12.html").text
    assert "to explain" in Reader(pages / "en" / "rules" / "S08.html").text


def test_a_field_shows_its_type_its_demands_and_its_rules(pages: Path) -> None:
    page = Reader(pages / "tables" / "TRIANGLE.html").text
    assert "GRCODE 申报人代码 文本 6 是 S01 S10 S11 S12 S13 S14 S15" in page
    assert "LOB 险类 文本 8 是 代码表 line" in page


def test_what_can_be_found_stands_in_the_search_page(pages: Path) -> None:
    source = (pages / "search.html").read_text(encoding="utf-8")
    data = source.partition('id="entries">')[2].partition("</script>")[0]
    entries = json.loads(data)
    assert [e for e in entries if e[1] == "TRIANGLE.LOB"] == [
        ["field", "TRIANGLE.LOB", "险类", "tables/TRIANGLE.html#LOB", "险类 / Line of business"]
    ]
    assert sum(entry[0] == "rule" for entry in entries) == 16
    assert sum(entry[0] == "code" for entry in entries) == 6


def test_whatever_a_standard_says_is_shown_and_not_run(read: Read, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    policy = FILES["tables/POLICY.yaml"].replace("{zh: 电话, en: Phone}", f'{{zh: "{evil}", en: "{evil}"}}')
    standard = read({"tables/POLICY.yaml": policy}).standard
    write_pages(standard, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*.html"):
        assert evil not in path.read_text(encoding="utf-8"), path
    assert evil in Reader(tmp_path / "out" / "tables" / "POLICY.html").text


def changed(read: Read, tmp_path: Path, **files: str | None) -> tuple[Standard, Standard]:
    names = {name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in files.items()}
    new = read(names).standard
    folder = tmp_path / "old" / "sample"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_folder(folder), new


def test_differences_name_what_was_added_removed_and_changed_with_old_and_new(
    read: Read, tmp_path: Path
) -> None:
    policy = FILES["tables/POLICY.yaml"].replace("length: 10, mandatory: true", "length: 12, mandatory: true")
    policy = policy.replace('pattern: "[0-9]{3,4}-[0-9]{7,8}"', 'pattern: "[0-9]+"')
    policy += "  - {name: NEW, title: {zh: 新, en: New}, type: date}\n"
    rules = FILES["rules/rules.yaml"].replace("BEGINS <= ENDS", "BEGINS < ENDS").partition("- id: R01")[0]
    files = {
        "tables/POLICY.yaml": policy,
        "rules/rules.yaml": rules,
        "rules/R01.sql": None,
        "codes/kind.csv": "code,title_zh,title_en\n个人,自然人,person\n其他,其他,other\n",
    }
    old, new = changed(read, tmp_path, **files)  # type: ignore[arg-type]
    found = {(d.kind, d.name, d.what): d.details for d in differences(old, new)}
    assert found[("field", "POLICY.NO", "changed")] == (Detail("length", "10", "12"),)
    assert found[("field", "POLICY.PHONE", "changed")] == (
        Detail("pattern", "[0-9]{3,4}-[0-9]{7,8}", "[0-9]+"),
    )
    assert Detail("holds", "BEGINS <= ENDS", "BEGINS < ENDS") in found[("rule", "D01", "changed")]
    assert found[("code", "kind.个人", "changed")] == (Detail("title", "个人 / person", "自然人 / person"),)
    assert {name for name in found if name[2] != "changed"} == {
        ("field", "POLICY.NEW", "added"),
        ("rule", "R01", "removed"),
        ("code", "kind.单位", "removed"),
        ("code", "kind.其他", "added"),
    }
    assert len(found) == 8
    write_pages(new, tmp_path / "out", older=old, differences=differences(old, new))
    page = Reader(tmp_path / "out" / "changes.html").text
    assert "POLICY.NO ≠ 修改 length 10 → 12" in page
    assert "R01 − 删除" in page


def test_the_same_standard_differs_in_nothing(read: Read, tmp_path: Path) -> None:
    old, new = changed(read, tmp_path)
    assert differences(old, new) == ()
