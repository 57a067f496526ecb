"""Opening a source for one extraction: which room reads it follows from how it is configured."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import BadInput
from resources.deployment.connections import SourceConfig, SqliteSource
from resources.secrets import resolve
from resources.sources.any_database import open_database
from resources.sources.postgresql import open_postgresql
from resources.sources.postgresql_connections import parsed_url
from resources.sources.snapshot import Snapshot
from resources.sources.sqlite import open_sqlite


@contextmanager
def open_source(config: SourceConfig, home: Path, *, busy_timeout_seconds: float = 30) -> Generator[Snapshot]:
    """Begin one read transaction on the source and end it when the block does.

    Raises Unavailable `source.down` or `source.locked`, BadInput `source.not_a_database` or `source.url`.
    """
    if isinstance(config, SqliteSource):
        with open_sqlite(config.name, config.path(home), busy_timeout_seconds) as snapshot:
            yield snapshot
        return
    url = parsed_url(config.name, resolve(config.url, home))
    if url.get_backend_name() == "sqlite":
        raise BadInput("source.sqlite_by_url", source=config.name)
    opened = (
        open_postgresql(config.name, url, config.connections)
        if url.get_backend_name() in ("postgresql", "postgres")
        else open_database(config.name, url)
    )
    with opened as snapshot:
        yield snapshot
