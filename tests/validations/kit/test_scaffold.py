"""A standard drafted from CSV files loads, and its examples run green; every guess says that it is one."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput
from validations.engine import derive, judge
from validations.engine.csv_input import convert_csv
from validations.engine.loader import load_folder
from validations.kit.examples_run import run_examples
from validations.kit.mutation import run_mutants
from validations.kit.proposals import propose
from validations.kit.read_examples import read_suite
from validations.kit.scaffold import CONFIRM, scaffold

POLICIES = """\
NO,ORG,KIND,PREMIUM,BEGINS,SEATS,NOTE
P1,440000,家财,1000.5,2026-01-01,5,
P2,440000,车险,20,2026-02-01,7,"a, b"
P3,330000,车险,0.25,2026-02-02,5,c
P4,330000,家财,9,2026-02-03,5,c
P5,330000,家财,9,2026-02-03,5,
P6,110000,车险,9,2026-02-03,5,
"""


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_types_lengths_keys_and_codes_are_proposed_from_the_data(tmp_path: Path) -> None:
    table = propose(write(tmp_path / "POLICY.csv", POLICIES))
    fields = {field.name: field for field in table.fields}
    assert {name: field.type for name, field in fields.items()} == {
        "NO": "text",
        "ORG": "text",
        "KIND": "text",
        "PREMIUM": "decimal",
        "BEGINS": "date",
        "SEATS": "integer",
        "NOTE": "text",
    }
    assert (table.name, table.key, table.is_key, table.looked_at) == ("POLICY", ("NO",), True, 6)
    assert (fields["KIND"].codes, fields["KIND"].length, fields["PREMIUM"].scale) == (
        ("家财", "车险"),
        6,
        2,
    )
    assert [name for name, field in fields.items() if not field.mandatory] == ["NOTE"]


def test_the_draft_loads_and_its_examples_are_green_and_no_mutant_survives(tmp_path: Path) -> None:
    claims = "CLAIM,POLICY,PAID\nC1,P1,2026-03-01\nC1,P2,2026-03-01\nC2,P1,\n"
    sources = [write(tmp_path / "POLICY.csv", POLICIES), write(tmp_path / "CLAIM.csv", claims)]
    made = scaffold("draft", sources, tmp_path / "out")
    standard = load_folder(made.folder)
    assert standard.table("CLAIM").key == ("CLAIM", "POLICY")
    assert [rule.id for rule in standard.rules] == ["A01", "A02", "A03", "A04", "A05", "A06"]
    suite = read_suite(standard)
    ran = run_examples(suite, tmp_path / "examples")
    assert (ran.failures, ran.dead, ran.silent) == ((), (), ())
    hunted = run_mutants(suite, tmp_path / "mutants")
    assert (hunted.total, hunted.survivors) == (12, ())


def test_the_data_a_draft_was_made_from_are_clean_by_it(tmp_path: Path) -> None:
    source = write(tmp_path / "POLICY.csv", POLICIES)
    standard = load_folder(scaffold("draft", [source], tmp_path / "out").folder)
    path = tmp_path / "POLICY.parquet"
    convert_csv(standard.table("POLICY"), source, path)
    tables = {"POLICY": path, **derive(standard, {"POLICY": path}, parameters={}, out=tmp_path / "derived")}
    judgement = judge(standard, tables, report="detail", parameters={}, findings=tmp_path / "f.parquet")
    assert judgement.total == 0


def test_every_guess_says_that_it_is_one(tmp_path: Path) -> None:
    folder = scaffold("draft", [write(tmp_path / "POLICY.csv", POLICIES)], tmp_path).folder
    table = (folder / "tables" / "POLICY.yaml").read_text(encoding="utf-8")
    assert f"key: [NO]  # {CONFIRM}：从 6 行猜出" in table
    assert (folder / "rules" / "a.yaml").read_text(encoding="utf-8").count(CONFIRM) == 6
    assert (folder / "standard.yaml").read_text(encoding="utf-8").count(CONFIRM) >= 5


def test_columns_that_cannot_be_field_names_are_renamed_and_the_data_with_them(tmp_path: Path) -> None:
    source = write(tmp_path / "保单.csv", "保单号,险种 Kind,2nd\nP1,车险,x\nP2,车险,\n", "utf-8-sig")
    made = scaffold("draft", [source], tmp_path / "out")
    standard = load_folder(made.folder)
    (table,) = standard.tables.values()
    assert [(field.name, field.title.zh) for field in table.fields] == [
        ("F01", "保单号"),
        ("Kind", "险种 Kind"),
        ("F03", "2nd"),
    ]
    assert [path.read_text(encoding="utf-8") for path in made.data] == ["F01,Kind,F03\nP1,车险,x\nP2,车险,\n"]


def test_rows_that_repeat_leave_the_key_to_the_author_and_the_draft_still_runs(tmp_path: Path) -> None:
    source = write(tmp_path / "T.csv", "A,B\n1,x\n1,x\n2,\n")
    folder = scaffold("draft", [source], tmp_path / "out").folder
    assert "these columns repeat: choose another key" in (folder / "tables" / "T.yaml").read_text("utf-8")
    ran = run_examples(read_suite(load_folder(folder)), tmp_path / "examples")
    assert ran.is_good


@pytest.mark.parametrize(
    ("name", "files", "mistake"),
    [
        ("1x", {"T.csv": "A\n1\n"}, "begins with a letter"),
        ("draft", {"T.csv": "A,A\n1,2\n"}, "columns without name or twice: A"),
        ("draft", {"T.csv": "A,B\n"}, "has a header but no rows"),
        ("draft", {"T.csv": "A,B\n1,2\n1\n"}, "row 3 has 1 cells, its header 2"),
        ("draft", {"T.csv": 'A\n"x'}, "is not CSV"),
        ("draft", {"T.csv": "A\n1\n", "t.csv": "A\n1\n"}, "table t comes from another file already"),
        ("draft", {}, "cannot be read"),
    ],
)
def test_what_cannot_be_drafted_from_is_named(
    tmp_path: Path, name: str, files: dict[str, str], mistake: str
) -> None:
    sources = [write(tmp_path / file, text) for file, text in files.items()] or [tmp_path / "none.csv"]
    with pytest.raises(BadInput) as caught:
        scaffold(name, sources, tmp_path / "out")
    assert mistake in str(caught.value)
    assert not (tmp_path / "out" / name).exists()


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    source = write(tmp_path / "T.csv", "A\n1\n")
    scaffold("draft", [source], tmp_path / "out")
    with pytest.raises(BadInput, match="exists"):
        scaffold("draft", [source], tmp_path / "out")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6), min_size=2, max_size=2),
        min_size=1,
        max_size=4,
    )
)  # fmt: skip
def test_whatever_stands_in_the_cells_the_draft_loads_and_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("draft")
    with (folder / "T.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["A", "B: #"], *rows])
    suite = read_suite(load_folder(scaffold("draft", [folder / "T.csv"], folder / "out").folder))
    assert len(suite.world.tables["T"]) >= 1
