"""A request for some of the report's tables, from the document to the evidence, and one that asks for others afterwards."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import BadInput
from pipelines.ledger.filing import FilingState
from pipelines.stages.archive import evidence_path
from pipelines.stages.compare import read_comparison
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.nil_return import declare_nil_return
from pipelines.stages.package import package_folder
from pipelines.stages.request import raise_request, review_request
from pipelines.stages.request_amend import RequestChanges, amend_request
from pipelines.stages.talk import Talk, record_talk
from pipelines.stages.unjudged import unjudged
from pipelines.stages.validate import read_findings
from pipelines.stages.verify_evidence import verify_evidence
from tests.flow.conftest import Resume, check_ledger
from tests.flow.play import (
    AUDIT,
    Cores,
    agree,
    draft,
    hand_over_to_bureau,
    open_by_request,
    opened,
    preparer,
    reach_servers,
    run,
)

NUMBER = "JH-2026-003"
DEMANDED = ("JGXXB", "NBKMDZB", "CWPZXXB", "ZBTHXXB")
"""In another order than the report lists them."""
IN_ORDER = ("JGXXB", "NBKMDZB", "CWPZXXB", "ZBTHXXB")


@dataclass(frozen=True)
class Filed:
    installation: Installation
    end: FilingState


@pytest.fixture(scope="module")
def filed(cores: Cores, servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filed]:
    home = cores.furnish(tmp_path_factory.mktemp("tables"), clean=True)
    reach_servers(home, servers)
    with opened(home) as installation:
        demand = replace(draft(home), tables=tuple(reversed(DEMANDED)))
        open_by_request(installation, demand)
        proof = home / "函.txt"
        proof.write_text("凭证（模拟）", encoding="utf-8")
        talk = Talk("监管处", "其余各表是否免报？", "免报。", None, (proof,))
        record_talk(installation, AUDIT, installation.user("requester_440000"), talk)
        run(installation, AUDIT, "extract", "validate", "review")
        agree(installation, AUDIT)
        run(installation, AUDIT, "package", "deliver")
        hand_over_to_bureau(installation, AUDIT, servers, home / "desk")
        yield Filed(installation, run(installation, AUDIT, "archive"))
        check_ledger(installation)


def test_only_the_demanded_tables_are_extracted_judged_and_sent(filed: Filed) -> None:
    state = filed.end
    assert state.tables == IN_ORDER
    assert set(state.rounds[0].fact.tables) == set(IN_ORDER)
    assert state.content is not None
    content = filed.installation.home / "contents" / AUDIT / state.content.fact.content / "content.json"
    assert set(json.loads(content.read_text(encoding="utf-8"))["tables"]) == set(IN_ORDER)
    with zipfile.ZipFile(sent_file(package_folder(filed.installation, state))) as package:
        sent = {name.split("-")[1] for name in package.namelist() if name.endswith(".txt")}
    assert sent == set(IN_ORDER)
    assert state.receipt is not None
    assert state.receipt.fact.result == "accepted", state.receipt.fact.text


def test_rules_of_other_tables_are_listed_as_not_demanded_and_close_no_gate(filed: Filed) -> None:
    listed = {each.rule: each for each in unjudged(filed.end)}
    assert {each.why for each in listed.values()} == {"demand", "reference"}
    assert {rule for rule, each in listed.items() if each.why == "reference"} == {"P03-JGXXB"}
    assert str(listed["B02"]) == "不作判断：报送需求未要求表 KHXXB"
    assert listed["E06-ZBTHXXB"].missing == "PAXXB"
    assert "R04" not in listed, "vouchers are judged whole"
    assert filed.end.content is not None
    counts = filed.end.content.fact.counts
    assert counts["R04"] == 0
    assert "R01" not in counts


def test_the_evidence_of_some_tables_verifies_with_its_talk(filed: Filed) -> None:
    archive = evidence_path(filed.installation, filed.end)
    proven = verify_evidence(archive)
    assert (proven.filing, proven.content) == (AUDIT, filed.end.content and filed.end.content.fact.content)
    (talk,) = filed.end.talks
    with zipfile.ZipFile(archive) as members:
        assert f"talks/{talk.fact.documents[0].file}" in members.namelist()


def test_a_resubmission_may_answer_an_amended_document(filed: Filed) -> None:
    """After the archive the demand may change again: the filing is reopened first."""
    user = filed.installation.user("requester_440000")
    with pytest.raises(Exception, match="filing reopen"):
        amend_request(
            filed.installation, NUMBER, user, changes=RequestChanges(tables=("JGXXB",)), reason="减少"
        )


def test_a_table_that_is_not_demanded_takes_no_nil_return(begin: Resume) -> None:
    installation = begin()
    raise_request(
        installation, replace(draft(installation.home), tables=DEMANDED), installation.user("requester")
    )
    reviewer = installation.user("audit_reviewer")
    review_request(installation, NUMBER, reviewer, opinion="accept", comment="同意")
    with pytest.raises(BadInput, match="表 BDXXB 不在报送任务"):
        declare_nil_return(installation, AUDIT, preparer(installation), table="BDXXB", reason="—")


def test_another_demand_is_another_round_and_only_common_tables_are_compared(begin: Resume) -> None:
    installation = begin(clean=True)
    open_by_request(installation, replace(draft(installation.home), tables=("JGXXB", "NBKMDZB")))
    state = run(installation, AUDIT, "extract", "validate", "review")
    first = state.content
    user = installation.user("requester_440000")
    changes = RequestChanges(
        tables=("NBKMDZB", "KHXXB"), organisations=("440000",), deadline=date(2026, 5, 29)
    )
    amend_request(installation, NUMBER, user, changes=changes, reason="监管更正文件")
    reviewer = installation.user("audit_reviewer")
    review_request(installation, NUMBER, reviewer, opinion="accept", comment="同意")
    state = installation.state(AUDIT)
    assert state.amendments[-1].fact.changed == ("deadline", "organisations", "tables")
    assert (state.tables, state.organisations, state.deadline) == (
        ("KHXXB", "NBKMDZB"), ("440000",), date(2026, 5, 29),
    )  # fmt: skip
    step = next_step(state, installation)
    assert step is not None
    assert step.key == "extract:round-2:0"
    state = run(installation, AUDIT, "extract", "validate", "compare", "review")
    assert set(state.rounds[1].fact.tables) == {"KHXXB", "NBKMDZB"}
    told = read_comparison(installation, state)
    assert [each["table"] for each in told["tables"]] == ["NBKMDZB"]
    rows = state.rounds[1].fact.tables["KHXXB"].rows
    assert told["only_later"] == {"KHXXB": rows} and "KHXXB" not in told["only_earlier"]
    customers = pl.read_parquet(installation.rounds.path(AUDIT, 2) / "KHXXB.parquet")
    assert customers.height > 0
    assert set(read_findings(installation, state)["table"]) <= {"KHXXB", "NBKMDZB"}
    assert first is not None and state.content is not None
    assert state.content.fact.content != first.fact.content
    assert agree(installation, AUDIT, steps=0).stage == "in_sign_off"
