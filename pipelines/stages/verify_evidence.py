"""Verify an archive offline, with nothing but the archive and, to know who signed it, the insurer's public key.

Four questions: are these the signed bytes; do the events form an unbroken chain; was exactly what was sent approved by
different people, each under a signed statement; did the regulator answer exactly that. Every answer that is no is listed.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipelines.errors import BadInput, BaosongError, Tampered
from pipelines.ledger.chain import ChainRow, check_chain
from pipelines.ledger.events import event_of
from pipelines.ledger.filing import FilingState, fold
from pipelines.ledger.filing_events import OpinionGiven
from pipelines.ledger.recorded import Recorded
from pipelines.ledger.request import fold_request
from pipelines.ledger.statements import check_statements
from pipelines.stages.canonical import file_digest
from pipelines.stages.certificate import check_certificate
from pipelines.stages.evidence_file import MANIFEST, SIGNATURE, Manifest, unpack_evidence_file
from pipelines.stages.formats import package_digest
from pipelines.stages.off_system_round import check_uploads
from resources.channels import parse_receipt
from validations.engine import load_standard, table_digest


@dataclass(frozen=True)
class Verified:
    """A proven archive: what it is and who agreed to it, in the order of the route."""

    filing: str
    version: int
    key: str
    files: int
    events: int
    rounds: int
    rows: int
    content: str
    package: str
    approvals: tuple[str, ...]
    receipt: str


def verify_evidence(path: Path, public_key: str | None = None) -> Verified:
    """Prove the archive or raise Tampered listing all that does not hold. `public_key`: 64 hex digits to compare with."""
    if not path.is_file():
        raise BadInput("evidence.missing", path=path)
    try:
        return _verify(path, public_key)
    except (KeyError, TypeError, ValueError, OSError) as cause:  # signed, but not of our making
        raise Tampered("evidence.signature", path=path) from cause


def _verify(path: Path, public_key: str | None) -> Verified:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names = unpack_evidence_file(path, folder)
        manifest = _signed_manifest(path, folder, names, public_key)
        rows = [ChainRow(**json.loads(line)) for line in _lines(folder / "ledger" / "filing.jsonl")]
        problems: list[BaosongError] = [*check_chain(rows)]
        request = folder / "ledger" / "request.jsonl"
        if request.exists():
            problems += check_chain([ChainRow(**json.loads(line)) for line in _lines(request)])
        state = fold(event_of(row) for row in rows)
        is_same = state is not None and (state.id, state.version, state.seq) == (
            manifest.filing, manifest.version, manifest.events
        )  # fmt: skip
        if problems or state is None or not is_same:
            raise Tampered("evidence.chain", path=path, details=problems)
        problems += check_statements(rows, deployment=manifest.deployment, public_key=manifest.key)
        problems += (
            _rounds(folder, state) + _people(folder, state) + _content(folder, state) + _sent(folder, state)
        )
        if problems or not (state.content and state.package and state.receipt):
            raise Tampered("evidence.contradiction", path=path, details=problems)
        return Verified(
            filing=state.id,
            version=state.version,
            key=manifest.key,
            files=len(names),
            events=len(rows),
            rounds=state.round,
            rows=sum(t.rows for r in state.rounds for t in r.fact.tables.values()),
            content=state.content.fact.content,
            package=state.package.fact.package,
            approvals=tuple(_signer(o) for o in state.live_opinions),
            receipt=f"{state.receipt.fact.number} {state.receipt.fact.result}",
        )


def _signer(opinion: Recorded[OpinionGiven]) -> str:
    """Who signed at which seat, and for whom."""
    fact = opinion.fact
    seat = f"{fact.role} {fact.department}".strip()
    signer = f"{opinion.actor} ({fact.on_behalf_of})" if fact.on_behalf_of else opinion.actor
    return f"{seat}: {signer}" + ("" if fact.opinion == "agree" else " ✗")


def _signed_manifest(path: Path, folder: Path, names: list[str], public_key: str | None) -> Manifest:
    try:
        text = (folder / MANIFEST).read_bytes()
        manifest = Manifest(**json.loads(text))
        if public_key is not None and manifest.key != public_key:
            raise Tampered("evidence.other_key", path=path, key=manifest.key)
        signature = bytes.fromhex((folder / SIGNATURE).read_text(encoding="ascii"))
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.key)).verify(signature, text)
    except (OSError, ValueError, TypeError, InvalidSignature) as cause:
        raise Tampered("evidence.signature", path=path) from cause
    if set(names) != {*manifest.files, MANIFEST, SIGNATURE}:
        raise Tampered("evidence.members", path=path)
    changed = [name for name, digest in manifest.files.items() if file_digest(folder / name) != digest]
    if changed:
        raise Tampered("evidence.changed", path=path, files=", ".join(changed))
    return manifest


def _rounds(folder: Path, state: FilingState) -> list[BaosongError]:
    """Each round's manifest is the one recorded, its files are those of the manifest, and its certificate holds."""
    problems: list[BaosongError] = []
    for recorded in state.rounds:
        place = folder / "rounds" / str(recorded.fact.round)
        manifest = json.loads((place / "manifest.json").read_bytes())
        tables = manifest["tables"].values()
        changed = any(file_digest(place / table["file"]) != table["sha256"] for table in tables)
        if changed or file_digest(place / "manifest.json") != recorded.fact.manifest:
            problems.append(Tampered("evidence.round", round=recorded.fact.round))
        problems += check_certificate(manifest, place, recorded.fact)
        problems += check_uploads(manifest, recorded.fact, recorded.seq, state)
    return problems


def _people(folder: Path, state: FilingState) -> list[BaosongError]:
    """Documents and workbooks that went out, answers that came back, decisions and comparisons are the ones recorded; a request
    has its events."""
    kept = {file_digest(path) for path in folder.rglob("*") if path.is_file()}
    recorded = {
        **{w.file: w.sha256 for d in (*state.dispatches, *state.answer_reviews) for w in d.fact.workbooks},
        **{name: digest for listed in state.listings for name, digest in listed.fact.documents.items()},
        **(state.sign_off.fact.documents if state.sign_off else {}),
        **{f"compliance {o.seq}": o.fact.compliance.digest for o in state.opinions if o.fact.compliance},
        **{f"problems {d.seq}": d.fact.problems for d in (*state.dispatches, *state.answer_reviews)},
        **{f"first review {r.seq}": r.fact.decisions for r in state.first_reviews},
        **{f"upload {u.seq}": u.fact.file for u in state.uploads},
        **{f"workbook {a.seq}": a.fact.workbook for a in state.answers},
        **{f"answers {a.seq}": a.fact.answers for a in state.answers},
        **{f"decisions {r.seq}": r.fact.decisions for r in state.answer_reviews},
        **{f"comparison {c.seq}": c.fact.comparison for c in state.comparisons},
        **{f"changes {c.seq}": c.fact.changes for c in state.comparisons},
        **{
            f"proof {t.seq} {d.name}": d.sha256
            for t in (*state.talks, *state.extensions)
            for d in t.fact.documents
        },
    }
    missing: list[str] = []
    if state.opened.fact.opened_by == "request":
        path = folder / "ledger" / "request.jsonl"
        lines = _lines(path) if path.is_file() else []
        request = fold_request(event_of(ChainRow(**json.loads(line))) for line in lines)
        for demand in request.demands if request else ():
            recorded |= {f"document {demand.seq} {d.name}": d.sha256 for d in demand.fact.documents}
        missing += [] if request else ["request"]
    missing += [name for name, digest in recorded.items() if digest and digest not in kept]
    return [Tampered("evidence.missing_parts", parts=", ".join(missing))] if missing else []


def _content(folder: Path, state: FilingState) -> list[BaosongError]:
    """The approved content is rebuilt: its digest from its parts, the tables' digests from their rows."""
    if state.content is None:
        return [Tampered("evidence.no_content")]
    judged = state.content.fact
    place = folder / "contents" / judged.content
    text = (place / "content.json").read_bytes()
    problems: list[BaosongError] = []
    if sha256(text).hexdigest() != judged.content:
        problems.append(Tampered("evidence.content", content=judged.content[:12]))
    if file_digest(place / "findings.parquet") != judged.findings:
        problems.append(Tampered("evidence.findings", content=judged.content[:12]))
    standard = load_standard(state.opened.fact.standard, (folder / "standard",), alone=True)
    parts = json.loads(text)
    if (parts["filing"], parts["version"], parts["round"]) != (state.id, state.version, judged.round):
        problems.append(Tampered("evidence.content", content=judged.content[:12]))
    if parts["standard"]["digest"] != standard.digest:
        problems.append(Tampered("evidence.standard", standard=standard.name))
    for name, digest in parts["tables"].items():
        table = place / f"{name}.parquet"
        if not table.exists():
            table = folder / "rounds" / str(judged.round) / f"{name}.parquet"
        if table_digest(standard.table(name), table) != digest:
            problems.append(Tampered("evidence.table", table=name))
    return problems


def _sent(folder: Path, state: FilingState) -> list[BaosongError]:
    """What was sent is what was approved, by a complete route of different people; the receipt names its bytes."""
    problems: list[BaosongError] = []
    live = state.live_sign_off
    is_proper = live is not None and state.follows_route and state.has_distinct_people
    if not is_proper or not state.is_approved:
        problems.append(Tampered("evidence.approval"))
    if state.package is None or package_digest(folder / "package") != state.package.fact.package:
        problems.append(Tampered("evidence.package"))
    elif state.sent is None or state.sent.fact.package != state.package.fact.package:
        problems.append(Tampered("evidence.delivery"))
    text = (folder / "receipt.json").read_text(encoding="utf-8")
    receipt = parse_receipt(text)
    answered = folder / "package" / Path(receipt.file_name).name
    recorded = state.receipt.fact if state.receipt else None
    is_recorded = recorded and (recorded.text, recorded.result, recorded.number) == (
        text, receipt.result, receipt.number
    )  # fmt: skip
    if not is_recorded or not answered.is_file() or file_digest(answered) != receipt.sha256:
        problems.append(Tampered("evidence.receipt", number=receipt.number))
    return problems


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]
