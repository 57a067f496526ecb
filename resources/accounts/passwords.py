"""Passwords: which may be chosen, how they are hashed and verified. Who may try, and how often, is `throttle.py`."""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipelines.errors import BadInput
from resources.accounts.codes import new_token
from resources.accounts.policy import AccountPolicy

_SHORTEST_ID = 3
"""Shorter user ids (it, hr) are part of too many words to be looked for."""
_LONGEST_PIECE = 6


class Passwords:
    """argon2id with the library's parameters (RFC 9106, low memory: 64 MiB a hash, so only some at once)."""

    def __init__(self, policy: AccountPolicy, hasher: PasswordHasher | None = None) -> None:
        self._policy = policy
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(policy.hashes_at_once)
        self._dummy: str | None = None

    def check(self, password: str, user_id: str) -> None:
        """Raises BadInput `account.password_unfit` with every reason why the password may not be chosen.

        No composition rules: length, no user id inside, none of the commonest (NIST SP 800-63B section 3.1.1.2).
        """
        reasons: list[BadInput] = []
        meant = _normal(password)
        folded = meant.casefold()
        shortest, longest = self._policy.shortest_password, self._policy.longest_password
        if len(meant) < shortest:
            reasons.append(BadInput("account.password_short", shortest=shortest, length=len(meant)))
        if len(password) > longest or len(meant) > longest:
            reasons.append(BadInput("account.password_long", longest=longest))
        elif folded in _common() or _is_repetition(folded):
            reasons.append(BadInput("account.password_common"))
        if len(user_id) >= _SHORTEST_ID and user_id.casefold() in folded:
            reasons.append(BadInput("account.password_names_user"))
        if not _is_text(password):
            reasons.append(BadInput("account.password_no_text"))
        if reasons:
            raise BadInput("account.password_unfit", details=reasons)

    def hash(self, password: str) -> str:
        with self._room:
            return self._hasher.hash(_normal(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one that was hashed; without a hash the same work is done for nothing."""
        with self._room:
            if self._dummy is None:  # made at the first question, whomever it is about
                self._dummy = self._hasher.hash(new_token())
            is_possible = len(password) <= self._policy.longest_password and _is_text(password)
            given = _normal(password) if is_possible else ""
            try:
                is_right = self._hasher.verify(self._dummy if kept is None else kept, given)
            except (VerificationError, InvalidHashError):
                is_right = False
        return is_right and is_possible and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """One form for what looks the same, so that another keyboard or browser types the same password (SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def _is_text(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_repetition(text: str) -> bool:
    """Whether the text is a short piece over and over, the last time perhaps in part: aaaa…, 123412341234."""
    return any(
        (text[:size] * (len(text) // size + 1))[: len(text)] == text
        for size in range(1, min(_LONGEST_PIECE, len(text) // 2) + 1)
    )


@cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
