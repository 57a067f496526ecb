"""Hand the package over its channel, once: reserve in the ledger, look at the other side, send what is missing.

A run that died after sending finds its package on the other side and records it; nothing is ever sent blindly again.
What the regulator makes of it is `acknowledge`'s work.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import BadInput, Refused, Tampered, Unavailable
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import DeliverySent
from pipelines.stages.canonical import file_digest
from pipelines.stages.channels import open_interface, open_sftp
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.package import require_package
from pipelines.stages.request_gate import require_settled
from pipelines.stages.sign_off import require_approval


def deliver(installation: Installation, filing: str) -> FilingState:
    """Deliver the package of this version over the deployment's channel, or find it delivered.

    Raises Refused without a valid approval or with an unpinned host key, Unavailable when the other side does not
    answer as published; then nothing is lost and a rerun continues.
    """
    state = installation.state(filing)
    if not state.sent:
        require_settled(installation, state)
    require_approval(installation, state)
    folder = require_package(installation, state)
    assert state.package is not None, "require_package saw to it"
    if state.sent:
        return _signed(installation, state, state.sent.seq)
    built = state.package.fact
    config = installation.filing_config(state.opened.fact.standard)
    channel = installation.deployment.channels[config.channel]
    reserved, _ = installation.ledger.reserve(
        state.id,
        state.version,
        channel.name,
        {"version": state.version, "channel": channel.name, "package": built.package},
        actor=SYSTEM,
        at=installation.now(),
        command_id=f"{filing}:reserve:{state.version}:{channel.name}:{built.package}",
    )
    state = installation.state(filing)
    require_settled(installation, state)  # what was withdrawn before the reservation is not sent
    if reserved.payload is None or reserved.payload["package"] != built.package:
        raise Refused(
            "deliver.reserved_for_another", filing=filing, version=state.version, channel=channel.name
        )
    to_send = sent_file(folder)
    if file_digest(to_send) != built.files[to_send.name]:
        raise Tampered("package.changed", folder=folder, package=built.package[:12])
    match channel.kind:
        case "sftp":
            remote, reference, verified = _by_sftp(installation, channel.name, to_send)
        case "interface":
            remote, reference, verified = _by_interface(installation, channel.name, to_send, filing)
        case _:
            raise BadInput("deliver.unknown_channel", channel=channel.name, kind=channel.kind)
    fact = DeliverySent(
        version=state.version,
        channel=channel.name,
        package=built.package,
        remote=remote,
        reference=reference,
        verified_by=verified,
    )
    state = installation.record(state, fact, actor=SYSTEM, command=f"sent:{state.version}:{channel.name}")
    return _signed(installation, state, state.seq)


def _signed(installation: Installation, state: FilingState, seq: int) -> FilingState:
    """A head is signed at every delivery, also when the run that delivered died before it."""
    installation.ledger.sign_head_over(f"filing/{state.id}", seq, installation.now())
    return state


def _by_sftp(installation: Installation, channel: str, path: Path) -> tuple[str, str, str]:
    with open_sftp(installation, channel) as sftp:
        sent = sftp.send(path, path.name)
    if sent.sha256 != file_digest(path):
        raise Unavailable("deliver.differs", channel=channel, file=path.name)
    return sent.name, sent.sha256, "read-back SHA-256"


def _by_interface(installation: Installation, channel: str, path: Path, filing: str) -> tuple[str, str, str]:
    digest = file_digest(path)
    with open_interface(installation, channel) as interface:
        submission = interface.find(digest) or interface.store(path, filing)
        if submission.sha256 != digest or submission.filing != filing:
            raise Unavailable("deliver.differs", channel=channel, file=path.name)
        if submission.status == "stored":
            submission = interface.submit(submission.id)
    return submission.name, submission.id, "SHA-256 echoed by the interface"
