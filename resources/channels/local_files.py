"""The local end of a transfer: opening, hashing, settling files, with errors that name the local path."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from io import BufferedReader, BufferedWriter
from pathlib import Path

from pipelines.errors import BadInput


@contextmanager
def naming(path: Path) -> Generator[None]:
    """The system's errors about `path` become BadInput."""
    try:
        yield
    except OSError as error:
        raise BadInput("channel.local_file", path=path, reason=error.strerror or error) from error


def open_to_read(path: Path) -> BufferedReader:
    with naming(path):
        return path.open("rb")


def open_to_write(path: Path) -> BufferedWriter:
    with naming(path):
        return path.open("wb")


def digest_of(path: Path) -> str:
    """SHA-256 of a local file."""
    with open_to_read(path) as file, naming(path):
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(file: BufferedWriter, block: bytes, path: Path) -> None:
    with naming(path):
        file.write(block)


def settle(file: BufferedWriter, path: Path) -> None:
    """Have the file on the disk before anything is renamed onto it."""
    with naming(path):
        file.flush()
        os.fsync(file.fileno())
