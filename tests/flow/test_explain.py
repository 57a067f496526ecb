"""Every number explains itself: figures of the statistics open down to the rows of their round, and add up on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import BadInput, Refused, Tampered
from pipelines.ledger.filing_events import AnswersReviewed
from pipelines.stages.bulk_facts import DECIDED, frame, keep
from pipelines.stages.canonical import canonical_json
from pipelines.stages.explain import explain
from pipelines.stages.figure_tree import Figure, FigureTree, Part
from pipelines.stages.handlings import Handled
from pipelines.stages.installation import Installation
from pipelines.stages.judged_figures import open_judged
from tests.flow.conftest import Resume
from tests.flow.play import SCHEDULE_P, STATISTICS, Cores, open_statistics, opened, run

LEAF = {"JGDM": "440100", "XMDM": "BF010000"}
"""An extracted value that is not zero."""


@pytest.fixture(scope="module")
def judged(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which April's statistics have been judged."""
    home = cores.furnish(tmp_path_factory.mktemp("statistics-judged"), clean=True)
    with opened(home) as installation:
        open_statistics(installation)
        run(installation, STATISTICS, "extract", "validate")
    return home


@pytest.fixture
def installation(judged: Path) -> Iterator[Installation]:
    """That home, read only: explaining changes nothing."""
    with opened(judged) as it:
        before = it.state(STATISTICS)
        yield it
        assert it.state(STATISTICS) == before


def leaves(figure: Figure, weight: Decimal = Decimal(1)) -> Iterator[tuple[Decimal, Figure]]:
    """The extracted values below a figure, and how often each counts in it."""
    if figure.is_extracted:
        yield weight, figure
    for part in figure.parts:
        yield from leaves(part.figure, weight * part.weight)


def told(installation: Installation, cell: str, **options: object) -> Figure:
    figure = explain(installation, installation.state(STATISTICS), cell, **options).figure  # type: ignore[arg-type]
    assert figure is not None
    return figure


def rows_of_round(installation: Installation, table: str) -> pl.DataFrame:
    return pl.read_parquet(installation.rounds.tables(STATISTICS, 1)[table])


# ---- down to the rows


@pytest.mark.parametrize(
    "organisation", [pytest.param("000000", marks=pytest.mark.prove), "440000", "440100"]
)
def test_every_figure_of_an_organisation_opens_to_the_bottom_and_adds_up_exactly(
    installation: Installation, organisation: str
) -> None:
    extracted = {
        (row["JGDM"], row["XMDM"]): (number + 1, row["JE"])
        for number, row in enumerate(rows_of_round(installation, "XMZ").iter_rows(named=True))
    }
    with open_judged(installation, installation.state(STATISTICS)) as asked:
        table = asked.standard.table("BSXM")
        values = {
            cell: value
            for cell, value in asked.figures.values(table, "JE", asked.figures.cells(table, "JE")).items()
            if f'"JGDM":"{organisation}"' in cell
        }
        assert len(values) == 250, "all items of the monthly report"
        tree = FigureTree(asked.figures, asked.extracted, (), {})
        reached = 0
        for cell, value in values.items():
            figure = tree.build(table, "JE", cell, value, 99)
            assert all(each.adds_up and each.differences == () for each in figure.all()), cell
            bottom = list(leaves(figure))
            for _, leaf in bottom:
                key = dict(leaf.key)
                assert (leaf.table, leaf.rows, leaf.value) == (
                    "XMZ",
                    (extracted[key["JGDM"], key["XMDM"]][0],),
                    extracted[key["JGDM"], key["XMDM"]][1],
                )
            assert sum((weight * (leaf.value or 0) for weight, leaf in bottom), Decimal(0)) == figure.value, (
                cell
            )
            reached += bool(bottom)
        assert reached > 100


def test_the_companys_premium_opens_into_its_organisations_then_their_lines_then_sub_branches(
    installation: Installation,
) -> None:
    figure = told(installation, "BSXM:000000:BF000000")
    extracted = rows_of_round(installation, "XMZ")
    leaf_items = [f"BF{line:02}0000" for line in (*range(1, 3), *range(4, 14), 19)] + ["BF030100", "BF030200"]
    assert figure.value == extracted.filter(pl.col("XMDM").is_in(leaf_items))["JE"].sum()
    (rolled_up,) = figure.parts
    branches = rolled_up.figure.parts
    level_one = sorted(o.code for o in installation.deployment.level_one())
    assert [dict(part.figure.key)["JGDM"] for part in branches] == level_one
    (guangdong,) = [part.figure for part in branches if ("JGDM", "440000") in part.figure.key]
    assert dict(guangdong.names)["JGDM"] == "广东分公司"
    assert dict(guangdong.parts[0].figure.names)["XMDM"] == "原保险保费收入-企业财产保险"
    assert {dict(part.figure.key)["JGDM"] for part in guangdong.parts} == {"440000"}
    property_line = guangdong.parts[0].figure
    assert {dict(p.figure.key)["JGDM"] for p in property_line.parts} == {"440100", "440600"}
    assert property_line.compared_total == property_line.value, "the ledger agrees"


def test_what_does_not_add_up_across_organisations_opens_into_the_own_rows(
    installation: Installation,
) -> None:
    figure = told(installation, "BSXM:440000:KH000000").parts[0].figure
    assert [(p.figure.table, dict(p.figure.key)) for p in figure.parts] == [
        ("XMZ", {"JGDM": "440000", "XMDM": "KH010000"}),
        ("XMZ", {"JGDM": "440000", "XMDM": "KH020000"}),
    ]


def test_a_ratio_opens_into_both_its_sides_and_says_what_was_rounded(installation: Installation) -> None:
    figure = told(installation, "BLB:000000:L1000000", depth=1)
    sides: dict[str | None, Part] = {part.side: part for part in figure.parts}
    paid, premium = sides["numerator"].amount, sides["denominator"].amount
    assert (dict(sides["numerator"].figure.key)["XMDM"], figure.ratio) == ("PK000000", 100)
    (rounding,) = figure.differences
    assert rounding.cause == "rounding"
    assert figure.value is not None
    assert abs(100 * paid / premium + Decimal(float(rounding.amount)) - figure.value) < Decimal("1e-10")
    assert abs(rounding.amount) <= Decimal("0.005")
    assert figure.adds_up


def test_a_tree_is_opened_as_deep_as_it_is_asked_for(installation: Installation) -> None:
    closed = told(installation, "BSXM:440000:BF000000", depth=0)
    assert (closed.parts, closed.total, closed.may_open, closed.adds_up) == ((), None, True, False)
    once = told(installation, "BSXM:440000:BF000000", depth=1)
    assert (once.total, once.parts[0].figure.total) == (once.value, None)


# ---- corrections


def lay_over(installation: Installation, new: str) -> Decimal:
    """Somebody corrects one extracted value in the report; returns what it was."""
    rows = rows_of_round(installation, "XMZ").filter(JGDM=LEAF["JGDM"], XMDM=LEAF["XMDM"])
    old: Decimal = rows["JE"].item()
    answer = Handled(
        finding="f" * 32,
        rule="C01",
        rule_digest="",
        severity="block",
        table="XMZ",
        key=canonical_json(LEAF),
        field="JE",
        value=str(old),
        expected=None,
        difference=None,
        handling="report_correction",
        new_value=new,
        reason="退保未入账，先更正（模拟）",
        department="finance",
        organisation="440000",
        user="business_reviewer",
    )
    state = installation.state(STATISTICS)
    decided = frame([{**asdict(answer), "decision": "accept", "remark": ""}], DECIDED)
    assert state.content is not None
    fact = AnswersReviewed(
        round=1,
        content=state.content.fact.content,
        department="finance",
        decisions=keep(installation, STATISTICS, decided),
        accepted={"report_correction": 1},
        sent_back=0,
        answer_by=date(2026, 5, 8),
        problems="",
        workbooks=(),
        held=(),
    )
    installation.record(state, fact, actor="business_reviewer", command="answers:test")
    run(installation, STATISTICS, "validate")
    return old


def test_a_correction_is_a_line_of_its_own_with_who_and_why(resume: Resume, judged: Path) -> None:
    installation = resume(judged)
    before = told(installation, "BSXM:000000:BF000000").value
    old = lay_over(installation, "12345.67")
    figure = told(installation, "BSXM:000000:BF000000")
    assert before is not None
    assert figure.value == before - old + Decimal("12345.67")
    changed = [leaf for _, leaf in leaves(figure) if leaf.differences]
    (leaf,) = changed
    (difference,) = leaf.differences
    assert dict(leaf.key) == LEAF
    assert (leaf.value, leaf.total, difference.amount) == (
        Decimal("12345.67"),
        old,
        Decimal("12345.67") - old,
    )
    assert (difference.cause, difference.overlay and difference.overlay.reason) == (
        "overlay",
        "退保未入账，先更正（模拟）",
    )
    assert difference.overlay and difference.overlay.user == "business_reviewer"
    assert all(each.adds_up for each in figure.all())
    row = explain(installation, installation.state(STATISTICS), "XMZ:440100:BF010000")
    (cell,) = [cell for _, cells in row.rows for cell in cells if cell.is_overlaid]
    assert (cell.field, cell.value, cell.before) == ("JE", "12345.67", str(old))


def test_what_no_sql_explains_is_said_and_not_hidden(installation: Installation) -> None:
    """As if the standard's SQL forgot one line of business."""
    with open_judged(installation, installation.state(STATISTICS)) as asked:
        table = asked.standard.table("HZB")
        cell = asked.figures.find(table, ["440000", "BF000000"])
        assert cell is not None
        found = asked.figures.parts(table, table.explains[0], [cell])[cell]
        tree = FigureTree(asked.figures, asked.extracted, (), {})
        asked.figures.parts = lambda *_: {cell: found[1:]}  # type: ignore[method-assign]
        value = asked.figures.values(table, "JE", [cell])[cell]
        figure = tree.build(table, "JE", cell, value, 1)
    assert [(d.cause, d.amount) for d in figure.differences] == [("unexplained", found[0].amount)]
    assert found[0].amount != 0
    assert not figure.adds_up


# ---- refusals


def test_a_changed_round_or_content_is_not_explained(resume: Resume, judged: Path) -> None:
    installation = resume(judged)
    state = installation.state(STATISTICS)
    assert state.content is not None
    content = installation.folder("contents", STATISTICS) / state.content.fact.content / "BSXM.parquet"
    kept = content.read_bytes()
    pl.read_parquet(content).head(10).write_parquet(content)
    with pytest.raises(Tampered, match=r"BSXM\.parquet"):
        explain(installation, state, "BSXM:000000:BF000000")
    content.write_bytes(kept)
    path = installation.rounds.tables(STATISTICS, 1)["XMZ"]
    path.chmod(0o644)
    pl.read_parquet(path).head(10).write_parquet(path)
    with pytest.raises(Tampered) as caught:
        explain(installation, state, "BSXM:000000:BF000000")
    assert caught.value.code == "round.tampered"


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("BSXM:440000:BF99", "explain.no_cell", "BSXM:440000:BF090000, BSXM:440000:BF190000"),
        ("BSXM:440000", "explain.key_parts", "JGDM, XMDM"),
        ("BSXN:440000:BF000000", "explain.table", "BSXM"),
        ("BSXM", "explain.cell", "HZB:JGDM:XMDM"),
    ],
)
def test_what_is_no_cell_is_answered_with_what_there_is(
    installation: Installation, cell: str, code: str, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        explain(installation, installation.state(STATISTICS), cell)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_nothing_is_explained_before_it_was_judged(begin: Resume) -> None:
    installation = begin(clean=True)
    open_statistics(installation)
    with pytest.raises(Refused, match="还没有校验过"):
        explain(installation, installation.state(STATISTICS), "BSXM:000000:BF000000")


# ---- the command


def command(monkeypatch: pytest.MonkeyPatch, installation: Installation, *arguments: str) -> str:
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(installation.settings.deployment))
    done = CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_rows_that_are_not_shown_are_counted_and_added_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("BSXM:440000:WB000000", "--depth", "2", "--json", "--rows", "1")
    said = json.loads(command(monkeypatch, installation, STATISTICS, *asked))
    rolled_up = said["figure"]["parts"][0]
    shown = [Decimal(part["amount"]) for part in rolled_up["parts"]]
    left = rolled_up["parts_not_shown"]
    whole = told(installation, "BSXM:440000:WB000000", depth=2).parts[0].figure
    assert [part["table"] for part in rolled_up["parts"]] == ["HZB", "XMZ"]
    assert left["count"] == len(whole.parts) - 2
    assert sum(shown, Decimal(left["sum"])) == Decimal(said["figure"]["value"]) == whole.value
    printed = command(monkeypatch, installation, STATISTICS, *asked[:3], "--rows", "1")
    assert f"另有 {left['count']} 行未列出；{left['count']} 行合计" in printed
    assert f"{Decimal(left['sum']):,f}" in printed
    assert "首次报送" in printed


def test_a_row_that_opens_into_nothing_is_shown_with_what_was_found_on_it(
    resume: Resume, schedule_p_in_review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(schedule_p_in_review)
    state = installation.state(SCHEDULE_P)
    assert state.content is not None
    path = installation.folder("contents", SCHEDULE_P) / state.content.fact.content / "findings.parquet"
    found = pl.read_parquet(path).filter(pl.col("row").is_not_null()).row(0, named=True)
    cell = ":".join(["TRIANGLE", *json.loads(found["key"]).values()])
    explained = explain(installation, state, cell, field=found["field"])
    assert found["finding"] in [each.finding for each in explained.findings]
    assert explained.rows[0][0] == found["row"] + 1
    printed = command(monkeypatch, installation, SCHEDULE_P, cell, "--field", found["field"])
    assert found["finding"] in printed
    assert f"► {found['field']} = " in printed
