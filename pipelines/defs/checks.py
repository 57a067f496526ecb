"""Asset checks of the rules: one per rule group, filled by the validation. People's checks are `people_checks.py`."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

import re
from collections.abc import Iterator, Mapping

import dagster as dg

from pipelines.defs.partitions import filings_of
from pipelines.ledger.filing import FilingState
from validations.engine import Rule, Standard


def rule_groups(standard: Standard) -> dict[str, tuple[Rule, ...]]:
    """The rules that judge content, by the letter of their id."""
    groups: dict[str, list[Rule]] = {}
    for rule in standard.rules:
        if rule.judges == "content":
            groups.setdefault(re.match(r"[A-Za-z]+", rule.id).group(), []).append(rule)  # type: ignore[union-attr]
    return {letter: tuple(rules) for letter, rules in sorted(groups.items())}


def group_check_name(letter: str) -> str:
    return f"rules_{letter}"


def group_specs(standard: Standard, asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One check per rule group on the content."""
    return [
        dg.AssetCheckSpec(
            name=group_check_name(letter),
            asset=asset,
            description=f"{letter} 组 {standard.groups.get(letter, '')}："
            + "；".join(f"{r.id} {r.message.zh}" for r in rules),
            partitions_def=filings_of(standard.name),
        )
        for letter, rules in rule_groups(standard).items()
    ]


def group_results(
    standard: Standard, asset: dg.AssetKey, state: FilingState
) -> Iterator[dg.AssetCheckResult]:
    """The outcome of each rule group on the content judged last. Notes do not fail a group; judging nothing does."""
    assert state.content is not None, "checks follow the validation"
    counts, why_not = state.content.fact.counts, state.content.fact.not_judged_why
    for letter, rules in rule_groups(standard).items():
        judged = [rule for rule in rules if rule.id in counts]
        failing = [rule for rule in judged if counts[rule.id] and rule.severity != "note"]
        blocks = any(rule.severity == "block" for rule in failing)
        yield dg.AssetCheckResult(
            asset_key=asset,
            check_name=group_check_name(letter),
            passed=not failing and (bool(judged) or all(why_not.get(rule.id) == "demand" for rule in rules)),
            severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
            description=_told(judged, counts, [r.id for r in rules if r.id in state.content.fact.not_judged]),
            metadata={
                f"{rule.id} {rule.message.zh}": dg.MetadataValue.int(counts[rule.id]) for rule in judged
            },
        )


def _told(judged: list[Rule], counts: Mapping[str, int], not_judged: list[str]) -> str:
    """The group in a line, as its history lists it."""
    titles = {"block": "阻断", "explain": "需签报说明", "note": "提示"}
    found = [
        f"{rule.id} {counts[rule.id]:,} 条（{titles[rule.severity]}）" for rule in judged if counts[rule.id]
    ]
    if not found and judged:
        found = [f"{len(judged)} 条规则全部通过"]
    if not_judged:
        found.append(f"未判断 {len(not_judged)} 条：{'、'.join(not_judged)}")
    return "；".join(found) or "没有可判断的规则"
