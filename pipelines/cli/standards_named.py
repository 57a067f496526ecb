"""Which standard an argument means: a name in the deployment's and the product's folders, or a folder's path."""

from __future__ import annotations

from pathlib import Path

from resources.settings import Settings
from validations.engine import STANDARDS, Standard, load_standard


def standards_folders() -> tuple[Path, ...]:
    """Where standards are looked for; the deployment's own come first."""
    return (Settings.load().deployment / "standards", STANDARDS)


def where_named(argument: str) -> tuple[str, tuple[Path, ...]]:
    """The name and the folders to look in; a path names its own folder, then the usual ones."""
    path = Path(argument)
    if path.is_dir():
        resolved = path.resolve()
        return resolved.name, (resolved.parent, *standards_folders())
    return argument, standards_folders()


def standard_named(argument: str) -> tuple[Standard, tuple[Path, ...]]:
    """The standard, and the folders it was looked for in. Raises BadInput as `load_standard`."""
    name, folders = where_named(argument)
    return load_standard(name, folders), folders
