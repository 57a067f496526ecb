"""Very many problems of one addressee: parted into files, written within limits of time and memory, read back."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stages.workbooks import Problem, read_answers, split_problems, write_branch_workbook
from tests.pipelines.stages.workbooks.sent_workbook import IDENTITY, KEY, problem

PROGRAM = """
import json, resource, sys, time
from dataclasses import replace
from pathlib import Path
from pipelines.stages.workbooks import GivenAnswer, read_answers, split_problems, write_branch_workbook
from tests.pipelines.stages.workbooks.sent_workbook import IDENTITY, KEY
from tests.pipelines.stages.workbooks.test_volume import many_problems

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # megabytes

folder, count = Path(sys.argv[1]), int(sys.argv[2])
problems = many_problems(count)
start = time.monotonic()
parts = split_problems(problems)
paths = []
for number, part in enumerate(parts, 1):
    paths.append(folder / f"{number}.xlsx")
    write_branch_workbook(paths[-1], replace(IDENTITY, part=number, parts=len(parts)), part, key=KEY)
measured = {"write_seconds": time.monotonic() - start, "write_megabytes": peak()}
measured["parts"] = [len(part) for part in parts]
identity = replace(IDENTITY, part=1, parts=len(parts))
answered = {p.finding: GivenAnswer("情况说明", "", "核对无误") for p in parts[0]}
write_branch_workbook(folder / "answered.xlsx", identity, parts[0], key=KEY, given=answered)
start = time.monotonic()
answers = read_answers(folder / "answered.xlsx", identity, parts[0], key=KEY)
measured["read_seconds"] = time.monotonic() - start
measured["answers"] = len(answers.answers)
print(json.dumps(measured))
"""


def many_problems(count: int) -> list[Problem]:
    """As a branch has them: eight tables, keys of four fields, values that differ."""
    return [
        problem(
            n,
            table=f"TABLE{n % 8}",
            rule=f"D{n % 30:02d}",
            key=(
                ("BXJGDM", "000055"),
                ("BDH", f"PDAA{n:016d}"),
                ("XZDM", f"{n % 97:04d}"),
                ("XH", str(n % 9)),
            ),
            value=f"2026-03-{n % 28 + 1:02d}",
            expected=f"2026-04-{n % 28 + 1:02d}",
            difference=f"{n % 60} 天",
        )
        for n in range(count)
    ]


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 7))
def test_every_finding_is_in_one_part_and_no_part_is_too_long(numbers: list[int], rows: int) -> None:
    problems = [problem(n, table=f"T{n % 3}") for n in numbers]
    parts = split_problems(problems, rows_per_file=rows)
    together = [p.finding for part in parts for p in part]
    assert sorted(together) == sorted({p.finding for p in problems})
    assert [len(part) for part in parts[:-1]] == [rows] * len(parts[:-1])
    assert all(0 < len(part) <= rows for part in parts)
    assert split_problems([p for part in parts for p in part], rows_per_file=rows) == parts


def test_tables_stay_together_in_the_order_of_the_sheets() -> None:
    problems = [problem(n, table="BA"[n % 2]) for n in range(6)]
    parts = split_problems(problems, rows_per_file=4)
    assert [[(p.table, int(p.finding, 16)) for p in part] for part in parts] == [
        [("B", 0), ("B", 2), ("B", 4), ("A", 1)],
        [("A", 3), ("A", 5)],
    ]


def test_long_texts_part_a_file_before_its_rows_do(tmp_path: Path) -> None:
    """Two thousand lines of three texts as long as a cell holds: six million characters of Chinese in three files."""
    text = "".join(chr(0x4E00 + n % 20_000) for n in range(32_000))
    problems = [problem(n, value=text[n:], expected=text, difference=text[:-n]) for n in range(1, 401)]
    parts = split_problems(problems)
    assert [len(part) for part in parts] == [297, 103]
    identity = replace(IDENTITY, part=2, parts=len(parts))
    write_branch_workbook(tmp_path / "b.xlsx", identity, parts[-1], key=KEY)
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        assert 29_000_000 < sum(entry.file_size for entry in archive.infolist()) < 300_000_000
    assert len(read_answers(tmp_path / "b.xlsx", identity, parts[-1], key=KEY).unanswered) == 103


@dataclass(frozen=True)
class Measured:
    """What writing all parts, and reading an answered one, took."""

    parts: list[int]
    write_seconds: float
    write_megabytes: int
    answers: int
    read_seconds: float


def measure(folder: Path, count: int) -> Measured:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(count)],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return Measured(**json.loads(done.stdout))


def test_no_rows_a_file_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="rows_per_file is 0"):
        split_problems([problem(1)], rows_per_file=0)
    assert split_problems([]) == ()


def test_memory_holds_the_problems_but_not_their_cells(tmp_path: Path) -> None:
    """A workbook held as cells takes six kilobytes a line, the problems and their layout three."""
    few, many = (measure(tmp_path, count) for count in (2_000, 12_000))
    assert (many.parts, many.answers) == ([12_000], 12_000)
    assert many.write_megabytes - few.write_megabytes < 40


@pytest.mark.prove
def test_two_hundred_thousand_problems_are_written_in_a_minute(tmp_path: Path) -> None:
    measured = measure(tmp_path, 200_000)
    assert (measured.parts, measured.answers) == ([50_000] * 4, 50_000)
    assert measured.write_seconds < 60 and measured.write_megabytes < 500, measured
    assert measured.read_seconds < 30, measured
    for path in sorted(tmp_path.glob("*.xlsx")):
        with zipfile.ZipFile(path) as archive:
            assert sum(entry.file_size for entry in archive.infolist()) < 300_000_000
        assert path.stat().st_size < 300_000_000
