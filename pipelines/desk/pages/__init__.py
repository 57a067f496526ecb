"""The routes of the desk, one module per area; each page says which template shows it. Rights stand in `rights.yaml`."""

from pipelines.desk.pages import (
    account,
    administration,
    answers,
    changes,
    comparison,
    figures,
    filings,
    finding,
    findings,
    gatekeeping,
    notices,
    requests,
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
        filings,
        comparison,
        figures,
        findings,
        finding,
        answers,
        signing,
        changes,
        standards,
        administration,
        gatekeeping,
    )
)
"""Every route but the static files."""
