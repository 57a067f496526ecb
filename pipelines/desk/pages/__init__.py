"""The routes of the desk, one module per area; each page says which template shows it. Rights stand in `rights.yaml`."""

from pipelines.desk.pages import (
    account,
    administration,
    answers,
    answers_together,
    changes,
    comparison,
    figures,
    filings,
    finding,
    findings,
    gatekeeping,
    live,
    notices,
    off_system,
    people,
    request_changes,
    requests,
    sent,
    sign_on,
    signing,
    standards,
    talks,
    tasks,
    waivers,
)

ROUTERS = tuple(
    area.router
    for area in (
        account,
        sign_on,
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
        answers_together,
        waivers,
        off_system,
        talks,
        signing,
        sent,
        changes,
        standards,
        people,
        administration,
        gatekeeping,
    )
)
"""Every route but the static files."""
