"""The text package as published (docs/interface.md, "Text package"): rules T01–T11.

Files are read in a stream, so a package larger than memory is judged too.
"""

from __future__ import annotations

import codecs
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from resources.embedded.layouts import Limits, Problem, UnreadableError
from resources.embedded.serials import Serials
from resources.embedded.text_manifest import DataFile, Manifest, decimal_of, read_control, stated_sums

_MANIFEST = "manifest.json"
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
_ENCODINGS = {"utf-8", "gb18030", "gbk", "gb2312"}


@dataclass
class _Reading:
    """What one data file turned out to hold."""

    rows: int = 0
    size: int = 0
    digest: str = ""
    sums: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    problems: list[Problem] = field(default_factory=list[Problem])


def judge_text_package(path: Path, *, filing: str, serials: bool, limits: Limits) -> list[Problem]:
    """All problems of a text package; raises `UnreadableError` where nothing further can be read."""
    try:
        with zipfile.ZipFile(path) as package:
            manifest = _open(package, filing, limits)
            problems = _names(package, manifest)
            numbers = Serials(manifest.period.end.replace("-", "")) if serials else None
            for file in manifest.files:
                problems += _judge_file(package, manifest, file, numbers)
            return problems
    # zipfile says NotImplementedError for a compression and RuntimeError for an encryption that it does not know.
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableError(Problem("T01", f"压缩包无法解开：{error}")) from None


def _open(package: zipfile.ZipFile, filing: str, limits: Limits) -> Manifest:
    entries = package.infolist()
    if len(entries) > limits.zip_entries or sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
        raise UnreadableError(
            Problem("G03", f"压缩包内文件过多或解开后超过 {limits.unpacked_bytes} 字节上限")
        )
    names = [entry.filename for entry in entries]
    if _MANIFEST not in names:
        raise UnreadableError(Problem("T02", "压缩包内缺少 manifest.json"))
    if package.getinfo(_MANIFEST).file_size > limits.xml_bytes:
        raise UnreadableError(Problem("G03", "manifest.json 过大"))
    try:
        manifest = Manifest.model_validate_json(package.read(_MANIFEST))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableError(
            Problem("T02", f"manifest.json 不符合公布的格式：{where} {first['msg']}")
        ) from None
    if manifest.filing != filing:
        raise UnreadableError(
            Problem("T02", f"manifest.json 的报送任务 {manifest.filing} 与申报的 {filing} 不一致")
        )
    if manifest.encoding.lower() not in _ENCODINGS:
        raise UnreadableError(Problem("T05", f"不接受编码 {manifest.encoding}"))
    return manifest


def _names(package: zipfile.ZipFile, manifest: Manifest) -> list[Problem]:
    names = package.namelist()
    listed = [_MANIFEST, *(file.name for file in manifest.files), *(file.control for file in manifest.files)]
    problems = [
        Problem("T03", f"压缩包内文件 {name} 重名")
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    problems += [
        Problem("T03", f"{name} 在清单中重复") for name in sorted({n for n in listed if listed.count(n) > 1})
    ]
    problems += [
        Problem("T03", f"压缩包内有清单之外的文件 {name}") for name in sorted(set(names) - set(listed))
    ]
    problems += [
        Problem("T03", f"清单列出的文件 {name} 不在压缩包内") for name in sorted(set(listed) - set(names))
    ]
    problems += [
        Problem(
            "T03",
            f"控制文件名 {file.control} 应与数据文件 {file.name} 同名",
            file.organisation or "",
            file.name,
        )
        for file in manifest.files
        if file.control != file.name.removesuffix(".txt") + ".log"
    ]
    return problems


def _judge_file(
    package: zipfile.ZipFile, manifest: Manifest, file: DataFile, numbers: Serials | None
) -> list[Problem]:
    present = package.namelist()
    if file.name not in present or file.control not in present:
        return []  # said already by the names
    organisation = file.organisation or ""
    reading = _read(package, manifest, file, numbers)
    problems = reading.problems

    def differ(rule: str, what: str, stated: object, found: object) -> None:
        if stated != found:
            problems.append(Problem(rule, f"{what}：申报 {stated}，实际 {found}", organisation, file.name))

    differ("T04", "清单行数", file.rows, reading.rows)
    differ("T04", "清单字节数", file.bytes, reading.size)
    differ("T04", "清单 SHA-256", file.sha256, reading.digest)
    raw = package.read(file.control)
    differ("T04", "控制文件 SHA-256", file.control_sha256, hashlib.sha256(raw).hexdigest())
    control = read_control(raw, file, problems)
    if control is None:
        return problems
    expected = {
        "file": file.name,
        "table": file.table,
        "organisation": organisation,
        "rows": str(reading.rows),
        "bytes": str(reading.size),
        "sha256": reading.digest,
        "period_from": manifest.period.start,
        "period_to": manifest.period.end,
        "version": str(manifest.version),
    }
    for key, found in expected.items():
        differ("T07", f"控制文件 {key}", control[key], found)
    for name, stated in stated_sums(control).items():
        if manifest.header:
            differ("T08", f"控制文件 sum.{name}", stated, reading.sums.get(name, Decimal(0)))
    return problems


def _lines(package: zipfile.ZipFile, name: str, encoding: str, reading: _Reading) -> Iterator[str]:
    """Decoded lines without their end; sizes and the digest are noted on the way."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    rest = ""
    with package.open(name) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            reading.size += len(block)
            reading.digest = digest.hexdigest()
            *whole, rest = (rest + decoder.decode(block)).split("\n")
            yield from whole
    reading.digest = digest.hexdigest()
    rest += decoder.decode(b"", final=True)
    if rest:
        reading.problems.append(Problem("T09", "最后一行没有换行符", item=name))
        yield rest


def _read(package: zipfile.ZipFile, manifest: Manifest, file: DataFile, numbers: Serials | None) -> _Reading:
    reading = _Reading()
    organisation = file.organisation or ""
    columns: list[str] | None = None
    width: int | None = None
    number = 0
    told: set[str] = set()

    def blame(rule: str, message: str) -> None:
        if rule not in told:
            told.add(rule)
            reading.problems.append(Problem(rule, f"第 {number} 行：{message}", organisation, file.name))

    if numbers is not None:
        numbers.begin_file()
    try:
        for number, line in enumerate(_lines(package, file.name, manifest.encoding, reading), start=1):  # noqa: B007
            values = line.split(manifest.delimiter)
            width = len(values) if width is None else width
            if len(values) != width:
                blame("T09", f"有 {len(values)} 个字段，首行为 {width} 个")
                continue
            if "\r" in line or "\x00" in line:
                blame("T09", "含有回车或空字符")
            if manifest.header and columns is None:
                columns = values
                continue
            reading.rows += 1
            if columns is not None:
                _add(reading.sums, columns, values)
            if numbers is not None:
                for rule, message in numbers.judge(values[0], organisation):
                    blame(rule, message)
    except UnicodeDecodeError:
        text = f"第 {number} 行之后的字节不是 {manifest.encoding} 编码"
        reading.problems.append(Problem("T05", text, organisation, file.name))
        _finish(package, file.name, reading)
    return reading


def _finish(package: zipfile.ZipFile, name: str, reading: _Reading) -> None:
    """Size and digest of a file whose text could not be read to its end."""
    digest = hashlib.sha256()
    reading.size = 0
    with package.open(name) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            reading.size += len(block)
    reading.digest = digest.hexdigest()


def _add(sums: dict[str, Decimal], columns: list[str], values: list[str]) -> None:
    for column, value in zip(columns, values, strict=True):
        amount = decimal_of(value)
        if amount is not None:
            sums[column] = sums.get(column, Decimal(0)) + amount
