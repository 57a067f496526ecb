"""Files that the desk hands out: only as they were recorded; and how uploaded ones are put down before a stage looks at them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from starlette.datastructures import UploadFile

from pipelines.desk.forms import STEERING
from pipelines.errors import BaosongError, Tampered
from pipelines.stages.canonical import file_digest

_LONGEST_NAME_BYTES = 120
_UNFIT = re.compile(rf"[/\\\\\t\n\r]|{STEERING.pattern}")


def unaltered(path: Path, sha256: str) -> Path:
    """The path; raises Tampered when the file is gone or is not the one recorded."""
    if not path.is_file() or file_digest(path) != sha256:
        raise Tampered("facts.changed", path=path)
    return path


@contextmanager
def uploaded(given: Sequence[UploadFile]) -> Generator[list[Path]]:
    """Uploaded files under their own names, as far as a file can be called so, each in a folder of its own; gone afterwards.

    What is raised over them calls them by their names alone: where they were put down is nobody's matter.
    """
    with TemporaryDirectory(prefix="baosong-upload-") as folder:
        paths: list[Path] = []
        for place, each in enumerate(given):
            path = Path(folder) / str(place) / fit_name(each.filename or "")
            path.parent.mkdir()
            with path.open("wb") as file:
                shutil.copyfileobj(each.file, file)
            paths.append(path)
        try:
            yield paths
        except BaosongError as error:
            raise _named_only(error, Path(folder)) from error


def fit_name(name: str) -> str:
    """What a file may be called on disk: the last part of the name, without what steers, its beginning cut where it is long."""
    plain = _UNFIT.sub("_", PurePath(name.replace("\\", "/").replace("\0", "_")).name).strip(". ")
    suffix = PurePath(plain).suffix if len(PurePath(plain).suffix) <= 10 else ""
    stem = (
        plain.removesuffix(suffix).encode("utf-8", "replace")[-_LONGEST_NAME_BYTES:].decode("utf-8", "ignore")
    )
    return f"{stem or 'file'}{suffix}"


def _named_only(error: BaosongError, folder: PurePath) -> BaosongError:
    """The error with files of the folder called by their names alone."""
    values = {name: _shortened(value, folder) for name, value in error.values.items()}
    return type(error)(error.code, details=[_named_only(each, folder) for each in error.details], **values)


def _shortened(value: object, folder: PurePath) -> object:
    if isinstance(value, PurePath):
        return value.name if value.is_relative_to(folder) else value
    if isinstance(value, str):
        return re.sub(re.escape(str(folder)) + r"/[0-9]+/", "", value)
    return value
