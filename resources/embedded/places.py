"""Where the embedded servers keep things under a home, and the secrets made once. No server runs here."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

HOST = "127.0.0.1"
HOST_KEY_ALIAS = "designated-sftp"
SHANGHAI = timezone(timedelta(hours=8))  # China has had no summer time since 1991
SECRETS = ("sftp_password", "sftp_branch_password", "interface_token", "bureau_token")


@dataclass(frozen=True)
class Places:
    """The paths below `HOME/embedded`."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "embedded"

    @property
    def endpoints(self) -> Path:
        return self.root / "endpoints.json"

    @property
    def lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    @property
    def host_key(self) -> Path:
        return self.root / "secrets" / "sftp_host_key"

    @property
    def sftp(self) -> Path:
        return self.root / "sftp"

    @property
    def outbox(self) -> Path:
        return self.sftp / "outbox"

    @property
    def regulator(self) -> Path:
        return self.root / "regulator"

    @property
    def inbox(self) -> Path:
        """Where branches drop workbooks, a folder per account: outside `root`, since the product reads there."""
        return self.home / "inbox"

    def secret_file(self, name: str) -> Path:
        return self.root / "secrets" / name

    def secret(self, name: str) -> str:
        """The text of one of `SECRETS`."""
        return self.secret_file(name).read_text(encoding="ascii").strip()

    def prepare(self, inbox: Sequence[str] = ()) -> None:
        """Create folders and whatever secret does not exist yet, for the accounts of the inbox too; what exists is kept."""
        self.outbox.mkdir(parents=True, exist_ok=True)
        self.regulator.mkdir(parents=True, exist_ok=True)
        (self.root / "secrets").mkdir(mode=0o700, exist_ok=True)
        for account in inbox:
            (self.inbox / account).mkdir(parents=True, exist_ok=True)
        for name in (*SECRETS, *map(inbox_secret, inbox)):
            write_once(self.secret_file(name), secrets.token_urlsafe(24) + "\n")


def inbox_secret(account: str) -> str:
    """The name of the secret with which an account of the inbox logs in."""
    return f"inbox_{account}"


def write_once(path: Path, text: str) -> None:
    """Write a file readable by its owner only, whole or not at all, unless it exists already."""
    if path.exists():
        return
    write_whole(path, text, mode=0o600)


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace a file in one step: readers see the old text or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@dataclass(frozen=True)
class RegulatorClock:
    """The time that receipts carry: the machine's, or a clock file's so that a demo agrees with itself.

    The file is JSON, `{"simulated": ISO time, "real": ISO time}`: at `real` it was `simulated`, and time
    flows on.
    """

    file: Path | None = None

    def now(self) -> datetime:
        real = datetime.now(SHANGHAI).replace(microsecond=0)
        if self.file is None or not self.file.exists():
            return real
        stated = json.loads(self.file.read_text(encoding="utf-8"))
        flowed = datetime.now(SHANGHAI) - datetime.fromisoformat(stated["real"])
        return (
            (datetime.fromisoformat(stated["simulated"]) + flowed).astimezone(SHANGHAI).replace(microsecond=0)
        )
