"""Random histories of findings: what the register says of each is what its life in plain Python says, after every event."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.register import register, tally
from resources.clock import FileClock
from resources.settings import CHECKOUT, Settings
from tests.pipelines.stages.filing_by_hand import START, FilingByHand, found_rows
from tests.pipelines.stages.plain_findings import Cell, Life, Seen

OLD, GONE_RULE = "0" * 64, "Z99"
NAMES = itertools.count()
USERS = ("branch_440000", "head_office_preparer")
HANDLINGS = ("explanation", "source_fix", "report_correction")
LIVES = {
    "circ_audit": (
        ("block", "A10", "BDXXB", "440100", "underwriting", "440000"),
        ("explain", "D05", "PAXXB", "330000", "claims", "330000"),
        ("explain", "D05", "CWPZXXB", None, "finance", "000000"),
        ("explain", GONE_RULE, "BDXXB", "510000", "underwriting", "510000"),
        ("note", "A10", "KHXXB", "510000", "underwriting", "510000"),
    ),
    "schedule_p": (
        ("explain", "S06", "TRIANGLE", "10007", "finance", "10007"),
        ("block", "S04", "TRIANGLE", "669", "finance", "669"),
        ("explain", "S06", "TRIANGLE", None, "finance", "000000"),
        ("note", "S07", "TRIANGLE", "10007", "finance", "10007"),
    ),
}
"""Severity, rule, table and organisation of each finding; the department and the branch that answer for it."""
REPORTS = {"circ_audit": "detail", "schedule_p": "medmal"}
SHOWN = ("state", "holder", "value", "department", "branch", "first_round", "last_round", "resolved_round", "conflict",
         "promised", "since")  # fmt: skip


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("home")
    FileClock(home / "clock").start(START)
    demo = CHECKOUT / "resources" / "demo" / "deployment"
    with open_installation(Settings(home=home, deployment=demo, database_url=None)) as opened:
        yield opened


class History:
    """Legal acts on a few findings, in any order and at any time."""

    def __init__(self, installation: Installation, standard: str, data: st.DataObject) -> None:
        self.installation = installation
        self.filing = FilingByHand(self.installation, standard, REPORTS[standard], f"{next(NAMES)}")
        self.is_reviewed_first = standard == "circ_audit"
        wording = {r.id: r.digest for r in self.installation.standard(standard).rules}
        self.about: dict[str, Mapping[str, Any]] = {}
        self.lives: dict[str, Life] = {}
        self.round = 0
        self.contents: dict[str, dict[str, Seen]] = {}
        for number, (severity, rule_id, table, organisation, department, branch) in enumerate(
            LIVES[standard]
        ):
            name = f"F{number}"
            self.lives[name] = Life(rule_id, severity, wording.get(rule_id), department, branch)
            self.about[name] = {
                "finding": name, "rule": rule_id, "table": table, "key": f'{{"N":"{number}"}}',
                "field": "X", "organisation": organisation, "difference": None,
            }  # fmt: skip
        self.judge(data, is_new_round=True)

    def judge(self, data: st.DataObject, is_new_round: bool) -> None:
        self.round += is_new_round
        rules = sorted({life.rule for life in self.lives.values()})
        judged = data.draw(st.sets(st.sampled_from(rules), min_size=len(rules) - 1), label="judged")
        found = {
            name: seen
            for name, life in self.lives.items()
            if life.rule in judged and (seen := self._drawn(data, life)) is not None
        }
        self._judged(found, judged)

    def _drawn(self, data: st.DataObject, life: Life) -> Seen | None:
        """How a content has it: mostly as the one before."""
        wording = life.wording or OLD
        before = life.seen or Seen(Cell("1", "1", wording))
        was = before.cell
        how = {
            "same": Seen(was),
            "gone": None,
            "value": Seen(was._replace(value="1" if was.value is None else None)),
            "expected": Seen(was._replace(expected="2" if was.expected == "1" else "1")),
            "wording": Seen(was._replace(digest=wording if was.digest == OLD else OLD)),
            "waived": Seen(was, waiver="QB-1"),
            "unjudgeable": Seen(was, is_unjudgeable=True),
        }
        return how[data.draw(st.sampled_from(["same"] * 8 + list(how)), label=life.rule)]

    def judge_an_earlier_content_again(self, data: st.DataObject) -> None:
        """A correction was withdrawn: the content is as it was before, of the same digest."""
        digest = data.draw(st.sampled_from(list(self.contents)))
        self._judged(self.contents[digest], {life.rule for life in self.lives.values()}, digest)

    def _judged(self, found: dict[str, Seen], judged: set[str], digest: str | None = None) -> None:
        at = self.filing.next_at
        for name, life in self.lives.items():
            life.judged(found.get(name), self.round, at, is_rule_judged=life.rule in judged)
        rows = [
            {**self._row(name), "waiver": seen.waiver, "reason": "?" if seen.is_unjudgeable else None}
            for name, seen in found.items()
        ]
        missing = {life.rule for life in self.lives.values()} - judged
        known = judged - {GONE_RULE}
        digest = self.filing.judge(found_rows(rows), self.round, known, missing, digest)
        if not missing:
            self.contents[digest] = found

    def _held(self, *holders: str) -> list[str]:
        return [
            name
            for name, life in self.lives.items()
            if life.seen and life.holder(self.round, is_reviewed_first=self.is_reviewed_first) in holders
        ]

    def _some(self, data: st.DataObject, names: list[str]) -> list[str]:
        return sorted(data.draw(st.sets(st.sampled_from(names), min_size=1), label="chosen"))

    def _row(self, name: str, **more: Any) -> dict[str, Any]:
        seen = self.lives[name].seen
        assert seen is not None
        return {**self.about[name], "severity": self.lives[name].severity, **_of_cell(seen.cell), **more}

    def review(self, data: st.DataObject) -> None:
        decision = data.draw(st.sampled_from(["confirm", "confirm", "dismiss", "assign"]))
        names = self._some(data, self._held("first_review"))
        if decision == "dismiss":
            names = [name for name in names if self.lives[name].severity != "block"]
        department = data.draw(st.sampled_from([None, "claims"])) if decision == "assign" else None
        branch = data.draw(st.sampled_from([None, "510000"])) if decision == "assign" else None
        for name in names:
            self.lives[name].reviewed(decision, department, branch)
        if names:
            to = {"decision": decision, "department": department, "organisation": branch}
            self.filing.review([self._row(name, **to) for name in names])

    def issue(self, data: st.DataObject) -> None:
        names = self._some(data, self._held("issue"))
        for name in names:
            self.lives[name].asked(self.filing.next_at)
        self.filing.dispatch(self._row(name) for name in names)

    def answer(self, data: st.DataObject) -> None:
        user = data.draw(st.sampled_from(USERS))
        names = self._some(data, self._held("answer", "decide"))
        rows: list[dict[str, Any]] = []
        for name in names:
            handling = data.draw(st.sampled_from(HANDLINGS))
            new_value = "9" if handling == "report_correction" else None
            rows.append(self._row(name, user=user, handling=handling, new_value=new_value, reason="r"))
            self.lives[name].answered(user, handling, new_value, self.round, self.filing.next_at)
        self.filing.answer(user, rows, self.round)

    def decide(self, data: st.DataObject) -> None:
        decision = data.draw(st.sampled_from(["accept", "accept", "send_back"]))
        rows: list[dict[str, Any]] = []
        for name in self._some(data, self._held("decide")):
            life = self.lives[name]
            user = data.draw(st.sampled_from(sorted(life.answers)))
            said = life.answers[user]
            given = {"user": user, "handling": said.handling, "new_value": said.new_value, "reason": "r"}
            rows.append(
                {**self.about[name], **_of_cell(said.cell), **given, "decision": decision, "remark": "?"}
            )
            life.decided(decision, user, self.round, self.filing.next_at)
        self.filing.decide(rows, self.round)

    def go_on(self, data: st.DataObject) -> None:
        """One act of those that are possible now, mostly by people."""
        people = {
            "first_review": self.review, "issue": self.issue, "answer": self.answer, "decide": self.decide,
        }  # fmt: skip
        possible = [holder for holder in people if self._held(holder)]
        act = data.draw(st.sampled_from([*possible * 2, "judge", "judge again"]), label="act")
        if act in people:
            people[act](data)
        elif act == "judge" or not self.contents:
            self.judge(data, is_new_round=data.draw(st.booleans()))
        else:
            self.judge_an_earlier_content_again(data)

    def require_the_register_to_agree(self) -> None:
        rows = register(self.installation, self.filing.state)
        assert rows["finding"].is_unique().all()
        found = {row["finding"]: {name: row[name] for name in SHOWN} for row in rows.iter_rows(named=True)}
        lives = {name: life for name, life in self.lives.items() if life.seen}
        expected = {
            name: dict(life.row(self.round, is_reviewed_first=self.is_reviewed_first))
            for name, life in lives.items()
        }
        differing = {
            name: [(each, found[name][each], row[each]) for each in SHOWN if found[name][each] != row[each]]
            for name, row in expected.items()
            if name in found and found[name] != row
        }
        assert (set(found), differing) == (set(expected), {})
        held = [held for held in tally(rows) if held.count]
        assert sum(each.count for each in held) == sum(row["holder"] is not None for row in expected.values())


def _of_cell(cell: Cell) -> dict[str, str | None]:
    return {"value": cell.value, "expected": cell.expected, "rule_digest": cell.digest}


def require_agreement(installation: Installation, standard: str, steps: int, data: st.DataObject) -> None:
    history = History(installation, standard, data)
    for _ in range(steps):
        history.require_the_register_to_agree()
        history.go_on(data)
    history.require_the_register_to_agree()


histories = given(standard=st.sampled_from(sorted(LIVES)), steps=st.integers(4, 16), data=st.data())
slow = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=20, suppress_health_check=slow)
@histories
def test_the_register_is_what_the_events_make_of_each_finding(
    installation: Installation, standard: str, steps: int, data: st.DataObject
) -> None:
    require_agreement(installation, standard, steps, data)


@pytest.mark.prove
@settings(max_examples=600, suppress_health_check=slow)
@histories
def test_many_histories(installation: Installation, standard: str, steps: int, data: st.DataObject) -> None:
    require_agreement(installation, standard, steps, data)
