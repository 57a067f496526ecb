"""Servers of their own for attacks that would spoil the shared one: no proxy in front, other limits, raw bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

from pipelines.desk import serving
from pipelines.desk.app import create_app
from pipelines.desk.rate import Rate
from pipelines.desk.visit import Desk

_SILENCE_SECONDS = 0.3


@contextmanager
def bare(desk: Desk, *, rate: Rate) -> Generator[str]:
    """The address of the desk as it stands without a proxy, with another rate."""
    server = serving.server_of(desk)
    server.config.app = create_app(desk, rate=rate)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def exchange(url: str, sent: bytes) -> bytes:
    """Everything that the server answers to these bytes until it ends the connection or has nothing more to say."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        with suppress(OSError):  # refused before all was sent
            connection.sendall(sent)
        received = b""
        try:
            while part := connection.recv(65_536):
                received += part
                connection.settimeout(_SILENCE_SECONDS)
        except (ConnectionError, TimeoutError):
            pass
        return received
