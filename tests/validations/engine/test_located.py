"""Files that cannot be read as YAML at all are named with their line."""

from __future__ import annotations

from tests.validations.engine.sample_standard import (
    COVER,
    Write,
    mistakes,
    replaced,
)


def test_what_is_not_yaml_is_named_with_its_line_and_what_stands_there(write_standard: Write) -> None:
    unclosed = replaced(COVER, "type: text}", "type: text")
    (said,) = mistakes(write_standard({"tables/COVER.yaml": unclosed}))
    assert said == "sample/tables/COVER.yaml:6 is not YAML: expected ',' or '}', but got '{'"


def test_files_that_are_not_utf8_are_named(write_standard: Write) -> None:
    folder = write_standard()
    (folder / "tables" / "COVER.yaml").write_bytes("name: COVER\ntitle: 险别".encode("gb18030"))
    assert any(m.startswith("sample/tables/COVER.yaml:2 is not UTF-8") for m in mistakes(folder))
