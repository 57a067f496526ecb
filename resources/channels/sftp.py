"""SFTP: a file is under its final name whole and verified, or not there at all.

Sending goes to `<name>.part`, resumes where a clean prefix was left, is read back and compared by SHA-256, and is
then renamed. Nothing here reserves deliveries or decides what is sent; the session itself is in `session`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

import paramiko

from pipelines.errors import BadInput, Refused, Unavailable
from resources.channels.local_files import digest_of, open_to_read, open_to_write, settle, write
from resources.channels.session import Server, Session, plain_words

Progress = Callable[[int, int], None]
"""Called with (bytes there, bytes in all)."""

_BLOCK = 32 * 1024  # the largest request every server takes
_WINDOW = 128  # requests under way when reading: 4 MiB


@dataclass(frozen=True)
class RemoteFile:
    """A file on the server under its final name; `sha256` was computed from bytes read back."""

    name: str
    size: int
    sha256: str


class SftpChannel:
    """A folder on one SFTP server. Use it as a context manager: entering connects, an error hangs up."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        known_hosts: Path,
        host_key_alias: str,
        folder: str,
        password: str | None = None,
        private_key: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._server = Server(
            host, port, username, password, private_key, known_hosts, host_key_alias, timeout_seconds
        )
        self._folder = folder.rstrip("/")
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"SftpChannel({self._server.address}{self._folder})"

    def __enter__(self) -> Self:
        self._connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. The next call connects anew."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def find(self, name: str) -> RemoteFile | None:
        """The file under its final name, read back for its hash; None when it is not there."""
        path = self._path(name)
        with self._talking(path) as client:
            size = _size(client, path)
            return None if size is None else RemoteFile(name, size, _remote_digest(client, path, size))

    def list(self) -> list[str]:
        """Names of the files in the folder, sorted, without those under way."""
        with self._talking(self._folder or "/") as client:
            entries = client.listdir_attr(self._folder or "/")
        return sorted(
            entry.filename
            for entry in entries
            if stat.S_ISREG(entry.st_mode or 0) and not entry.filename.endswith(".part")
        )

    def send(self, local: Path, name: str, progress: Progress | None = None) -> RemoteFile:
        """Put a local file there, or find it there already.

        Raises Refused when the name is taken by other content, BadInput when the local file cannot be read,
        Unavailable for all that may pass: the part sent so far stays and the next call goes on from it.
        """
        path, part = self._path(name), self._path(name) + ".part"
        with open_to_read(local) as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            size = os.fstat(source.fileno()).st_size
            whole = RemoteFile(name, size, digest)
            if self._is_there(whole):
                return whole
            with self._talking(part) as client:
                _upload(client, source, part, size, progress or _silent)
                there = _size(client, part)
                found = _remote_digest(client, part, there or 0)
                if (there, found) != (size, digest):
                    client.remove(part)
                    raise Unavailable(
                        "sftp.damaged", server=self._server.address, path=part, size=size, there=there or 0
                    )
        if self._is_there(whole):  # somebody else was quicker; a rename would overwrite silently
            return whole
        with self._talking(path) as client:
            client.posix_rename(part, path)
            if _size(client, path) != size:
                raise Unavailable("sftp.failure", server=self._server.address, path=path, reason="rename")
        return whole

    def fetch(self, name: str, to: Path) -> RemoteFile:
        """Download a file; `to` appears whole or not at all, and other content there is not overwritten."""
        path, draft = self._path(name), to.with_name(to.name + ".part")
        with self._talking(path) as client:
            size = _size(client, path)
            if size is None:
                raise FileNotFoundError(errno.ENOENT, "no such file", path)
            digest = hashlib.sha256()
            with open_to_write(draft) as file:
                for block in _blocks(client, path, size):
                    digest.update(block)
                    write(file, block, draft)
                settle(file, draft)
                written = file.tell()
        if written != size:
            draft.unlink()
            raise Unavailable(
                "sftp.damaged", server=self._server.address, path=path, size=size, there=written
            )
        if to.exists() and digest_of(to) != digest.hexdigest():
            draft.unlink()
            raise Refused("sftp.local_other_content", path=to, name=name)
        draft.replace(to)
        return RemoteFile(name, size, digest.hexdigest())

    def _is_there(self, whole: RemoteFile) -> bool:
        found = self.find(whole.name)
        if found is not None and found != whole:
            path = self._path(whole.name)
            raise Refused(
                "sftp.other_content",
                server=self._server.address,
                path=path,
                there=found.sha256,
                sha256=whole.sha256,
            )
        return found is not None

    def _path(self, name: str) -> str:
        if not name or "/" in name or name in (".", "..") or name.endswith(".part") or not name.isprintable():
            raise BadInput("sftp.name", name=name)
        return f"{self._folder}/{name}"

    def _connected(self) -> Session:
        if self._session is None:
            self._session = Session(self._server)
        return self._session

    @contextmanager
    def _talking(self, path: str) -> Generator[paramiko.SFTPClient]:
        """The client; any error hangs up first, so that nothing waits for a dead server while cleaning up."""
        session = self._connected()
        with plain_words(self._server, path):
            try:
                yield session.client
            except BaseException:
                self.close()
                raise


def _silent(there: int, size: int) -> None:
    return


def _size(client: paramiko.SFTPClient, path: str) -> int | None:
    try:
        return client.stat(path).st_size or 0
    except FileNotFoundError:
        return None


def _blocks(client: paramiko.SFTPClient, path: str, size: int) -> Iterator[bytes]:
    """The first `size` bytes of a remote file, many requests at a time and never more than a window in memory."""
    file = client.open(path, "rb")
    for start in range(0, size, _BLOCK * _WINDOW):
        end = min(size, start + _BLOCK * _WINDOW)
        yield from file.readv([(at, min(_BLOCK, end - at)) for at in range(start, end, _BLOCK)])
    file.close()


def _remote_digest(client: paramiko.SFTPClient, path: str, size: int) -> str:
    digest = hashlib.sha256()
    for block in _blocks(client, path, size):
        digest.update(block)
    return digest.hexdigest()


def _clean_prefix(client: paramiko.SFTPClient, source: BufferedReader, part: str) -> int:
    """How many bytes of an earlier attempt can stay: all of them if they begin the file, else none."""
    there = _size(client, part)
    if not there:
        return 0
    source.seek(0)
    expected = hashlib.sha256()
    left = there
    while left and (block := source.read(min(left, 1 << 20))):
        expected.update(block)
        left -= len(block)
    return there if not left and _remote_digest(client, part, there) == expected.hexdigest() else 0


def _upload(
    client: paramiko.SFTPClient, source: BufferedReader, part: str, size: int, progress: Progress
) -> None:
    at = _clean_prefix(client, source, part)
    file = client.open(part, "r+b" if at else "wb")
    file.seek(at)
    source.seek(at)
    progress(at, size)
    file.set_pipelined(True)
    block = source.read(_BLOCK)
    while block:
        following = source.read(_BLOCK)
        if not following:
            file.set_pipelined(False)  # the last write waits for all answers, else their errors are lost
        file.write(block)
        at += len(block)
        progress(at, size)
        block = following
    file.close()
