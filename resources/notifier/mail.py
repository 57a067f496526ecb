"""Mail over SMTP (RFC 5321): one connection, one recipient, one digest. TLS is verified; a header holds one line, whatever a name holds.

Short failures before anything was handed over are tried again here; everything later is the outbox's matter.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import stamina

from pipelines.errors import BadInput
from resources.notifier.message import Digest, Outcome

_ATTEMPTS = 3
_LONGEST_NAME = 60
_PERMANENT = range(500, 600)


class _NotReachedError(Exception):
    """Nothing was handed over yet; worth another attempt."""


class _NotTrustedError(Exception):
    """The server is not who it should be, or does not take us: another attempt at once would only lock us out."""


class MailClient:
    """A client of one mail server; its password is never shown."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        starttls: bool = True,
        username: str | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        timeout_seconds: float = 20,
    ) -> None:
        self._host, self._port, self._sender = host, port, sender
        self._login = (username, password) if username is not None and password is not None else None
        self._timeout_seconds = timeout_seconds
        self._tls = trusting(ca_file) if starttls else None

    def __repr__(self) -> str:
        return f"MailClient({self._host}:{self._port})"

    def send(self, address: str, name: str, digest: Digest) -> Outcome:
        """One mail. Never raises for what a server or a network does."""
        content = self.message(address, name, digest).as_bytes()
        try:
            for attempt in stamina.retry_context(
                on=_NotReachedError,
                attempts=_ATTEMPTS,
                timeout=None,
                wait_initial=0.1,
                wait_max=2.0,
                wait_jitter=0.1,
            ):
                with attempt:
                    return self._try(address, content)
        except (_NotReachedError, _NotTrustedError) as last:
            return Outcome("down", str(last))
        raise AssertionError("a retry context either returns or raises")

    def message(self, address: str, name: str, digest: Digest) -> EmailMessage:
        """The mail as it is sent: 7 bits wide. Its Message-ID is the digest's, so that a copy can be told as one."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address("Baosong 报送", addr_spec=self._sender)
        mail["To"] = Address(one_line(name), addr_spec=address)
        mail["Subject"] = one_line(digest.title)
        mail["Date"] = digest.at
        mail["Message-ID"] = f"<{digest.id}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers to us
        mail.set_content(digest.text, cte="base64")
        return mail

    def _try(self, address: str, content: bytes) -> Outcome:
        smtp = self._connected()
        try:
            for says in (
                lambda: smtp.mail(self._sender, [f"size={len(content)}"] if smtp.has_extn("size") else []),
                lambda: smtp.rcpt(address),
            ):
                if refusal := _refusal(says):
                    return refusal
            return _handed_over(smtp, content)
        finally:
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        try:
            smtp = smtplib.SMTP(self._host, self._port, timeout=self._timeout_seconds)
        except (OSError, smtplib.SMTPException) as error:
            raise _NotReachedError(_words(error)) from error
        try:
            smtp.ehlo_or_helo_if_needed()
            if self._tls is not None:
                smtp.starttls(context=self._tls)
                smtp.ehlo()
            if self._login is not None:
                smtp.login(*self._login)
        except (ssl.SSLError, smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
            smtp.close()
            raise _NotTrustedError(_words(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            smtp.close()
            raise _NotReachedError(_words(error)) from error
        return smtp


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and names are verified, against the machine's authorities or those of a file."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise BadInput("notices.ca_file", path=ca_file, reason=error) from None


def one_line(text: str) -> str:
    """A text that may stand in a header: no control characters, no end of line, not too long."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:_LONGEST_NAME]


def _refusal(says: Callable[[], tuple[int, bytes]]) -> Outcome | None:
    """The server's no to sender or recipient; None where it agrees."""
    try:
        code, said = says()
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("failed", _words(error))
    if 200 <= code < 300:
        return None
    reason = f"{code} {said.decode('utf-8', 'replace')}"[:300]
    return Outcome("refused" if code in _PERMANENT else "failed", reason)


def _handed_over(smtp: smtplib.SMTP, content: bytes) -> Outcome:
    """From here on a silence may be an acceptance."""
    try:
        code, said = smtp.data(content)
    except smtplib.SMTPDataError as error:
        result = "refused" if error.smtp_code in _PERMANENT else "failed"
        return Outcome(result, _words(error))
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("unknown", _words(error))
    if code == 250:
        return Outcome("sent")
    return Outcome(
        "refused" if code in _PERMANENT else "failed", f"{code} {said.decode('utf-8', 'replace')}"[:300]
    )


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:300]
