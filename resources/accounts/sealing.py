"""The key under which secrets of second factors lie encrypted, and the sealing itself. Which secrets, is told elsewhere.

The key is a file apart from the database: who copies only the database cannot make anybody's codes.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.errors import Refused, Tampered

_NONCE_BYTES, _KEY_BYTES = 12, 32


class Seal:
    """AES-256-GCM; what is sealed for one user opens for no other."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._cipher = path, AESGCM(key)

    @classmethod
    def open(cls, home: Path) -> Seal:
        """The key `keys/accounts` of the home, made once. Refused if others may read it, Tampered if it is no key."""
        path = home / "keys" / "accounts"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _place_new(path, secrets.token_bytes(_KEY_BYTES))
        if path.stat().st_mode & 0o077:
            raise Refused("account.key_readable", path=path)
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise Tampered("account.key_unusable", path=path)
        return cls(path, key)

    def close(self, secret: str, user_id: str) -> str:
        """The secret as a text that only this key and user open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(
            nonce + self._cipher.encrypt(nonce, secret.encode(), user_id.encode())
        ).decode()

    def reveal(self, sealed: str, user_id: str) -> str:
        """The secret. Tampered `account.secret_unreadable` where it was altered, moved, or sealed with another key."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, user_id.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise Tampered("account.secret_unreadable", user=user_id, path=self._path) from None


def _place_new(path: Path, content: bytes) -> None:
    """Make `path`, whole and on disk and for the owner only, or leave what another process made meanwhile."""
    descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        Path(name).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
