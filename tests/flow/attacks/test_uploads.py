"""Files that mean it ill: their names, archives that burst, XML that calls out, cells that a spreadsheet would compute."""

from __future__ import annotations

import csv
import io
import os
import zipfile

import pytest

from tests.flow.attacks.attacker import Attacker, corpora
from tests.flow.attacks.ways import way
from tests.flow.play import AUDIT

FILING = f"/filings/{AUDIT}"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8)
) + b"]><x>&i;</x>"  # fmt: skip
CALLING_OUT = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'

EVERY = pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.prove)], ids=["some", "all"])


def packed(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def changed(book: bytes, parts: dict[str, bytes]) -> bytes:
    """A workbook that was sent, with some of its parts replaced."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return packed({**{name: archive.read(name) for name in archive.namelist()}, **parts})


def hostile(book: bytes) -> dict[str, bytes]:
    """Workbooks by what is wrong with them; `book` is an honest one."""
    return {
        "empty": b"",
        "no zip": b"PK\x03\x04 no zip at all",
        "cut in half": book[: len(book) // 2],
        "a picture before it": b"GIF89a" + os.urandom(64) + book,
        "entities that multiply": changed(book, {"xl/workbook.xml": ENTITIES}),
        "shared strings that multiply": changed(book, {"xl/sharedStrings.xml": ENTITIES}),
        "an entity of a file": changed(book, {"xl/worksheets/sheet1.xml": CALLING_OUT}),
        "a bomb": changed(book, {"xl/media/image1.png": b"\0" * 300_000_000}),
        "a bomb in a sheet": changed(book, {"xl/worksheets/sheet1.xml": b" " * 300_000_000}),
        "thousands of parts": packed({f"xl/{n}.xml": b"<x/>" for n in range(20_000)}),
        "a part that leads out": changed(book, {"../../../../tmp/attack.xml": b"x"}),
        "an absolute part": changed(book, {"/etc/attack.xml": b"x"}),
        "a macro": changed(book, {"xl/vbaProject.bin": b"x"}),
        "a zip in a zip": packed({"book.xlsx": book}),
        "an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000,
    }


@EVERY
def test_hostile_workbooks_are_refused_one_by_one_and_nothing_is_answered(attacker: Attacker, step: int):
    taken, installation = way("upload_answers"), attacker.street.installation
    branch = attacker.person(way("workbook")).client
    book = branch.get(f"{FILING}/workbooks/{attacker.there.dispatch}/{attacker.there.book}").content
    files = dict(list(hostile(book).items())[::step])
    before = installation.ledger.standing()
    answer = attacker.send(
        taken, {}, files=[("workbook", (f"{name}.xlsx", data)) for name, data in files.items()]
    )
    attacker.look_at(answer, taken.name)
    assert answer.status_code == 200 and answer.text.count('<section class="wrong"') == len(files)
    assert installation.ledger.standing() == before


@EVERY
def test_no_name_of_a_file_leads_anywhere(attacker: Attacker, step: int):
    """As documents of requests, which are kept, and as workbooks, which are refused: the name is a text and no more."""
    kept = attacker.street.installation.home
    folders = {path for path in kept.rglob("*") if path.is_dir()}
    names, taken = corpora()["names"][::step], way("raise_request")
    for name in names:
        answer = attacker.send(taken, {}, files=[("document", (name, b"%PDF-1.4"))])
        attacker.look_at(answer, name)
        assert answer.status_code in (303, 400), name
        attacker.sent.add(name)
    new = {path for path in kept.rglob("*") if path.is_dir()} - folders
    assert new and all(path.is_relative_to(kept / "requests") for path in new)
    for start in range(0, len(names), 20):
        files = [("workbook", (name, b"PK\x03\x04")) for name in names[start : start + 20]]
        attacker.look_at(attacker.send(way("upload_answers"), {}, files=files), "names of workbooks")
    reader = attacker.person(way("filing_ledger")).client
    for each in attacker.street.installation.requests():
        attacker.look_at(reader.get(f"/requests/{each.key}"), each.key)
        for document in each.latest.fact.documents:
            given = reader.get(f"/requests/{each.key}/documents/{document.file}")
            assert given.status_code == 200 and given.headers["content-type"] == "application/octet-stream"
            assert given.headers["content-disposition"].startswith("attachment;"), document.name


def test_more_files_or_fields_than_a_form_has_are_refused(attacker: Attacker):
    taken = way("upload_answers")
    many = [("workbook", (f"{n}.xlsx", b"PK")) for n in range(22)]
    assert attacker.send(taken, {}, files=many).status_code == 400
    assert (
        attacker.send(way("findings_act"), {}, extra=tuple((f"x{n}", "") for n in range(10_001))).status_code
        == 400
    )


@EVERY
def test_no_cell_of_the_export_is_computed_by_a_spreadsheet(attacker: Attacker, step: int):
    """Every formula as a branch's answer, then the file as a spreadsheet splits it."""
    branch = attacker.person(way("answer_finding"))
    formulas = corpora()["formulas"][::step]
    taken = 0
    for formula in formulas:
        answer = attacker.send(way("answer_finding"), {("field", "reason"): formula})
        attacker.look_at(answer, formula)
        if answer.status_code != 303:
            continue
        taken += 1
        text = branch.client.get(f"{FILING}/findings.csv").content.decode("utf-8-sig")
        cells = [cell.replace("\r\n", "\n") for row in csv.reader(io.StringIO(text)) for cell in row]
        starting = [
            cell
            for cell in cells
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
        ]
        assert [cell for cell in starting if not cell.lstrip("-").replace(".", "", 1).isdigit()] == []
        assert any(formula.strip().replace("\r\n", "\n") in cell for cell in cells), (
            "the answer is in the export"
        )
    assert taken > len(formulas) // 2
