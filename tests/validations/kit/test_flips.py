"""Each comparison of an SQL text is turned once; nothing else of the text changes."""

from __future__ import annotations

import duckdb
import pytest

from validations.kit.flips import flip_predicate, flip_query, unflipped_predicate


@pytest.mark.parametrize(
    ("text", "flips"),
    [
        ("a = b", ["a = b → a <> b"]),
        ("a <> b AND c != d", ["a <> b → a = b", "c <> d → c = d"]),
        ("a < b OR c <= d", ["a < b → a <= b", "c <= d → c < d"]),
        ("a > b OR c >= d", ["a > b → a >= b", "c >= d → c > d"]),
        ("a IN ('x', 'y')", ["a IN ('x', 'y') → a NOT IN ('x', 'y')"]),
        ("a NOT IN (1, 2)", ["a NOT IN (1, 2) → a IN (1, 2)"]),
        ("a IS NULL", ["a IS NULL → a IS NOT NULL"]),
        ("a IS NOT NULL", ["a IS NOT NULL → a IS NULL"]),
        (
            "d BETWEEN a AND b",
            ["d BETWEEN a AND b → (d > a AND d <= b)", "d BETWEEN a AND b → (d >= a AND d < b)"],
        ),
        ("a IS DISTINCT FROM b", ["a IS DISTINCT FROM b → a IS NOT DISTINCT FROM b"]),
        ("a LIKE 'x%'", ["a LIKE 'x%' → NOT a LIKE 'x%'"]),
        ("has(parts(a), 'x') OR abs(a - b) < 1", ["ABS(a - b) < 1 → ABS(a - b) <= 1"]),
        ("a + b", []),
        ("NOT is_person", []),
    ],
)
def test_every_comparison_is_flipped(text: str, flips: list[str]) -> None:
    assert [f"{flip.original} → {flip.mutant}" for flip in flip_predicate(text)] == flips


def test_a_mutant_differs_in_its_comparison_only() -> None:
    texts = [flip.text for flip in flip_predicate("NOT (a = 1 OR b IS NULL) AND c < 2")]
    assert texts == [
        "NOT (a <> 1 OR b IS NULL) AND c < 2",
        "NOT (a = 1 OR NOT b IS NULL) AND c < 2",
        "NOT (a = 1 OR b IS NULL) AND c <= 2",
    ]


def test_queries_are_flipped_in_joins_conditions_and_groups() -> None:
    text = """-- a comment
        WITH s AS (SELECT NO, sum(X) AS total FROM T GROUP BY NO HAVING count(*) > 1)
        SELECT t.NO FROM U AS t JOIN s ON s.NO = t.NO WHERE t.V <> s.total"""
    assert {f"{flip.original} → {flip.mutant}" for flip in flip_query(text)} == {
        "t.V <> s.total → t.V = s.total",
        "s.NO = t.NO → s.NO <> t.NO",
        "COUNT(*) > 1 → COUNT(*) >= 1",
    }


@pytest.mark.parametrize("text", ["x NOT IN (1, 2) AND y IS NOT NULL", "x BETWEEN 2 AND 3 OR y = 1"])
def test_unflipped_text_means_the_same(text: str) -> None:
    rows = "(VALUES (1, 1), (2, NULL), (3, 3), (NULL, 1), (4, 4)) AS t(x, y)"
    with duckdb.connect() as connection:
        said = connection.execute(f"SELECT ({text}) FROM {rows}").fetchall()
        assert connection.execute(f"SELECT ({unflipped_predicate(text)}) FROM {rows}").fetchall() == said
        for flip in flip_predicate(text):
            assert connection.execute(f"SELECT ({flip.text}) FROM {rows}").fetchall() != said
