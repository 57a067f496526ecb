"""`baosong desk`: serve the review desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import text
from resources.settings import Settings


def desk(
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 · port", min=1, max=65535)] = 8000,
    certificate: Annotated[Path | None, typer.Option(help="TLS 证书 · certificate", exists=True)] = None,
    key: Annotated[Path | None, typer.Option(help="TLS 私钥 · private key", exists=True)] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="由本机的代理终止 TLS · a proxy of this machine ends TLS")
    ] = False,
) -> None:
    """审核台：网页审核、答复与签署 · Serve the review desk."""
    from pipelines.desk.serving import serve  # noqa: PLC0415 - other commands need not wait for a web server

    typer.echo(text("desk.serving", url=f"http{'s' if certificate else ''}://{host}:{port}/"))
    serve(
        Settings.load(),
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        is_behind_proxy=behind_proxy,
    )
