"""How a branch hands a package to the simulated bureau; in reality a person does. For demo and tests only."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote

import httpx

from resources.embedded.places import Places
from resources.embedded.supervisor import live_endpoints


class NoReceiptError(Exception):
    """The bureau did not take the package; the text says why."""


def hand_over(places: Places, package: Path, *, filing: str) -> str:
    """The text of the bureau's receipt, accepted or rejected; the same package again has the same one."""
    alive = live_endpoints(places)
    if alive is None:
        raise NoReceiptError(
            f"no embedded servers run for {places.home}: python -m resources.embedded start --home …"
        )
    bureau = alive["bureau"]
    assert isinstance(bureau, dict)
    body = package.read_bytes()
    headers = {
        "Authorization": f"Bearer {places.secret('bureau_token')}",
        "X-File-Name": quote(package.name),
        "X-Filing": filing,
        "X-SHA256": hashlib.sha256(body).hexdigest(),
    }
    try:
        answer = httpx.post(
            f"{bureau['url']}{bureau['path']}", content=body, headers=headers, timeout=60, trust_env=False
        )
    except httpx.HTTPError as error:
        raise NoReceiptError(f"the bureau does not answer: {error}") from None
    if not answer.is_success:
        raise NoReceiptError(f"the bureau refused {package.name}: {answer.text[:300]}")
    return answer.text
