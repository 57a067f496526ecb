"""The audit filing from its red-header document to evidence: two rounds, source fixes, one correction, explanations."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from pipelines.errors import BaosongError, Tampered
from pipelines.ledger.filing import FilingState
from pipelines.ledger.heads import open_key, public_text
from pipelines.stages.archive import evidence_path
from pipelines.stages.change_request import changes_of
from pipelines.stages.compare import read_comparison
from pipelines.stages.drift import unexplained_changes
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation
from pipelines.stages.package import package_folder
from pipelines.stages.table_changes import TableChanges
from pipelines.stages.validate import read_findings
from pipelines.stages.verify_evidence import verify_evidence
from resources.embedded.places import Places
from tests.flow.conftest import check_ledger
from tests.flow.play import (
    AUDIT,
    BRANCHES,
    CORRECTED,
    Cores,
    agree,
    answer_all,
    answer_audit,
    declare_causes,
    draft,
    fix_core,
    hand_over_to_bureau,
    open_by_request,
    opened,
    reach_servers,
    run,
    send_out,
)

PEOPLE = {code: f"branch_{code}" for code in BRANCHES}
SAMPLES = 150


@dataclass(frozen=True)
class Filed:
    """The archived filing, and what was seen on the way."""

    installation: Installation
    servers: Path
    stages: tuple[str, ...]
    first_findings: pl.DataFrame
    answer_key: list[tuple[str, str, str, str]]
    mended: int
    explained: int
    drift: pl.DataFrame
    end: FilingState

    @property
    def evidence(self) -> Path:
        return evidence_path(self.installation, self.end)


@pytest.fixture(scope="module")
def filed(cores: Cores, servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filed]:
    home = cores.furnish(tmp_path_factory.mktemp("audit"))
    reach_servers(home, servers)
    stages: list[str] = []
    with opened(home) as installation:

        def note(state: FilingState) -> FilingState:
            stages.append(state.stage)
            return state

        note(open_by_request(installation, draft(home)))
        for stage in ("extract", "validate", "review"):
            state = note(run(installation, AUDIT, stage))
        findings = read_findings(installation, state)
        note(send_out(installation, AUDIT))
        mended = fix_core(installation, cores, AUDIT)
        state = note(answer_all(installation, AUDIT, answer_audit, home / "filled", people=PEOPLE))
        explained = sum(a.fact.handlings.get("explanation", 0) for a in state.answers)
        for stage in ("extract", "validate", "compare", "review"):
            state = note(run(installation, AUDIT, stage))
        drift = unexplained_changes(installation, state).collect()
        declare_causes(installation, AUDIT)
        note(agree(installation, AUDIT))
        for stage in ("package", "deliver"):
            note(run(installation, AUDIT, stage))
        note(hand_over_to_bureau(installation, AUDIT, servers, home / "desk"))
        end = note(run(installation, AUDIT, "archive"))
        yield Filed(
            installation, servers, tuple(stages), findings, _answer_key(cores), mended, explained, drift, end
        )
        check_ledger(installation)


def _answer_key(cores: Cores) -> list[tuple[str, str, str, str]]:
    with (cores.folder / "answer_key.csv").open(encoding="utf-8", newline="") as file:
        return sorted((r["table"], r["key"], r["field"], r["rule"]) for r in csv.DictReader(file))


def test_the_filing_passes_every_stage_in_order(filed: Filed) -> None:
    assert filed.stages == (
        "opened", "extracted", "validated", "first_review", "in_review", "answered", "extracted", "validated", "validated", "reviewed",
        "approved", "packaged", "delivered", "accepted", "archived",
    )  # fmt: skip


def test_the_findings_are_exactly_the_answer_key(filed: Filed) -> None:
    found = sorted(filed.first_findings.select("table", "key", "field", "rule").fill_null("").iter_rows())
    assert found == filed.answer_key
    assert sum(filed.end.contents[0].fact.counts.values()) == len(filed.answer_key)


def test_each_branch_got_its_own_problems(filed: Filed) -> None:
    sent = [w for d in filed.end.dispatches for w in d.fact.workbooks]
    assert {w.organisation for w in sent} == set(BRANCHES)
    assert sum(w.problems for w in sent) == len(filed.answer_key)
    folder = filed.installation.folder("documents", AUDIT) / filed.end.contents[0].fact.content[:12]
    (problem_list,) = folder.glob("问题数据清单-*.xlsx")
    titles = load_workbook(problem_list).sheetnames
    assert titles, "the audit department's list of all problem data"


def test_the_second_round_shows_what_was_mended_and_what_remains(filed: Filed) -> None:
    compared = filed.end.comparisons[0].fact
    corrected = 1
    assert (compared.earlier, compared.later) == (1, 2)
    assert (compared.resolved, compared.remaining, compared.appeared, compared.missing_fixes) == (
        filed.mended + corrected,
        filed.explained,
        0,
        0,
    )
    assert filed.mended + corrected + filed.explained == len(filed.answer_key)
    details = read_comparison(filed.installation, filed.end)
    resolved = set(filed.first_findings["finding"]) - set(details["remaining"])
    assert set(details["resolved"]) == resolved


def test_the_second_round_differs_only_in_tables_that_were_mended(filed: Filed) -> None:
    differences = [TableChanges(**each) for each in read_comparison(filed.installation, filed.end)["tables"]]
    mended = {table for table, _, _, rule in filed.answer_key if rule != CORRECTED[1]}
    touched = {d.table for d in differences if d.added or d.removed or d.changed}
    assert touched <= mended | {"BDXBB", "ZZKJQKMB"}
    compared = filed.end.comparisons[0].fact
    assert compared.changed == sum(d.changed for d in differences) > 0
    assert (compared.added, compared.removed) == (
        sum(d.added for d in differences),
        sum(d.removed for d in differences),
    )


def test_only_what_was_mended_for_a_sum_over_many_rows_is_left_for_people_to_explain(filed: Filed) -> None:
    assert sorted(filed.drift.select("table", "organisation", "field").iter_rows()) == [
        ("BDXXB", "440000", "BFBHS"),
        ("BDXXB", "440000", "ZZS"),
    ]
    assert filed.end.comparisons[0].fact.unexplained == 2
    assert [d.fact.explained for d in filed.end.drift_explained] == [2]


def test_the_correction_is_laid_over_the_report_with_a_change_request_and_never_into_the_core(
    filed: Filed,
) -> None:
    (request,) = changes_of(filed.installation, AUDIT)
    change = request.raised
    finding = filed.first_findings.filter(pl.col("finding") == change.finding).row(0, named=True)
    assert (finding["organisation"], finding["rule"]) == CORRECTED
    assert (change.old, change.new) == (finding["value"], finding["expected"])
    assert request.number == f"QB-{AUDIT}-V1-GK001"
    content = filed.end.contents[-1].fact
    assert content.overlays == 1
    key = json.loads(change.key)
    here = pl.all_horizontal(pl.col(name) == value for name, value in key.items())
    field = pl.col(change.field).cast(pl.String)
    home = filed.installation.home
    laid = pl.read_parquet(home / "contents" / AUDIT / content.content / f"{change.table}.parquet")
    core = pl.read_parquet(filed.installation.rounds.path(AUDIT, 2) / f"{change.table}.parquet")
    assert laid.filter(here).select(field).item() == change.new
    assert core.filter(here).select(field).item() == change.old


def test_what_is_signed_has_only_explained_findings_left(filed: Filed) -> None:
    left = read_findings(filed.installation, filed.end)
    assert set(left["severity"]) == {"explain"}
    assert left.height == filed.explained
    assert [(o.fact.role, o.fact.department) for o in filed.end.live_opinions] == [
        ("audit_reviewer", ""), ("business_reviewer", "underwriting"), ("business_reviewer", "claims"),
        ("business_reviewer", "finance"), ("executive", ""), ("president", ""),
    ]  # fmt: skip


def test_the_designated_server_holds_exactly_the_package(filed: Filed) -> None:
    package = sent_file(package_folder(filed.installation, filed.end))
    assert (Places(filed.servers).outbox / package.name).read_bytes() == package.read_bytes()
    assert filed.end.receipt is not None
    assert filed.end.receipt.fact.result == "accepted"
    assert filed.end.receipt.fact.number.startswith("YJ-")


def test_running_every_stage_again_changes_nothing(filed: Filed) -> None:
    again = run(
        filed.installation, AUDIT, "extract", "validate", "review", "compare", "package", "deliver", "archive"
    )
    assert again == filed.end


def test_the_evidence_verifies(filed: Filed) -> None:
    key = public_text(open_key(filed.installation.home))
    proven = verify_evidence(filed.evidence, key)
    assert (proven.filing, proven.version, proven.key) == (AUDIT, 1, key)
    assert filed.end.content is not None
    assert proven.content == filed.end.content.fact.content
    assert proven.approvals == (
        "audit_reviewer: audit_reviewer",
        "business_reviewer underwriting: business_reviewer",
        "business_reviewer claims: claims_reviewer",
        "business_reviewer finance: accounting_reviewer",
        "executive: executive",
        "president: president",
    )
    assert proven.events == filed.end.seq - 1, "all events but the one that names the archive"


def test_the_evidence_does_not_verify_with_another_key(filed: Filed) -> None:
    with pytest.raises(Tampered, match="由另一把公钥") as refused:
        verify_evidence(filed.evidence, "00" * 32)
    assert refused.value.exit_code == 5


def test_no_byte_of_the_evidence_can_change_unnoticed(filed: Filed, tmp_path: Path) -> None:
    original = filed.evidence.read_bytes()
    last = len(original) - 1
    spread = {round(n * last / (SAMPLES - 1)) for n in range(SAMPLES)}
    assert {0, last} <= spread
    changed = tmp_path / "evidence.zip"
    unnoticed: list[int] = []
    for position in sorted(spread):
        content = bytearray(original)
        content[position] ^= 0x01
        changed.write_bytes(content)
        if not _is_refused(changed):
            unnoticed.append(position)
    assert unnoticed == []


@pytest.mark.parametrize("how", ["appended", "prepended", "truncated", "empty"])
def test_the_evidence_cannot_grow_or_shrink_unnoticed(filed: Filed, tmp_path: Path, how: str) -> None:
    original = filed.evidence.read_bytes()
    changed = tmp_path / "evidence.zip"
    contents = {
        "appended": original + b"\0",
        "prepended": b"\0" + original,
        "truncated": original[:-1],
        "empty": b"",
    }
    changed.write_bytes(contents[how])
    assert _is_refused(changed)


def _is_refused(path: Path) -> bool:
    """Refused as tampered, with a message that names the file; anything else comes out as it is."""
    try:
        verify_evidence(path)
    except BaosongError as error:
        assert isinstance(error, Tampered), error
        assert str(path) in str(error)
        return True
    return False
