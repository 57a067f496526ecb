"""Off-system data (系统外数据): a department takes its template, hands its tables in, and sees what is wrong and what is missing."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipelines.desk.answering import onward, page
from pipelines.desk.downloads import uploaded
from pipelines.desk.findings_view import place_seen
from pipelines.desk.off_system_view import mistakes_of, require_own, tables_of
from pipelines.desk.pages.filings import head_of
from pipelines.desk.visit import Visited, missing
from pipelines.errors import BadInput, BaosongError
from pipelines.stages.off_system import SUFFIXES
from pipelines.stages.off_system_template import write_template
from pipelines.stages.off_system_upload import upload

router = APIRouter()
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/filings/{filing}/off-system", name="off_system")
def off_system(visit: Visited) -> HTMLResponse:
    """The tables that the person's departments owe, and what was handed in."""
    return _page(visit)


@router.get("/filings/{filing}/off-system/{table}.xlsx", name="off_system_template")
def template(visit: Visited, table: str) -> Response:
    """The workbook to fill in, made from the data dictionary of the filing's period."""
    require_own(visit, table)
    with tempfile.TemporaryDirectory(prefix="baosong-template-") as folder:
        path = Path(folder) / "template.xlsx"
        write_template(visit.installation, visit.state.id, table, path)
        content = path.read_bytes()
    headers = {"content-disposition": f'attachment; filename="{visit.state.id}-{table}.xlsx"'}
    return Response(content, media_type=_XLSX, headers=headers)


@router.post("/filings/{filing}/off-system", name="upload_off_system")
def upload_(visit: Visited) -> Response:
    """Take in one table as a whole, or say everything that is wrong with it."""
    try:
        table = visit.text("table", is_needed=True)
        require_own(visit, table)
        given = visit.files("workbook")
        if len(given) != 1:
            raise BadInput("desk.off_system.one_file") if given else missing("workbook")
        with uploaded(given) as (path,):
            seen = place_seen(visit.text("seen"))
            state = upload(visit.installation, visit.state.id, visit.user, table=table, file=path, seen=seen)
    except BaosongError as error:
        return _page(visit, error=error)
    done = "off_system_unchanged" if state.seq == visit.state.seq else "off_system_uploaded"
    return onward(visit, "off_system", done=done, path={"filing": visit.state.id})


def _page(visit: Visited, *, error: BaosongError | None = None) -> HTMLResponse:
    now = replace(visit, filing=visit.desk.reading.filing(visit.state.id))
    mistakes = mistakes_of(error) if error else []
    count = error.values.get("count") if error and mistakes else None
    return page(
        now,
        "off_system",
        error=BadInput("desk.off_system.refused", name=error.values.get("path", ""), count=count)
        if error and mistakes
        else error,
        **head_of(now),
        tables=tables_of(now),
        mistakes=mistakes,
        mistake_count=count,
        suffixes=SUFFIXES,
        is_open=not now.state.is_in_sign_off and not now.state.packages,
    )
