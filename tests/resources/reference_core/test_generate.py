"""Writing the core: the same rows from the same seed, all or nothing, in parts or at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from resources.reference_core import part


def dump(core: Path) -> list[str]:
    connection = sqlite3.connect(core)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(tmp_path: Path, make_core) -> None:
    first = dump(make_core(tmp_path / "a.db", policies=150, seed=7))
    assert dump(make_core(tmp_path / "b.db", policies=150, seed=7)) == first
    assert dump(make_core(tmp_path / "c.db", policies=150, seed=8)) != first


def test_hash_seed_and_time_zone_do_not_matter(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from resources.reference_core import *;"
        "o=OrganisationSeed('330000','浙江','000000',1,is_own_account=False,region='330106');"
        "generate(Path(sys.argv[1]),policies=80,seed=3,organisations=[o],defects=None,answer_key=None,progress=lambda *a:None)"
    )
    cores = [tmp_path / "a.db", tmp_path / "b.db"]
    for core, hash_seed, zone in zip(cores, ("1", "2"), ("UTC", "America/New_York"), strict=True):
        environment = {"PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONUTF8": "1"}
        subprocess.run(
            [sys.executable, "-c", code, str(core)],
            check=True,
            env=environment,
            cwd=Path(__file__).parents[3],
        )
    assert dump(cores[0]) == dump(cores[1])


@pytest.mark.parametrize("policies", [1, 2, 25])
def test_small_books_work(tmp_path: Path, make_core, policies: int) -> None:
    connection = sqlite3.connect(make_core(tmp_path / "core.db", policies=policies))
    assert connection.execute("SELECT COUNT(*) FROM policy").fetchone() == (policies,)
    connection.close()


def test_a_book_drawn_in_parts_has_every_branch_and_a_company_that_adds_up(
    tmp_path: Path, make_core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "POLICIES_AT_ONCE", 50)
    connection = sqlite3.connect(make_core(tmp_path / "core.db", policies=300))
    rows = dict(connection.execute("SELECT org_code, COUNT(*) FROM policy GROUP BY org_code"))
    assert sum(rows.values()) == 300
    assert set(rows) == {"000001", "330000", "440000"}
    numbers = connection.execute("SELECT COUNT(*), COUNT(DISTINCT policy_no) FROM policy").fetchone()
    assert numbers == (300, 300)
    (vehicles,) = connection.execute(
        "SELECT COUNT(*) FROM (SELECT vin FROM vehicle JOIN policy USING (policy_no) GROUP BY vin, line HAVING COUNT(*) > 1)"
    ).fetchone()
    assert vehicles == 0
    (difference,) = connection.execute(
        "SELECT SUM(CASE org_code WHEN '000000' THEN -debit_cents ELSE debit_cents END) FROM gl_balance"
    ).fetchone()
    assert difference == 0
    connection.close()


def test_a_failed_run_leaves_the_old_core_and_nothing_else(tmp_path: Path, make_core) -> None:
    core = make_core(tmp_path / "core.db", policies=60)
    before = dump(core)
    plan = tmp_path / "defects.yaml"
    plan.write_text("- {kind: E07, count: 10000}", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        make_core(core, policies=80, defects=plan)
    assert "第 1 行：E07 要 10000 处" in str(caught.value)
    assert dump(core) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "answer_key.csv",
        "answer_key.repairs.jsonl",
        "core.db",
        "defects.yaml",
    ]


def test_no_policies_and_no_branches_are_refused(tmp_path: Path, make_core) -> None:
    with pytest.raises(BadInput, match=r"core\.too_small|至少需要"):
        make_core(tmp_path / "core.db", policies=0)
    assert list(tmp_path.iterdir()) == []
