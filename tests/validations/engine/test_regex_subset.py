"""Patterns that Rust's regex, RE2 and Python read alike pass; others are refused."""

from __future__ import annotations

import pytest

from validations.engine.regex_subset import outside_subset


@pytest.mark.parametrize(
    "pattern", ["[0-9]+", "[^a-z]{2}", "(?:A|B)[0-9]{1,3}", r"a\.b", r"\\d", r"[A-Z]\-x"]
)
def test_patterns_of_the_common_subset_pass(pattern: str) -> None:
    assert outside_subset(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+",
        "(?=a)",
        "(?i)a",
        r"(a)\1",
        "a$",
        "^a",
        "a++",
        r"\bx",
        r"\p{L}",
        "[a",
        "(?P<n>a)",
        "[[:alpha:]]",
    ],
)
def test_patterns_that_engines_read_differently_are_refused(pattern: str) -> None:
    assert outside_subset(pattern)
