"""The names of the gates before a sign-off (zh, en), in the order in which they are shown; what each asks is the stages' matter.

`ALWAYS` hold for every route; a route may demand those of `ON_DEMAND` too. A name that stands in neither is a mistake.
"""

from __future__ import annotations

ALWAYS: dict[str, tuple[str, str]] = {
    "demand_stands": ("报送需求有效", "The demand stands"),
    "content_judged": ("报送内容已校验", "The content is judged"),
    "rules_unchanged": ("规则未变", "The rules are unchanged"),
    "reference_unchanged": ("对照的上期内容未变", "What it is compared with is unchanged"),
    "baseline_declared": ("上期数据已说明", "The baseline is declared"),
    "uploads_extracted": ("系统外数据已提取", "Uploads are extracted"),
    "problems_listed": ("问题数据已列出", "Problem data is listed"),
    "rounds_compared": ("两轮已比对", "Rounds are compared"),
    "drift_explained": ("变化均有说明", "Every change is explained"),
    "nothing_blocks": ("没有阻断问题", "Nothing blocks"),
    "all_explained": ("问题均有说明", "Every finding is explained"),
    "all_rules_judged": ("规则均已判断", "Every rule was judged"),
    "changes_raised": ("改库签报已提请", "Change requests are raised"),
    "corrections_fit": ("报表更正仍适用", "Corrections still fit"),
}
ON_DEMAND: dict[str, tuple[str, str]] = {
    "changes_executed": ("改库已执行", "Changes of production are executed"),
    "review_compliant": ("审核流程无偏离", "The review process shows no deviation"),
    "before_deadline": ("未过报送期限", "The deadline has not passed"),
}
GATES = {**ALWAYS, **ON_DEMAND}
