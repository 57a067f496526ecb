"""Off-system data on the way out: what is signed does not change any more, and the evidence proves where each table came from."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.acknowledge import reopen
from pipelines.stages.archive import evidence_path
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.nil_return import declare_nil_return
from pipelines.stages.off_system_round import check_uploads
from pipelines.stages.off_system_upload import upload
from pipelines.stages.sign_off import give_opinion
from pipelines.stages.validate import read_findings
from pipelines.stages.verify_evidence import verify_evidence
from tests.flow.conftest import Resume
from tests.flow.play import (
    SCHEDULE_P,
    Cores,
    agree,
    next_signer,
    open_by_request,
    opened,
    own_deployment,
    preparer,
    replace_text,
    run,
    schedule_p_draft,
    sign_next_seat,
)

TABLE = "TRIANGLE"


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    """The finance department keeps the triangles outside the systems."""
    source = "  schedule_p:        # 公开的真实申报数据（NAIC Schedule P）\n"
    kept = f"{source}    off_system: {{{TABLE}: finance}}\n"
    return own_deployment(tmp_path / "deployment", ("deployment.yaml", source, kept))


@pytest.fixture(scope="module")
def sound(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The rows of one filer with whom no rule finds fault."""
    home = cores.furnish(tmp_path_factory.mktemp("sound"))
    with opened(home) as installation:
        open_by_request(installation, schedule_p_draft(home))
        state = run(installation, SCHEDULE_P, "extract", "validate")
        faulty = {json.loads(key)["GRCODE"] for key in read_findings(installation, state)["key"]}
        frame = pl.read_parquet(installation.rounds.path(SCHEDULE_P, 1) / f"{TABLE}.parquet")
    filer = min(set(frame["GRCODE"]) - faulty)
    return frame.filter(pl.col("GRCODE") == filer)


@pytest.fixture
def triangles(sound: pl.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "triangles.parquet"
    sound.write_parquet(path)
    return path


def hand_in(installation: Installation, file: Path) -> FilingState:
    return upload(installation, SCHEDULE_P, installation.user("accounting_reviewer"), table=TABLE, file=file)


def fewer(file: Path) -> Path:
    path = file.with_name("fewer.parquet")
    pl.read_parquet(file).head(5).write_parquet(path)
    return path


def reviewed(installation: Installation, file: Path) -> FilingState:
    """Handed in, extracted, judged without findings, ready for its sign-off."""
    open_by_request(installation, schedule_p_draft(installation.home))
    hand_in(installation, file)
    return run(installation, SCHEDULE_P, "extract", "validate", "review")


def refusal(installation: Installation, file: Path) -> str:
    before = installation.state(SCHEDULE_P)
    with pytest.raises(Refused) as caught:
        hand_in(installation, file)
    assert installation.state(SCHEDULE_P) == before
    return str(caught.value)


def test_what_is_signed_or_packaged_takes_no_upload(begin: Resume, deployment: Path, triangles: Path) -> None:
    installation = begin(deployment=deployment)
    reviewed(installation, triangles)
    assert agree(installation, SCHEDULE_P, steps=1).stage == "in_sign_off"
    assert "正在签报或已获批准，表 TRIANGLE 不能再变" in refusal(installation, fewer(triangles))
    assert sign_next_seat(installation, SCHEDULE_P).stage == "approved"
    assert "请下一签署人签署不同意" in refusal(installation, fewer(triangles))
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"
    said = refusal(installation, fewer(triangles))
    assert "第 1 版已打包" in said
    assert f"baosong filing reopen {SCHEDULE_P}" in said


def test_who_handed_in_a_table_signs_for_the_department_and_at_no_other_seat(
    begin: Resume, deployment: Path, triangles: Path
) -> None:
    accounting = 'roles: [business_reviewer]\n    organisations: ["*"]\n    departments: [finance]'
    replace_text(
        deployment / "users.yaml", accounting, accounting.replace("reviewer]", "reviewer, actuarial]", 1)
    )
    route = "steps: [actuarial, {departments: all, quorum: 1}, executive]"
    replace_text(deployment / "routes.yaml", "steps: [actuarial, executive]", route)
    installation = begin(deployment=deployment)
    reviewed(installation, triangles)
    agree(installation, SCHEDULE_P, steps=0)
    person = installation.user("accounting_reviewer")
    with pytest.raises(Refused, match="或交来过系统外数据，不能再在此席位签署"):
        give_opinion(installation, SCHEDULE_P, person, opinion="agree", comment="同意（模拟）")
    actuary = installation.user("actuary")
    give_opinion(installation, SCHEDULE_P, actuary, opinion="agree", comment="同意（模拟）")
    state = give_opinion(installation, SCHEDULE_P, person, opinion="agree", comment="同意（模拟）")
    assert (state.live_opinions[-1].fact.department, state.has_distinct_people) == ("finance", True)
    assert not replace(state, uploads=(replace(state.uploads[0], actor="actuary"),)).has_distinct_people, (
        "nor does such an opinion open a package"
    )


def test_a_disagreement_opens_the_way_to_another_upload(
    begin: Resume, deployment: Path, triangles: Path
) -> None:
    installation = begin(deployment=deployment)
    reviewed(installation, triangles)
    agree(installation, SCHEDULE_P, steps=0)
    person = next_signer(installation, SCHEDULE_P)
    give_opinion(installation, SCHEDULE_P, person, opinion="disagree", comment="行数不对（模拟）")
    due = next_step(hand_in(installation, fewer(triangles)), installation)
    assert due is not None
    assert due.key == "extract:round-2:0"


def test_an_upload_that_is_in_no_round_yet_keeps_the_old_content_from_being_signed(
    begin: Resume, deployment: Path, triangles: Path
) -> None:
    installation = begin(deployment=deployment)
    reviewed(installation, triangles)
    hand_in(installation, fewer(triangles))
    with pytest.raises(Refused) as caught:
        agree(installation, SCHEDULE_P)
    assert [gate.code for gate in caught.value.details] == ["off_system.not_extracted"]
    assert "尚未提取为第 2 轮" in str(caught.value)
    hand_in(installation, triangles)  # back to what the round holds
    assert agree(installation, SCHEDULE_P).stage == "approved"


def test_the_evidence_proves_where_an_off_system_table_came_from(
    begin: Resume, deployment: Path, triangles: Path, servers: Path
) -> None:
    installation = begin(deployment=deployment, servers=servers)
    reviewed(installation, triangles)
    agree(installation, SCHEDULE_P)
    state = run(installation, SCHEDULE_P, "package", "deliver", "acknowledge", "archive")
    assert state.stage == "archived"
    archive = evidence_path(installation, state)
    assert verify_evidence(archive).rounds == 1
    digest = sha256(triangles.read_bytes()).hexdigest()
    with zipfile.ZipFile(archive) as members:
        kept = members.read(f"off_system/{digest}.parquet")
        manifest = json.loads(members.read("rounds/1/manifest.json"))
    assert sha256(kept).hexdigest() == digest
    assert manifest["certificate"]["tables"][TABLE]["upload"] == digest
    reopen(installation, SCHEDULE_P, preparer(installation), reason="补报（模拟）")
    due = next_step(hand_in(installation, fewer(triangles)), installation)
    assert due is not None
    assert due.key == "extract:round-2:0"
    recorded = state.rounds[0]
    assert check_uploads(manifest, recorded.fact, recorded.seq, state) == []
    late = tuple(replace(u, seq=recorded.seq + 1) for u in state.uploads)
    others = tuple(replace(u, fact=u.fact.model_copy(update={"digest": "0" * 64})) for u in state.uploads)
    for forged in ((), late, others):
        wrong = check_uploads(manifest, recorded.fact, recorded.seq, replace(state, uploads=forged))
        assert [str(each) for each in wrong] == ["第 1 轮提取的核对证明不成立：TRIANGLE: upload"]


def test_the_commands_write_take_in_and_list(
    begin: Resume, deployment: Path, triangles: Path, tmp_path: Path
) -> None:
    installation = begin(deployment=deployment)
    open_by_request(installation, schedule_p_draft(installation.home))
    env = {
        "BAOSONG_HOME": str(installation.home), "BAOSONG_DEPLOYMENT": str(deployment), "COLUMNS": "200",
    }  # fmt: skip

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments, env=env)
        if isinstance(done.exception, Exception):
            raise done.exception
        return done.output

    assert "未交，等待 finance 上传" in said("off-system", "list", SCHEDULE_P)
    assert json.loads(said("filing", "show", SCHEDULE_P, "--json"))["off_system"] == {
        TABLE: "未交，等待 finance 上传"
    }
    out = tmp_path / "填报.xlsx"
    said("off-system", "template", SCHEDULE_P, TABLE, "--out", str(out))
    assert zipfile.is_zipfile(out)
    with pytest.raises(BadInput, match=f"表 NOTHING 不是报送任务 .* 的系统外数据；此任务的系统外表：{TABLE}"):
        said("off-system", "template", SCHEDULE_P, "NOTHING", "--out", str(out))
    uploaded = said("off-system", "upload", SCHEDULE_P, TABLE, str(triangles), "--as", "accounting_reviewer")
    fact = installation.state(SCHEDULE_P).off_system[TABLE].fact
    assert f"{fact.rows} 行，内容摘要 {fact.digest}" in uploaded
    (listed,) = json.loads(said("off-system", "list", SCHEDULE_P, "--json"))
    assert (listed["by"], listed["digest"], listed["rows"], listed["is_missing"]) == (
        "accounting_reviewer", fact.digest, fact.rows, False
    )  # fmt: skip
    assert f"{TABLE}: {fact.rows} 行，accounting_reviewer 于 2026-05-06 09:00 上传" in said(
        "filing", "show", SCHEDULE_P
    )
    declare_nil_return(installation, SCHEDULE_P, preparer(installation), table=TABLE, reason="本年无业务")
    assert "已零申报（finance）" in said("off-system", "list", SCHEDULE_P)
