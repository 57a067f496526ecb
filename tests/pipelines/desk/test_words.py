"""Every text that a page names is in the catalogue, in both languages; every event and every stage has its word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from pipelines.desk.navigation import LINKS
from pipelines.desk.stage_bar import AT, NAMES, Status
from pipelines.errors import catalogue
from pipelines.ledger.filing import Stage
from pipelines.ledger.filing_events import EVENTS
from pipelines.ledger.request import RequestStage
from pipelines.stages.noticed import HappenedKind
from pipelines.stages.tasks import TaskKind
from resources.accounts import AccountEvent
from resources.notifier import Result
from resources.notifier.shapes import State

DESK = Path(__file__).parents[3] / "pipelines" / "desk"
NAMED = re.compile(r"""\bt\(\s*'([a-z_.0-9]+)'\s*[,)]""")
EITHER = re.compile(r"""'([a-z_]+\.[a-z_.]+)' if [^%}]*? else '([a-z_]+\.[a-z_.]+)'""")
LABELLED = re.compile(r"""label\(\s*"([a-z_.0-9]+)"\s*[,)]""")


def texts_named() -> set[str]:
    templates = {p: p.read_text(encoding="utf-8") for p in (DESK / "templates").rglob("*.html")}
    found = {code for page in templates.values() for code in NAMED.findall(page)}
    found |= {code for page in templates.values() for pair in EITHER.findall(page) for code in pair}
    for module in DESK.rglob("*.py"):
        found |= set(LABELLED.findall(module.read_text(encoding="utf-8")))
    return found


def test_every_text_that_a_page_names_is_in_the_catalogue():
    named = texts_named()
    assert len(named) > 150
    assert {code for code in named if f"desk.{code}" not in catalogue()} == set()


@pytest.mark.parametrize(
    ("prefix", "codes"),
    [
        ("desk.event", sorted(EVENTS)),
        ("desk.trail", sorted([*AccountEvent, "revealed"])),
        ("cli.stage", get_args(Stage)),
        ("desk.stage", NAMES),
        ("desk.stage.status", get_args(Status)),
        ("desk.request.stage", get_args(RequestStage)),
        ("desk.nav", LINKS),
        ("desk.task", get_args(TaskKind)),
        ("notices.kind", [*get_args(TaskKind), *get_args(HappenedKind)]),
        ("notices.state", get_args(State)),
        ("notices.result", get_args(Result)),
    ],
)
def test_what_the_ledger_can_say_has_its_word(prefix: str, codes: list[str]):
    assert {code for code in codes if f"{prefix}.{code}" not in catalogue()} == set()


def test_every_stage_has_its_place_in_the_bar():
    assert set(AT) == set(get_args(Stage)) and {name for name, _ in AT.values()} == set(NAMES)
