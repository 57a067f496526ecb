"""Branches drop filled workbooks over SFTP; Baosong takes them in, answers in the same folder, and believes nobody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.answers import app
from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from pipelines.ledger.events import Event
from pipelines.stages.canonical import file_digest
from pipelines.stages.inbox import Taken, take_in
from pipelines.stages.inbox_folder import strangers, waiting_files
from pipelines.stages.installation import Installation
from pipelines.stages.workbooks import Problem
from resources.clock import SystemClock
from resources.demo.fill_workbook import fill_answers, read_findings
from resources.embedded.places import Places
from resources.embedded.supervisor import Options, start_detached, stop
from tests.flow.conftest import Resume
from tests.flow.inbox_play import PREPARERS, Post, take_all, take_one, waiting
from tests.flow.play import AUDIT, filled_workbooks, opened, own_deployment, replace_text

MINE, OTHER = "branch_330000", "branch_440000"
NAME = "答复.xlsx"
Answered = tuple[Installation, Path]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    places = Places(tmp_path_factory.mktemp("post"))
    start_detached(places, Options(inbox=PREPARERS))
    yield Post(places)
    stop(places)


@pytest.fixture
def post(server: Post) -> Iterator[Post]:
    """Empty folders."""
    yield server
    for user in PREPARERS:
        for path in server.folder(user).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def promise(organisation: str, problem: Problem) -> tuple[str, str, str]:
    """Everything is mended at the source."""
    return "源头修正", "", "已在核心系统改正（模拟）"


def explain(organisation: str, problem: Problem) -> tuple[str, str, str]:
    """Also what blocks, where an explanation is not enough."""
    return "情况说明", "", "业务实际如此（模拟）"


@pytest.fixture
def installation(post: Post, resume: Resume, audit_in_review: Path, tmp_path: Path) -> Installation:
    """The audit's problem data is out; the deployment's inbox is the server's."""
    edit = ("deployment.yaml", "folder: inbox", f"folder: {post.places.inbox}")
    return resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", edit))


@pytest.fixture(scope="module")
def filled(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`filled(branch, answering)`: one of the branch's workbooks, filled in; made once, on a copy."""
    made: dict[object, dict[str, list[Path]]] = {}

    def of(organisation: str, answering: Callable[[str, Problem], tuple[str, str, str]] = promise) -> Path:
        if answering not in made:
            home = tmp_path_factory.mktemp("filled")
            shutil.copytree(audit_in_review, home, dirs_exist_ok=True)
            with opened(home) as installation:
                made[answering] = filled_workbooks(installation, AUDIT, answering, home / "filled")
        return made[answering][organisation][0]

    return of


def events(installation: Installation, kind: str) -> list[Event]:
    return [e for e in installation.ledger.events(f"filing/{AUDIT}") if e.type == kind]


def reason(taken: Taken) -> str:
    assert taken.answer is not None
    return taken.answer.read_text(encoding="utf-8-sig")


def test_a_dropped_workbook_is_taken_in_as_its_folders_user(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    workbook = filled("330000")
    post.drop(MINE, workbook, NAME)
    taken = take_one(installation)
    (received,) = installation.state(AUDIT).answers
    assert (taken.outcome, received.actor, received.fact.organisation) == ("done", MINE, "330000")
    assert received.fact.workbook == file_digest(workbook)
    assert received.fact.handlings == {"source_fix": len(read_findings(workbook))}
    kept = taken.dropped.kept_name
    assert kept.endswith(f"-{NAME}") and kept.startswith(f"{SystemClock().now():%Y}")
    assert post.files(MINE) == [f"done/{kept}", f"done/{kept}.txt"]
    assert post.read(MINE, f"done/{kept}") == workbook.read_bytes()
    (copy,) = (installation.home / "answers" / AUDIT).iterdir()
    assert copy.read_bytes() == workbook.read_bytes()
    assert take_all(installation) == []


def test_the_branch_reads_in_both_languages_which_event_proves_its_answers(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    post.drop(MINE, filled("330000"), NAME)
    taken = take_one(installation)
    (received,) = installation.state(AUDIT).answers
    text = post.read(MINE, f"done/{taken.dropped.kept_name}.txt").decode("utf-8-sig")
    count = received.fact.handlings["source_fix"]
    assert f"{NAME} 已接收（报送任务 {AUDIT}，机构 330000" in text and f"收下 {count} 条，退回 0 条" in text
    assert f"{count} lines taken, 0 returned" in text
    assert text.count(received.hash) == 2
    assert "\r\n" in text


def test_what_is_half_written_or_no_file_is_not_seen(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    with post.logged_in(MINE) as sftp:
        for name in (".答复.xlsx", "答复.xlsx.part", "答复.xlsx.FILEPART"):
            sftp.put(str(filled("330000")), name)
    (post.folder(MINE) / "folder").mkdir()
    assert waiting(installation) == []
    with post.logged_in(MINE) as sftp:
        sftp.posix_rename("答复.xlsx.part", NAME)
        sftp.utime(NAME, (0, 0))  # whatever time the client gives it
    assert waiting_files(installation) == []
    assert [(each.user, each.name) for each in waiting(installation)] == [(MINE, NAME)]


def test_a_file_of_the_future_is_at_rest_too(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    post.drop(MINE, filled("330000"), NAME)
    at = SystemClock().now() - timedelta(hours=1)
    assert [each.name for each in waiting_files(installation, at=at)] == [NAME]


def test_a_file_touched_after_it_was_seen_is_left_for_the_next_time(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    post.drop(MINE, filled("330000"), NAME)
    (seen,) = waiting(installation)
    with post.logged_in(MINE) as sftp, sftp.open(NAME, "ab") as file:
        file.write(b"more")
    assert take_in(installation, seen).outcome == "touched"
    assert (post.files(MINE), installation.state(AUDIT).answers) == ([NAME], ())
    (post.folder(MINE) / NAME).unlink()
    assert take_in(installation, seen).outcome == "touched"
    assert not list((installation.home / "taking" / MINE).glob("*"))


def test_another_branchs_workbook_is_refused_and_the_ledger_says_so_once(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    for _ in range(2):
        post.drop(MINE, filled("440000"), NAME)
        taken = take_one(installation)
        assert taken.outcome == "refused"
        assert f"用户 {MINE} 不属于机构 440000" in reason(taken)
        assert f"User {MINE} does not belong to organisation 440000" in reason(taken)
    (refused,) = events(installation, "answers_refused")
    assert refused.actor == MINE and refused.payload is not None
    assert refused.payload["code"] == "correct.other_organisation"
    assert refused.payload["workbook"] == file_digest(filled("440000"))
    (kept,) = (installation.home / "answers" / AUDIT).iterdir()
    assert file_digest(kept) == refused.payload["workbook"]
    assert installation.state(AUDIT).answers == ()
    assert [name.split("/")[0] for name in post.files(MINE)] == ["refused"] * 4


def test_what_is_no_workbook_of_ours_is_refused_without_an_event(
    installation: Installation, post: Post, tmp_path: Path
) -> None:
    before = installation.ledger.event_count()
    (tmp_path / "照片.jpg").write_bytes(b"\xff\xd8 no workbook")
    post.drop(MINE, tmp_path / "照片.jpg")
    taken = take_one(installation)
    assert taken.outcome == "refused" and taken.error is not None
    assert taken.error.code == "workbooks.not_xlsx"
    assert "照片.jpg 不是 .xlsx 工作簿" in reason(taken) and "is not an .xlsx workbook" in reason(taken)
    assert installation.ledger.event_count() == before
    assert not (installation.home / "answers" / AUDIT).exists()


def test_somebody_who_may_not_answer_is_refused(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    place = post.places.inbox / "branch_it_440000"
    place.mkdir()
    try:
        shutil.copyfile(filled("440000"), place / NAME)
        assert take_one(installation).outcome == "refused"
        (refused,) = events(installation, "answers_refused")
        assert (refused.actor, (refused.payload or {})["code"]) == ("branch_it_440000", "installation.role")
    finally:
        shutil.rmtree(place)


def test_links_closed_and_strangely_named_and_large_files_are_refused_unread(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    folder = post.folder(MINE)
    (folder / "link.xlsx").symlink_to(filled("330000"))
    os.mkfifo(folder / "pipe.xlsx")
    shutil.copyfile(filled("330000"), folder / "a\nb.xlsx")
    shutil.copyfile(filled("330000"), os.fsencode(folder) + b"/\xb4\xf0\xb8\xb4.xlsx")
    with (folder / "large.xlsx").open("wb") as file:
        file.truncate((100 << 20) + 1)
    codes = {taken.dropped.shown: taken.error.code for taken in take_all(installation) if taken.error}
    assert codes == {
        "link.xlsx": "inbox.no_regular_file",
        "pipe.xlsx": "inbox.no_regular_file",
        "'a\\nb.xlsx'": "inbox.name",
        "'\\udcb4\\udcf0\\udcb8\\udcb4.xlsx'": "inbox.name",
        "large.xlsx": "inbox.too_large",
    }
    assert (installation.state(AUDIT).answers, waiting(installation)) == ((), [])
    assert [name.split("/")[0] for name in post.files(MINE)] == ["refused"] * 10


def test_lines_that_cannot_be_taken_come_back_and_mended_they_are_taken(
    installation: Installation, post: Post, filled: Callable[..., Path], tmp_path: Path
) -> None:
    workbook = filled("330000", explain)
    post.drop(MINE, workbook, NAME)
    taken = take_one(installation)
    blocking = {line["问题编号"] for line in read_findings(workbook) if line["严重程度"] == "阻断"}
    assert blocking and taken.returned is not None and taken.imported is not None
    assert taken.outcome == "done" and set(taken.imported.returned) == blocking
    back = tmp_path / "mended.xlsx"
    back.write_bytes(post.read(MINE, f"returned/{taken.returned.name}"))
    assert {line["问题编号"] for line in read_findings(back) if line["退回说明"]} == blocking
    assert f"returned/{taken.returned.name}" in reason(taken)
    fill_answers(back, back, dict.fromkeys(blocking, ("源头修正", "", "已改正（模拟）")))
    post.drop(MINE, back)
    again = take_one(installation)
    assert again.imported is not None and again.imported.returned == {}
    assert installation.state(AUDIT).answers[-1].fact.handlings == {"source_fix": len(blocking)}


def test_the_same_workbook_again_changes_nothing_and_is_kept_too(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    post.drop(MINE, filled("330000"), NAME)
    first = take_one(installation)
    before = installation.ledger.event_count()
    post.drop(MINE, filled("330000"), NAME)
    second = take_one(installation)
    assert installation.ledger.event_count() == before
    assert first.dropped.key != second.dropped.key
    assert reason(second) == reason(first)
    assert len(post.files(MINE)) == 4


def test_a_result_folder_that_is_a_link_is_not_followed(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    (post.folder(MINE) / "done").symlink_to(post.folder(OTHER))
    post.drop(MINE, filled("330000"), NAME)
    link, workbook = waiting(installation)
    with pytest.raises(Refused) as refused:
        take_in(installation, workbook)
    assert refused.value.code == "inbox.folder_taken"
    assert (post.files(MINE), post.files(OTHER)) == (["done", NAME], [])
    assert take_in(installation, link).outcome == "refused"
    assert take_in(installation, workbook).outcome == "done"
    assert post.files(OTHER) == []


def test_where_something_is_wrong_on_our_side_the_file_waits(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    post.drop(MINE, filled("330000"), NAME)
    key = installation.home / "keys" / "workbooks"
    key.chmod(0o644)
    with pytest.raises(BaosongError) as wrong:
        take_all(installation)
    assert wrong.value.code == "ledger.key_readable"
    assert post.files(MINE) == [NAME]
    key.chmod(0o600)
    assert take_one(installation).outcome == "done"


def test_folders_of_nobody_are_named_and_left_alone(
    installation: Installation, post: Post, filled: Callable[..., Path]
) -> None:
    ghost = post.places.inbox / "ghost"
    ghost.mkdir()
    try:
        shutil.copyfile(filled("330000"), ghost / NAME)
        assert (strangers(installation), waiting(installation)) == (["ghost"], [])
    finally:
        shutil.rmtree(ghost)


def test_the_command_takes_in_everything_and_says_what_it_did(
    installation: Installation,
    post: Post,
    filled: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_text(tmp_path / "deployment" / "deployment.yaml", "quiet_seconds: 3", "quiet_seconds: 0")
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(tmp_path / "deployment"))
    monkeypatch.delenv("BAOSONG_DATABASE_URL", raising=False)
    post.drop(MINE, filled("330000"), NAME)
    post.drop(OTHER, filled("330000"), "别人的.xlsx")
    first, second = (CliRunner().invoke(app, ["inbox"]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    count = len(read_findings(filled("330000")))
    told, counted, refused = first.output.splitlines()
    assert told == f"{MINE}：{NAME} 已接收"
    assert f"源头修正 {count}；退回 0 条" in counted
    assert refused.startswith(f"{OTHER}：别人的.xlsx 未被接收，理由见 {post.folder(OTHER) / 'refused'}")
    assert second.output == "收件目录中没有待收的文件\n"


def test_an_inbox_that_is_not_there_is_an_error_and_never_an_empty_one(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    with pytest.raises(Unavailable) as gone:
        waiting_files(installation)
    assert (gone.value.code, gone.value.values) == (
        "inbox.no_folder",
        {"folder": installation.home / "inbox"},
    )


def test_without_an_inbox_in_the_deployment_there_is_nothing_to_look_at(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    edits = (
        ("deployment.yaml", "answers_inbox: ", "# "),
        ("deployment.yaml", "  folder: inbox\n  quiet", "# "),
    )
    installation = resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", *edits))
    with pytest.raises(BadInput) as bad:
        waiting_files(installation)
    assert bad.value.code == "inbox.not_configured"
