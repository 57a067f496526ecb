"""A real SMTP server on loopback, in a thread of its own: keeps what it takes, refuses whom it is told to, may fall silent."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = "baosong", "a password of the test"


@dataclass
class MailServer:
    """`taken` holds what arrived, `refused` whose mail is not taken; `is_silent`: takes a mail and never says so."""

    port: int = 0
    taken: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    is_silent: bool = False
    log_ins: int = 0
    calls: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        parsed = [(address, message_from_bytes(raw, policy=policy.default)) for address, raw in self.taken]
        return [mail for address, mail in parsed if to in (None, address) and isinstance(mail, EmailMessage)]

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.calls += 1
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        self.arrived.set()
        if self.is_silent:
            await asyncio.Event().wait()
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.log_ins += 1
        is_ours = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=is_ours, handled=False)


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, port: int = 0) -> Generator[MailServer]:
    """With a TLS context it takes nothing in clear text and asks for a login."""
    kept, ready, loop = MailServer(), threading.Event(), asyncio.new_event_loop()
    options: dict[str, Any] = {"hostname": "mail.test", "loop": loop, "ident": "test"}
    if tls is not None:
        options |= {
            "tls_context": tls,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": kept.authenticate,
        }

    async def start() -> asyncio.Server:
        server = await loop.create_server(lambda: SMTP(kept, **options), "127.0.0.1", port)
        kept.port = server.sockets[0].getsockname()[1]
        ready.set()
        return server

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(start())
        loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10)
        yield kept
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
