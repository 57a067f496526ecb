"""`baosong account` as administrators type it, in the demo and where the operating system says who acts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli.account import app
from pipelines.errors import LANGUAGE, BadInput, BaosongError, Refused
from resources.accounts import Accounts, Client, Identity, open_accounts
from resources.deployment import load_deployment
from resources.settings import Settings

runner = CliRunner()
PASSWORD = "four unrelated words 稽核"
CODE = re.compile(r"^[A-Z2-9]{4}(?:-[A-Z2-9]{4}){5}$", re.MULTILINE)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "ACCOUNTS_URL", "DEPLOYMENT", "LANGUAGE"):
        monkeypatch.delenv(f"BAOSONG_{name}", raising=False)
    monkeypatch.setenv("BAOSONG_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "clock").write_text(
        '{"simulated": "2026-05-06T09:00:00+08:00", "real": "2026-05-06T09:00:00+08:00"}', encoding="utf-8"
    )
    return tmp_path / "home"


def called(*arguments: str, as_user: str = "administrator") -> Result:
    return runner.invoke(app, [*arguments, "--as", as_user])


def run(*arguments: str) -> str:
    done = called(*arguments)
    assert done.exit_code == 0, done.exception
    return done.output


def refused(*arguments: str, as_user: str = "administrator") -> BaosongError:
    error = called(*arguments, as_user=as_user).exception
    assert isinstance(error, BaosongError)
    return error


def accounts() -> Accounts:
    settings = Settings.load()
    return open_accounts(settings, load_deployment(settings.deployment, settings.home))


def invited(user: str) -> str:
    found = CODE.search(run("invite", user))
    assert found is not None
    return found[0]


def enrolled(user: str) -> None:
    code = invited(user)
    with accounts() as opened:
        opened.enrol(user, code, PASSWORD, Client("127.0.0.1"))


def logged_in(user: str) -> str:
    with accounts() as opened:
        return opened.log_in(user, PASSWORD, None, Client("127.0.0.1", "Browser/1"))[1].id


def test_an_invitation_says_for_whom_how_long_and_the_code() -> None:
    said = run("invite", "executive")
    assert (
        said.splitlines()[0]
        == "executive（分管领导（模拟））的注册码，72 小时内有效，只能用一次，此处只显示这一次："
    )
    assert CODE.fullmatch(said.splitlines()[1])


def test_the_list_says_how_every_users_account_stands() -> None:
    enrolled("executive")
    logged_in("executive")
    invited("president")
    enrolled("actuary")
    run("lock", "actuary")
    lines = {line.split()[0]: line for line in run("list").splitlines()}
    assert len(lines) == len(load_deployment(Settings.load().deployment, Settings.load().home).users)
    assert "可登录 · 最近登录 20" in lines["executive"]
    assert "已邀请，注册码有效至 20" in lines["president"]
    assert lines["actuary"] == "actuary  actuarial  已停用"
    assert lines["requester"] == "requester  requester  未邀请"


def test_a_reset_prints_a_new_code_and_ends_sessions() -> None:
    enrolled("executive")
    logged_in("executive")
    assert CODE.search(run("reset", "executive", "--second-factor"))
    assert run("sessions", "executive") == "executive 没有会话\n"


def test_sessions_are_listed_and_ended() -> None:
    enrolled("executive")
    session = logged_in("executive")
    said = run("sessions", "executive")
    assert said.startswith(f"{session}  开始 20") and said.endswith("来自 127.0.0.1  Browser/1\n")
    assert run("sessions", "executive", "--end") == "已结束 executive 的 1 个会话\n"


def test_a_lock_out_is_taken_back() -> None:
    enrolled("executive")
    with accounts() as opened:
        for _ in range(5):
            with pytest.raises(Refused):
                opened.log_in("executive", "not the password at all", None, Client("127.0.0.1"))
    assert "失败过多，锁定至 20" in run("list")
    run("unlock", "executive")
    logged_in("executive")


def test_the_trail_says_who_did_what() -> None:
    enrolled("executive")
    logged_in("executive")
    lines = [line.split("  ", 1)[1] for line in run("trail", "--user", "executive").splitlines()]
    assert lines[0].startswith("executive  logged_in  by=password client=127.0.0.1 session=")
    assert lines[1:] == ["executive  enrolled  client=127.0.0.1", "executive  invited  by=administrator"]
    assert len(run("trail", "--limit", "1").splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("invite", "executive"),
        ("reset", "executive"),
        ("list",),
        ("lock", "executive"),
        ("unlock", "executive"),
        ("sessions", "executive"),
        ("trail",),
    ],
)
def test_nobody_but_administrators_may(arguments: tuple[str, ...], home: Path) -> None:
    for user in ("executive", "data_engineer", "auditor"):
        error = refused(*arguments, as_user=user)
        assert isinstance(error, Refused)
        assert error.code == "installation.role"
    assert str(error) == "用户 auditor 无权进行“管理账户”，需要角色：administrator。"
    assert not (home / "accounts.db").exists()


def test_an_unknown_user_is_named_in_both_languages() -> None:
    error = refused("invite", "nobody")
    assert isinstance(error, BadInput)
    assert "没有用户 nobody" in str(error)
    token = LANGUAGE.set("en")
    try:
        assert "There is no user nobody" in str(error)
    finally:
        LANGUAGE.reset(token)


def test_outside_the_demo_nobody_says_who_he_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Settings.load().deployment
    own = tmp_path / "deployment"
    own.mkdir()
    for path in demo.rglob("*"):
        target = own / path.relative_to(demo)
        if path.is_dir():
            target.mkdir()
        else:
            target.write_bytes(path.read_bytes())
    text = (own / "deployment.yaml").read_text(encoding="utf-8")
    (own / "deployment.yaml").write_text(
        text.replace("identity: named", "identity: operating_system"), encoding="utf-8"
    )
    users = (own / "users.yaml").read_text(encoding="utf-8")
    marked = users.replace("  administrator:\n", "  administrator:\n    os_user: sysadm\n")
    (own / "users.yaml").write_text(marked, encoding="utf-8")
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(own))
    assert refused("list").code == "installation.as_refused"
    monkeypatch.setattr("getpass.getuser", lambda: "somebody")
    somebody = runner.invoke(app, ["list"]).exception
    assert isinstance(somebody, Refused) and somebody.code == "deployment.os_user_not_here"
    monkeypatch.setattr("getpass.getuser", lambda: "sysadm")
    assert runner.invoke(app, ["list"]).exit_code == 0


def test_an_identity_is_shown_and_unlinked(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(Settings.load().deployment, tmp_path / "deployment"))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(folder))
    with (folder / "deployment.yaml").open("a", encoding="utf-8") as file:
        file.write("\noidc: {issuer: https://idp.example, client_id: b, client_secret: env:S, only: true}\n")
    assert "不需要注册码" in run("invite", "executive") and "尚未用单点登录进入" in run("list")
    with accounts() as opened:
        identity = Identity("https://idp.example", "s-executive", "executive", None)
        opened.log_in_by_provider(identity, Client("127.0.0.1"))
    assert "单点登录身份 s-executive" in run("list")
    assert "已解除 executive" in run("unlink", "executive")
    assert refused("unlink", "executive").code == "account.not_linked"
    assert "没有会话" in run("sessions", "executive")
