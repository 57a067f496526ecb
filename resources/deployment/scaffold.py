"""Starting a deployment of one's own: the template's commented files, copied into a new folder.

The template is data (`resources/deployment_template/`); its `<…>` placeholders are mistakes until they are
filled in.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pipelines.errors import Refused
from resources.settings import CHECKOUT

TEMPLATE = CHECKOUT / "resources" / "deployment_template"


def init_deployment(folder: Path) -> tuple[Path, ...]:
    """Copy the template into a new or empty folder; returns its files. Refused rather than overwrite."""
    folder = folder.expanduser().resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("deployment.folder_not_empty", path=folder)
    shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True)
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))
