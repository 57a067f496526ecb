"""What a killed process left half-written: `.tmp-<pid>-<thread>-…`, cleared away by whoever writes in the same folder next.

Processes that share a home run on one machine; a name without a process belongs to somebody else and stays.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from threading import get_ident

_OURS = re.compile(r"\.tmp-\d+-")


def draft_name(name: str) -> str:
    """What to call a file or folder of this thread until it is whole: two may write the same content at once."""
    return f".tmp-{os.getpid()}-{get_ident()}-{name}"


def clear_leftovers(folder: Path) -> None:
    """Remove what processes that are gone left half-written in the folder; what a living one writes stays."""
    for leftover in folder.glob(".tmp-*"):
        if _OURS.match(leftover.name) and not is_alive(leftover.name):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def is_alive(name: str) -> bool:
    """Whether the process that writes `.tmp-<pid>-…` is still there."""
    try:
        os.kill(int(name.split("-")[1]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
