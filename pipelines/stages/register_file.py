"""The register of a filing as a Parquet file, for readers that filter, sort and page it: written once per state of the ledger.

A projection that can be thrown away at any time; `register.py` says what stands in it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation
from pipelines.stages.leftovers import draft_name
from pipelines.stages.register import register

_ROWS_PER_GROUP = 50_000
_KEPT = 2
"""The last but one stays: somebody may be reading it."""


def register_file(installation: Installation, state: FilingState) -> Path:
    """The file of the register as of `state`, written if it is not there; older ones are removed.

    What else a register depends on – the standard, departments, mergers – is part of its name. The filing must have been judged.
    """
    deployment = installation.deployment
    standard = installation.standard(state.opened.fact.standard)
    owners = (standard.digest, deployment.departments, deployment.mergers, deployment.organisations)
    digest = hashlib.sha256(repr(owners).encode()).hexdigest()
    folder = installation.folder("projections", state.id)
    path = folder / f"register-{state.seq:08d}-{digest[:12]}.parquet"
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / draft_name(path.name)
    rows = register(installation, state)
    rows.with_columns(pl.col(pl.Categorical).cast(pl.String)).write_parquet(
        draft, row_group_size=_ROWS_PER_GROUP
    )
    draft.replace(path)
    for earlier in sorted(folder.glob("register-*.parquet"))[:-_KEPT]:
        if earlier != path:  # whoever asks about an earlier state needs its file for a moment
            earlier.unlink(missing_ok=True)
    return path
