"""Signed heads: the key, signing where all streams stand, exporting it as a file, and checking such files.

A chain whose tail is cut off is still a chain; only a head signed before and kept outside the database shows the cut.
Copy the exported files to another machine: whoever can delete the newest of them can hide what came after the one before.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipelines.errors import BadInput, BaosongError, Refused, Tampered
from pipelines.ledger.chain import canonical_json

_NAME = re.compile(r"(\d{6,})\.json")


@dataclass(frozen=True)
class SignedHead:
    """Where every stream stood: `streams` maps each to its last sequence and hash; `previous` names the file before."""

    number: int
    deployment: str
    at: str
    previous: str
    streams: Mapping[str, tuple[int, str]]


def key_path(home: Path) -> Path:
    return home / "keys" / "ledger_ed25519"


def heads_folder(home: Path) -> Path:
    return home / "heads"


def open_key(home: Path) -> Ed25519PrivateKey:
    """The ledger's private key, made once. Refused if others may read it or if it is no Ed25519 key."""
    path = key_path(home)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        place_new(path, pem, mode=0o600)
    if path.stat().st_mode & 0o077:
        raise Refused("ledger.key_readable", path=path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise Refused("ledger.key_unusable", path=path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused("ledger.key_unusable", path=path)
    public = path.with_suffix(".pub")
    if not public.exists():
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        place_new(public, pem, mode=0o644)
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key as 64 hexadecimal digits: what the genesis event and every head name."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def public_text_of_file(path: Path) -> str:
    """The public key in a PEM file such as `keys/ledger_ed25519.pub`, as text; BadInput if it is none."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError as error:
        raise BadInput("ledger.public_key_unusable", path=path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput("ledger.public_key_unusable", path=path)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def sign_head(key: Ed25519PrivateKey, head: SignedHead) -> bytes:
    """The content of a head's file: canonical JSON of the head, the public key and the signature over the head."""
    body = {
        "number": head.number,
        "deployment": head.deployment,
        "at": head.at,
        "previous": head.previous,
        "streams": {stream: [seq, hash] for stream, (seq, hash) in head.streams.items()},
    }
    signature = key.sign(canonical_json(body).encode()).hex()
    return (canonical_json({"head": body, "key": public_text(key), "signature": signature}) + "\n").encode()


def read_head(content: bytes, *, name: str, public_key: str) -> SignedHead:
    """The head in `content`, if it was signed with the key whose public text is given; Tampered otherwise."""
    try:
        document: dict[str, Any] = json.loads(content)
        if document["key"] != public_key:
            raise Tampered("ledger.head_file_key", file=name, key=document["key"], expected=public_key)
        body: dict[str, Any] = document["head"]
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(
            bytes.fromhex(document["signature"]), canonical_json(body).encode()
        )
        if (canonical_json(document) + "\n").encode() != content or document["signature"].lower() != document[
            "signature"
        ]:
            raise Tampered("ledger.head_file", file=name)
        streams = {stream: (int(seq), str(hash)) for stream, (seq, hash) in body["streams"].items()}
        return SignedHead(body["number"], body["deployment"], body["at"], body["previous"], streams)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        InvalidSignature,
        BadInput,
    ) as error:
        raise Tampered("ledger.head_file", file=name) from error


def export_head(home: Path, key: Ed25519PrivateKey, make: Callable[[int, str], SignedHead]) -> Path:
    """Write the next head's file durably; `make` is given its number and the SHA-256 of the file before it.

    `make` reads the database after the number is known, so a later head never stands behind an earlier one.
    """
    folder = heads_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(home):
        for leftover in folder.glob(".tmp-*"):  # of a killed process: nobody else writes here now
            leftover.unlink()
        files = head_files(home)
        number = max(files, default=0) + 1
        previous = sha256(files[number - 1].read_bytes()).hexdigest() if files else ""
        path = folder / f"{number:06d}.json"
        place_new(path, sign_head(key, make(number, previous)), mode=0o644)
        return path


def newest_head_covers(home: Path, stream: str, seq: int) -> bool:
    """Whether the newest exported head speaks of that event. Whether the file is good is `check_head_files`' work."""
    files = head_files(home)
    if not files:
        return False
    streams: dict[str, list[Any]] = json.loads(files[max(files)].read_bytes())["head"]["streams"]
    return stream in streams and int(streams[stream][0]) >= seq


def head_files(home: Path) -> dict[int, Path]:
    """The exported heads by number."""
    found = {path: _NAME.fullmatch(path.name) for path in sorted(heads_folder(home).glob("*.json"))}
    return {int(match[1]): path for path, match in found.items() if match}


def check_head_files(
    home: Path, *, public_key: str, deployment: str
) -> tuple[list[SignedHead], list[BaosongError]]:
    """All exported heads that are good, and what is wrong with the others: altered, missing, of another deployment."""
    heads: list[SignedHead] = []
    problems: list[BaosongError] = []
    files = head_files(home)
    previous: str | None = ""
    for number in range(1, max(files, default=0) + 1):
        if number not in files:
            problems.append(Tampered("ledger.head_file_missing", file=f"heads/{number:06d}.json"))
            previous = None
            continue
        name, content = f"heads/{files[number].name}", files[number].read_bytes()
        try:
            head = read_head(content, name=name, public_key=public_key)
            if (
                head.number != number
                or head.deployment != deployment
                or previous not in (None, head.previous)
            ):
                raise Tampered(
                    "ledger.head_file_order", file=name, number=head.number, deployment=head.deployment
                )
            heads.append(head)
        except Tampered as problem:
            problems.append(problem)
        previous = sha256(content).hexdigest()
    return heads, problems


def place_new(path: Path, content: bytes, *, mode: int) -> bool:
    """Make `path` with `content`, whole and on disk, or leave what is there already; whether it was made."""
    descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(name, path)
        except FileExistsError:
            return False
    finally:
        Path(name).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


@contextmanager
def alone(home: Path) -> Generator[None]:
    """Hold the home's lock file: one process at a time makes the key and the tables. A killed process lets it go."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "ledger.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
