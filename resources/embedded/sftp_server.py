"""The insurer's designated SFTP server, as far as demo and tests need one: asyncssh below a changed root.

User `baosong` writes in /outbox, user `branch` reads there. An account of the inbox sees its own folder as the root: it
drops files there and reads what came back. Everything else is refused: links, other folders, shells. What the product
does with such a server is in `resources.channels.sftp`, not here.
"""

from __future__ import annotations

import hmac
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.constants import FXF_APPEND, FXF_CREAT, FXF_TRUNC, FXF_WRITE

from resources.embedded.places import HOST_KEY_ALIAS, Places, inbox_secret, write_once, write_whole

WRITER = "baosong"
READER = "branch"
_WRITING = FXF_WRITE | FXF_APPEND | FXF_CREAT | FXF_TRUNC


def prepare_host_key(places: Places) -> asyncssh.SSHKey:
    """The host key, made once, and the known_hosts file that pins it under its alias whatever the port."""
    if not places.host_key.exists():
        made = asyncssh.generate_private_key("ssh-ed25519")
        write_once(places.host_key, made.export_private_key().decode("ascii"))
    key = asyncssh.read_private_key(places.host_key)
    write_whole(places.known_hosts, f"{HOST_KEY_ALIAS} {key.export_public_key().decode('ascii').strip()}\n")
    return key


@dataclass(frozen=True)
class Account:
    """Who may log in, what is their root, and the one folder in which they write files; None: they only read."""

    password: str
    root: Path
    writes_in: bytes | None


def accounts_of(places: Places, inbox: Sequence[str]) -> dict[str, Account]:
    """The insurer's account, its branches' for downloads, and one for each folder of the inbox."""
    return {
        **{user: Account(places.secret(inbox_secret(user)), places.inbox / user, b"/") for user in inbox},
        WRITER: Account(places.secret("sftp_password"), places.sftp, b"/outbox"),
        READER: Account(places.secret("sftp_branch_password"), places.sftp, None),
    }


async def serve_sftp(
    places: Places, sock: socket.socket, *, quota_bytes: int | None, inbox: Sequence[str] = ()
) -> asyncssh.SSHAcceptor:
    """Listen on an already bound socket; `quota_bytes` limits every file, as a full disk would."""
    accounts = accounts_of(places, inbox)

    def designated(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return _Designated(channel, accounts[channel.get_extra_info("username")], quota_bytes)

    passwords = {user: account.password for user, account in accounts.items()}
    return await asyncssh.listen(
        sock=sock,
        server_factory=lambda: _Door(passwords),
        server_host_keys=[prepare_host_key(places)],
        sftp_factory=designated,
        allow_scp=False,
        agent_forwarding=False,
        x11_forwarding=False,
        login_timeout=30,
    )


class _Door(asyncssh.SSHServer):
    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        expected = self._passwords.get(username, "")
        return hmac.compare_digest(expected.encode(), password.encode()) and expected != ""


class _Designated(asyncssh.SFTPServer):
    def __init__(
        self, channel: asyncssh.SSHServerChannel[bytes], account: Account, quota_bytes: int | None
    ) -> None:
        super().__init__(channel, chroot=os.fsencode(account.root.resolve()))
        self._writes_in = account.writes_in
        self._quota_bytes = quota_bytes

    def _demand_writable(self, *paths: bytes) -> None:
        for path in paths:
            folder = os.path.dirname(os.path.normpath(b"/" + path.lstrip(b"/")))  # noqa: PTH120 - asyncssh speaks bytes
            if folder != self._writes_in or os.path.isdir(self.map_path(path)):  # noqa: PTH112
                raise asyncssh.SFTPPermissionDenied("only files, and only in the folder of this account")

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & _WRITING:
            self._demand_writable(path)
        return super().open(path, pflags, attrs)

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        if self._quota_bytes is not None and offset + len(data) > self._quota_bytes:
            raise asyncssh.SFTPQuotaExceeded("the quota of this folder is used up")
        written = super().write(file_obj, offset, data)
        assert isinstance(written, int)
        return written

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._demand_writable(oldpath, newpath)
        _sync(self.map_path(oldpath))
        super().posix_rename(oldpath, newpath)
        _sync(os.path.dirname(self.map_path(newpath)))  # noqa: PTH120 - asyncssh speaks bytes

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._demand_writable(oldpath, newpath)
        super().rename(oldpath, newpath)

    def remove(self, path: bytes) -> None:
        self._demand_writable(path)
        super().remove(path)

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._demand_writable(path)
        super().setstat(path, attrs)

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._demand_writable(path)
        super().lsetstat(path, attrs)

    def fsetstat(self, file_obj: Any, attrs: asyncssh.SFTPAttrs) -> None:
        if not file_obj.writable():
            raise asyncssh.SFTPPermissionDenied("only of a file that is open to write")
        super().fsetstat(file_obj, attrs)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPPermissionDenied("folders are made by the server's owner")

    def rmdir(self, path: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("folders are removed by the server's owner")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("no links: they would lead out of the changed root")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("no links: they would lead out of the changed root")


def _sync(path: bytes) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
