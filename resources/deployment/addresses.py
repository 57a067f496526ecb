"""Where a channel's other side listens: fixed in the deployment, or written to a file when it is ready."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.errors import Unavailable
from resources.deployment.connections import Address


def resolve_address(address: Address, home: Path) -> tuple[str, int]:
    """Host and port. Raises Unavailable `deployment.endpoint_missing` while the server is not ready."""
    if address.host is not None and address.port is not None:
        return address.host, address.port
    path = home / (address.file or "")
    try:
        endpoint = json.loads(path.read_text(encoding="utf-8"))[address.key]
        return str(endpoint["host"]), int(endpoint["port"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Unavailable("deployment.endpoint_missing", path=path, key=address.key) from None
