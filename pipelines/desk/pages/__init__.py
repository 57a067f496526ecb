"""The routes of the desk, one module per area; each page says which template shows it. Rights stand in `rights.yaml`."""

from pipelines.desk.pages import (
    account,
    administration,
    answers,
    comparison,
    figures,
    filings,
    finding,
    findings,
    gatekeeping,
    live,
    notices,
    request_changes,
    requests,
    sent,
    signing,
    standards,
    tasks,
)

ROUTERS = tuple(
    area.router
    for area in (
        account,
        tasks,
        notices,
        requests,
        request_changes,
        filings,
        live,
        comparison,
        figures,
        findings,
        finding,
        answers,
        signing,
        sent,
        standards,
        administration,
        gatekeeping,
    )
)
"""Every route but the static files."""
