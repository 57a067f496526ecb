"""Findings that are gone only from sight: their rule's root cause stands in their place, and mending it would show them again.

Which rule is whose root cause is said by the standard; leaving the followers out is the engine's work.
"""

from __future__ import annotations

import polars as pl

from validations.engine import Standard


def hidden_behind(standard: Standard, gone: pl.DataFrame, present: pl.DataFrame) -> set[str]:
    """The keys of those findings of `gone` that only follow from one of `present`; one that is waived hides nothing."""
    causes = present.filter(pl.col("waiver").is_null())
    hidden: set[str] = set()
    for rule in standard.rules:
        theirs = gone.filter(pl.col("rule") == rule.id)
        for root in rule.suppressed_by if theirs.height else ():
            roots = causes.filter(pl.col("rule") == root.rule)
            if root.fields:
                roots = roots.filter(pl.col("field").is_in(root.fields))
            same = [f"key.{name}" for name in root.on] or ["table", "key"]
            parts = [pl.col("key").str.json_path_match(f"$.{name}").alias(f"key.{name}") for name in root.on]
            followers = theirs.with_columns(*parts).join(roots.with_columns(*parts), on=same, how="semi")
            hidden |= set(followers["finding"])
    return hidden
