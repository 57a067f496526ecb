"""Pinned host keys: the known_hosts file read strictly, looked up by alias whatever host and port are dialled.

Nothing is ever added to the file here: trusting a key is a person's decision.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import paramiko

from pipelines.errors import BadInput, Refused


def pinned_keys(known_hosts: Path, alias: str) -> list[tuple[str, bytes]]:
    """(type, key) of every line that names the alias. Raises BadInput for a missing file or an unreadable line.

    Hashed names, patterns and @markers are refused rather than half understood.
    """
    try:
        lines = known_hosts.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("sftp.known_hosts", path=known_hosts, reason=error) from None
    found: list[tuple[str, bytes]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields = line.split()
        try:
            names, kind, key = fields[0], fields[1], base64.b64decode(fields[2], validate=True)
        except (IndexError, binascii.Error):
            raise BadInput("sftp.known_hosts_line", path=known_hosts, line=number) from None
        if names[0] in "@|" or any(mark in names for mark in "*?!"):
            raise BadInput("sftp.known_hosts_line", path=known_hosts, line=number)
        if alias in names.split(","):
            found.append((kind, key))
    return found


def prefer(transport: paramiko.Transport, pinned: list[tuple[str, bytes]]) -> None:
    """Ask the server for the kinds of key that are pinned before all others."""
    kinds = {kind for kind, _ in pinned}
    if "ssh-rsa" in kinds:
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    options = transport.get_security_options()
    known = [str(kind) for kind in options.key_types]
    options.key_types = [kind for kind in known if kind in kinds] + [
        kind for kind in known if kind not in kinds
    ]


def demand_pinned(
    key: paramiko.PKey, pinned: list[tuple[str, bytes]], *, alias: str, known_hosts: Path, server: str
) -> None:
    """Raises Refused unless the server showed one of the pinned keys."""
    if (key.get_name(), key.asbytes()) in pinned:
        return
    line = f"{alias} {key.get_name()} {key.get_base64()}"
    code = "sftp.host_key_changed" if pinned else "sftp.host_key"
    fingerprint = str(key.fingerprint)
    raise Refused(code, server=server, alias=alias, path=known_hosts, fingerprint=fingerprint, line=line)
