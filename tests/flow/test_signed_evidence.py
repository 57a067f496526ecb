"""Statements far from the database: what an archive proves of each opinion, and what the commands say of a sign-off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import Refused, Tampered
from pipelines.ledger.chain import FIRST, ChainRow, canonical_json, event_hash, payload_digest
from pipelines.ledger.heads import open_key, public_text
from pipelines.ledger.statements import check_statements
from pipelines.stages.archive import archive, evidence_path
from pipelines.stages.canonical import file_digest
from pipelines.stages.evidence_file import MANIFEST, SIGNATURE, unpack_evidence_file, write_evidence_file
from pipelines.stages.installation import Installation
from pipelines.stages.verify_evidence import verify_evidence
from tests.flow.conftest import Resume
from tests.flow.play import SCHEDULE_P, agree, opened, own_deployment, reach_servers, run

ROUTE = "steps: [actuarial, executive]"
REVIEWED = "steps: [{role: audit_reviewer, kind: compliance}, {role: executive, limit_working_hours: 8}]"
LINES = "ledger/filing.jsonl"


@pytest.fixture(scope="module")
def archived(
    schedule_p_reviewed: Path, servers: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Installation, Path]]:
    """Schedule P over a route with a compliance review, answered and archived."""
    folder = tmp_path_factory.mktemp("signed")
    deployment = own_deployment(folder / "deployment", ("routes.yaml", ROUTE, REVIEWED))
    home = folder / "home"
    shutil.copytree(schedule_p_reviewed, home)
    reach_servers(home, servers)
    with opened(home, deployment) as installation:
        agree(installation, SCHEDULE_P)
        run(installation, SCHEDULE_P, "package", "deliver", "acknowledge")
        yield installation, evidence_path(installation, archive(installation, SCHEDULE_P))


def rewritten(rows: list[ChainRow], kind: str, **changes: object) -> list[ChainRow]:
    """The chain as somebody writes it anew, who changes the last event of a kind and hashes everything again."""
    place = max(n for n, row in enumerate(rows) if row.type == kind)
    previous, done = FIRST, list[ChainRow]()
    for n, row in enumerate(rows):
        changed = _with(row, changes) if n == place else row
        facts = {
            name: value
            for name, value in asdict(changed).items()
            if name not in ("hash", "salt", "canonical_json", "prev_hash")
        }
        done.append(replace(changed, prev_hash=previous, hash=event_hash(**facts, prev_hash=previous)))
        previous = done[-1].hash
    return done


def _with(row: ChainRow, changes: dict[str, object]) -> ChainRow:
    payload = {**json.loads(row.canonical_json or "{}"), **changes}
    canonical = canonical_json(payload)
    return replace(row, canonical_json=canonical, payload_digest=payload_digest(row.salt or "", canonical))


def forge(
    installation: Installation, evidence: Path, folder: Path, *, without: str = "", **changes: object
) -> Path:
    """The archive with another opinion in a chain that holds, signed by the insurer's own key: whoever has that key and lets
    the statements be."""
    files = folder / "files"
    files.mkdir()
    unpack_evidence_file(evidence, files)
    if changes:
        lines = (files / LINES).read_text(encoding="utf-8").splitlines()
        rows = rewritten([ChainRow(**json.loads(line)) for line in lines], "opinion_given", **changes)
        (files / LINES).write_text(
            "".join(canonical_json(asdict(row)) + "\n" for row in rows), encoding="utf-8"
        )
    manifest = json.loads((files / MANIFEST).read_bytes())
    manifest["files"] = {
        name: file_digest(files / name) for name in manifest["files"] if not (without and without in name)
    }
    text = canonical_json(manifest).encode()
    members: dict[str, bytes | Path] = {name: files / name for name in manifest["files"]}
    members[MANIFEST] = text
    members[SIGNATURE] = open_key(installation.home).sign(text).hex().encode()
    path = folder / "forged.zip"
    write_evidence_file(path, members)
    return path


def test_the_archive_proves_every_statement(archived: tuple[Installation, Path]) -> None:
    installation, evidence = archived
    key = public_text(open_key(installation.home))
    proven = verify_evidence(evidence, key)
    assert proven.approvals == ("audit_reviewer: audit_reviewer", "executive: executive")
    rows = installation.ledger.rows(f"filing/{SCHEDULE_P}")
    assert list(check_statements(rows, deployment="demo", public_key=key)) == []
    other = [p.code for p in check_statements(rows, deployment="demo", public_key="11" * 32)]
    assert other == ["ledger.statement_signature"] * 2
    elsewhere = list(check_statements(rows, deployment="other", public_key=key))
    assert [p.values["differs"] for p in elsewhere] == ["deployment"] * 2


def test_an_archive_that_is_only_packed_again_holds(
    archived: tuple[Installation, Path], tmp_path: Path
) -> None:
    """So that the refusals below are those of what was changed."""
    installation, evidence = archived
    assert verify_evidence(forge(installation, evidence, tmp_path)).filing == SCHEDULE_P


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"comment": "另有意见"}, "ledger.statement_differs"),
        ({"authentication": "totp"}, "ledger.statement_differs"),
        ({"signature": "00" * 64}, "ledger.statement_signature"),
        ({"statement": "", "signature": ""}, "ledger.statement_missing"),
    ],
)
def test_a_changed_opinion_is_reported_though_the_chain_and_the_manifest_hold(
    archived: tuple[Installation, Path], tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    installation, evidence = archived
    with pytest.raises(Tampered) as caught:
        verify_evidence(forge(installation, evidence, tmp_path, **changes))
    assert [detail.code for detail in caught.value.details] == [code]


def test_the_review_that_was_signed_belongs_to_the_archive(
    archived: tuple[Installation, Path], tmp_path: Path
) -> None:
    installation, evidence = archived
    opinion = installation.state(SCHEDULE_P).live_opinions[0]
    assert opinion.fact.compliance is not None
    digest = opinion.fact.compliance.digest
    with pytest.raises(Tampered) as caught:
        verify_evidence(forge(installation, evidence, tmp_path, without=digest))
    assert f"compliance {opinion.seq}" in str(caught.value)


# ---- the commands


@pytest.fixture
def baosong(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """`baosong(*arguments)` on Schedule P, which waits for its sign-off."""
    deployment = own_deployment(tmp_path / "deployment", ("routes.yaml", ROUTE, REVIEWED))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(deployment))

    def call(*arguments: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, list(arguments))
        if isinstance(done.exception, Refused):
            raise done.exception
        assert done.exit_code == exit_code, done.output
        return done.output

    return call


def test_gates_and_the_review_are_listed(baosong: Callable[..., str]) -> None:
    assert [line.split("\t")[0] for line in baosong("gates", SCHEDULE_P).splitlines()] == ["开"] * 14
    listed = baosong("compliance", SCHEDULE_P)
    assert "偏离 1 项" in listed.splitlines()[0]
    (deviating,) = [line for line in listed.splitlines() if line.strip().startswith("偏离")]
    assert "裁定不快于人的阅读" in deviating and "business_reviewer" in deviating
    assert json.loads(baosong("compliance", SCHEDULE_P, "--json"))["digest"]


def test_the_sign_off_tells_whose_turn_it_is_until_when_and_what_was_said_before(
    baosong: Callable[..., str],
) -> None:
    told = baosong("sign-off", SCHEDULE_P, "--as", "data_engineer")
    assert "签署路线 audit_reviewer → executive" in told
    assert "待签：audit_reviewer\n" in told
    told = baosong(
        "sign", SCHEDULE_P, "--as", "audit_reviewer", "--opinion", "agree", "--comment", "仅裁定过快"
    )
    assert "审核流程合规审查有 1 项偏离" in told
    assert "待签：executive（2026-05-0" in told
    baosong("sign", SCHEDULE_P, "--as", "executive", "--opinion", "disagree", "--comment", "请复核")
    shown = baosong("filing", "show", SCHEDULE_P)
    assert "退回: 提请人" in shown
    with pytest.raises(Refused, match="executive 不同意本报送内容（请复核）"):
        baosong("sign-off", SCHEDULE_P, "--as", "data_engineer")
    baosong("sign-off", SCHEDULE_P, "--as", "data_engineer", "--answer", "已逐条复核")
    summary = json.loads(baosong("filing", "show", SCHEDULE_P, "--json"))
    assert (summary["answer"], summary["seats"]) == ("已逐条复核", ["audit_reviewer"])
    assert summary["earlier_opinions"] == [
        "audit_reviewer audit_reviewer: agree 仅裁定过快",
        "executive executive: disagree 请复核",
    ]
    assert list(summary["deviations"].values()) == [1]
    assert (summary["opinions"], summary["void_opinions"]) == ([], [])
