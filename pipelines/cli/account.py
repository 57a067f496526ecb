"""`baosong account`: what administrators do about accounts of the desk. What an account is, is told in `resources/accounts`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from pipelines.errors import text
from pipelines.stages.account_notices import accounts_of
from pipelines.stages.installation import Installation, open_installation, require_role
from resources.accounts import Account, Accounts

app = typer.Typer(no_args_is_help=True)
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
UserId = Annotated[str, typer.Argument(metavar="USER", help="users.yaml 中的用户 · a user of users.yaml")]


@app.command()
def invite(user: UserId, as_user: As = None) -> None:
    """发放首次设置密码用的一次性注册码 · Print a one-time code with which the person sets a first password."""
    with _administering(as_user) as (accounts, by, installation):
        _tell_code(accounts, installation, user, accounts.invite(user, by))


@app.command()
def reset(
    user: UserId,
    second_factor: Annotated[
        bool,
        typer.Option("--second-factor", help="同时解除双因素认证 · take off the second factor too"),
    ] = False,
    as_user: As = None,
) -> None:
    """作废密码、结束全部会话、发放新注册码 · Void the password, end all sessions, print a new one-time code."""
    with _administering(as_user) as (accounts, by, installation):
        _tell_code(accounts, installation, user, accounts.reset(user, by, second_factor_too=second_factor))


@app.command("list")
def list_accounts(as_user: As = None) -> None:
    """列出用户及其账户状态 · List the users and how their accounts stand."""
    with _administering(as_user) as (accounts, _, installation):
        users, known = installation.deployment.users, {each.user_id: each for each in accounts.accounts()}
        for user in sorted(users.keys() | known.keys()):
            if user in users:
                roles, state = " ".join(sorted(users[user].roles)), _state(known.get(user))
            else:
                roles, state = "-", text("cli.account.left")
            typer.echo(f"{user}  {roles}  {state}")


@app.command()
def lock(user: UserId, as_user: As = None) -> None:
    """停用账户并结束其会话 · Lock an account until it is unlocked, and end its sessions."""
    with _administering(as_user) as (accounts, by, _):
        accounts.lock(user, by)
        typer.echo(text("cli.account.locked", user=user))


@app.command()
def unlock(user: UserId, as_user: As = None) -> None:
    """解除停用或因失败次数过多的锁定 · Take back a lock, or a lock-out after failures."""
    with _administering(as_user) as (accounts, by, _):
        accounts.unlock(user, by)
        typer.echo(text("cli.account.unlocked", user=user))


@app.command()
def unlink(user: UserId, as_user: As = None) -> None:
    """解除与单点登录身份的绑定 · Forget who a person is at the single sign-on, and end their sessions."""
    with _administering(as_user) as (accounts, by, _):
        accounts.unlink(user, by)
        typer.echo(text("cli.account.unlinked", user=user))


@app.command()
def sessions(
    user: UserId,
    end: Annotated[bool, typer.Option("--end", help="全部结束 · end them all")] = False,
    as_user: As = None,
) -> None:
    """列出或结束某人的会话 · List a person's sessions, or end them."""
    with _administering(as_user) as (accounts, by, _):
        if end:
            typer.echo(text("cli.account.sessions_ended", user=user, count=accounts.end_all(user, by)))
            return
        found = accounts.sessions(user)
        for each in found:
            line = text(
                "cli.account.session",
                session=each.id,
                begun=_shown(each.begun_at),
                seen=_shown(each.last_seen_at),
                client=each.client.address,
                agent=each.client.user_agent,
            )
            typer.echo(line)
        if not found:
            typer.echo(text("cli.account.no_sessions", user=user))


@app.command()
def trail(
    user: Annotated[str | None, typer.Option(help="只看此人 · of this user only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最近几条 · how many, newest first")] = 50,
    as_user: As = None,
) -> None:
    """查看账户的审计记录 · Show the audit trail of the accounts, newest first."""
    with _administering(as_user) as (accounts, _, _):
        for each in accounts.trail(limit, user):
            detail = " ".join(f"{key}={value}" for key, value in each.detail.items())
            typer.echo(f"{_shown(each.at)}  {each.user or '?'}  {each.event}  {detail}".rstrip())


@contextmanager
def _administering(as_user: str | None) -> Generator[tuple[Accounts, str, Installation]]:
    """The accounts, and the administrator who acts on them; refuses anybody else before the accounts are opened."""
    with open_installation() as installation:
        by = installation.user(as_user)
        require_role(by, "administrator", act="accounts")
        with accounts_of(installation) as accounts:
            yield accounts, by.id, installation


def _tell_code(accounts: Accounts, installation: Installation, user: str, code: str) -> None:
    hours = int(accounts.policy.enrolment_lasts.total_seconds() // 3600)
    name = installation.deployment.users[user].name if user in installation.deployment.users else user
    said = "cli.account.code" if code else "cli.account.admitted"
    typer.echo(text(said, user=user, name=name, code=code, hours=hours))


def _state(account: Account | None) -> str:
    if account is None:
        return text("cli.account.not_invited")
    if account.is_locked:
        state = text("cli.account.is_locked")
    elif account.lock_out_until is not None:
        state = text("cli.account.is_locked_out", until=_shown(account.lock_out_until))
    elif account.has_password or account.provider_subject:
        state = text("cli.account.active")
    elif account.enrolment_until is not None:
        state = text("cli.account.invited", until=_shown(account.enrolment_until))
    else:
        state = text("cli.account.not_come")
    if account.has_totp:
        state += " · " + text("cli.account.totp", left=account.recovery_codes_left)
    if account.provider_subject:
        state += " · " + text("cli.account.linked", subject=account.provider_subject)
    if account.last_login_at is not None:
        state += " · " + text("cli.account.last_login", at=_shown(account.last_login_at))
    return state


def _shown(at: datetime) -> str:
    return at.astimezone().isoformat(sep=" ", timespec="seconds")
