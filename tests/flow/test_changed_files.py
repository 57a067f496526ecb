"""Stored things that were changed behind the ledger's back: nobody uses them, and the message says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import Tampered
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation
from pipelines.stages.package import package_folder
from pipelines.stages.sign_off import open_sign_off
from tests.flow.conftest import Resume, refused
from tests.flow.play import (
    SCHEDULE_P,
    agree,
    preparer,
    run,
)


def damage(path: Path) -> None:
    """Change one byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x01
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["TRIANGLE.parquet", "manifest.json"])
def test_a_changed_round_is_used_by_nobody(resume: Resume, schedule_p_approved: Path, name: str) -> None:
    installation = resume(schedule_p_approved)
    damage(installation.rounds.path(SCHEDULE_P, 1) / name)
    for stage in ("validate", "package", "deliver"):
        with pytest.raises(Tampered, match="请从备份恢复，或重新提取为新的一轮") as caught:
            run(installation, SCHEDULE_P, stage)
        assert caught.value.exit_code == 5


def test_a_changed_package_is_not_delivered(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    state = run(installation, SCHEDULE_P, "package")
    damage(sent_file(package_folder(installation, state)))
    refused(installation, "package", "package.changed", Tampered)
    error = refused(installation, "deliver", "package.changed", Tampered)
    assert "与台账记录" in str(error)
    assert installation.state(SCHEDULE_P).reservation is None


def test_a_file_added_to_the_package_is_not_delivered(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    state = run(installation, SCHEDULE_P, "package")
    (package_folder(installation, state) / "more.txt").write_text("x", encoding="utf-8")
    refused(installation, "deliver", "package.changed", Tampered)


def test_changed_findings_are_not_believed(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    state = installation.state(SCHEDULE_P)
    assert state.content is not None
    damage(installation.home / "contents" / SCHEDULE_P / state.content.fact.content / "findings.parquet")
    with pytest.raises(Tampered, match=r"问题数据文件 .* 与台账记录不符或已丢失"):
        open_sign_off(installation, SCHEDULE_P, preparer(installation))


def test_findings_that_were_lost_are_judged_anew(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    state = installation.state(SCHEDULE_P)
    assert state.content is not None
    (installation.home / "contents" / SCHEDULE_P / state.content.fact.content / "findings.parquet").unlink()
    with pytest.raises(Tampered):
        open_sign_off(installation, SCHEDULE_P, preparer(installation))
    run(installation, SCHEDULE_P, "validate", "review")
    assert agree(installation, SCHEDULE_P).stage == "approved"


def bulk_fact(installation: Installation, digest: str) -> Path:
    return installation.folder("facts", SCHEDULE_P) / f"{digest}.parquet"


def test_changed_decisions_are_not_believed(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    decisions = installation.state(SCHEDULE_P).answer_reviews[0].fact.decisions
    damage(bulk_fact(installation, decisions))
    for stage in ("validate", "package"):
        error = refused(installation, stage, "facts.changed", Tampered)
        assert "请从备份恢复" in str(error)


@pytest.mark.parametrize("what", ["questions", "answers"])
def test_changed_questions_and_answers_open_no_sign_off(
    resume: Resume, schedule_p_reviewed: Path, what: str
) -> None:
    installation = resume(schedule_p_reviewed)
    state = installation.state(SCHEDULE_P)
    asked, answered = state.dispatches[0].fact.problems, state.answers[0].fact.answers
    damage(bulk_fact(installation, asked if what == "questions" else answered))
    with pytest.raises(Tampered, match="与台账记载的摘要不符") as caught:
        open_sign_off(installation, SCHEDULE_P, preparer(installation))
    assert caught.value.exit_code == 5
    assert installation.state(SCHEDULE_P) == state
