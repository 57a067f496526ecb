"""Random texts that prove something once or for a while: tokens, enrolment codes, recovery codes; how they are kept.

All are drawn from the system's randomness with at least 112 bits, so one SHA-256 is enough at rest (NIST SP 800-63B
revision 3, section 5.1.2.2: only look-up secrets below that need a salt and a slow hash). Passwords are another matter
and live in `passwords.py`.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I and 1, no O and 0: 5 bits a letter
_LETTERS, _GROUP = 24, 4  # 120 bits


def new_token() -> str:
    """256 random bits for a cookie, URL-safe."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Letters and digits that a person can read from paper and type, in groups of four."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
    return "-".join(drawn[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP))


def typed(code: str) -> str:
    """What was meant by a typed code: full-width letters, blanks, dashes and case do not matter."""
    meant = unicodedata.normalize("NFKC", code[:100]).upper()
    return "".join(each for each in meant if each.isascii() and each.isalnum())


def digest(purpose: str, *parts: str) -> str:
    """The hash under which a code or a subject is kept; the same text hashes otherwise for each purpose."""
    framed = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (
            text.encode("utf-8", "surrogatepass") for text in ("baosong.accounts." + purpose, *parts)
        )
    )
    return hashlib.sha256(framed).hexdigest()
