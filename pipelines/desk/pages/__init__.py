"""The routes of the desk, one module per area; each page says which template shows it. Rights stand in `rights.yaml`."""

from pipelines.desk.pages import (
    account,
    administration,
    answers,
    filings,
    findings,
    notices,
    requests,
    signing,
    tasks,
)

ROUTERS = tuple(
    area.router
    for area in (account, tasks, notices, requests, filings, findings, answers, signing, administration)
)
"""Every route but the static files."""
