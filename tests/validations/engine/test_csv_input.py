"""CSV files are typed exactly or refused with line and column; what the fast reader takes, the slow one takes alike."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadInput
from validations.engine import Field, Table, Title
from validations.engine import csv_input as reading
from validations.engine.csv_input import convert_csv
from validations.engine.csv_slow_input import read_slowly

TITLE = Title("列", "column")
FIELDS = (
    Field("NAME", TITLE, "text"),
    Field("COUNT", TITLE, "integer"),
    Field("AMOUNT", TITLE, "decimal", precision=20, scale=2),
    Field("DAY", TITLE, "date"),
)
TABLE = Table("T", TITLE, ("NAME",), FIELDS)
TEXTS = Table("T", TITLE, ("A",), (Field("A", TITLE, "text"), Field("B", TITLE, "text")))
HEADER = "NAME,COUNT,AMOUNT,DAY\n"


def convert(content: str | bytes, folder: Path, table: Table = TABLE, **options: Any) -> list[dict[str, Any]]:
    source, target = folder / "T.csv", folder / "T.parquet"
    source.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    rows = convert_csv(table, source, target, **options)
    found = pl.read_parquet(target).to_dicts()
    assert rows == len(found)
    return found


def refusal(content: str | bytes, folder: Path, table: Table = TABLE, **options: Any) -> str:
    with pytest.raises(BadInput) as refused:
        convert(content, folder, table, **options)
    assert {path.name for path in folder.iterdir()} - {"T.log"} == {"T.csv"}, "nothing half-written"
    return str(refused.value).replace(str(folder), "")


def test_values_are_typed_exactly_in_the_dictionarys_order(tmp_path: Path) -> None:
    rows = convert(
        '\ufeffDAY,NAME,AMOUNT,COUNT\r\n2026-01-05,"张,三\n""x""",-0.10,007\r\n\n,"",1.5000,\n', tmp_path
    )
    first = {"NAME": '张,三\n"x"', "COUNT": 7, "AMOUNT": Decimal("-0.10"), "DAY": dt.date(2026, 1, 5)}
    assert rows == [first, {"NAME": None, "COUNT": None, "AMOUNT": Decimal("1.50"), "DAY": None}]
    assert list(rows[0]) == ["NAME", "COUNT", "AMOUNT", "DAY"]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert convert(HEADER, tmp_path) == []
    assert convert(HEADER.strip(), tmp_path) == []


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("COUNT", "NaN", "not a finite number"),
        ("AMOUNT", "-inf", "not a finite number"),
        ("AMOUNT", "1_0", "no underscores"),
        ("AMOUNT", "1e5", "no exponents"),
        ("COUNT", "+1", "no plus sign"),
        ("COUNT", "１２", "full-width"),
        ("AMOUNT", "１２．５０", "full-width"),
        ("AMOUNT", "1Ｅ5", "full-width"),
        ("DAY", "２０２６-01-05", "full-width"),
        ("AMOUNT", '"1,234.50"', "no thousands separators"),
        ("AMOUNT", " 1", "spaces around"),
        ("AMOUNT", "12%", "no units"),
        ("AMOUNT", "0.005", "too many decimals"),
        ("COUNT", "1.5", "expected an integer"),
        ("COUNT", "9223372036854775808", "more digits than the type holds"),
        ("AMOUNT", "1000000000000000000.00", "more digits than the type holds"),
        ("DAY", "2026/1/5", "write dates as 2026-01-31"),
        ("DAY", "20260105", "write dates as 2026-01-31"),
        ("DAY", "2026-02-30", "no such day"),
        ("DAY", "46027", "serial number"),
        ("AMOUNT", "NULL", "leave the cell empty"),
        ("COUNT", "x", "write it in that form"),
        ("COUNT", "٣", "write it in that form"),
        ("COUNT", '"1\n"', "spaces around"),
    ],
)
def test_what_is_no_value_is_named_with_line_column_and_advice(
    tmp_path: Path, field: str, value: str, why: str
) -> None:
    cells = ["好" if f.name == "NAME" else value if f.name == field else "" for f in FIELDS]
    said = refusal(f"{HEADER}a,1,1,2026-01-05\n{','.join(cells)}\n", tmp_path)
    assert f"/T.csv:3 column T.{field}: " in said and why in said
    assert "has 1 place(s)" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty, without even a header"),
        (b"\n" + HEADER.encode(), "no header in the first row"),
        (HEADER.encode() + b"a\0b,1,1,\n", "T.csv:2 column 1 holds a NUL"),
        (HEADER.encode() + b"a,1,1,\nx,1,\0,\n", "T.csv:3 column 3 holds a NUL"),
        (HEADER.encode() + b"a,1\r,1,\n", "T.csv:2 column 2 has a carriage return"),
        (HEADER.replace("\n", "\r").encode() + b"a,1,1,\r", "T.csv:1 column 4 has a carriage return"),
        (HEADER.encode() + b'a,1,1,\nb"c,1,1,\n', "T.csv:3 column 1 holds a quote but is not quoted"),
        (HEADER.encode() + b'"a"b,1,1,\n', "T.csv:2 column 1 goes on after its closing quote"),
        (HEADER.encode() + b'a,1,1,\nb,2,2,"2026', "T.csv:3 column 4 opens a quote that is never closed"),
        (HEADER.encode() + b'"a,1,1,\nb,2,2,\n', "T.csv:2 column 1 opens a quote that is never closed"),
        (HEADER.encode() + b"a,1,1,\nb,2", "T.csv:3 table T expects 4 cells in a row, this one has 2"),
        (HEADER.encode() + b'"x\ny",1,1,,9\n', "T.csv:2 table T expects 4 cells in a row, this one has 5"),
        (HEADER.encode() + b"a,1,1,\n\xff\xfe,1,1,\n", "T.csv:3 column 1: the bytes ff are not UTF-8"),
        (HEADER.encode() + b"\xed\xa0\x80,1,1,\n", "T.csv:2 column 1: the bytes ed are not UTF-8"),
        (HEADER.encode() + "张三,1,1,\n".encode() * 9 + b"\xe5\xbc", "T.csv:11 column 1: the bytes e5 bc"),
        (
            (HEADER + "张三,1,1,\n").encode("gb18030"),
            "T.csv:2 column 1 is not UTF-8; this looks like GB18030",
        ),
        ((HEADER + "张三,1,1,\n").encode("utf-16"), "is UTF-16 LE (Excel's Unicode Text)"),
        (HEADER.encode("utf-16-be"), "is UTF-16 (Excel's Unicode Text)"),
        (b"PK\x03\x04....", "holds XLSX / ZIP"),
        (b"\x1f\x8b\x08....", "holds gzip"),
        (b"NAME,COUNT,AMOUNT,DAY,NAME\n", "repeated column(s) NAME"),
        (b"NAME,COUNT,AMOUNT\n", "it lacks column(s) DAY, has unknown column(s) –"),
        (b"NAME;COUNT;AMOUNT;DAY\n", "is separated by “;”"),
        (b'"NAME;COUNT;AMOUNT;DAY"\n', "is separated by “;”"),
        (HEADER.encode() + b"x" * (1 << 20) + b"y,1,1,\n", "T.csv:2 column 1 has 1,048,577 bytes"),
        (HEADER.encode() + b'"' + b"x\n" * (6 << 20), "T.csv:2 column 1 has 1,048,57"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_file_that_is_no_such_csv_is_refused_with_the_place(
    tmp_path: Path, content: bytes, said: str
) -> None:
    assert said in refusal(content, tmp_path)


def test_ten_thousand_columns_are_counted_and_not_all_listed(tmp_path: Path) -> None:
    header = ",".join(["NAME,COUNT,AMOUNT", *(f"C{i}" for i in range(10_000))])
    said = refusal(f"{header}\n", tmp_path)
    assert "has 4 column(s), the file 10003; it lacks column(s) DAY" in said and "C19 … and 9980 more" in said
    assert len(said) < 600


def test_thousands_of_mistakes_are_counted_but_not_all_listed(tmp_path: Path) -> None:
    said = refusal(HEADER + "a,x,y,z\n" * 2_000, tmp_path)
    assert "has 6000 place(s)" in said and said.count("\n") == 50


def test_gb18030_is_read_when_the_caller_says_so(tmp_path: Path) -> None:
    content = HEADER + "张三𠮷,1,2,\n"
    assert convert(content.encode("gb18030"), tmp_path, encoding="gb18030")[0]["NAME"] == "张三𠮷"
    (tmp_path / "T.parquet").unlink()
    assert "leave out --encoding" in refusal(content, tmp_path, encoding="gbk")
    assert "T.csv:3 near column 2 the bytes ff are not GB18030" in refusal(
        content.encode("gb18030") + b"a,\xff,1,\n", tmp_path, encoding="gb18030"
    )
    assert "unknown encoding latin-1; there are: utf-8" in refusal(content, tmp_path, encoding="latin-1")


def test_what_is_no_plain_file_is_named(tmp_path: Path) -> None:
    def said(path: Path) -> str:
        with pytest.raises(BadInput) as refused:
            convert_csv(TABLE, path, tmp_path / "T.parquet")
        return str(refused.value)

    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "gone.csv")
    assert "is a link to" in said(link) and "gone.csv" in said(link)
    assert "is a folder" in said(tmp_path)
    assert "no plain file" in said(Path("/dev/null"))
    assert "cannot be read: No such file" in said(tmp_path / "none.csv")
    link.unlink()
    (tmp_path / "real.csv").write_text(HEADER + "a,1,1,\n")
    link.symlink_to(tmp_path / "real.csv")
    assert convert_csv(TABLE, link, tmp_path / "T.parquet") == 1


def test_counts_are_compared_with_what_was_stated(tmp_path: Path) -> None:
    content = HEADER + "a,1,1,\nb,1,1,\n"
    assert len(convert(content, tmp_path, expect_rows=2)) == 2
    (tmp_path / "T.parquet").unlink()
    assert "should have 3 row(s), 2 were read" in refusal(content, tmp_path, expect_rows=3)
    control = tmp_path / "T.log"
    control.write_text("file=T.csv\nrows=5\nbytes=999\n")
    said = refusal(content, tmp_path)
    assert "states 5 row(s), 2 were read" in said and "states 999 byte(s), there are 36" in said
    control.write_text(f"file=T.csv\nrows=2\nbytes=36\nsha256={'0' * 64}\n")
    assert "its SHA-256 is not the one" in refusal(content, tmp_path)
    control.write_text("some program's log\n")
    assert len(convert(content, tmp_path)) == 2


cells = st.text(st.sampled_from('ab,"\n\r\0 1０-.e_+\ufeff张\u2028\x1c'), max_size=6)
lines = st.text(st.sampled_from('a1,,,"""\n\n\r张 '), max_size=40)


def read_both(content: bytes, folder: Path, table: Table) -> tuple[Any, Any]:
    """What the fast and the slow reader make of a file: rows, or None for doubt and refusal."""
    source, target = folder / "T.csv", folder / "T.parquet"
    source.write_bytes(content)
    fast = slow = None
    try:
        if reading._read_fast(table, source, source, target) is not None:
            fast = pl.read_parquet(target).to_dicts()
    except BadInput:
        fast = "refused"
    frames: list[pl.DataFrame] = []
    try:
        read_slowly(table, source, source, frames.append)
        slow = [row for frame in frames for row in frame.to_dicts()]
    except BadInput:
        slow = "refused"
    return fast, slow


@given(lines)
def test_the_fast_reader_takes_nothing_that_the_slow_one_reads_otherwise(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    folder = tmp_path_factory.mktemp("both")
    fast, slow = read_both(("A,B\n" + content).encode(), folder, TEXTS)
    assert fast in (None, slow)
    one = Table("T", TITLE, ("A",), (Field("A", TITLE, "text"),))
    fast, slow = read_both(("A\n" + content).encode(), folder, one)
    assert fast in (None, slow)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_any_text_comes_back_as_it_was_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], end: str
) -> None:
    folder = tmp_path_factory.mktemp("text")
    written = io.StringIO()
    csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("A", "B"), *rows])
    if any("\0" in cell for row in rows for cell in row):
        assert "holds a NUL" in refusal(written.getvalue(), folder, TEXTS)
    else:
        expected = [{"A": a or None, "B": b or None} for a, b in rows]
        assert convert(written.getvalue(), folder, TEXTS) == expected


@given(st.sampled_from(FIELDS[1:]), st.text(st.sampled_from("0123456789-.+eE_, ０１naninf/年"), max_size=12))
def test_any_text_in_a_typed_field_is_typed_exactly_or_refused_with_its_place(
    tmp_path_factory: pytest.TempPathFactory, field: Field, value: str
) -> None:
    folder = tmp_path_factory.mktemp("typed")
    table = Table("T", TITLE, ("A",), (Field("A", TITLE, "text"), field))
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([("A", field.name), ("x", value)])
    try:
        found = convert(written.getvalue(), folder, table)[0][field.name]
    except BadInput as refused:
        assert f"T.csv:2 column T.{field.name}: " in str(refused)
        found = "refused"
    assert found == exact(field, value)


def exact(field: Field, value: str) -> Any:
    """The plain Python opinion of what a text means."""
    ascii_number = value.isascii() and not set(value) - set("0123456789-.")
    if not value:
        return None
    try:
        if field.type == "date":
            parts = value.split("-")
            is_form = [len(p) for p in parts] == [4, 2, 2] and all(p.isdigit() and p.isascii() for p in parts)
            return dt.date(*map(int, parts)) if is_form else "refused"
        if field.type == "integer":
            number = int(value) if ascii_number and len(value.lstrip("-")) < 20 else None
            return number if number is not None and abs(number) < 2**63 else "refused"
        amount = Decimal(value) if ascii_number and not value.startswith((".", "-.")) else None
        return amount if amount is not None and amount == round(amount, 2) else "refused"
    except (ValueError, ArithmeticError):
        return "refused"


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.decimals(-(10**17), 10**17, places=2) | st.none(),
            st.dates(min_value=dt.date(1, 1, 1)) | st.none(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_typed_values_make_the_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("round")
    expected = [{"NAME": "x", "COUNT": count, "AMOUNT": amount, "DAY": day} for count, amount, day in rows]
    written = io.StringIO()
    writer = csv.DictWriter(written, [f.name for f in FIELDS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {**row, "AMOUNT": None if row["AMOUNT"] is None else format(row["AMOUNT"], "f")} for row in expected
    )
    assert convert(written.getvalue(), folder) == expected
