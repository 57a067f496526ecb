"""Every number that the protection of accounts goes by, in one place. Nothing here acts on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Limit:
    """So many failures within a span lock for `first_lock`; each further lock is twice as long, up to `longest_lock`.

    Locks are forgotten once `longest_lock` has passed after the last of them ended.
    """

    failures: int
    within: timedelta = timedelta(minutes=15)
    first_lock: timedelta = timedelta(minutes=15)
    longest_lock: timedelta = timedelta(hours=24)

    def lock(self, times: int) -> timedelta:
        """How long the lock is that comes as the `times`-th in a row."""
        return min(self.first_lock * 2 ** min(times - 1, 32), self.longest_lock)


@dataclass(frozen=True)
class AccountPolicy:
    """The defaults are the product's; tests and an insurer's stricter rules hand in others.

    Lengths and the absence of composition rules follow NIST SP 800-63B section 3.1.1; lock-out and session times are
    within what OWASP ASVS level 2 asks for. `fresh_within` is how recent an authentication must be for signing;
    `seen_every` how often a session's last use is written down, so an idle session may end that much earlier;
    `flow_lasts` how long somebody may take at the OpenID provider, `clocks_differ` by how much its clock may be another.
    """

    account: Limit = field(default_factory=lambda: Limit(failures=5))
    client: Limit = field(default_factory=lambda: Limit(failures=30))
    shortest_password: int = 12
    longest_password: int = 256
    hashes_at_once: int = 2
    enrolment_lasts: timedelta = timedelta(hours=72)
    recovery_codes: int = 10
    session_idle: timedelta = timedelta(minutes=30)
    session_lasts: timedelta = timedelta(hours=12)
    seen_every: timedelta = timedelta(minutes=1)
    fresh_within: timedelta = timedelta(minutes=5)
    flow_lasts: timedelta = timedelta(minutes=10)
    clocks_differ: timedelta = timedelta(minutes=1)
