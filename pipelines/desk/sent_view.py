"""What was sent (报文包、传送、回执), version by version: packages with their files, attempts, handovers, receipts, evidence.

Told from the events, so that what a resubmission put aside is still here. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.ledger import filing_events as e
from pipelines.ledger.filing import FilingState
from pipelines.ledger.recorded import Recorded
from pipelines.stages.archive import evidence_path
from pipelines.stages.certificate import Certificate, read_certificate
from pipelines.stages.installation import Installation
from pipelines.stages.package import package_folder

_TOLD = (e.FilingReopened, e.PackageBuilt, e.DeliveryReserved, e.DeliverySent, e.HandoverRecorded, e.ReceiptReceived,
         e.EvidenceArchived)  # fmt: skip
_KINDS = {kind.kind: kind for kind in _TOLD}


@dataclass(frozen=True)
class SentFile:
    """A file of a package; `bytes` is None where a later package of the same version took its place."""

    name: str
    sha256: str
    bytes: int | None


@dataclass(frozen=True)
class SentPackage:
    """A package as it was built, and the round that its content was made from."""

    built: Recorded[e.PackageBuilt]
    round: int
    files: tuple[SentFile, ...]


@dataclass
class Attempt:
    """A delivery: reserved, and then sent; without `sent` its outcome is not known yet."""

    reserved: Recorded[e.DeliveryReserved]
    sent: Recorded[e.DeliverySent] | None = None


@dataclass
class SentVersion:
    """One version of a filing; `reopened` says why there is another one after the first."""

    version: int
    reopened: Recorded[e.FilingReopened] | None = None
    packages: list[SentPackage] = field(default_factory=list[SentPackage])
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    handovers: list[Recorded[e.HandoverRecorded]] = field(default_factory=list[Recorded[e.HandoverRecorded]])
    receipt: Recorded[e.ReceiptReceived] | None = None
    evidence: Recorded[e.EvidenceArchived] | None = None
    evidence_bytes: int | None = None


def sent_versions(installation: Installation, state: FilingState) -> list[SentVersion]:
    """Every version of which anything was packaged, the latest first."""
    versions: dict[int, SentVersion] = {}
    built: dict[int, list[Recorded[e.PackageBuilt]]] = {}
    for event in installation.ledger.events(f"filing/{state.id}"):
        if event.type in _KINDS and event.payload is not None:
            fact: Any = _KINDS[event.type].model_validate(event.payload)
            recorded: Recorded[Any] = Recorded(event.seq, event.actor, event.at, event.hash, fact)
            known = versions.setdefault(fact.version, SentVersion(fact.version))
            if isinstance(fact, e.PackageBuilt):
                built.setdefault(fact.version, []).append(recorded)
            else:
                _told(known, recorded)
    rounds = {judged.fact.content: judged.fact.round for judged in state.contents}
    for version, packages in built.items():
        folder = package_folder(installation, state, version)
        versions[version].packages = [
            _package(each, rounds, folder if each is packages[-1] else None) for each in reversed(packages)
        ]
    for known in versions.values():
        path = evidence_path(installation, state, known.version)
        known.evidence_bytes = path.stat().st_size if known.evidence and path.is_file() else None
    return [versions[number] for number in sorted(versions, reverse=True)]


def certificate_of(installation: Installation, state: FilingState, number: int) -> Certificate:
    """What the source counted and what was written in a round. Tampered where the round is not as it was recorded."""
    recorded = next(each.fact for each in state.rounds if each.fact.round == number)
    return read_certificate(installation.rounds.path(state.id, number), recorded)


def _told(known: SentVersion, recorded: Recorded[Any]) -> None:
    match recorded.fact:
        case e.FilingReopened():
            known.reopened = recorded
        case e.DeliveryReserved():
            known.attempts.append(Attempt(recorded))
        case e.DeliverySent() as sent:
            for attempt in known.attempts:
                if attempt.reserved.fact.channel == sent.channel:
                    attempt.sent = recorded
        case e.HandoverRecorded():
            known.handovers.append(recorded)
        case e.ReceiptReceived():
            known.receipt = recorded
        case _:
            known.evidence = recorded


def _package(
    recorded: Recorded[e.PackageBuilt], rounds: Mapping[str, int], folder: Path | None
) -> SentPackage:
    fact = recorded.fact
    sizes = (
        {path.name: path.stat().st_size for path in folder.iterdir()} if folder and folder.is_dir() else {}
    )
    files = tuple(SentFile(name, sha256, sizes.get(name)) for name, sha256 in fact.files.items())
    return SentPackage(recorded, rounds.get(fact.content, 0), files)
