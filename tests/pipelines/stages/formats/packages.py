"""A small standard's tables and the Parquet of their content."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.stages.formats import PackageContext
from validations.engine import Field, PackageProfile, Table, Title


def title(zh: str) -> Title:
    return Title(zh=zh, en=zh)


POLICIES = Table(
    name="BDXXB",
    title=title("保单信息表"),
    key=("BDH",),
    organisation="BXJGDM",
    fields=(
        Field("LSH", title("流水号"), "text", length=30, assigned=True),
        Field("BXJGDM", title("机构代码"), "text", mandatory=True),
        Field("BDH", title("保单号"), "text", mandatory=True),
        Field("TBRMC", title("投保人名称"), "text"),
        Field("QDRQ", title("签单日期"), "date"),
        Field("BF", title("保费"), "decimal", precision=20, scale=2),
        Field("PGCS", title("批改次数"), "integer"),
    ),
)
STATISTICS = Table(
    name="BSXM",
    title=title("报送项目"),
    key=("JGDM", "XMDM"),
    organisation="JGDM",
    fields=(
        Field("JGDM", title("机构代码"), "text"),
        Field("XMDM", title("项目代码"), "text"),
        Field("JE", title("金额"), "decimal", precision=20, scale=2),
    ),
)
TEXT = PackageProfile(
    name="detail_text",
    format="delimited",
    encoding="gb18030",
    delimiter="\x01",
    file="{organisation}-{table}-{date}.txt",
    serial_field="LSH",
)
XML = PackageProfile(
    name="monthly_xml",
    format="statistics_xml",
    encoding="gb2312",
    table="BSXM",
    organisation="JGDM",
    item="XMDM",
    value="JE",
    report_type="2",
)
CONTEXT = PackageContext(
    filing="circ_audit.detail.JH-2026-003",
    version=1,
    content="ab" * 32,
    corporation="0099",
    date_from=date(2026, 1, 1),
    date_to=date(2026, 3, 31),
    key="JH-2026-003",
    stamp=date(2026, 3, 31),
)
SCHEMA = pa.schema(
    [
        ("BXJGDM", pa.string()),
        ("BDH", pa.string()),
        ("TBRMC", pa.string()),
        ("QDRQ", pa.date32()),
        ("BF", pa.decimal128(20, 2)),
        ("PGCS", pa.int64()),
    ]
)
ROWS = [
    ("440000", "P3", "示范公司", date(2026, 2, 1), Decimal("-0.50"), 1),
    ("330000", "P2", "𠅤镕", date(2026, 1, 5), Decimal("1234567.00"), None),
    ("330000", "P10", None, None, Decimal("0.01"), 0),
    ("330000", "P1", "", date(9999, 12, 31), None, 2),
]


def policies(path: Path, rows: list[tuple[object, ...]]) -> Path:
    columns = [pa.array([row[n] for row in rows], f.type) for n, f in enumerate(SCHEMA)]
    pq.write_table(pa.table(columns, schema=SCHEMA), path)
    return path


def statistics(path: Path, rows: list[tuple[str | None, str | None, str | None]]) -> Path:
    schema = pa.schema([("JGDM", pa.string()), ("XMDM", pa.string()), ("JE", pa.decimal128(20, 2))])
    typed = [(o, i, None if v is None else Decimal(v)) for o, i, v in rows]
    columns = [pa.array(list(c), f.type) for c, f in zip(zip(*typed, strict=True), schema, strict=True)]
    pq.write_table(pa.table(columns, schema=schema), path)
    return path


def package_folder(parent: Path, name: str = "package") -> Path:
    made = parent / name
    made.mkdir(parents=True)
    return made
