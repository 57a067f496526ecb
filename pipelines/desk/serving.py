"""Starting the desk: one process with uvicorn, on loopback unless somebody says how it is protected."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

import uvicorn

from pipelines.desk.app import create_app
from pipelines.desk.live import Pace, Streams
from pipelines.desk.reading import Reading
from pipelines.desk.visit import Desk
from pipelines.errors import Refused
from pipelines.stages.account_notices import accounts_of
from pipelines.stages.installation import open_installation
from resources.settings import Settings


@contextmanager
def open_desk(settings: Settings) -> Generator[Desk]:
    """The desk of an installation; ledger and accounts are closed at the end."""
    with (
        open_installation(settings) as installation,
        accounts_of(installation) as accounts,
    ):
        yield Desk(installation, accounts, Reading(installation))


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
    is_behind_proxy: bool = False,
) -> None:
    """Serve until the process is ended. Refused for an address that others reach without TLS or a proxy that ends it."""
    if not ipaddress.ip_address(host).is_loopback and certificate is None and not is_behind_proxy:
        raise Refused("desk.unprotected", host=host)
    with open_desk(settings) as desk:
        server_of(
            desk, host=host, port=port, certificate=certificate, key=key, is_behind_proxy=is_behind_proxy
        ).run()


def server_of(
    desk: Desk,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Path | None = None,
    key: Path | None = None,
    is_behind_proxy: bool = False,
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> uvicorn.Server:
    """The server, to be run; it tells nobody what it is, and believes only a proxy of this machine who is asking."""
    app = create_app(desk, pace=pace)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",  # bounds what stands before a body, which the parser that uvicorn prefers does not
        ws="none",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        server_header=False,
        proxy_headers=is_behind_proxy,
        forwarded_allow_ips="127.0.0.1",
        log_level="warning",
        access_log=False,
        lifespan="off",
    )
    return _Server(config, app.state.streams)


class _Server(uvicorn.Server):
    """Ends the streams of open pages before it waits for what is still being answered."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._streams.stop()
        await super().shutdown(sockets)
