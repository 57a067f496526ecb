"""One SSH session for SFTP: socket, ciphers, pinned key, login, timeouts; and the errors of all of it in plain words.

What is done over the session (send, find, fetch) is in `sftp`.
"""

from __future__ import annotations

import errno
import io
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from resources.channels.host_keys import demand_pinned, pinned_keys, prefer

_KEY_KINDS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


@dataclass(frozen=True)
class Server:
    """Where to dial and as whom; secrets stay out of its repr."""

    host: str
    port: int
    username: str
    password: str | None = field(repr=False)
    private_key: str | None = field(repr=False)
    known_hosts: Path
    host_key_alias: str
    timeout_seconds: float

    @property
    def address(self) -> str:
        return f"{self.username}@{self.host}:{self.port}"


class Session:
    """An open, authenticated SFTP session. A session that failed once is dead: open a new one."""

    def __init__(self, server: Server) -> None:
        logging.getLogger("paramiko").addHandler(
            logging.NullHandler()
        )  # its tracebacks are for logs, not people
        self.server = server
        self._pinned = pinned_keys(server.known_hosts, server.host_key_alias)
        credential = _credential(server)
        sock = _dial(server)
        try:
            self._transport = paramiko.Transport(sock)
        except paramiko.SSHException as error:
            sock.close()
            raise Unavailable("sftp.cut", server=server.address, path="", reason=error) from None
        try:
            with plain_words(server, ""):
                self._log_in(credential)
                client = paramiko.SFTPClient.from_transport(self._transport)
                if client is None:
                    raise paramiko.SSHException("no sftp subsystem")
                self.client = client
                _channel(client).settimeout(server.timeout_seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; never waits for the other side."""
        self._transport.close()

    def _log_in(self, credential: paramiko.PKey | str) -> None:
        server, transport = self.server, self._transport
        transport.banner_timeout = transport.handshake_timeout = server.timeout_seconds
        transport.auth_timeout = transport.channel_timeout = server.timeout_seconds
        options = transport.get_security_options()
        ciphers = [str(cipher) for cipher in options.ciphers]
        options.ciphers = sorted(ciphers, key=lambda cipher: "gcm" not in cipher)
        prefer(transport, self._pinned)
        transport.start_client(timeout=server.timeout_seconds)
        if not transport.initial_kex_done:  # start_client gives up silently
            raise TimeoutError("the key exchange was not finished in time")
        demand_pinned(
            transport.get_remote_server_key(),
            self._pinned,
            alias=server.host_key_alias,
            known_hosts=server.known_hosts,
            server=f"{server.host}:{server.port}",
        )
        if isinstance(credential, str):
            left = transport.auth_password(server.username, credential)
        else:
            left = transport.auth_publickey(server.username, credential)
        if left:
            raise paramiko.AuthenticationException(f"the server also wants: {', '.join(left)}")


@contextmanager
def plain_words(server: Server, path: str) -> Generator[None]:
    """Turn what paramiko and the system raise about the remote `path` into Refused or Unavailable."""
    there = server.address
    try:
        yield
    except BaosongError:
        raise
    except paramiko.AuthenticationException as error:
        if isinstance(error.__context__, EOFError) or "timeout" in str(error).lower():
            raise Unavailable(
                "sftp.timeout", server=there, path=path, seconds=server.timeout_seconds
            ) from error
        raise Refused("sftp.login", server=server.address, reason=error) from error
    except TimeoutError as error:
        raise Unavailable("sftp.timeout", server=there, path=path, seconds=server.timeout_seconds) from error
    except (paramiko.SSHException, EOFError, ConnectionError) as error:
        if "banner" in str(error):
            raise Unavailable(
                "sftp.timeout", server=there, path=path, seconds=server.timeout_seconds
            ) from error
        raise Unavailable("sftp.cut", server=there, path=path, reason=_reason(error)) from error
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise Refused("sftp.not_found", server=there, path=path) from error
        if error.errno == errno.EACCES:
            raise Refused("sftp.permission", server=there, path=path) from error
        if str(error) == "Socket is closed":  # paramiko's word for a channel whose connection has gone
            raise Unavailable("sftp.cut", server=there, path=path, reason=_reason(error)) from error
        raise Unavailable("sftp.failure", server=there, path=path, reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _dial(server: Server) -> socket.socket:
    try:
        sock = socket.create_connection((server.host, server.port), timeout=server.timeout_seconds)
    except OSError as error:
        raise Unavailable("sftp.down", server=server.address, reason=_reason(error)) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # thirty times faster for small requests
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _channel(client: paramiko.SFTPClient) -> paramiko.Channel:
    channel = client.get_channel()
    if channel is None:
        raise paramiko.SSHException("the channel is closed")
    return channel


def _credential(server: Server) -> paramiko.PKey | str:
    if server.password is not None and server.private_key is None:
        return server.password
    if server.private_key is None or server.password is not None:
        raise BadInput("sftp.credential", server=server.address)
    for kind in _KEY_KINDS:
        try:
            return kind.from_private_key(io.StringIO(server.private_key))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise BadInput("sftp.private_key", server=server.address)
