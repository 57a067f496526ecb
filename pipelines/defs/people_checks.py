"""People's asset checks: the request's review and the opinions of the sign-off, read from the ledger.

Nobody decides anything here and no check opens a gate: a red check tells and stops the release, and the stage that packages
asks the ledger itself. What the rules found is `checks.py`.
"""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

from collections.abc import Sequence
from typing import Literal

import dagster as dg

from pipelines.defs.metadata import desk_link
from pipelines.defs.partitions import filings_of
from pipelines.defs.resources import InstallationResource
from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import Opinion, Seat
from pipelines.ledger.sign_off_state import Given, LiveSeat, LiveStep
from pipelines.stages.installation import Installation
from pipelines.stages.request_gate import request_gates
from pipelines.stages.unjudged import unjudged
from resources.deployment import Route
from validations.engine import Standard

CheckName = Literal["request_accepted", "compliance_review", "business_approval", "executive_approval"]

_TITLES: dict[CheckName, str] = {
    "request_accepted": "报送需求：已经稽核部门审核，且没有待审的变更；由日历开启的任务写明日历。由台账读出。",
    "compliance_review": "签报：稽核部门对审核流程是否规范的意见，附审查摘要与偏离数。由台账读出。",
    "business_approval": "签报：各业务席位对当前报送内容的意见。由台账读出，任何人不能在此处修改。",
    "executive_approval": "签报：分管领导、总经理对当前报送内容的意见。由台账读出，任何人不能在此处修改。",
}
_LEADERS = {"executive", "president"}
_WORDS: dict[Opinion, str] = {"agree": "同意", "disagree": "不同意"}


def check_of(kind: str, roles: Sequence[str]) -> CheckName:
    """The check that shows a step of the route."""
    if kind == "compliance":
        return "compliance_review"
    return "executive_approval" if set(roles) <= _LEADERS else "business_approval"


def people_checks(route: Route) -> tuple[CheckName, ...]:
    """The checks that a route has: the request's, then those of its steps."""
    names: list[CheckName] = ["request_accepted", *(check_of(s.kind, s.roles) for s in route.steps)]
    return tuple(dict.fromkeys(names))


def people_check_keys(content: dg.AssetKey, route: Route) -> list[dg.AssetCheckKey]:
    return [dg.AssetCheckKey(content, name) for name in people_checks(route)]


def people_check_definitions(
    standard: Standard, content: dg.AssetKey, route: Route
) -> list[dg.AssetChecksDefinition]:
    """One blocking check for each, on the content asset."""
    return [_definition(standard, content, name) for name in people_checks(route)]


def _definition(standard: Standard, content: dg.AssetKey, name: CheckName) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=content,
        name=name,
        blocking=True,
        partitions_def=filings_of(standard.name),
        description=_TITLES[name],
    )
    def judged(
        context: dg.AssetCheckExecutionContext, installation: InstallationResource
    ) -> dg.AssetCheckResult:
        with installation.open() as opened:
            state = opened.state(context.partition_key)
            request = name == "request_accepted"
            result = _request_result(opened, state) if request else _steps_result(state, name)
            return result._replace(metadata={**result.metadata, **desk_link(opened, state)})

    return judged


def _request_result(installation: Installation, state: FilingState) -> dg.AssetCheckResult:
    opened = state.opened.fact
    gates = request_gates(installation, state)
    if opened.opened_by == "calendar":
        return dg.AssetCheckResult(
            passed=not gates,
            severity=dg.AssetCheckSeverity.ERROR,
            description="；".join(map(str, gates)) or f"由日历开启：{opened.basis}",
            metadata={"依据": opened.basis, "开启时间": f"{state.opened.at:%Y-%m-%d %H:%M}"},
        )
    request = installation.request(opened.basis)
    accepted = [review for review in request.reviews if review.fact.opinion == "accept"]
    reviews = "\n".join(
        f"- {r.at:%Y-%m-%d %H:%M} **{r.actor}** {r.fact.opinion}：{r.fact.comment}" for r in request.reviews
    )
    said = f"{request.number}：{accepted[-1].actor} 同意" if accepted else f"{request.number}：未经审核"
    return dg.AssetCheckResult(
        passed=bool(accepted) and not gates,
        severity=dg.AssetCheckSeverity.ERROR,
        description="；".join(map(str, gates)) or said,
        metadata={
            "报送需求": request.number,
            "登记人": "、".join(sorted(request.authors)),
            "审核": dg.MetadataValue.md(reviews or "—"),
            "事件哈希": accepted[-1].hash if accepted else "—",
        },
    )


def _steps_result(state: FilingState, name: CheckName) -> dg.AssetCheckResult:
    """What the steps of one check decided on exactly the content that was judged last.

    A sign-off whose bound route has no such step does not wait for it: the route in force when it opened holds.
    """
    live = state.live_sign_off
    theirs = [
        step for step in state.steps if check_of(step.bound.kind, [s.role for s in step.bound.seats]) == name
    ]
    given = [o for step in theirs for o in step.opinions]
    passed = live is not None and all(step.outcome == "agree" for step in theirs)
    reviews = [o.fact.compliance for o in given if o.fact.compliance]
    metadata: dict[str, dg.RawMetadataValue] = {
        "签报号": live.fact.number if live else "—",
        "内容摘要": live.fact.content if live else "—",
        "提请人": live.actor if live else "—",
        "未判断的规则": "；".join(f"{each.rule} {each}" for each in unjudged(state)) or "—",
        "意见": dg.MetadataValue.md("\n".join(map(_line, given)) or "—"),
        "待签席位": "、".join(_seat(seat) for s in theirs for seat in s.open_seats) or "—",
        "台账事件": "、".join(str(o.seq) for o in given) or "—",
        "事件哈希": given[-1].hash if given else "—",
    }
    if name == "compliance_review":
        metadata["审查摘要"] = reviews[-1].digest if reviews else "—"
        metadata["偏离"] = dg.MetadataValue.int(reviews[-1].deviations) if reviews else "—"
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_told(theirs, given, is_live=live is not None),
        metadata=metadata,
    )


def _told(steps: Sequence[LiveStep], given: Sequence[Given], *, is_live: bool) -> str:
    """The check in a line, as its history lists it."""
    outcomes = {step.outcome for step in steps}
    if not is_live:
        return "签署未完成"
    if not steps:
        return "本签报的路线没有这一步"
    verdict = "不同意" if "disagree" in outcomes else "签署未完成" if None in outcomes else "同意"
    signed = "、".join(o.actor for o in given)
    return f"{verdict}：{signed}" if signed else verdict


def _line(given: Given) -> str:
    fact = given.fact
    who = f"**{given.actor}**" + (f"（代 {fact.on_behalf_of}）" if fact.on_behalf_of else "")
    seat = _seat(Seat(role=fact.role, department=fact.department))
    return f"- {given.at:%Y-%m-%d %H:%M} {seat} {who} {_WORDS[fact.opinion]}：{fact.comment}"


def _seat(seat: Seat | LiveSeat) -> str:
    return f"{seat.role} {seat.department}".strip()
