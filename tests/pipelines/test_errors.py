"""The catalogue: every code that is raised has a text, in both languages, with the same values in it."""

from __future__ import annotations

import re
import string
from pathlib import Path

import yaml

from pipelines.errors import LANGUAGE, BadInput, catalogue

ROOT = Path(__file__).parents[2]
RAISED = re.compile(r'(?:BadInput|Refused|Unavailable|Tampered|problem|_error)\(\s*"([a-z_]+\.[a-z_0-9.]+)"')


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_name_the_same_values():
    differing = {
        code: texts
        for code, texts in catalogue().items()
        if placeholders(texts["zh"]) != placeholders(texts["en"])
    }
    assert differing == {}


def test_every_code_raised_in_the_product_has_a_text():
    raised = {
        code
        for package in ("pipelines", "validations", "resources")
        for path in (ROOT / package).rglob("*.py")
        for code in RAISED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 100
    assert raised - catalogue().keys() == set()


def test_no_code_stands_in_two_files():
    counted = [
        code
        for path in (ROOT / "pipelines" / "messages").glob("*.yaml")
        for code in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    assert len(counted) == len(set(counted))


def test_an_error_lists_all_its_details_in_the_language_of_the_process():
    details = [
        BadInput("request.document", path="a.pdf"),
        BadInput("request.deadline", deadline="2026-01-01"),
    ]
    error = BadInput("request.refused", number="N1", details=details)
    assert str(error).splitlines() == [
        "报送需求 N1 未登记，请改正以下各项：",
        "  - 找不到红头文件的附件 a.pdf。请给出扫描件的路径。",
        "  - 报送期限 2026-01-01 已过。请核对文件上的期限。",
    ]
    token = LANGUAGE.set("en")
    try:
        assert str(error).startswith("Request N1 was not registered")
    finally:
        LANGUAGE.reset(token)
