"""A small standard of its own for the engine's tests: policies, coverages, items; and a way to write tables for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.errors import LANGUAGE, BadInput
from validations.engine import Judgement, Standard, arrow_schema, judge
from validations.engine.loader import load_folder

STANDARD = """\
name: sample
title: {zh: 样例, en: Sample}
version: "1.0"
effective: 2026-01-01
authority: {zh: 样例机关, en: Sample authority}
status: reconstructed
note: {zh: 测试, en: for tests}
reports:
  - name: detail
    title: {zh: 明细, en: Detail}
    rhythm: on_request
    due: {by: request}
    tables: [POLICY, COVER]
    package: text
  - name: monthly
    title: {zh: 月报, en: Monthly}
    rhythm: monthly
    due: {by: period_end, days: 10}
    tables: [POLICY, COVER, ITEM]
    package: text
packages:
  - {name: text, format: delimited, encoding: gb18030, delimiter: "|", header: false, file: "{table}-{date}.txt"}
macros: {is_person: "KIND = '个人'"}
"""

POLICY = """\
name: POLICY
title: {zh: 保单, en: Policies}
key: [NO]
organisation: ORG
fields:
  - {name: LSH, title: {zh: 流水号, en: Serial}, type: text, length: 30, assigned: true}
  - {name: ORG, title: {zh: 机构, en: Organisation}, type: text, length: 6, mandatory: true, check: region_code}
  - {name: NO, title: {zh: 保单号, en: Number}, type: text, length: 10, mandatory: true}
  - {name: KIND, title: {zh: 类型, en: Kind}, type: text, codes: kind}
  - {name: IDNO, title: {zh: 证件号, en: ID}, type: text, check: resident_id, when: "KIND = '个人'", personal: true}
  - {name: PHONE, title: {zh: 电话, en: Phone}, type: text, pattern: "[0-9]{3,4}-[0-9]{7,8}"}
  - {name: PREMIUM, title: {zh: 保费, en: Premium}, type: decimal, precision: 20, scale: 2}
  - {name: BEGINS, title: {zh: 起期, en: Begins}, type: date}
  - {name: ENDS, title: {zh: 止期, en: Ends}, type: date}
"""

COVER = """\
name: COVER
title: {zh: 险别, en: Coverages}
key: [NO, SEQ]
fields:
  - {name: NO, title: {zh: 保单号, en: Policy}, type: text}
  - {name: SEQ, title: {zh: 序号, en: Number}, type: integer}
  - {name: AMOUNT, title: {zh: 保费, en: Premium}, type: decimal, precision: 20, scale: 2}
"""

ITEM = """\
name: ITEM
title: {zh: 项目, en: Items}
key: [ORG, CODE]
organisation: ORG
derive: ITEM.sql
fields:
  - {name: ORG, title: {zh: 机构, en: Organisation}, type: text}
  - {name: CODE, title: {zh: 项目, en: Item}, type: text}
  - {name: VALUE, title: {zh: 值, en: Value}, type: decimal, precision: 20, scale: 2}
"""

ITEM_SQL = """\
SELECT ORG, 'A01' AS CODE, sum(PREMIUM) AS VALUE FROM POLICY GROUP BY ORG
UNION ALL
SELECT ORG, 'A02', CAST(count(*) AS DECIMAL(20, 2)) FROM POLICY
WHERE BEGINS <= CAST($date_to AS DATE) GROUP BY ORG
"""


def rule(rule_id: str, judge: str, **more: str) -> str:
    """One rule in YAML."""
    lines = [
        f"- id: {rule_id}",
        "  judges: content",
        f"  {judge}",
        "  message: {zh: 错, en: wrong}",
        "  citation: test",
    ]
    more.setdefault("severity", "block")
    return "\n".join(lines + [f"  {key}: {value}" for key, value in more.items()]) + "\n"


RULES = "".join(
    [
        *(
            rule(f"A1{i}", f"constraint: {c}")
            for i, c in enumerate(("mandatory", "length", "encoding", "date_range"))
        ),
        *(
            rule(f"B0{i}", f"constraint: {c}")
            for i, c in enumerate(("codes", "check:resident_id", "pattern"))
        ),
        rule("B03", "constraint: check:region_code", severity="note"),
        rule("A02", "shape: {unique: every_table}"),
        rule("D01", "holds: BEGINS <= ENDS", table="POLICY", field="BEGINS", expected="ENDS"),
        rule(
            "D02",
            "holds: NOT is_person OR PREMIUM < 1000",
            table="POLICY",
            field="PREMIUM",
            severity="explain",
        ),
        rule("E01", "shape: {foreign_key: [{table: COVER, fields: [NO], references: POLICY, to: [NO]}]}"),
        rule(
            "E04",
            "shape: {sum_equals: {table: POLICY, key: [NO], value: PREMIUM, of: COVER, by: [NO], sum: AMOUNT}}",
        ),
        rule(
            "F01",
            "shape: {formula: {table: ITEM, organisation: ORG, item: CODE, value: VALUE, equation: A01 = A02}}",
        ),
        rule("R01", "query: R01.sql", table="POLICY", field="ENDS", severity="note"),
    ]
)

R01 = "SELECT NO, BEGINS AS expected FROM POLICY\nWHERE ENDS < CAST($date_from AS DATE)\n"

FILES = {
    "standard.yaml": STANDARD,
    "tables/POLICY.yaml": POLICY,
    "tables/COVER.yaml": COVER,
    "tables/ITEM.yaml": ITEM,
    "tables/ITEM.sql": ITEM_SQL,
    "rules/rules.yaml": RULES,
    "rules/R01.sql": R01,
    "codes/kind.csv": "code,title_zh,title_en\n个人,个人,person\n单位,单位,company\n",
}

PERIOD = {"date_from": "2026-01-01", "date_to": "2026-12-31"}

Write = Callable[..., Path]
Judge = Callable[..., tuple[Judgement, list[dict[str, Any]]]]


def replaced(text: str, old: str, new: str) -> str:
    """A text with its first `old` replaced; it must be there."""
    assert old in text
    return text.replace(old, new, 1)


def mistakes(folder: Path) -> list[str]:
    """All that is wrong with a standard."""
    with pytest.raises(BadInput) as caught:
        load_folder(folder)
    assert caught.value.code == "validations.standard_invalid"
    return [str(detail) for detail in caught.value.details]


def mistakes_text(folder: Path) -> str:
    """The same, one mistake per line."""
    return "\n".join(mistakes(folder))


def with_rules(*more: str) -> dict[str, str]:
    """The files that change when the sample gets more rules."""
    return {"rules/rules.yaml": RULES + "".join(more)}


@pytest.fixture(autouse=True)
def english() -> Any:
    """Messages in English."""
    token = LANGUAGE.set("en")
    yield
    LANGUAGE.reset(token)


@pytest.fixture
def write_standard(tmp_path: Path) -> Write:
    """Write the sample standard with some files replaced (`None`: left out); the folder."""

    def write(changes: Mapping[str, str | None] | None = None, folder: Path = tmp_path / "sample") -> Path:
        for name, content in {**FILES, **(changes or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_text(content, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def sample(write_standard: Write, tmp_path: Path) -> Standard:
    """The sample standard, loaded from a folder of its own: what a test writes beside it does not change it."""
    return load_folder(write_standard(folder=tmp_path / "unchanged" / "sample"))


def write_rows(
    standard: Standard, table: str, rows: Sequence[Mapping[str, Any]], folder: Path, **options: Any
) -> Path:
    """Rows (missing fields NULL) as Parquet with the dictionary's types."""
    schema = arrow_schema(standard.table(table))
    path = folder / f"{table}.parquet"
    frame = pl.from_arrow(schema.empty_table())
    assert isinstance(frame, pl.DataFrame)
    data = [{name: row.get(name) for name in schema.names} for row in rows]
    typed = pl.DataFrame(data, schema=frame.schema, orient="row") if data else frame
    pq.write_table(typed.to_arrow().cast(schema), path, **options)
    return path


@pytest.fixture
def judged(sample: Standard, tmp_path: Path) -> Judge:
    """Judge rows of the sample's tables; the judgement and its findings as rows."""

    def run(
        tables: Mapping[str, Sequence[Mapping[str, Any]]], *, standard: Standard = sample, **options: Any
    ) -> tuple[Judgement, list[dict[str, Any]]]:
        paths = {name: write_rows(standard, name, rows, tmp_path) for name, rows in tables.items()}
        options.setdefault("parameters", PERIOD)
        judgement = judge(standard, paths, findings=tmp_path / "found" / "findings.parquet", **options)
        return judgement, pl.read_parquet(judgement.findings).to_dicts()

    return run
