"""How the provider is asked: by HTTP without redirects, within a time and a size, never through a proxy of the environment."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx

from pipelines.errors import BadInput, Unavailable

MOST_BYTES = 256 * 1024
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=0)


class _Bounded(httpx.SyncByteStream):
    """An answer that is given up once it is too long or comes too slowly."""

    def __init__(self, inner: httpx.SyncByteStream, seconds: float) -> None:
        self._inner, self._until = inner, monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for part in self._inner:
            seen += len(part)
            if seen > MOST_BYTES:
                raise httpx.ReadError(f"more than {MOST_BYTES} bytes")
            if monotonic() > self._until:
                raise httpx.ReadTimeout("the answer comes too slowly")
            yield part

    def close(self) -> None:
        self._inner.close()


class BoundedTransport(httpx.BaseTransport):
    """HTTP over sockets; TLS trusts the machine's authorities, or those of `ca_file`. BadInput for a file that is none."""

    def __init__(self, ca_file: Path | None, timeout_seconds: float) -> None:
        try:
            trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except (OSError, ssl.SSLError) as error:
            raise BadInput("sign_on.ca_file", path=ca_file, reason=error) from None
        self._inner, self._seconds = (
            httpx.HTTPTransport(verify=trust, trust_env=False, limits=_LIMITS),
            timeout_seconds,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        assert isinstance(answer.stream, httpx.SyncByteStream), "what HTTPTransport gives"
        answer.stream = _Bounded(answer.stream, self._seconds)
        return answer

    def close(self) -> None:
        self._inner.close()


def client_of(ca_file: Path | None, timeout_seconds: float) -> httpx.Client:
    """A client to ask the provider with; threads may share it, and it holds no connection between questions."""
    return httpx.Client(
        transport=BoundedTransport(ca_file, timeout_seconds),
        timeout=timeout_seconds,
        follow_redirects=False,
        headers={"Accept": "application/json"},
    )


def document(client: httpx.Client, url: str) -> dict[str, object]:
    """A JSON object of the provider. Unavailable `sign_on.down` where it does not answer, or with something else."""
    try:
        answer = client.get(url)
        read = json.loads(answer.content) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        raise Unavailable("sign_on.down", url=url, reason=type(error).__name__) from error
    if not isinstance(read, dict):
        raise Unavailable("sign_on.down", url=url, reason=f"HTTP {answer.status_code}")
    return read
