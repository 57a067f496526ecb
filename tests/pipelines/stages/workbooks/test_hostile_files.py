"""Files that are no workbooks, or none that may be opened: each is refused with its code, its name and the way out."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from pipelines.stages.workbooks import read_identity
from tests.pipelines.stages.workbooks.sent_workbook import KEY, POLICIES, refusal, repacked, sent
from validations.engine import raw_cells_input as raw_cells

HTML = b"<html><table><tr><td>BDH</td></tr></table></html>"
SECTOR = 512


def compound_file(*streams: str) -> bytes:
    """A compound document ([MS-CFB] version 3): header, one sector of allocations, one of directory entries."""
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += b"".join(n.to_bytes(2, "little") for n in (0x3E, 3, 0xFFFE, 9, 6)) + bytes(6)
    end, free = (0xFFFFFFFE).to_bytes(4, "little"), (0xFFFFFFFF).to_bytes(4, "little")
    counts = (0, 1, 1, 0, 4096)  # directory sectors (none said in version 3), FAT sectors, first directory, …
    header += b"".join(n.to_bytes(4, "little") for n in counts) + end + bytes(4) + end + bytes(4)
    header += bytes(4) + free * 108
    table = (0xFFFFFFFD).to_bytes(4, "little") + end + free * 126
    entries = b""
    for kind, name in ((5, "Root Entry"), *((2, stream) for stream in streams)):
        text = name.encode("utf-16-le") + b"\0\0"
        entry = text.ljust(64, b"\0") + len(text).to_bytes(2, "little") + bytes((kind, 1)) + free * 3
        entries += entry.ljust(128, b"\0")
    return header.ljust(SECTOR, b"\0") + table + entries.ljust(SECTOR, b"\0")


def zipped(parts: dict[str, bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    return write


def written(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def truncated(share: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        content = sent(path).read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return write


def zip_encrypted(path: Path) -> None:
    """The flag of ZIP's own encryption, in the central directory and before each part."""
    content = bytearray(sent(path).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 4)
    path.write_bytes(bytes(content))


BINARY_WORKBOOK = {"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x83\x01\x00"}
OPEN_DOCUMENT = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"}


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (written(b""), "not_xlsx", "不是 .xlsx 工作簿"),
        (written(b"\xef\xbb\xbfa,b\n1,2\n"), "not_xlsx", "不是 .xlsx 工作簿"),
        (written(HTML), "not_xlsx", "另存为“Excel 工作簿 (*.xlsx)”"),
        (zipped(BINARY_WORKBOOK), "not_xlsx", "不是 .xlsx 工作簿"),
        (zipped(OPEN_DOCUMENT), "not_xlsx", "不是 .xlsx 工作簿"),
        (written(b"PK\x03\x04 but nothing else"), "damaged", "File is not a zip file"),
        (truncated(0.5), "damaged", "File is not a zip file"),
        (truncated(0.999), "damaged", "File is not a zip file"),
        (written(compound_file("Workbook")), "old_format", "旧版 .xls"),
        (written(compound_file("EncryptionInfo", "EncryptedPackage")), "encrypted", "请去掉密码后另存"),
        (
            written(compound_file() + b"\0" * (9 << 20) + "EncryptedPackage".encode("utf-16-le")),
            "encrypted",
            "已加密",
        ),
        (zip_encrypted, "encrypted", "已加密"),
    ],
)
def test_what_is_not_a_workbook_is_called_by_its_name(
    tmp_path: Path, make: Callable[[Path], None], code: str, words: str
) -> None:
    path = tmp_path / "反馈.xlsx"
    make(path)
    refused = refusal(path)
    assert refused.code == f"workbooks.{code}"
    assert "反馈.xlsx" in str(refused) and words in str(refused)
    with pytest.raises(BadInput) as again:
        read_identity(path, key=KEY)
    assert again.value.code == refused.code, "the identity is read as carefully as the answers"


def test_a_missing_file_a_folder_and_a_dangling_link_are_named(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder.xlsx", tmp_path / "link.xlsx"
    folder.mkdir()
    link.symlink_to(tmp_path / "gone.xlsx")
    for path in (tmp_path / "none.xlsx", folder, link):
        refused = refusal(path)
        assert refused.code == "workbooks.no_file" and path.name in str(refused)


def test_a_file_that_cannot_be_read_says_why() -> None:
    refused = refusal(Path("/proc/self/mem"))  # a file for whoever asks, but its first byte belongs to nobody
    assert refused.code == "workbooks.unreadable"
    assert "无法读取 mem（Input/output error）。请检查文件权限" in str(refused)


def test_a_file_of_another_user_says_why(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        home = tmp_path
        while home != home.parent and home.stat().st_mode & 0o755 != 0o755:
            home.chmod(home.stat().st_mode | 0o055)
            home = home.parent
        os.seteuid(65534)
    try:
        refused = refusal(path)
    finally:
        if is_root:
            os.seteuid(0)
    assert refused.code == "workbooks.unreadable" and "b.xlsx（Permission denied）" in str(refused)


def test_a_file_beyond_the_limit_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "big.xlsx"
    with path.open("wb") as file:
        file.truncate((100 << 20) + 1)
    refused = refusal(path)
    assert refused.code == "workbooks.file_size" and "big.xlsx 超过 100 MB" in str(refused)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = repacked(
        sent(tmp_path / "b.xlsx"), lambda parts: parts.update({"xl/media/0.bin": b"\0" * (20 << 20)})
    )
    assert path.stat().st_size < 100_000
    refused = refusal(path)
    assert refused.code == "workbooks.bomb" and "b.xlsx 解压后超过 400 MB 或压缩比异常" in str(refused)


def test_thousands_of_parts_are_refused(tmp_path: Path) -> None:
    more = {f"xl/media/{n}.png": b"" for n in range(2_001)}
    assert (
        refusal(repacked(sent(tmp_path / "b.xlsx"), lambda parts: parts.update(more))).code
        == "workbooks.bomb"
    )


def test_shared_strings_that_multiply_are_stopped(tmp_path: Path) -> None:
    """A small file whose one long string is referred to again and again would print gigabytes."""
    cells = "".join(f'<c r="{column}{{0}}" t="s"><v>0</v></c>' for column in "ABCDEFGHIJKLMNOPQRSTUV")
    rows = "".join(f'<row r="{n}">{cells.format(n)}</row>' for n in range(4, 104))
    strings = f"<sst><si><t>{'一' * 32_000}</t></si></sst>"

    def change(parts: dict[str, bytes]) -> None:
        part = "xl/worksheets/sheet3.xml"
        parts[part] = parts[part].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
        parts["xl/sharedStrings.xml"] = strings.encode()

    path = repacked(sent(tmp_path / "b.xlsx"), change)
    assert path.stat().st_size < 30_000
    refused = refusal(path)
    assert refused.code == "workbooks.too_big" and "b.xlsx 的内容超过 400 MB" in str(refused)


def test_a_huge_table_of_shared_strings_is_not_unpacked(tmp_path: Path) -> None:
    """Millions of strings that no cell needs, at a ratio that is not abnormal."""
    strings = b"".join(b"<si><t>text %d</t></si>" % n for n in range(50_000))
    path = sent(tmp_path / "b.xlsx")
    archive = zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
        part.write(b"<sst>" + strings * 330 + b"</sst>")
    refused = refusal(path)
    assert refused.code == "workbooks.bomb" and "b.xlsx 解压后超过 400 MB" in str(refused)


def test_a_part_listed_twice_is_refused(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/worksheets/sheet3.xml", b"<worksheet/>")
    refused = refusal(path)
    assert refused.code == "workbooks.damaged"
    assert "b.xlsx 已损坏或结构不正常（duplicate parts xl/worksheets/sheet3.xml）" in str(refused)


def test_a_reader_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(raw_cells, "_PROGRAM", slow)
    monkeypatch.setattr(raw_cells, "PATIENCE", 0.003)
    refused = refusal(sent(tmp_path / "b.xlsx"))
    assert refused.code == "workbooks.too_heavy" and "b.xlsx 超出了内存或时间限制" in str(refused)


def test_the_reader_gets_no_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text("import os, sys\nsys.exit('|'.join(sorted(os.environ)))\n")
    monkeypatch.setenv("BAOSONG_SECRET_FOR_TEST", "hidden")
    monkeypatch.setattr(raw_cells, "_PROGRAM", spy)
    refused = refusal(sent(tmp_path / "b.xlsx"))
    assert "PATH" in str(refused) and "BAOSONG_SECRET_FOR_TEST" not in str(refused)


def test_the_reading_program_runs_from_a_folder_with_a_blank_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "a folder" / "program"
    shutil.copytree(raw_cells._PROGRAM, copy)
    monkeypatch.setattr(raw_cells, "_PROGRAM", copy)
    path = sent(tmp_path / "b.xlsx")
    assert read_identity(path, key=KEY).part == 2 and POLICIES in str(
        refusal(repacked(path, lambda parts: parts.update({"xl/worksheets/sheet3.xml": b"<worksheet/>"})))
    )
