"""A real HTTP server on loopback that keeps what is posted to it and answers as a test wants."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Posted:
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Hook:
    """`answers` are used up one after the other, then it is `(200, {"errcode": 0})`; `is_silent`: never answers."""

    port: int = 0
    posted: list[Posted] = field(default_factory=list[Posted])
    answers: list[tuple[int, object]] = field(default_factory=list[tuple[int, object]])
    is_silent: bool = False
    end: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"


@contextmanager
def hook_server(tls: ssl.SSLContext | None = None) -> Generator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.posted.append(Posted(parts.path, parse_qs(parts.query), headers, body))
            if hook.is_silent:
                hook.end.wait()
                return
            status, said = hook.answers.pop(0) if hook.answers else (200, {"errcode": 0, "errmsg": "ok"})
            answer = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_port
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        hook.end.set()
        server.shutdown()
        server.server_close()
        thread.join()
