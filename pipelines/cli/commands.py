"""Which commands `baosong` has: the name of each, its line in the list, and the place that is imported when it is called.

Only the command that is called is imported: who judges files need not wait for the ledger, the workbooks and the
channels, and who asks for the list waits for none of them. What a command does lives in its own module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

COMMANDS = {
    "validate": (
        "validate:validate",
        "按报送规范判断 CSV、Parquet 或 XLSX 文件：0 无问题，1 有问题数据，2 无法判断或有规则未判断。",
    ),
    "run": (
        "stage:run",
        "在 Dagster 之外执行一个环节，关口相同 · Run one stage outside Dagster; the gates are the same.",
    ),
    "sign-off": (
        "sign:sign_off",
        "提请签报：把当前报送内容交付签署 · Put the present content on its route of opinions.",
    ),
    "objection": (
        "sign:objection",
        "答复异议：签报退回而内容未变时 · Say what was done about the objection to a rejected content.",
    ),
    "sign": ("sign:sign", "签署意见 · Give an opinion at one's seat of the step whose turn it is."),
    "gates": (
        "compliance:gates",
        "签报关口 · Every gate before the sign-off, open or closed, and what to do; exit 1 while one is closed.",
    ),
    "compliance": (
        "compliance:compliance_",
        "审核流程合规审查 · How the work on a filing went, held against the declared process.",
    ),
    "handover": (
        "evidence:handover",
        "登记分公司向监管局的移交 · Record that the branch handed the package to the bureau.",
    ),
    "receipt": ("evidence:receipt", "登记监管局的回执 · Record the bureau's receipt."),
    "explain": (
        "explain:explain",
        "数从何来：报送的数展开到提取的行，与上期、上年同期相比 · Open a figure into what it is made of; reads only.",
    ),
    "verify": (
        "evidence:verify",
        "离线验证档案 · Verify an archive offline; exit 5 when anything in it was changed.",
    ),
    "request": ("request:app", "报送需求 · Requests: raise, amend, review, withdraw, list, show"),
    "filing": ("filing:app", "报送任务 · Filings: list, show, nil return, re-extract, retry, reopen"),
    "off-system": ("off_system:app", "系统外数据 · Off-system data: template, upload, list"),
    "talk": ("talk:app", "监管沟通 · Talks with the regulator, and other deadlines"),
    "office": ("office:app", "办公系统 · What the office system says of a sign-off"),
    "baseline": ("baseline:app", "上期数据 · What a filing is compared with"),
    "findings": ("findings:app", "问题数据 · Findings: register, first review, issue"),
    "answers": ("answers:app", "问题数据答复 · Branch answers: import, inbox, accept, send back"),
    "waiver": ("waiver:app", "豁免 · Waivers"),
    "change": ("change:app", "改库签报 · Change requests"),
    "compare": (
        "compare:compare",
        "两轮之间的差异及其依据 · What changed between two rounds, and what explains it",
    ),
    "drift": ("compare:drift", "未说明的变化 · Changes that nothing explains"),
    "assessment": (
        "assessment:app",
        "信息技术岗考核 · The assessment of the IT posts: a month's numbers and their lists",
    ),
    "desk": ("desk:desk", "审核台：网页审核、答复与签署 · Serve the review desk."),
    "ledger": ("ledger:app", "台账 · The ledger: log, verify, sign its head"),
    "standard": ("standard:app", "报送规范 · Standards: list, check, test, docs, new"),
    "rule": ("rule:app", "规则 · Rules: run one and see its SQL and the rows that fail"),
    "deployment": ("deployment:app", "部署 · An insurer's configuration: init, check"),
    "notices": ("notices:app", "通知 · Notices: what people are told, by mail and webhook"),
    "account": (
        "account:app",
        "审核台账户 · Accounts of the desk: invite, reset, list, lock, unlock, sessions, trail",
    ),
    "core": ("core:app", "参考核心系统 · The reference core: generate, fix"),
    "clock": ("clock:app", "演示时钟 · The demo's clock"),
}
"""Name → (module of this package:function or group of commands, line in the list), in the order of the list."""


class Commands(TyperGroup):
    """Lists every command by its name and line; imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        attributes["commands"] = {name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()}
        super().__init__(**attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, imported(name) if name else listed, rest


def imported(name: str) -> Any:
    """The command itself, as typer makes it of its function or its group."""
    place, line = COMMANDS[name]
    module, attribute = place.split(":")
    found = getattr(import_module(f"pipelines.cli.{module}"), attribute)
    mounted = typer.Typer()
    if isinstance(found, typer.Typer):
        mounted.add_typer(found, name=name, help=line)
    else:
        mounted.command(name)(found)
    return get_group(mounted).commands[name]
