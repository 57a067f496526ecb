"""Data made once: a folder per kind and size, renamed into place when whole, made anew when its makers change."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path


def made(cache: Path, name: str, make: Callable[[Path], object], *, of: str = "") -> Path:
    """The folder of that name; `make` fills it. `of`: what else its content hangs on, a standard's digest say."""
    marks = hashlib.sha256(of.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        marks.update(file.read_bytes())
    folder = cache / "data" / f"{name}-{marks.hexdigest()[:12]}"
    if not folder.exists():
        for old in folder.parent.glob(f"{name}-????????????"):
            shutil.rmtree(old)
        draft = folder.with_name(f".tmp-{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        make(draft)
        draft.rename(folder)
    return folder
