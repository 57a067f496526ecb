"""Every kind of defect changes exactly the rows its answer names, and the repair list takes it back."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import BadInput
from resources.reference_core import kinds, repair, repairs_path
from resources.reference_core.answer_key import write_answer_key, write_repairs
from resources.reference_core.defect_plan import read_defects
from resources.reference_core.injection import Injector, inject

CHANGED = {  # kind → the core's table that it changes, rows removed from it, rows added to it
    **dict.fromkeys(("A01", "B11", "C01", "D01", "D02", "D05", "D10"), ("policy", 1, 1)),
    **dict.fromkeys(("E01", "E10", "E11", "E12", "E19", "R01"), ("policy", 1, 1)),
    **dict.fromkeys(("A05", "A06", "A07", "B01", "B02", "B03", "B04"), ("customer", 1, 1)),
    **dict.fromkeys(("B04-GB11714", "B07", "B08", "B09"), ("customer", 1, 1)),
    **dict.fromkeys(("B05", "B05-FORM", "B06", "D15", "E13"), ("vehicle", 1, 1)),
    **dict.fromkeys(("D06", "E02", "E03"), ("endorsement", 1, 1)),
    **dict.fromkeys(("D03", "D04", "D07", "D08", "D09", "E05", "E07", "E08"), ("claim", 1, 1)),
    **dict.fromkeys(("E06", "E06-ZJLPFYXXB"), ("claim", 1, 0)),
    **dict.fromkeys(("E09", "E14", "E15"), ("payment", 1, 1)),
    **dict.fromkeys(("D11", "D12", "D13", "R03"), ("commission", 1, 1)),
    **dict.fromkeys(("C02", "D16", "E20"), ("ceded_bill", 1, 1)),
    **dict.fromkeys(("E04", "E22"), ("coverage", 1, 1)),
    **dict.fromkeys(("E17", "E21"), ("coinsurance", 1, 1)),
    **dict.fromkeys(("R05", "R06", "R08", "R10"), ("gl_balance", 1, 1)),
    "A02": ("customer", 0, 1),
    "B10": ("organisation", 1, 1),
    "B12": ("seller", 1, 1),
    "D14": ("instalment", 1, 1),
    "E06-ZBTHXXB": ("recovery", 1, 1),
    "E16": ("treaty_share", 1, 1),
    "E18": ("insured_item", 1, 0),
    "R02": ("claim, payment", 1, 1),
    "R04": ("voucher", 1, 1),
    "R07": ("gl_balance", 1, 0),
}
# Blamed on what refers to the row that was changed, or on the sum it falls into.
BLAMED_ELSEWHERE = ("E06", "E06-ZJLPFYXXB", "R01", "R02", "R03", "R07")
Table = Counter[tuple[object, ...]]


def changes(before: Path, after: Path) -> dict[str, tuple[Table, Table]]:
    """Rows removed and rows added by table, where there are any."""
    found: dict[str, tuple[Table, Table]] = {}
    with closing(sqlite3.connect(after)) as connection:
        connection.execute("ATTACH ? AS was", [str(before)])
        names = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            sides = (f"was.{name}", f"main.{name}"), (f"main.{name}", f"was.{name}")
            ways = [connection.execute(f"SELECT * FROM {a} EXCEPT SELECT * FROM {b}") for a, b in sides]
            counts = [connection.execute(f"SELECT count(*) FROM {a}").fetchone() for a, _ in sides]
            removed, added = (Counter(way.fetchall()) for way in ways)
            if removed or added or counts[0] != counts[1]:
                found[name] = removed, added
    return found


def damaged(clean: Path, core: Path, plan: Path) -> Path:
    """A copy of a clean core with the defects of a plan, its answer key and repair list beside it."""
    shutil.copyfile(clean, core)
    requests = read_defects(plan, kinds=kinds(), branches={"330000", "440000"})
    with closing(sqlite3.connect(core)) as connection, connection:
        injector = Injector(connection, np.random.default_rng(1))
        defects = inject(injector, requests, kinds(), lambda what, done, total: None)
    answer_key = core.with_name("answer_key.csv")
    write_answer_key(answer_key, defects)
    write_repairs(repairs_path(answer_key), defects)
    return core


def answers(core: Path) -> list[dict[str, str]]:
    with core.with_name("answer_key.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_kind_is_listed_here() -> None:
    assert set(CHANGED) == set(kinds())


@pytest.mark.parametrize("kind", CHANGED)
def test_a_kind_changes_only_the_row_it_names(tmp_path: Path, clean_core: Path, kind: str) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text(
        f"signed_from: 2025-09-01\nsigned_to: 2026-03-31\ndefects: [{{kind: {kind}, count: 1, organisations: ['440000']}}]",
        encoding="utf-8",
    )
    core = damaged(clean_core, tmp_path / "core.db", plan)
    tables, removals, additions = CHANGED[kind]
    changed = changes(clean_core, core)
    assert sorted(changed) == sorted(tables.split(", "))
    for removed, added in changed.values():
        assert (removed.total(), added.total()) == (removals, additions)
        (answer,) = (row for row in answers(core) if row["rule"] == kind)
        key = [str(value) for value in json.loads(answer["key"]).values()]
        row = [str(value) for value in next(iter(removed or added))]
        assert kind in BLAMED_ELSEWHERE or key[0] in row

    assert repair(core, repairs_path(core.with_name("answer_key.csv")), organisation="330000") == 0
    assert (
        repair(core, repairs_path(core.with_name("answer_key.csv")), organisation="440000", rules=[kind]) == 1
    )
    assert changes(clean_core, core) == {}


def test_many_defects_touch_each_row_once_and_the_answer_key_is_sorted(
    tmp_path: Path, make_core, clean_core: Path
) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text("".join(f"- {{kind: {kind}, count: 3}}\n" for kind in kinds()), encoding="utf-8")
    core = make_core(tmp_path / "core.db", policies=3000, defects=plan)
    rows = [tuple(row.values()) for row in answers(core)]
    assert rows == sorted(rows)
    assert len(set(rows)) == len(rows)
    causes = Counter(row["rule"] for row in answers(core))
    assert all(
        causes[kind] == (3 + 3 * (kind == "R10")) for kind in kinds()
    )  # R07 shows in the company's ledger, too
    for organisation in ("000001", "330000", "440000"):
        assert repair(core, repairs_path(core.with_name("answer_key.csv")), organisation=organisation) > 0
    assert changes(clean_core, core) == {}


def test_defects_lie_in_the_branches_and_the_window_asked_for(tmp_path: Path, make_core) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text(
        "signed_from: 2026-01-01\nsigned_to: 2026-02-28\n"
        "defects:\n- {kind: A01, count: 5, organisations: ['330000']}\n"
        "- {kind: C01, count: 4, organisations: ['440000'], signed_from: 2026-02-01}\n",
        encoding="utf-8",
    )
    core = make_core(tmp_path / "core.db", defects=plan)
    connection = sqlite3.connect(core)
    for row in answers(core):
        where = json.loads(row["key"])["BDH"]
        ((org, signed),) = connection.execute(
            "SELECT org_code, signed_on FROM policy WHERE policy_no = ?", (where,)
        )
        first = "2026-01-01" if row["rule"] == "A01" else "2026-02-01"
        assert org == ("330000" if row["rule"] == "A01" else "440000")
        assert first <= signed <= "2026-02-28"
    connection.close()
    assert Counter(row["rule"] for row in answers(core)) == {"A01": 5, "C01": 4}


def test_all_mistakes_of_a_defects_file_are_named_with_their_lines(tmp_path: Path, make_core) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text(
        "signed_from: soon\ndefects:\n- {kind: Z99, count: 1}\n- {kind: A01, count: 0}\n"
        "- {kind: A01, count: 1, organisations: ['990000']}\n- {kind: A01, count: 1, colour: red}\n",
        encoding="utf-8",
    )
    with pytest.raises(BadInput) as caught:
        make_core(tmp_path / "core.db", defects=plan)
    assert [detail.values["line"] for detail in caught.value.details] == [1, 3, 4, 5, 6]
    assert not (tmp_path / "core.db").exists()


@pytest.mark.parametrize(
    ("content", "code"), [("a: [", "defects.not_yaml"), ("", "defects.mistakes"), ("x", "defects.mistakes")]
)
def test_what_is_no_defects_file_is_refused(tmp_path: Path, make_core, content: str, code: str) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        make_core(tmp_path / "core.db", defects=plan)
    assert caught.value.code == code


def test_repairs_refuse_other_files_and_other_cores(tmp_path: Path, make_core) -> None:
    core = make_core(tmp_path / "core.db", policies=50)
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("{}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="第 1 行"):
        repair(core, wrong, organisation="330000")
    with pytest.raises(BadInput, match="文件不存在"):
        repair(core, tmp_path / "none.jsonl", organisation="330000")
    with pytest.raises(BadInput, match="文件不存在"):
        repair(tmp_path / "none.db", repairs_path(tmp_path / "answer_key.csv"), organisation="330000")
