"""A standard is loaded whole or its mistakes are listed, each with file, line and what was expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import (
    COVER,
    FILES,
    RULES,
    Write,
    mistakes,
    replaced,
)
from validations.engine import STANDARDS, list_standards, load_standard
from validations.engine.loader import load_folder


def test_the_sample_loads_as_written(write_standard: Write) -> None:
    standard = load_folder(write_standard())
    policy = standard.table("POLICY")
    assert policy.key == ("NO",)
    assert [f.name for f in policy.stored_fields] == [f.name for f in policy.fields if f.name != "LSH"]
    assert policy.field("PREMIUM").scale == 2
    assert standard.codes["kind"].values == ("个人", "单位")
    assert standard.report("monthly").due.days == 10
    assert standard.rule("R01").query == standard.path / "rules" / "R01.sql"
    assert standard.profile("POLICY").delimiter == "|"


def test_any_changed_byte_is_another_standard(write_standard: Write) -> None:
    first = load_folder(write_standard()).digest
    assert load_folder(write_standard()).digest == first
    changed = FILES["codes/kind.csv"].replace("company", "Company")
    assert load_folder(write_standard({"codes/kind.csv": changed})).digest != first


def test_a_standard_is_loaded_once_as_long_as_nothing_of_it_changes(write_standard: Write) -> None:
    folder = write_standard()
    assert load_folder(folder) is load_folder(folder)


def test_a_standard_changed_in_place_is_loaded_anew(write_standard: Write) -> None:
    assert load_folder(write_standard()).rule("R01").severity == "note"
    changed = replaced(
        RULES, "R01.sql\n  message: {zh: 错, en: wrong}", "R01.sql\n  message: {zh: 错, en: bad}"
    )
    folder = write_standard({"rules/rules.yaml": changed})
    assert load_folder(folder).rule("R01").message.en == "bad"
    write_standard({"rules/rules.yaml": replaced(changed, "en: bad", "english: bad")})
    assert any("missing key(s) en" in mistake for mistake in mistakes(folder))


def test_a_standard_is_loaded_anew_when_a_dictionary_it_reads_has_changed(
    write_standard: Write, tmp_path: Path
) -> None:
    dictionary = tmp_path / "sister" / "tables" / "COVER.yaml"
    dictionary.parent.mkdir(parents=True)
    dictionary.write_text(COVER, encoding="utf-8")
    query = "SELECT NO, BEGINS AS expected FROM POLICY SEMI JOIN sister.COVER USING (NO)"
    folder = write_standard({"rules/R01.sql": query})
    assert load_folder(folder).rule("R01").query == folder / "rules" / "R01.sql"
    dictionary.write_text(COVER.replace("name: NO", "name: NUMBER"), encoding="utf-8")
    (said,) = mistakes(folder)
    assert "NO" in said
    assert "SQL cannot run" in said


def test_an_unknown_standard_names_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"no standard nothing; there are: .*schedule_p"):
        load_standard("nothing")


@pytest.mark.parametrize("name", list_standards())
def test_every_shipped_standard_loads(name: str) -> None:
    assert load_standard(name).name == name


def test_the_first_folder_that_has_a_standard_wins(write_standard: Write) -> None:
    folder = write_standard()
    assert load_standard("sample", (folder.parent, STANDARDS)).path == folder
    assert "sample" in list_standards((folder.parent, STANDARDS))


@pytest.mark.parametrize("kind", ["standard", "table", "rules"])
def test_the_json_schemas_are_schemas(kind: str) -> None:
    path = Path("validations/engine/schemas") / f"{kind}.schema.json"
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
