"""The office system (EOA) in which an insurer's sign-offs (签报) live: what Baosong asks of one, and the one made of two folders.

Baosong puts a draft there and shows what became of it. People's opinions are given in Baosong; nothing waits for the office.
"""

from __future__ import annotations

from pathlib import Path

from resources.deployment import Deployment
from resources.office.contract import Office, OfficeAnswer, OfficeDraft, OfficeStatus
from resources.office.folder import FolderOffice

__all__ = ["FolderOffice", "Office", "OfficeAnswer", "OfficeDraft", "OfficeStatus", "open_office"]


def open_office(deployment: Deployment) -> Office | None:
    """The deployment's office system; None where references are typed by people."""
    config = deployment.office
    if config is None:
        return None
    home: Path = deployment.home
    return FolderOffice(config.path(config.outbox, home), config.path(config.inbox, home))
