"""How many requests one address may make: a window per address, counted in memory. Guessing passwords is slowed by the accounts."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

_MOST_ADDRESSES = 100_000


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds; an office behind one address needs more than a person."""

    requests: int = 3_000
    seconds: int = 60


class RateLimit:
    """Counts per client; an IPv6 network of 64 bits is one client. `now` gives seconds that never go back."""

    def __init__(self, rate: Rate, now: Callable[[], float]) -> None:
        self._rate, self._now = rate, now
        self._window, self._counts = 0, dict[str, int]()

    def wait(self, address: str) -> int:
        """Count one request; 0, or after how many seconds the client may come again."""
        now = self._now()
        window = int(now // self._rate.seconds)
        if window != self._window or len(self._counts) > _MOST_ADDRESSES:
            self._window, self._counts = window, {}
        client = _client(address)
        self._counts[client] = self._counts.get(client, 0) + 1
        if self._counts[client] <= self._rate.requests:
            return 0
        return max(1, round((window + 1) * self._rate.seconds - now))


def _client(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:  # on a socket for both kinds, else all of IPv4 were one client
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))
