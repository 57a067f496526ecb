"""Evidence (档案): everything that proves a filing in one file that anyone can verify offline.

Rounds, content, findings, workbooks, answers, package, receipt, standard, SQL and the events themselves, with a signed
manifest of their digests. Checking it is `verify_evidence`'s work, which needs no installation.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import EvidenceArchived
from pipelines.ledger.heads import head_files, open_key, public_text
from pipelines.ledger.request import request_stream
from pipelines.stages.canonical import canonical_json, file_digest, sync_folder
from pipelines.stages.change_request import changes_of
from pipelines.stages.evidence_file import MANIFEST, SIGNATURE, Manifest, write_evidence_file
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.off_system import upload_file
from pipelines.stages.package import require_package
from pipelines.stages.request_draft import request_folder
from pipelines.stages.sign_off import require_approval
from pipelines.stages.verify_evidence import verify_evidence

Member = tuple[str, Path | bytes]


def archive(installation: Installation, filing: str) -> FilingState:
    """Write the evidence of an answered filing and record its digest; the archive covers every event before that."""
    state = installation.state(filing)
    if state.receipt is None:
        raise Refused("archive.no_receipt", filing=filing)
    if state.evidence:
        installation.ledger.sign_head_over(f"filing/{filing}", state.evidence.seq, installation.now())
        return state
    require_approval(installation, state)
    final = evidence_path(installation, state)
    final.parent.mkdir(parents=True, exist_ok=True)
    members = dict(sorted(_members(installation, state)))
    key = open_key(installation.home)
    manifest = Manifest(
        filing=filing,
        version=state.version,
        deployment=installation.deployment.name,
        corporation=installation.deployment.corporation.code,
        events=state.seq,
        key=public_text(key),
        files={name: _digest(content) for name, content in members.items()},
    )
    text = canonical_json(asdict(manifest)).encode()
    members[MANIFEST] = text
    members[SIGNATURE] = key.sign(text).hex().encode()
    building = final.with_name(f".tmp-{os.getpid()}-{final.name}")
    for leftover in final.parent.glob(f".tmp-*-{final.name}"):
        leftover.unlink()
    write_evidence_file(building, members)
    verify_evidence(building, manifest.key)  # what an examiner could not verify is not archived
    building.replace(final)
    sync_folder(final.parent)
    fact = EvidenceArchived(version=state.version, evidence=file_digest(final))
    state = installation.record(state, fact, actor=SYSTEM, command=f"evidence:{state.version}")
    installation.ledger.sign_head_over(f"filing/{filing}", state.seq, installation.now())
    return state


def evidence_path(installation: Installation, state: FilingState, version: int | None = None) -> Path:
    """Where the evidence of this version lies, or of an earlier one."""
    return installation.home / "evidence" / f"{state.id}-v{version or state.version}.zip"


def _members(installation: Installation, state: FilingState) -> Iterator[Member]:
    """Every member under its name in the archive."""
    filing, opened = state.id, state.opened.fact
    assert state.content and state.receipt, "only an answered filing is archived"
    yield "ledger/filing.jsonl", _events(installation, f"filing/{filing}")
    if opened.opened_by == "request":
        yield "ledger/request.jsonl", _events(installation, request_stream(opened.basis))
        yield from _folder("request", request_folder(installation, opened.basis))
    newest = head_files(installation.home)
    if newest:
        yield "ledger/head.json", newest[max(newest)]
    for number in range(1, state.round + 1):
        yield from _folder(f"rounds/{number}", installation.rounds.path(filing, number))
    for judged in state.contents:
        yield from _folder(
            f"contents/{judged.fact.content}", installation.folder("contents", filing) / judged.fact.content
        )
    for kind in ("documents", "workbooks", "answers", "facts"):
        yield from _folder(kind, installation.folder(kind, filing))
    for change in changes_of(installation, filing):
        yield f"ledger/changes/{change.number}.jsonl", _events(installation, f"change/{change.number}")
    for handed_in in state.uploads:
        path = upload_file(installation, filing, handed_in.fact)
        yield f"off_system/{path.name}", path
    yield from _folder("comparisons", installation.folder("comparisons", filing))
    yield from _folder("talks", installation.folder("talks", filing))
    yield from _folder("package", require_package(installation, state))
    yield "receipt.json", state.receipt.fact.text.encode()
    standard = installation.standard(opened.standard)
    yield from _folder(f"standard/{standard.name}", standard.path)


def _folder(prefix: str, folder: Path) -> Iterator[Member]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            yield f"{prefix}/{relative.as_posix()}", path


def _events(installation: Installation, stream: str) -> bytes:
    rows = installation.ledger.rows(stream)
    return "".join(canonical_json(asdict(row)) + "\n" for row in rows).encode()


def _digest(content: Path | bytes) -> str:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else file_digest(content)
