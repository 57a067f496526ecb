"""Manifest and control files of a text package as published: their shape, not their truth.

Whether what they state is true of the data files is judged in `text_layout`.
"""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from resources.embedded.layouts import Problem

_CONTROL_KEYS = [
    "file",
    "table",
    "organisation",
    "rows",
    "bytes",
    "sha256",
    "period_from",
    "period_to",
    "version",
]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Period(_Strict):
    start: str = Field(alias="from", pattern=r"^\d{4}-\d{2}-\d{2}$")
    end: str = Field(alias="to", pattern=r"^\d{4}-\d{2}-\d{2}$")


class DataFile(_Strict):
    name: str = Field(pattern=r"^[^/\\\x00-\x1f]+\.txt$")
    table: str
    organisation: str | None
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    control: str
    control_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(_Strict):
    filing: str
    version: int = Field(ge=1)
    content: str = Field(pattern=r"^[0-9a-f]{64}$")
    corporation: str
    period: Period
    encoding: str
    delimiter: str = Field(min_length=1, max_length=1)
    header: bool
    files: list[DataFile]


def read_control(raw: bytes, file: DataFile, problems: list[Problem]) -> dict[str, str] | None:
    """The key=value lines of a control file, when they are the published ones."""
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        lines = [""]
    pairs = [line.partition("=") for line in lines[:-1]]
    keys = [key for key, _, _ in pairs]
    count = len(_CONTROL_KEYS)
    good_sums = all(
        key.startswith("sum.") and decimal_of(value) is not None for key, _, value in pairs[count:]
    )
    if lines[-1] != "" or keys[:count] != _CONTROL_KEYS or not good_sums or len(set(keys)) != len(keys):
        text = f"控制文件 {file.control} 不符合公布的格式"
        problems.append(Problem("T06", text, file.organisation or "", file.name))
        return None
    return {key: value for key, _, value in pairs}


def decimal_of(text: str) -> Decimal | None:
    """An exact number, or None where the text is not written as one."""
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,40}(\.[0-9]{1,20})?", text) else None


def stated_sums(control: dict[str, str]) -> dict[str, Decimal]:
    """The control file's sums by field."""
    return {
        key.removeprefix("sum."): Decimal(value) for key, value in control.items() if key.startswith("sum.")
    }
