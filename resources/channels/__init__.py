"""The channels that carry packages out: SFTP and the commission's HTTP interface, and the receipts that come back.

Plain clients with plain parameters: which channel a filing takes and where its secrets lie is the deployment's
business, whether something may be sent at all is the stages'. The other sides for demo and tests are in
`resources.embedded`.
"""

from __future__ import annotations

from resources.channels.interface import InterfaceChannel, Submission
from resources.channels.receipts import Receipt, ReceiptError, parse_receipt
from resources.channels.sftp import RemoteFile, SftpChannel

__all__ = [
    "InterfaceChannel",
    "Receipt",
    "ReceiptError",
    "RemoteFile",
    "SftpChannel",
    "Submission",
    "parse_receipt",
]
