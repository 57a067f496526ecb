"""A sign-off keeps its reference in the office system: got once from it, or typed; opinions never wait for the office."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused, Unavailable
from pipelines.stages.installation import Installation
from pipelines.stages.office import office_status
from pipelines.stages.sign_off import open_sign_off
from resources.office import OfficeAnswer
from tests.flow.conftest import Resume
from tests.flow.play import SCHEDULE_P, agree, first_report, own_deployment, preparer, run

OFFICE = (
    "identity: named",
    "identity: named\noffice: {kind: folder, outbox: home:eoa/out, inbox: home:eoa/in}",
)


def with_office(tmp_path: Path) -> Path:
    return own_deployment(tmp_path / "deployment", ("deployment.yaml", *OFFICE))


def put_up(installation: Installation, reference: str | None = None) -> str:
    first_report(installation, SCHEDULE_P)
    state = open_sign_off(installation, SCHEDULE_P, preparer(installation), reference=reference)
    assert state.live_sign_off is not None
    return state.live_sign_off.fact.office_reference


def drafts(installation: Installation) -> list[str]:
    return sorted(path.stem for path in (installation.home / "eoa" / "out").glob("*.json"))


def test_the_office_gets_one_draft_and_says_what_became_of_it(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = resume(schedule_p_reviewed, deployment=with_office(tmp_path))
    reference = put_up(installation)
    assert drafts(installation) == [reference]
    draft = json.loads((installation.home / "eoa" / "out" / f"{reference}.json").read_text(encoding="utf-8"))
    state = installation.state(SCHEDULE_P)
    assert state.content is not None
    assert (draft["filing"], draft["content"]) == (SCHEDULE_P, state.content.fact.content)
    assert (draft["number"], draft["route"]) == (f"QB-{SCHEDULE_P}-V1", ["actuarial", "executive"])
    assert open_sign_off(installation, SCHEDULE_P, preparer(installation)) == state
    assert office_status(installation, SCHEDULE_P) == (reference, OfficeAnswer("waiting"))
    said = {"reference": reference, "status": "disagreed", "by": "总经理"}
    (installation.home / "eoa" / "in" / f"{reference}.json").write_text(json.dumps(said), encoding="utf-8")
    assert office_status(installation, SCHEDULE_P)[1].status == "disagreed"
    agree(installation, SCHEDULE_P)
    assert run(installation, SCHEDULE_P, "package").stage == "packaged", "people sign here"


def test_a_run_that_died_between_draft_and_event_hands_in_no_second_draft(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(schedule_p_reviewed, deployment=with_office(tmp_path))
    first_report(installation, SCHEDULE_P)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Installation, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            open_sign_off(installation, SCHEDULE_P, preparer(installation))
    assert installation.state(SCHEDULE_P).sign_off is None
    (draft,) = drafts(installation)
    assert put_up(installation) == draft
    assert drafts(installation) == [draft]


def test_an_office_that_is_away_opens_nothing_and_a_typed_reference_helps(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    away = OFFICE[0], OFFICE[1].replace("home:eoa/out", str(tmp_path / "share"))
    deployment = own_deployment(tmp_path / "deployment", ("deployment.yaml", *away))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    with pytest.raises(Unavailable, match="--office-reference"):
        put_up(installation)
    assert installation.state(SCHEDULE_P).sign_off is None
    assert put_up(installation, "总办〔2026〕签字第 8 号") == "总办〔2026〕签字第 8 号"
    assert office_status(installation, SCHEDULE_P)[1] == OfficeAnswer("unknown")


def test_without_an_office_the_reference_is_what_was_typed_or_nothing(
    resume: Resume, schedule_p_reviewed: Path
) -> None:
    installation = resume(schedule_p_reviewed)
    with pytest.raises(BadInput, match="办公系统编号"):
        put_up(installation, "EOA\x1b[2J")
    with pytest.raises(Refused, match="没有办公系统编号"):
        office_status(installation, SCHEDULE_P)
    assert put_up(installation, "EOA-1") == "EOA-1"
    with pytest.raises(Refused, match="EOA-1 由人录入"):
        office_status(installation, SCHEDULE_P)
