"""How notices (通知) leave: by mail and by webhooks, out of an outbox that remembers what was told and what is still to be sent.

What is told to whom is not decided here but by `pipelines/stages/notify.py`; no flow waits for any of this.
"""

from __future__ import annotations

from resources.notifier.mail import MailClient
from resources.notifier.message import Digest, Item, Outcome, Result
from resources.notifier.opening import Carriers, open_carriers
from resources.notifier.outbox import Outbox, open_outbox
from resources.notifier.shapes import Batch, New, Told
from resources.notifier.webhook import WebhookClient

__all__ = [
    "Batch",
    "Carriers",
    "Digest",
    "Item",
    "MailClient",
    "New",
    "Outbox",
    "Outcome",
    "Result",
    "Told",
    "WebhookClient",
    "open_carriers",
    "open_outbox",
]
