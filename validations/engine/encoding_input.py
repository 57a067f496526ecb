"""Files in the encodings of Chinese office programs, made UTF-8 without any loss before a reader sees them."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from pipelines.errors import BadInput

ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}
"""What people call them; GB18030 holds the other two."""

LINE_LIMIT_BYTES = 64 << 20
"""No line is held in memory beyond this."""

_BLOCK_BYTES = 4 << 20


def transcode(source: Path, target: Path, encoding: str) -> Path:
    """`source` itself if it is to be UTF-8, else its text as UTF-8 in `target`. Raises BadInput with line and column."""
    codec = ENCODINGS.get(encoding.lower().replace("_", "-"))
    if codec is None:
        raise BadInput("input.encoding_unknown", path=source, encoding=encoding, known=", ".join(ENCODINGS))
    if codec == "utf-8":
        return source
    if _is_utf8_chinese(source):
        raise BadInput("input.utf8_after_all", path=source, encoding=encoding)
    lines = 0
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(_BLOCK_BYTES):
            chunk += _rest_of_line(read, source)
            try:
                write.write(chunk.decode(codec).encode("utf-8"))
            except UnicodeDecodeError as error:
                before = chunk[: error.start]
                raise BadInput(
                    "input.not_gb18030",
                    path=source,
                    line=lines + before.count(b"\n") + 1,
                    cell=before.rpartition(b"\n")[2].count(b",") + 1,
                    bytes=chunk[error.start : error.end].hex(" "),
                ) from error
            except UnicodeEncodeError as error:  # GB18030 has places for surrogates
                raise BadInput(
                    "input.not_gb18030",
                    path=source,
                    line=lines + str(error.object)[: error.start].count("\n") + 1,
                    cell=str(error.object)[: error.start].rpartition("\n")[2].count(",") + 1,
                    bytes=f"U+{ord(error.object[error.start]):04X}",
                ) from error
            lines += chunk.count(b"\n")
    return target


def _rest_of_line(file: IO[bytes], source: Path) -> bytes:
    """What is missing to the line's end, so that no character is cut: none has a line end for a byte."""
    rest = file.readline(LINE_LIMIT_BYTES)
    if len(rest) == LINE_LIMIT_BYTES:
        raise BadInput("input.not_lines", path=source, limit=LINE_LIMIT_BYTES >> 20)
    return rest


def _is_utf8_chinese(source: Path) -> bool:
    """Whether a file is UTF-8 with Chinese in it, which GB18030 text is not but by a freak of a few bytes."""
    has_chinese = False
    with source.open("rb") as file:
        try:
            while chunk := file.read(_BLOCK_BYTES):
                chunk += _rest_of_line(file, source)
                text = chunk.decode("utf-8")
                has_chinese = has_chinese or any("\u4e00" <= c <= "\u9fff" for c in text)
        except UnicodeDecodeError:
            return False
    return has_chinese
