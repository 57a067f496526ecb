"""Asset checks: one per rule group, filled by the validation, and people's approval, read from the ledger.

No check decides: a red check tells, and the stage that packages asks the ledger itself.
"""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

import re
from collections.abc import Iterator, Mapping

import dagster as dg

from pipelines.defs.partitions import filings_of
from pipelines.defs.resources import InstallationResource
from pipelines.ledger.filing import FilingState
from pipelines.stages.unjudged import unjudged
from validations.engine import Rule, Standard

APPROVAL = "business_approval"


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


def approval_check(standard: Standard, asset: dg.AssetKey) -> dg.AssetChecksDefinition:
    """`business_approval`: what the route of the sign-off decided on exactly the content that was judged last."""

    @dg.asset_check(
        asset=asset,
        name=APPROVAL,
        blocking=True,
        partitions_def=filings_of(standard.name),
        description="签报：当前报送内容是否经签署路线全部同意。由台账读出，任何人不能在此处修改。",
    )
    def business_approval(
        context: dg.AssetCheckExecutionContext, installation: InstallationResource
    ) -> dg.AssetCheckResult:
        with installation.open() as opened:
            state = opened.state(context.partition_key)
        live, decision = state.live_sign_off, state.decision
        opinions = "\n".join(
            f"- {o.at:%Y-%m-%d %H:%M} {o.fact.role} **{o.actor}** {o.fact.opinion}：{o.fact.comment}"
            for o in state.live_opinions
        )
        verdict = "同意" if state.is_approved else "不同意" if state.is_rejected else "签署未完成"
        signed = " → ".join(o.actor for o in state.live_opinions)
        return dg.AssetCheckResult(
            passed=state.is_approved,
            severity=dg.AssetCheckSeverity.ERROR,
            description=f"{verdict}：{signed}" if signed else verdict,
            metadata={
                "签报号": live.fact.number if live else "—",
                "内容摘要": live.fact.content if live else "—",
                "提请人": live.actor if live else "—",
                "未判断的规则": "；".join(f"{each.rule} {each}" for each in unjudged(state)) or "—",
                "意见": dg.MetadataValue.md(opinions or "—"),
                "台账事件": str(decision.seq) if decision else "—",
                "事件哈希": decision.hash if decision else "—",
            },
        )

    return business_approval
