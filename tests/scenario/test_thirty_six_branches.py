"""The loop at full size, against answer keys: 36 branches, 3 departments, 200,000 policies; every finding and every changed
cell must end where its fate says – nothing lost, nothing false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import polars as pl
import pytest

from pipelines.ledger.filing import FilingState
from pipelines.stages.change_request import raise_changes
from pipelines.stages.compare import changes_file, read_comparison
from pipelines.stages.content import build_content
from pipelines.stages.correct import import_answers
from pipelines.stages.decide import accept, decide_correction, send_back
from pipelines.stages.drift import explain_drift, unexplained_changes
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import dispatch_folder, issue
from pipelines.stages.next_step import next_step
from pipelines.stages.register import register
from pipelines.stages.selection import Selection
from pipelines.stages.validate import read_findings
from pipelines.stages.waiver_granting import WaiverDraft
from resources.demo.fill_workbook import fill_answers
from tests.flow.life import EXPLAINED, FIXED, GivenTexts, corrected, waive
from tests.flow.play import (
    AUDIT,
    agree,
    draft,
    open_by_request,
    opened,
    preparer,
    run,
)
from tests.scenario.company import Company, Defect, finding_key
from tests.scenario.fates import FATES, MOVED, WRONG, Fate, fates_of

DEPARTMENTS = {
    "claims": "claims_reviewer",
    "finance": "accounting_reviewer",
    "underwriting": "underwriting_reviewer",
}
MISDIALLED = "12345678901"
Change = tuple[str, str, str | None, str]
"""Table, key, field and kind of one changed cell, or of one row that came or went."""


@dataclass
class Played:
    """What was done in the scenario, beside what must come of it."""

    company: Company
    installation: Installation
    defects: list[Defect]
    fates: dict[str, str]
    returned: dict[str, str] = field(default_factory=dict[str, str])
    drift: set[Change] = field(default_factory=set[Change])
    appeared: set[str] = field(default_factory=set[str])

    def of(self, *, act: str | None = None, core: str | None = None) -> list[tuple[Defect, Fate]]:
        """The defects whose fate has this act, or this change of the core."""
        told = [(defect, FATES[self.fates[defect.finding]]) for defect in self.defects]
        return [
            (defect, fate)
            for defect, fate in told
            if (act is None or fate.act == act) and (core is None or fate.core == core)
        ]

    @property
    def unhidden(self) -> set[str]:
        """A waived root cause hides nothing any more: a waived code of an organisation leaves the note on a part of it."""
        return {
            finding_key("circ_audit", "B04-GB11714", defect.table, defect.key, defect.field)
            for defect, _ in self.of(act="waive")
            if defect.rule == "B04" and self.fates[defect.finding] == "waived"
        }

    @property
    def state(self) -> FilingState:
        return self.installation.state(AUDIT)

    def rows(self) -> pl.DataFrame:
        return register(self.installation, self.state)


@pytest.fixture(scope="module")
def second_round(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Played up to the comparison of the second round with the first."""
    company = Company(tmp_path_factory.mktemp("company"))
    defects = company.found()
    with opened(company.home, company.deployment) as installation:
        leaving = {branch: company.hire(branch) for branch in company.branches[::2]}
        open_by_request(installation, replace(draft(company.home), organisations=tuple(company.branches)))
        state = run(installation, AUDIT, "extract", "validate", "review")
        severities = {rule.id: rule.severity for rule in installation.standard("circ_audit").rules}
        played = Played(company, installation, defects, fates_of(defects, severities))
        assert set(read_findings(installation, state)["finding"]) == {each.finding for each in defects}
        _review_and_issue(played)
        played.returned |= _answer(played, _as_fated(played))
        _decide(played)
        _touch_the_core(played)
        _touch_the_staff(played, leaving)
        _let_the_day_pass(played)
        run(installation, AUDIT, "extract", "validate", "compare", "review")
        yield played
        assert installation.ledger.verify().problems == ()


def _review_and_issue(played: Played) -> None:
    installation, reviewer = played.installation, played.installation.user("audit_reviewer")
    dismissed = Selection(findings=tuple(defect.finding for defect, _ in played.of(act="dismiss")))
    review_findings(installation, AUDIT, reviewer, "dismiss", dismissed, reason="业务允许（模拟）")
    review_findings(installation, AUDIT, reviewer, "confirm", Selection())
    for department, person in DEPARTMENTS.items():
        issue(installation, AUDIT, department, installation.user(person), Selection())


def _as_fated(played: Played) -> dict[str, GivenTexts]:
    """What branches write beside the problems."""
    said: dict[str, GivenTexts] = {}
    for defect in played.defects:
        match FATES[played.fates[defect.finding]].answer:
            case "fix":
                said[defect.finding] = FIXED
            case "explain":
                said[defect.finding] = EXPLAINED
            case "right":
                said[defect.finding] = corrected(str(defect.was))
            case "wrong":
                said[defect.finding] = corrected(WRONG[defect.rule])
            case _:
                pass
    return said


def _answer(played: Played, said: Mapping[str, GivenTexts]) -> dict[str, str]:
    """Every branch fills in its workbooks of the content judged last and hands them in; what comes back, and why."""
    installation, state = played.installation, played.state
    assert state.content is not None
    returned: dict[str, str] = {}
    for dispatch in (each for each in state.dispatches if each.fact.content == state.content.fact.content):
        for sent in dispatch.fact.workbooks:
            filled = played.company.home / f"已填-{sent.file}"
            if fill_answers(dispatch_folder(installation, AUDIT, dispatch.seq) / sent.file, filled, said):
                person = installation.user(f"branch_{sent.organisation}")
                returned |= import_answers(installation, AUDIT, filled, person).returned
    return returned


def _decide(played: Played) -> None:
    installation, reviewer = played.installation, played.installation.user("business_reviewer")
    not_enough = Selection(findings=tuple(defect.finding for defect, _ in played.of(act="send back")))
    send_back(installation, AUDIT, reviewer, not_enough, reason="请附单证（模拟）")
    accept(installation, AUDIT, reviewer, Selection(states=("answered",)))
    raise_changes(installation, AUDIT, preparer(installation))
    for defect, _ in played.of(act="waive"):
        waiver = WaiverDraft(
            defect.rule, "签报〔2026〕7号", "历史数据（模拟）", date(2026, 12, 31), defect.table, defect.key
        )
        waive(installation, AUDIT, waiver, reviewer)


def _touch_the_core(played: Played) -> None:
    """What was promised is mended; beside it, things happen that nobody speaks of."""
    company = played.company
    company.mend([defect for defect, _ in played.of(core="mended")])
    silently = [defect for defect, fate in played.of(core="mended") if fate.answer is None]
    played.drift |= {_cell(defect) for defect in silently}
    for defect, _ in played.of(core="moved"):
        played.company.mend([replace(defect, parameters=(MOVED[defect.rule], *defect.parameters[1:]))])
        played.drift.add(_cell(defect))
    touched = {defect.key for defect in played.defects}
    for number, branch in enumerate(company.branches):
        customers = company.rows(
            "SELECT DISTINCT c.customer_id FROM customer AS c JOIN policy AS p ON p.applicant_id = c.customer_id "
            "WHERE p.org_code = ? AND c.customer_type = '个人' AND p.signed_on BETWEEN '2026-01-01' AND '2026-03-31' "
            "ORDER BY 1 LIMIT 100",
            branch,
        )
        moved, misdialled = [each for (each,) in customers if _customer(each) not in touched][:2]
        company.execute("UPDATE customer SET address = address || '（新址）' WHERE customer_id = ?", moved)
        played.drift.add(("KHXXB", _customer(moved), "DZ", "changed"))
        if number % 3 == 0:
            company.execute("UPDATE customer SET mobile = ? WHERE customer_id = ?", MISDIALLED, misdialled)
            played.drift.add(("KHXXB", _customer(misdialled), "SJHM", "changed"))
            played.appeared.add(finding_key("circ_audit", "B07", "KHXXB", _customer(misdialled), "SJHM"))


def _touch_the_staff(played: Played, leaving: Mapping[str, str]) -> None:
    """In every branch a seller's row comes or goes."""
    for branch in played.company.branches:
        if branch in leaving:
            code, kind = leaving[branch], "removed"
            played.company.execute("DELETE FROM seller WHERE seller_code = ?", code)
        else:
            code, kind = played.company.hire(branch), "added"
        played.drift.add(("XSRYXXB", f'{{"XSRYBH":"{code}"}}', None, kind))


def _customer(number: str) -> str:
    return f'{{"KHBH":"{number}"}}'


def _cell(defect: Defect) -> Change:
    return defect.table, defect.key, defect.field, "changed"


def _let_the_day_pass(played: Played) -> None:
    """Somebody is silent: only when the day for answers has passed is the next round due."""
    state = played.state
    assert next_step(state, played.installation) is None
    assert state.answer_by is not None
    played.company.pass_to(datetime.combine(state.answer_by + timedelta(days=1), time(9)))
    step = next_step(played.state, played.installation)
    assert step is not None and step.key == "extract:round-2:0"


def changes(played: Played) -> pl.DataFrame:
    return pl.read_parquet(changes_file(played.installation, played.state))


@pytest.mark.prove
def test_exactly_what_cannot_be_taken_came_back(second_round: Played) -> None:
    expected = {
        finding
        for finding, fate in second_round.fates.items()
        if FATES[fate].answer == "wrong" or FATES[fate].blocking_only
    }
    assert set(second_round.returned) == expected
    assert all(second_round.returned.values()), "each with its reason"


@pytest.mark.prove
def test_every_finding_stands_where_its_fate_says(second_round: Played) -> None:
    standing = {
        finding: (state, holder)
        for finding, state, holder in second_round.rows().select("finding", "state", "holder").iter_rows()
    }
    expected = {finding: FATES[fate].ends for finding, fate in second_round.fates.items()}
    expected |= dict.fromkeys(second_round.appeared, ("new", "first_review"))
    expected |= dict.fromkeys(second_round.unhidden, ("new", None))
    wrong = Counter(
        (second_round.fates.get(finding, "appeared"), expected.get(finding), standing.get(finding))
        for finding in expected.keys() | standing.keys()
        if expected.get(finding) != standing.get(finding)
    )
    assert wrong == Counter()
    assert set(second_round.fates.values()) == set(FATES), "every fate befell somebody"


@pytest.mark.prove
def test_the_rounds_compare_as_the_fates_say(second_round: Played) -> None:
    told = read_comparison(second_round.installation, second_round.state)
    fates = second_round.fates
    gone = {finding for finding, fate in fates.items() if FATES[fate].ends[0] == "resolved"}
    assert set(told["resolved"]) == gone
    assert set(told["remaining"]) == set(fates) - gone
    assert set(told["appeared"]) == second_round.appeared | second_round.unhidden
    assert set(told["missing_fixes"]) == {f for f, fate in fates.items() if fate == "promised and not fixed"}


@pytest.mark.prove
def test_exactly_what_nobody_promised_is_unexplained_drift(second_round: Played) -> None:
    rows = changes(second_round)
    unexplained = rows.filter(pl.col("explanation").is_null())
    found = set(unexplained.select("table", "key", "field", "kind").iter_rows())
    assert found == second_round.drift
    assert unexplained.height == len(second_round.drift), "each once"
    kept = {f for f, fate in second_round.fates.items() if fate == "fixed at the source"}
    assert set(rows["explanation"].drop_nulls()) == kept, (
        "every fix that arrived explains something, nothing else does"
    )


@pytest.mark.prove
def test_what_is_left_is_settled_and_signed(second_round: Played) -> None:
    """The second time everybody does what is asked: then nothing is held, nothing unexplained, and four people sign."""
    played, installation = second_round, second_round.installation
    reviewer = installation.user("business_reviewer")
    for conflict in build_content(installation, played.state).conflicts:
        decide_correction(
            installation, AUDIT, reviewer, conflict.handled.finding, "withdraw", reason="源头已变（模拟）"
        )
    for table in unexplained_changes(installation, played.state).select("table").unique().collect()["table"]:
        explain_drift(installation, AUDIT, reviewer, table=table, reason="日常业务变动（模拟）")
    left = set(played.rows().filter(pl.col("holder").is_not_null())["finding"])
    assert left == played.appeared | {
        finding for finding, fate in played.fates.items() if FATES[fate].ends[1] is not None
    }
    review_findings(installation, AUDIT, installation.user("audit_reviewer"), "confirm", Selection())
    for department in sorted({held.department for held in played.state.held}):
        issue(installation, AUDIT, department, reviewer, Selection())
    assert _answer(played, dict.fromkeys(left, FIXED)) == {}
    accept(installation, AUDIT, reviewer, Selection(states=("answered",)))
    played.company.mend([defect for defect in played.defects if defect.finding in left])
    played.company.execute("UPDATE customer SET mobile = '13800000000' WHERE mobile = ?", MISDIALLED)
    step = next_step(played.state, installation)
    assert step is not None and step.key == "extract:round-3:0", "all is decided: no need to wait for the day"
    state = run(installation, AUDIT, "extract", "validate", "compare", "review")
    assert state.unexplained_drift == 0 and state.held == ()
    rows = played.rows()
    assert set(rows.filter(pl.col("state") == "new")["finding"]) == played.unhidden, (
        "notes, which nobody holds"
    )
    assert set(rows["state"]) == {"new", "resolved", "accepted", "waived", "dismissed"}
    raise_changes(installation, AUDIT, preparer(installation))
    state = agree(installation, AUDIT)
    assert state.is_approved
