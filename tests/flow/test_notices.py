"""People hear what waits for them, in digests, once; what becomes of the telling never reaches the flow."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import stamina
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import Refused
from pipelines.stages.first_review import review_findings
from pipelines.stages.holders import remind
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.notify import notify
from pipelines.stages.request import raise_request
from pipelines.stages.selection import Selection
from pipelines.stages.sign_off import give_opinion, open_sign_off
from resources.clock import FileClock
from resources.notifier import open_outbox
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume
from tests.flow.desk_play import at_desk
from tests.flow.life import EXPLAINED, clock_to, events, hand_in, rows
from tests.flow.play import (
    AUDIT,
    SCHEDULE_P,
    agree,
    draft,
    open_statistics,
    opened,
    own_deployment,
    preparer,
    run,
)
from tests.flow.test_gates import change_mind
from tests.resources.notifier.hook_server import Hook, hook_server
from tests.resources.notifier.mail_server import MailServer, mail_server

PEOPLE = (
    "branch_440000", "branch_330000", "audit_reviewer", "actuary", "executive", "data_engineer", "claims_reviewer",
    "accounting_reviewer",
)  # fmt: skip
Deploy = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BAOSONG_DESK_URL", "https://desk.example.cn/")
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as running:
        yield running


@pytest.fixture
def deploy(tmp_path: Path) -> Deploy:
    """`deploy(port)`: the demo's deployment where these people have a mail address, and more edits."""

    def make(port: int, *edits: tuple[str, str, str], webhooks: str = "[]", seconds: float = 5) -> Path:
        mail = f"{{host: 127.0.0.1, port: {port}, starttls: never, sender: baosong@example.cn, timeout_seconds: {seconds}}}"
        notices = f"notices:\n  mail: {mail}\n  webhooks: {webhooks}\n\nfilings:\n"
        addresses = [
            ("users.yaml", f"  {who}:\n", f"  {who}:\n    mail: {who}@example.cn\n") for who in PEOPLE
        ]
        folder = own_deployment(
            tmp_path / "deployment", *edits, ("deployment.yaml", "\nfilings:\n", "\n" + notices)
        )
        for file, old, new in addresses:
            path = folder / file
            text = path.read_text(encoding="utf-8")
            assert f"\n{old}" in text, old
            path.write_text(text.replace(f"\n{old}", f"\n{new}"), encoding="utf-8")
        return folder

    return make


def later(installation: Installation, **span: float) -> None:
    FileClock(installation.home / "clock").advance(by=timedelta(**span))


def tell(installation: Installation) -> list[str]:
    """Who gets a digest now, over which channel, with what outcome."""
    return [f"{each.channel} {each.recipient} {each.outcome.result}" for each in notify(installation).digests]


def told(installation: Installation, user: str) -> list[tuple[str, str]]:
    with open_outbox(installation.home) as outbox:
        return sorted((each.kind, each.subject) for each in outbox.told(user))


def words(mail: EmailMessage) -> list[str]:
    return mail.get_content().splitlines()


# ---- what waits


def test_a_branch_hears_once_what_it_has_to_answer(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_in_review, deployment=deploy(server.port))
    assert sorted(tell(installation)) == ["mail branch_330000 sent", "mail branch_440000 sent"]
    (mail,) = server.mails("branch_440000@example.cn")
    count = rows(installation, branch="440000").height
    assert mail["subject"] == "报送系统：1 项通知"
    assert words(mail) == [
        "报送系统：1 项通知",
        "",
        "待答复的问题数据（1）",
        f"  {AUDIT}，{count} 条，2026-05-08 到期",
        "",
        "请登录审核台处理：https://desk.example.cn/notices",
        "",
        "—" * 20,
        "",
        "Baosong: 1 notices",
        "",
        "Findings to answer (1)",
        f"  {AUDIT}, {count} findings, due 2026-05-08",
        "",
        "Log in to the desk: https://desk.example.cn/notices",
    ]
    later(installation, hours=5)
    assert notify(installation).digests == ()
    assert notify(installation).noted == 0
    assert len(server.taken) == 2


def test_told_once_over_restarts_of_the_process(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_in_review, deployment=deploy(server.port))
    environment = {
        **os.environ,
        "BAOSONG_HOME": str(installation.home),
        "BAOSONG_DEPLOYMENT": str(installation.deployment.path),
    }
    environment.pop("BAOSONG_DATABASE_URL", None)
    command = [sys.executable, "-m", "pipelines.cli.main", "notices", "send"]
    for expected in ("尝试发送汇总 2 份", "新通知 0 项，尝试发送汇总 0 份"):
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
        )
        assert expected in done.stdout
    assert len(server.taken) == 2


def test_two_hundred_tasks_are_one_mail(begin: Resume, deploy: Deploy, server: MailServer) -> None:
    installation = begin(deployment=deploy(server.port))
    requester = installation.user("requester_440000")
    for number in range(200):
        raise_request(installation, draft(installation.home, number=f"JH-2026-{number:03}"), requester)
    assert tell(installation) == ["mail audit_reviewer sent"]
    (mail,) = server.mails()
    assert mail["subject"] == "报送系统：200 项通知"
    assert "待审核的报送需求（200）" in words(mail)
    assert "  另有 180 项" in words(mail)
    assert sum("JH-2026-" in line for line in words(mail)) == 2 * 20
    raise_request(installation, draft(installation.home, number="JH-2026-900"), requester)
    later(installation, minutes=10)
    assert tell(installation) == [], "the next digest is due half an hour after the first"
    later(installation, minutes=20)
    assert tell(installation) == ["mail audit_reviewer sent"]
    assert "  JH-2026-900，2026-05-15 到期" in words(server.mails()[-1])


def test_what_was_done_before_the_digest_is_not_told(
    resume: Resume, audit_listed: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_listed, deployment=deploy(server.port))
    server.refused = {"audit_reviewer@example.cn": "450 later"}
    assert tell(installation) == ["mail audit_reviewer failed"]
    review_findings(installation, AUDIT, installation.user("audit_reviewer"), "confirm", Selection())
    server.refused = {}
    later(installation, minutes=40)
    assert sorted(tell(installation)) == ["mail accounting_reviewer sent", "mail claims_reviewer sent"]
    assert server.mails("audit_reviewer@example.cn") == []


def test_a_department_is_not_told_again_while_it_works_and_is_when_more_comes(
    resume: Resume, audit_listed: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_listed, deployment=deploy(server.port))
    reviewer = installation.user("audit_reviewer")
    theirs = list(rows(installation, department="underwriting")["finding"])
    assert len(theirs) > 2
    review_findings(installation, AUDIT, reviewer, "confirm", Selection(findings=tuple(theirs[:1])))
    notify(installation)
    assert told(installation, "underwriting_reviewer") == [("issue", AUDIT)]
    review_findings(installation, AUDIT, reviewer, "confirm", Selection(findings=tuple(theirs[1:2])))
    notify(installation)
    assert told(installation, "underwriting_reviewer") == [("issue", AUDIT)], "it waited all the time"
    issue(installation, AUDIT, "underwriting", installation.user("underwriting_reviewer"), Selection())
    review_findings(installation, AUDIT, reviewer, "confirm", Selection(findings=tuple(theirs[2:])))
    notify(installation)
    assert told(installation, "underwriting_reviewer") == [("issue", AUDIT)] * 2


# ---- what happened to what they did


def test_who_gave_an_opinion_hears_that_new_content_voided_it(
    resume: Resume, schedule_p_approved: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(schedule_p_approved, deployment=deploy(server.port))
    assert tell(installation) == []
    change_mind(installation)
    run(installation, SCHEDULE_P, "validate", "review")
    assert sorted(tell(installation)) == [
        "mail actuary sent",
        "mail data_engineer sent",
        "mail executive sent",
    ]
    (mail,) = server.mails("actuary@example.cn")
    assert words(mail)[2:4] == ["已作废的意见：报送内容有变，请重新签署（1）", f"  {SCHEDULE_P}"]
    assert told(installation, "data_engineer") == [("open_sign_off", SCHEDULE_P)]
    agree(installation, SCHEDULE_P)
    later(installation, hours=1)
    notify(installation)
    assert told(installation, "executive") == [("voided", SCHEDULE_P)], "told once, and no seat was left open"


def test_a_rejection_reaches_whom_the_step_sends_it_back_to(
    resume: Resume, schedule_p_reviewed: Path, deploy: Deploy, server: MailServer
) -> None:
    steps = "steps: [{role: actuarial, rejection: departments}, executive]"
    edit = ("routes.yaml", "steps: [actuarial, executive]", steps)
    installation = resume(schedule_p_reviewed, deployment=deploy(server.port, edit))
    open_sign_off(installation, SCHEDULE_P, preparer(installation))
    assert tell(installation) == ["mail actuary sent"]
    give_opinion(installation, SCHEDULE_P, installation.user("actuary"), opinion="disagree", comment="不足")
    later(installation, hours=1)
    notify(installation)
    owners = {
        held.department for listing in installation.state(SCHEDULE_P).listings for held in listing.fact.held
    }
    assert owners
    for user in installation.deployment.users.values():
        is_owner = any(user.speaks_for(department) for department in owners)
        assert (("rejected", SCHEDULE_P) in told(installation, user.id)) is is_owner
        assert (("again", SCHEDULE_P) in told(installation, user.id)) is is_owner
    assert "不足" not in "".join("\n".join(words(mail)) for mail in server.mails()), (
        "comments stay in the desk"
    )


def test_reminders_reach_the_holder_and_escalations_also_whoever_waits_for_them(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_in_review, deployment=deploy(server.port))
    clock_to(installation, datetime(2026, 5, 7, 9))  # noqa: DTZ001 - in the clock's own zone
    reminded = remind(installation, AUDIT)
    notify(installation)
    assert ("reminder", AUDIT) in told(installation, "branch_440000")
    assert told(installation, "accounting_reviewer") == []
    clock_to(installation, datetime(2026, 5, 9, 9))  # noqa: DTZ001
    remind(installation, AUDIT)
    assert "mail accounting_reviewer sent" in tell(installation)
    theirs = sum(each.department == "finance" for each in reminded)
    assert told(installation, "accounting_reviewer") == [("escalation", AUDIT)] * theirs
    assert ("escalation", AUDIT) in told(installation, "branch_330000")
    assert told(installation, "branch_it_440000") == []


def test_what_happened_long_ago_is_no_news_to_a_deployment_that_begins_to_tell(
    resume: Resume, schedule_p_approved: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(schedule_p_approved, deployment=deploy(server.port))
    change_mind(installation)
    run(installation, SCHEDULE_P, "validate", "review")
    later(installation, days=8)
    assert tell(installation) == ["mail data_engineer sent"]
    assert told(installation, "actuary") == []


# ---- groups


def test_a_group_hears_what_waits_without_names(
    resume: Resume,
    audit_in_review: Path,
    deploy: Deploy,
    server: MailServer,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WECOM_KEY", "a-key")
    webhook = f"[{{name: branches, kind: wecom, url: '{hook.url}', token: env:WECOM_KEY, roles: [branch_preparer]}}]"
    installation = resume(audit_in_review, deployment=deploy(server.port, webhooks=webhook))
    assert "webhook:branches  sent" in tell(installation)
    (posted,) = hook.posted
    content = posted.json["markdown"]["content"]
    assert content.splitlines()[2] == "**待答复的问题数据（1）** Findings to answer (1)"
    for user in installation.deployment.users.values():
        assert user.id not in content
        assert user.name not in content
    later(installation, hours=1)
    notify(installation)
    assert len(hook.posted) == 1


def test_a_missing_secret_keeps_no_mail_from_going(
    resume: Resume,
    audit_in_review: Path,
    deploy: Deploy,
    server: MailServer,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WECOM_KEY", raising=False)
    webhook = f"[{{name: branches, kind: wecom, url: '{hook.url}', token: env:WECOM_KEY, roles: [branch_preparer]}}]"
    installation = resume(audit_in_review, deployment=deploy(server.port, webhooks=webhook))
    done = notify(installation)
    assert len(server.taken) == 2
    assert [problem for problem in done.problems if "WECOM_KEY" in problem]
    assert hook.posted == []


# ---- what goes wrong


def test_a_mail_server_that_is_down_holds_nothing_up_and_is_tried_once_a_run(
    resume: Resume, audit_in_review: Path, deploy: Deploy, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    installation = resume(audit_in_review, deployment=deploy(port))
    before = events(installation)
    done = notify(installation)
    assert [each.outcome.result for each in done.digests] == ["down"], "one of two was tried"
    assert len(done.problems) == 1
    assert events(installation) == before, "the ledger knows nothing of it"
    finding = rows(installation, branch="440000")["finding"][0]
    hand_in(installation, tmp_path, "branch_440000", {finding: EXPLAINED})
    assert notify(installation).digests == (), "not before the pause is over"
    later(installation, minutes=6)
    with mail_server(port=port) as server:
        assert sorted(tell(installation)) == ["mail branch_330000 sent", "mail branch_440000 sent"]
        assert len(server.taken) == 2


def test_a_recipient_who_is_refused_keeps_no_other_from_hearing(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    server.refused = {"branch_330000@example.cn": "550 no such user"}
    installation = resume(audit_in_review, deployment=deploy(server.port))
    done = notify(installation)
    assert sorted(f"{each.recipient} {each.outcome.result}" for each in done.digests) == [
        "branch_330000 refused",
        "branch_440000 sent",
    ]
    assert done.given_up == 1
    later(installation, hours=3)
    assert notify(installation).digests == ()


def test_a_name_with_line_ends_writes_no_header(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    hostile = ("users.yaml", "广东分公司填报人（模拟）", '"广东\\r\\nBcc: evil@example.com"')
    installation = resume(audit_in_review, deployment=deploy(server.port, hostile))
    assert "\r\n" in installation.deployment.user("branch_440000").name
    notify(installation)
    (mail,) = server.mails("branch_440000@example.cn")
    assert mail["bcc"] is None
    assert sorted(address for address, _ in server.taken) == [
        "branch_330000@example.cn",
        "branch_440000@example.cn",
    ]


def test_a_broken_stream_hides_no_other(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer, tmp_path: Path
) -> None:
    home = tmp_path / "broken"
    shutil.copytree(audit_in_review, home)
    with opened(home, deploy(server.port)) as installation:
        open_statistics(installation)
        with closing(sqlite3.connect(home / "ledger.db")) as connection, connection:
            connection.execute(
                "UPDATE event SET actor = 'x' WHERE stream LIKE 'filing/circ_statistics%' AND seq = 1"
            )
        done = notify(installation)
    assert {each.outcome.result for each in done.digests} == {"sent"}
    assert len(server.taken) == 2
    assert sum("circ_statistics" in problem.split(":")[0] for problem in done.problems) == 2


def test_a_process_killed_while_it_sends_a_mail_leaves_it_unsure_and_it_goes_again_under_its_name(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    server.is_silent = True
    installation = resume(audit_in_review, deployment=deploy(server.port, seconds=60))
    environment = {
        **os.environ,
        "BAOSONG_HOME": str(installation.home),
        "BAOSONG_DEPLOYMENT": str(installation.deployment.path),
    }
    environment.pop("BAOSONG_DATABASE_URL", None)
    command = [sys.executable, "-m", "pipelines.cli.main", "notices", "send"]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment) as sender:
        assert server.arrived.wait(60)
        os.kill(sender.pid, signal.SIGKILL)
    server.is_silent = False
    assert len(tell(installation)) == 2
    names = [str(mail["message-id"]) for mail in server.mails()]
    assert len(names) == 3
    assert len(set(names)) == 2
    assert tell(installation) == []


def test_a_slow_mail_server_costs_a_run_one_timeout(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    server.is_silent = True
    installation = resume(audit_in_review, deployment=deploy(server.port, seconds=0.5))
    assert [line.split()[-1] for line in tell(installation)] == ["unknown"]
    assert len(server.taken) == 1
    server.is_silent = False
    assert [line.split()[-1] for line in tell(installation)] == ["sent"], "the other person's"
    later(installation, minutes=6)
    assert [line.split()[-1] for line in tell(installation)] == ["sent"]
    first, _, again = server.mails()
    assert first["message-id"] == again["message-id"]


def test_a_second_sender_does_nothing_and_does_not_wait(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_in_review, deployment=deploy(server.port))
    with installation.alone("notices"):
        assert notify(installation).is_busy
    assert server.taken == []
    assert len(tell(installation)) == 2


def test_without_notices_in_the_deployment_nobody_is_told(resume: Resume, audit_in_review: Path) -> None:
    installation = resume(audit_in_review)
    with pytest.raises(Refused) as caught:
        notify(installation)
    assert caught.value.code == "notices.not_configured"


# ---- desk and command


def test_the_desk_lists_what_one_was_told_and_counts_what_is_new(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer
) -> None:
    installation = resume(audit_in_review, deployment=deploy(server.port))
    notify(installation)
    with at_desk(installation) as street:
        branch, engineer = street.visitor("branch_440000"), street.visitor("data_engineer")
        assert '通知 <span class="badge">1</span>' in branch.read("/")
        page = branch.read("/notices")
        assert f'<a href="/filings/{AUDIT}/workbooks">待答复的问题数据</a>' in page
        assert "还没有通知" in engineer.read("/notices")
        number = page.split('name="up_to" value="')[1].split('"')[0]
        after = branch.send("/notices", "/notices", {"up_to": number})
        assert "已标为已读" in after
        assert '<span class="badge">' not in branch.read("/notices")
        secret = page.split('name="csrf" value="')[1].split('"')[0]
        for wrong in ("", "x", "-1", "9" * 30):
            assert branch.client.post("/notices", data={"csrf": secret, "up_to": wrong}).status_code == 400


def test_the_command_lists_what_was_told_to_those_who_may_see_it(
    resume: Resume, audit_in_review: Path, deploy: Deploy, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(audit_in_review, deployment=deploy(server.port))
    notify(installation)
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(installation.deployment.path))
    monkeypatch.delenv("BAOSONG_DATABASE_URL", raising=False)

    def listed(*words: str) -> list[str]:
        done = CliRunner().invoke(app, ["notices", "list", *words], catch_exceptions=True)
        if done.exception is not None:
            raise done.exception
        return done.stdout.splitlines()

    own = ("--as", "branch_440000", "--user", "branch_440000")
    assert [line.split("  ")[1:6] for line in listed(*own)] == [
        ["branch_440000", "待答复的问题数据", AUDIT, "mail", "已发"]
    ]
    assert len(listed("--as", "administrator")) > 1
    with pytest.raises(Refused):
        listed("--as", "branch_440000")
