"""Standards and rules (规范): what each regulator demands, as the standard says it, for everybody who has logged in."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipelines.desk import standards_view as view
from pipelines.desk.answering import page
from pipelines.desk.paging import paged
from pipelines.desk.visit import Visited
from pipelines.errors import Refused
from validations.kit.pages import rule_groups
from validations.kit.versions import as_words

router = APIRouter()


@router.get("/standards", name="standards")
def standards(visit: Visited) -> HTMLResponse:
    """All standards by which this insurer files, with their reports."""
    return page(visit, "standards", standards=view.standards_of(visit), due_said=view.due_said)


@router.get("/standards/{standard}", name="standard")
def standard(visit: Visited, standard: str) -> HTMLResponse:
    """One standard: reports, tables, rules in words, code lists."""
    found = view.standard_named(visit, standard)
    return page(
        visit,
        "standard",
        standard=found,
        relations=view.relations_of(found),
        groups=rule_groups(found),
        due_said=view.due_said,
    )


@router.get("/standards/{standard}/tables/{table}", name="standard_table")
def table(visit: Visited, standard: str, table: str) -> HTMLResponse:
    """One table with its fields."""
    found = view.standard_named(visit, standard)
    shown = view.table_of(found, table)
    relations = view.relations_of(found)
    derive = view.sql_of(shown.derive)
    return page(visit, "standard_table", standard=found, table=shown, relations=relations, derive=derive)


@router.get("/standards/{standard}/rules/{rule}", name="standard_rule")
def rule(visit: Visited, standard: str, rule: str) -> HTMLResponse:
    """One rule: its words, what it demands, its SQL."""
    found = view.standard_named(visit, standard)
    shown = view.rule_of(found, rule)
    told = view.rule_told(found, shown)
    shape = as_words(shown.shape) if shown.shape is not None else ""
    return page(visit, "standard_rule", standard=found, told=told, shape=shape, rule=shown)


@router.get("/standards/{standard}/codes/{codes}", name="standard_codes")
def codes(visit: Visited, standard: str, codes: str) -> HTMLResponse:
    """One code list, in pages, or the codes whose code begins with what is typed or whose name has it."""
    found = view.standard_named(visit, standard)
    if codes not in found.codes:
        raise Refused("desk.out_of_scope")
    words = visit.request.query_params.get("words", "").strip()[:100]
    return page(
        visit,
        "standard_codes",
        standard=found,
        codes=found.codes[codes],
        words=words,
        listed=paged(visit.request, view.codes_like(found.codes[codes], words)),
        relations=view.relations_of(found),
    )
