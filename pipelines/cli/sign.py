"""`baosong sign-off` and `baosong sign`: put content on its route, give an opinion on it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipelines.stages.installation import open_installation
from pipelines.stages.sign_off import give_opinion, open_sign_off

As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]


def sign_off(filing: Annotated[str, typer.Argument(help="报送任务 · filing")], as_user: As = None) -> None:
    """提请签报：把当前报送内容交付签署 · Put the present content on its route of opinions."""
    with open_installation() as installation:
        state = open_sign_off(installation, filing, installation.user(as_user))
        assert state.live_sign_off is not None, "it was just opened"
        fact = state.live_sign_off.fact
        typer.echo(f"{fact.number}：内容 {fact.content[:12]}，签署路线 {' → '.join(fact.route)}")


def sign(
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    opinion: Annotated[Literal["agree", "disagree"], typer.Option(help="同意或不同意 · agree or disagree")],
    comment: Annotated[str, typer.Option(help="意见 · comment")],
    as_user: As = None,
) -> None:
    """签署意见 · Give the opinion that the route asks for next."""
    with open_installation() as installation:
        state = give_opinion(
            installation, filing, installation.user(as_user), opinion=opinion, comment=comment
        )
        outcome = "同意完成" if state.is_approved else "不同意，退回" if state.is_rejected else "待下一步签署"
        typer.echo(f"{filing}：{opinion}（{state.live_opinions[-1].fact.role}）；{outcome}")
