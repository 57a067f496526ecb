"""Rules that a judging of files left out although nobody said that they may be: why a result without findings is no all-clear.

A missing table is meant to be missing (only `--partial` lets it be), a missing content to compare with where `--without`
names it. Where a filing lacks something is the sign-off's matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from pipelines.errors import text
from validations.engine import NotJudged


def unexpected(not_judged: Sequence[NotJudged], without: Collection[str]) -> list[NotJudged]:
    """Those that were left out for another reason than was accepted."""
    return [each for each in not_judged if each.why == "phase" or not each.namespaces <= set(without)]


def as_left_out(left_out: Sequence[NotJudged]) -> str:
    """The rules by reason, and what to do."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for each in left_out:
        reasons[str(each)].append(each.rule)
    lines = [text("validations.left_out", count=len(left_out))]
    lines += [f"  - {', '.join(rules)} {reason}" for reason, rules in reasons.items()]
    absent = sorted({name for each in left_out for name in each.namespaces})
    lines += [f"  {text('validations.left_out_reference', namespace=name)}" for name in absent]
    return "\n".join(lines)
