"""Where judging could let something pass, reach too far or answer otherwise tomorrow, it refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import (
    PERIOD,
    STANDARD,
    Judge,
    Write,
    mistakes_text,
    rule,
    with_rules,
    write_rows,
)
from validations.engine import Standard, Waiver, judge, table_digest
from validations.engine.loader import load_folder
from validations.engine.session import open_session


@pytest.mark.parametrize(
    ("holds", "said"),
    [
        ("sum(PREMIUM) < 1", "aggregates"),
        ("row_number() OVER () < 1", "window functions"),
        ("PREMIUM < random()", "random may not be used"),
        ("BEGINS <= current_date", "current_date may not be used"),
        ("BEGINS <= today()", "current_date may not be used"),
        ("NO <> current_setting('memory_limit')", "current_setting may not be used"),
        ("CAST(BEGINS AS TIMESTAMP) < now()", "now may not be used"),
    ],
)
def test_a_predicate_decides_by_its_row_alone(write_standard: Write, holds: str, said: str) -> None:
    found = mistakes_text(write_standard(with_rules(rule("D09", f'holds: "{holds}"', table="POLICY"))))
    assert said in found and "rules.yaml" in found


def test_a_query_decides_by_its_data_alone(write_standard: Write) -> None:
    query = "SELECT NO FROM POLICY WHERE BEGINS > current_date"
    assert "current_date may not be used" in mistakes_text(write_standard({"rules/R01.sql": query}))


def test_a_waiver_ends_with_the_period_at_the_latest_and_covers_no_row_that_cannot_be_judged(
    write_standard: Write, judged: Judge
) -> None:
    standard = load_folder(
        write_standard(with_rules(rule("D09", "holds: CAST(NO AS INTEGER) > 5", table="POLICY")))
    )
    tables = {"POLICY": [{"ORG": "110105", "NO": "x"}, {"ORG": "110105", "NO": "1"}], "COVER": []}
    lasting = Waiver("D09", "QB-1", "合同如此", date(9999, 12, 31))
    with pytest.raises(BadInput, match=r"ends with the period \(2026-12-31\) at the latest; later: QB-1"):
        judged(tables, standard=standard, report="detail", waivers=[lasting])
    waiver = Waiver("D09", "QB-1", "合同如此", date(2026, 12, 31))
    _, found = judged(tables, standard=standard, report="detail", waivers=[waiver])
    assert {(f["row"], f["waiver"], f["reason"] is None) for f in found if f["rule"] == "D09"} == {
        (0, None, False),
        (1, "QB-1", True),
    }


def test_a_waived_root_cause_hides_nothing_and_stops_nothing(write_standard: Write, judged: Judge) -> None:
    phases = "phases:\n  - {groups: [A, D], stops: true}\n  - {groups: [B, E, F, R]}\n"
    follower = rule(
        "D03", "holds: BEGINS = ENDS", table="POLICY", field="ENDS", severity="explain", suppressed_by="[D01]"
    )
    standard = load_folder(write_standard({"standard.yaml": STANDARD + phases, **with_rules(follower)}))
    bad = {"ORG": "110105", "NO": "P1", "BEGINS": date(2026, 2, 1), "ENDS": date(2026, 1, 1)}
    tables = {"POLICY": [bad], "COVER": []}
    judgement, found = judged(tables, standard=standard, report="detail")
    assert {f["rule"] for f in found} == {"D01"}
    assert "E01" in {each.rule for each in judgement.not_judged}
    waiver = Waiver("D01", "QB-1", "合同如此", date(2026, 12, 31))
    judgement, found = judged(tables, standard=standard, report="detail", waivers=[waiver])
    assert {(f["rule"], f["waiver"]) for f in found} == {("D01", "QB-1"), ("D03", None)}
    assert judgement.not_judged == ()


def test_a_root_cause_may_be_one_field_of_the_row(write_standard: Write, judged: Judge) -> None:
    follower = rule(
        "D03",
        "holds: PREMIUM > 0",
        table="POLICY",
        field="PREMIUM",
        suppressed_by="[{rule: B00, fields: [KIND]}]",
    )
    other = follower.replace("D03", "D04").replace("[KIND]", "[ORG]")
    standard = load_folder(write_standard(with_rules(follower, other)))
    bad = {"ORG": "110105", "NO": "P1", "KIND": "其他", "PREMIUM": Decimal(-1)}
    _, found = judged({"POLICY": [bad], "COVER": []}, standard=standard, report="detail")
    assert {f["rule"] for f in found} & {"B00", "D03", "D04"} == {"B00", "D04"}
    unknown = with_rules(follower.replace("[KIND]", "[KIN]"))
    assert "KIN is no field of the tables that rule B00 judges" in mistakes_text(write_standard(unknown))


def test_a_decimal_parameter_is_compared_to_its_last_digit(write_standard: Write, judged: Judge) -> None:
    text = STANDARD + "parameters: {cap: {title: {zh: 上限, en: cap}, type: decimal, default: '0.999'}}\n"
    cap = with_rules(rule("D09", "holds: PREMIUM <= $cap", table="POLICY"))
    standard = load_folder(write_standard({"standard.yaml": text, **cap}))
    tables = {
        "POLICY": [{"NO": "P1", "PREMIUM": Decimal("1.00")}, {"NO": "P2", "PREMIUM": Decimal("0.99")}],
        "COVER": [],
    }
    _, found = judged(tables, standard=standard, report="detail")
    assert [f["row"] for f in found if f["rule"] == "D09"] == [0]


def test_a_rule_that_raises_is_not_asked_about_rows_outside_its_condition(
    write_standard: Write, judged: Judge
) -> None:
    careful = rule("D09", "holds: CAST(NO AS INTEGER) > 5", table="POLICY", when='"length(NO) < 3"')
    standard = load_folder(write_standard(with_rules(careful)))
    tables = {"POLICY": [{"NO": no} for no in ("x", "yy", "xxxx", "7", "1")], "COVER": []}
    _, found = judged(tables, standard=standard, report="detail")
    said = {f["row"]: f["reason"] for f in found if f["rule"] == "D09"}
    assert set(said) == {0, 1, 4}
    assert "'x'" in said[0] and "'yy'" in said[1] and said[4] is None


def test_names_that_the_standard_lacks_are_refused(sample: Standard, judged: Judge) -> None:
    with pytest.raises(BadInput) as caught:
        judged({"POLICY": [], "COVER": []}, report="detail", rules=["D1", "D01"], nil_returns=["NOPE"])
    assert [detail.code for detail in caught.value.details] == [
        "validations.no_rule",
        "validations.table_unknown",
    ]


def test_a_standard_that_was_edited_since_it_was_loaded_judges_nothing(
    write_standard: Write, judged: Judge
) -> None:
    standard = load_folder(write_standard())
    write_standard({"rules/R01.sql": "SELECT NO FROM POLICY"})
    with pytest.raises(BadInput, match="changed after it was loaded"):
        judged({"POLICY": [], "COVER": []}, standard=standard, report="detail")


def test_the_name_of_a_folder_is_no_column(sample: Standard, tmp_path: Path) -> None:
    folder = tmp_path / "KIND=单位"
    folder.mkdir()
    rows = [{"ORG": "110105", "NO": "P1", "KIND": "个人", "PREMIUM": Decimal(5000)}]
    here, there = (write_rows(sample, "POLICY", rows, place) for place in (tmp_path, folder))
    cover = write_rows(sample, "COVER", [], tmp_path)
    assert table_digest(sample.table("POLICY"), here) == table_digest(sample.table("POLICY"), there)
    judgement = judge(
        sample,
        {"POLICY": there, "COVER": cover},
        report="detail",
        parameters=PERIOD,
        findings=tmp_path / "f.parquet",
    )
    assert judgement.counts["D02"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT r.content AS NO FROM POLICY, LATERAL read_text('{path}') AS r",
        "SELECT p.NO FROM POLICY AS p, LATERAL glob('{path}')",
        'SELECT NO FROM (WITH "{path}" AS (SELECT NO FROM POLICY) SELECT NO FROM "{path}") AS q, "{path}" AS z',
        "SELECT NO FROM (SUMMARIZE '{path}')",
        "SELECT NO FROM POLICY WHERE NO IN (SELECT content FROM read_text('{path}'))",
        "SELECT NO FROM read_csv('{path}')",
        "FROM '{path}'",
    ],
)
def test_a_query_reaches_no_file(write_standard: Write, tmp_path: Path, query: str) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("NO\nsecret\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_folder(write_standard({"rules/R01.sql": query.format(path=path)}))
    (mistake,) = caught.value.details
    assert mistake.code in (
        "validations.sql_unknown_table",
        "validations.sql_not_read_only",
        "validations.sql_unparsable",
    )


def test_the_session_itself_reaches_no_other_file(tmp_path: Path) -> None:
    secret, given = tmp_path / "secret.csv", tmp_path / "given.parquet"
    secret.write_text("a\n1\n", encoding="utf-8")
    pl.DataFrame({"a": [1]}).write_parquet(given)
    (tmp_path / "spill").mkdir()
    with open_session(tmp_path / "spill", read=[given]) as connection:
        assert connection.sql(f"SELECT a FROM read_parquet('{given}')").fetchall() == [(1,)]
        for sql in (
            f"FROM '{secret}'",
            f"FROM read_text('{secret}')",
            f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
            "SET threads = 1",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
