"""Environments of the peers, made on demand under the cache, one each, with the versions of the file beside this one."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import venv
from pathlib import Path

HERE = Path(__file__).parent


def python_of(peer: str, cache: Path) -> Path:
    """The interpreter of the peer's environment, which is made where it is missing or of other versions."""
    wanted = HERE / f"{peer}.txt"
    mark = hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]
    folder = cache / "environments" / f"{peer}-{mark}"
    python = folder / "bin" / "python"
    if (folder / ".ready").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        str(wanted),
    ]
    subprocess.run(command, check=True, env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})
    (folder / ".ready").touch()
    return python
