"""What the regulator answered: the interface's receipt is fetched, the bureau's is recorded by the branch.

A branch that downloads the package and hands it over leaves a handover record (移交记录); the bureau's receipt (回执)
must speak of exactly the bytes that were sent.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from pipelines.errors import BadInput, Refused, Unavailable
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import FilingReopened, HandoverRecorded, ReceiptReceived
from pipelines.stages.canonical import file_digest
from pipelines.stages.channels import open_interface
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import SYSTEM, Installation, require_role
from pipelines.stages.package import require_package
from resources.channels import Receipt, parse_receipt
from resources.deployment import User

PATIENCE_SECONDS = 60
"""How long a step waits for the regulator's validation before it says so and leaves."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the regulator's clock may be behind ours."""


def fetch_receipt(installation: Installation, filing: str) -> FilingState:
    """Ask the interface for its receipt until it has one. A receipt already in the ledger is left as it is.

    Raises Unavailable when the regulator is still validating after `PATIENCE_SECONDS`.
    """
    state = installation.state(filing)
    if state.receipt:
        return state
    if state.sent is None:
        raise Refused("acknowledge.not_sent", filing=filing)
    with open_interface(installation, state.sent.fact.channel) as interface:
        until = time.monotonic() + PATIENCE_SECONDS
        while (receipt := interface.receipt(state.sent.fact.reference)) is None:
            if time.monotonic() > until:
                raise Unavailable("acknowledge.pending", filing=filing, reference=state.sent.fact.reference)
            time.sleep(0.5)
    return _record(installation, state, receipt, SYSTEM)


def record_handover(installation: Installation, filing: str, user: User, *, files: list[Path]) -> FilingState:
    """The branch states that it handed these downloaded files to the authority; they must be the package's own."""
    require_role(user, "branch_it", "branch_preparer", act="handover")
    state = installation.state(filing)
    if state.sent is None:
        raise Refused("acknowledge.not_sent", filing=filing)
    channel = installation.deployment.channels[state.sent.fact.channel]
    if channel.kind != "sftp":
        raise Refused("acknowledge.no_handover_here", filing=filing, channel=channel.name)
    organisation = _in_scope(installation, state, user)
    sent = sent_file(require_package(installation, state))
    for path in files:
        if not path.is_file():
            raise BadInput("acknowledge.unreadable", path=path)
    digests = {path.name: file_digest(path) for path in files}
    if digests != {sent.name: file_digest(sent)}:
        raise Refused("acknowledge.other_files", filing=filing, expected=sent.name, found=", ".join(digests))
    fact = HandoverRecorded(
        version=state.version,
        package=state.sent.fact.package,
        organisation=organisation,
        recipient=state.opened.fact.authority,
        files=digests,
    )
    return installation.record(state, fact, actor=user.id, command=f"handover:{state.version}")


def record_receipt(installation: Installation, filing: str, user: User, *, receipt_file: Path) -> FilingState:
    """The branch records the bureau's receipt, which must name the bytes that were handed over."""
    require_role(user, "branch_it", "branch_preparer", act="receipt")
    state = installation.state(filing)
    if state.handover is None:
        raise Refused("acknowledge.no_handover", filing=filing)
    _in_scope(installation, state, user)
    try:
        text = receipt_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise BadInput("acknowledge.unreadable", path=receipt_file) from cause
    return _record(installation, state, parse_receipt(text), user.id)


def reopen(installation: Installation, filing: str, user: User, *, reason: str) -> FilingState:
    """Begin a resubmission (更正报送): version + 1 of a filing that was answered, accepted or refused."""
    require_role(user, "data_engineer", act="reopen")
    state = installation.state(filing)
    if state.evidence is None:
        raise Refused("acknowledge.not_answered", filing=filing)
    fact = FilingReopened(version=state.version + 1, reason=reason)
    return installation.record(state, fact, actor=user.id, command=f"reopen:{state.version + 1}")


def _in_scope(installation: Installation, state: FilingState, user: User) -> str:
    """The user's organisation within the scope of the filing."""
    for organisation in state.organisations:
        if installation.deployment.may_see(user, organisation):
            return organisation
    raise Refused("acknowledge.not_in_scope", filing=state.id, user=user.id)


def _record(installation: Installation, state: FilingState, receipt: Receipt, actor: str) -> FilingState:
    sent = sent_file(require_package(installation, state))
    if receipt.sha256 != file_digest(sent) or receipt.file_name != sent.name:
        raise Refused(
            "acknowledge.other_bytes", filing=state.id, receipt=receipt.number, file=receipt.file_name
        )
    if state.sent and receipt.received_at < state.sent.at - CLOCKS_DIFFER:
        raise Refused(
            "acknowledge.too_early", receipt=receipt.number, at=receipt.received_at, sent=state.sent.at
        )
    if state.receipt:
        if state.receipt.fact.number == receipt.number:
            return state
        raise Refused("acknowledge.second_receipt", filing=state.id, number=state.receipt.fact.number)
    assert state.sent is not None, "nothing is answered before it is sent"
    fact = ReceiptReceived(
        version=state.version,
        number=receipt.number,
        result=receipt.result,
        issuer=receipt.issuer,
        package=state.sent.fact.package,
        text=receipt.text,
        errors=len(receipt.errors),
    )
    return installation.record(state, fact, actor=actor, command=f"receipt:{state.version}:{receipt.number}")
