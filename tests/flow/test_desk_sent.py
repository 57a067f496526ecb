"""The end of a filing at the desk: package and delivery to be seen, handover and receipt recorded by the branch, evidence taken.

One filing is followed to its end: the tests stand in the order of its stages and are run in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from pipelines.demo.visitor import Declined
from pipelines.stages.acknowledge import reopen
from pipelines.stages.archive import archive
from pipelines.stages.formats import sent_file
from pipelines.stages.package import package_folder
from resources.embedded.bureau import hand_over
from resources.embedded.places import Places
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.play import SCHEDULE_P, opened, own_deployment, preparer, reach_servers, run

PAGE = f"/filings/{SCHEDULE_P}/sent"
BY_HAND = (
    "deployment.yaml",
    "source: schedule_p\n    channel: commission_interface",
    "source: schedule_p\n    channel: designated_sftp",
)


@dataclass(frozen=True)
class Delivered:
    """A filing that lies on the designated server, its desk, and the files as somebody downloads them from there."""

    street: Street
    package: Path
    servers: Path


@pytest.fixture(scope="module")
def delivered(
    schedule_p_approved: Path, servers: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Delivered]:
    folder = tmp_path_factory.mktemp("sent")
    deployment, home = own_deployment(folder / "deployment", BY_HAND), folder / "home"
    shutil.copytree(schedule_p_approved, home)
    reach_servers(home, servers)
    with opened(home, deployment) as installation, at_desk(installation) as street:
        state = run(installation, SCHEDULE_P, "package", "deliver")
        name = sent_file(package_folder(installation, state)).name
        shutil.copyfile(Places(servers).outbox / name, folder / name)
        yield Delivered(street, folder / name, servers)


def certain(**more: str) -> dict[str, str]:
    return {"is_certain": "1", **more}


def test_package_files_delivery_and_certificate_stand_on_the_page(delivered: Delivered):
    state = delivered.street.installation.state(SCHEDULE_P)
    assert state.package and state.sent
    page = words(delivered.street.visitor("data_engineer").read(PAGE))
    for name, digest in state.package.fact.files.items():
        size = (package_folder(delivered.street.installation, state) / name).stat().st_size
        assert f"{name} {size:,} {digest}" in page
    assert f"designated_sftp SFTP 服务器 {state.sent.at:%Y-%m-%d %H:%M}" in page
    assert f"已送达 {delivered.package.name} 送达后读回比对 SHA-256 {state.sent.fact.reference}" in page
    for table, facts in state.rounds[-1].fact.tables.items():
        assert f"{table} {facts.rows:,} {facts.rows:,} 相符" in page
    assert "还没有回执" in page and "没有移交记录" in page and "登记移交" not in page


def test_only_the_packages_own_file_is_a_handover_and_it_is_said_what_is_recorded(delivered: Delivered):
    branch, installation = delivered.street.visitor("filer_correspondent"), delivered.street.installation
    page = branch.read(PAGE)
    assert "登记后，移交人、时间和文件摘要永久记入台账，不能撤回" in page and "登记回执" not in page
    other = delivered.package.with_name("other.zip")
    other.write_bytes(delivered.package.read_bytes())
    before = installation.state(SCHEDULE_P)
    for fields, files in (
        (certain(), []),
        ({}, [("handed_over", delivered.package)]),
        (certain(), [("handed_over", other)]),
    ):
        with pytest.raises(Declined) as said:
            branch.send(PAGE, f"/filings/{SCHEDULE_P}/handover", fields, files=files)
        assert str(said.value) and installation.state(SCHEDULE_P) == before
    page = branch.send(
        PAGE, f"/filings/{SCHEDULE_P}/handover", certain(), files=[("handed_over", delivered.package)]
    )
    assert "移交已登记" in page
    given = installation.state(SCHEDULE_P).handover
    assert given is not None and given.actor == "filer_correspondent"
    digest = sha256(delivered.package.read_bytes()).hexdigest()
    assert dict(given.fact.files) == {delivered.package.name: digest}
    assert "登记移交" not in page and "登记回执" in page


def test_a_receipt_of_other_bytes_is_refused_and_the_bureaus_own_is_recorded_and_shown(delivered: Delivered):
    branch, installation = delivered.street.visitor("filer_correspondent"), delivered.street.installation
    receipt = delivered.package.with_name("receipt.json")
    action = f"/filings/{SCHEDULE_P}/receipt"
    for wrong in ("not a receipt", "{}"):
        receipt.write_text(wrong, encoding="utf-8")
        with pytest.raises(Declined, match="回执"):
            branch.send(PAGE, action, {}, files=[("receipt", receipt)])
    assert installation.state(SCHEDULE_P).receipt is None
    text = hand_over(Places(delivered.servers), delivered.package, filing=SCHEDULE_P)
    receipt.write_text(text, encoding="utf-8")
    page = words(branch.send(PAGE, action, {}, files=[("receipt", receipt)]))
    told = installation.state(SCHEDULE_P).receipt
    assert told is not None and told.actor == "filer_correspondent"
    assert f"回执编号 {told.fact.number} 出具机构 {told.fact.issuer}" in page
    assert f"原文在台账第 {told.seq} 个事件中；归档后另存于档案的 receipt.json" in page
    assert told.fact.text not in page, "errors named there may be other branches'"
    assert told.fact.text in words(delivered.street.visitor("data_engineer").read(PAGE))


def test_the_evidence_is_taken_as_archived_by_examiner_and_engineer_and_that_is_recorded(
    delivered: Delivered,
):
    installation = delivered.street.installation
    state = archive(installation, SCHEDULE_P)
    assert state.evidence is not None
    link = f"/filings/{SCHEDULE_P}/evidence/1"
    for user in ("auditor", "data_engineer"):
        visitor = delivered.street.visitor(user)
        assert f'href="{link}"' in visitor.read(PAGE)
        assert sha256(visitor.fetch(link)).hexdigest() == state.evidence.fact.evidence
        last = delivered.street.accounts.trail(1)[0]
        assert (last.user, last.event, last.detail["document"]) == (
            user, "evidence_taken", f"{SCHEDULE_P}-v1.zip",
        )  # fmt: skip
    assert "取走档案" in delivered.street.visitor("auditor").read("/trail")
    executive = delivered.street.visitor("executive")
    assert link not in executive.read(PAGE) and executive.client.get(link).status_code == 403
    for nothing in ("2", "0", "-1", "x"):
        path = f"/filings/{SCHEDULE_P}/evidence/{nothing}"
        assert delivered.street.visitor("auditor").client.get(path).status_code in (400, 404)


def test_a_resubmission_keeps_the_first_version_on_the_page(delivered: Delivered):
    installation = delivered.street.installation
    first = installation.state(SCHEDULE_P)
    assert first.receipt and first.evidence
    reopen(installation, SCHEDULE_P, preparer(installation), reason="更正一处（模拟）")
    page = words(delivered.street.visitor("auditor").read(PAGE))
    assert "第 2 版" in page and "更正一处（模拟）" in page and "第 1 版" in page
    assert first.receipt.fact.number in page and first.evidence.fact.evidence in page
    taken = delivered.street.visitor("auditor").fetch(f"/filings/{SCHEDULE_P}/evidence/1")
    assert sha256(taken).hexdigest() == first.evidence.fact.evidence
