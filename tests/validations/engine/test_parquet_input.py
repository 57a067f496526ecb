"""Parquet files are sound to the last value, or refused with row and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import BadInput
from validations.engine import Field, Table, Title, arrow_schema
from validations.engine.parquet_input import check_parquet

TITLE = Title("列", "column")
TABLE = Table(
    "T", TITLE, ("A",), (Field("A", TITLE, "text"), Field("B", TITLE, "decimal", precision=5, scale=2))
)


def written(path: Path, texts: pa.Array, decimals: pa.Array | None = None, **options: Any) -> Path:
    numbers = decimals if decimals is not None else pa.nulls(len(texts), pa.decimal128(5, 2))
    pq.write_table(pa.Table.from_arrays([texts, numbers], names=["A", "B"]), path, **options)
    return path


def raw_text(*values: bytes) -> pa.Array:
    """Strings whose bytes nobody has looked at."""
    ends = [sum(map(len, values[:i])) for i in range(len(values) + 1)]
    offsets = pa.py_buffer(b"".join(end.to_bytes(4, "little") for end in ends))
    return pa.Array.from_buffers(pa.string(), len(values), [None, offsets, pa.py_buffer(b"".join(values))])


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(BadInput) as refused:
        check_parquet(TABLE, path, **options)
    return str(refused.value)


def test_sound_files_are_counted(tmp_path: Path, english: None) -> None:
    path = written(tmp_path / "T.parquet", pa.array(["张三", None, "x"]))
    assert check_parquet(TABLE, path, expect_rows=3) == 3
    assert "should have 4 row(s), 3 were read" in refusal(path, expect_rows=4)
    pq.write_table(arrow_schema(TABLE).empty_table(), path)
    assert check_parquet(TABLE, path) == 0


def test_text_that_is_no_utf8_is_named_with_row_and_column(tmp_path: Path, english: None) -> None:
    path = written(tmp_path / "T.parquet", raw_text(b"ok", b"a\xed\xa0\x80b", b"\xc4\xe3"))
    said = refusal(path)
    assert "row 2, column T.A: the bytes ed" in said and "row 3, column T.A: the bytes c4" in said
    assert "has 2 place(s)" in said


def test_nul_and_overlong_text_are_named(tmp_path: Path, english: None) -> None:
    said = refusal(written(tmp_path / "T.parquet", pa.array(["a", "b\0c", "x" * (10 << 20)])))
    assert 'row 2, column T.A: "b\\u0000c" holds a NUL' in said
    assert "row 3, column T.A has 10,485,760 bytes, more than the 1 MB" in said


def test_decimals_beyond_their_precision_are_named(tmp_path: Path, english: None) -> None:
    too_large = pa.Array.from_buffers(
        pa.decimal128(5, 2), 1, [None, pa.py_buffer((10**6).to_bytes(16, "little"))]
    )
    said = refusal(written(tmp_path / "T.parquet", pa.array(["a"]), too_large))
    assert "from row 1, column T.B: Decimal value" in said and "does not fit" in said


def test_truncated_and_damaged_files_are_named(tmp_path: Path, english: None) -> None:
    path = written(tmp_path / "T.parquet", pa.array([f"text {i}" for i in range(5_000)]), compression="none")
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    assert "cannot be read" in refusal(path)
    path.write_bytes(content[:4] + b"\xff" * 2_000 + content[2_004:])
    assert "cannot be read after row 1" in refusal(path)
    path.write_bytes(b"A,B\n")
    assert "cannot be read" in refusal(path)


def test_other_columns_are_named(tmp_path: Path, english: None) -> None:
    path = tmp_path / "T.parquet"
    pq.write_table(pa.table({"A": pa.array([1]), "C": pa.array(["x"])}), path)
    said = refusal(path)
    assert "A: int64 ≠ string" in said and "C: string ≠ –" in said
