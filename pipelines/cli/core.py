"""`baosong core`: make the simulated core systems that the demo and the tests read.

None of this is part of filing: an insurer has its own core. `fix` stands in for a branch's clerk who corrects the core
system; Baosong itself never writes to a core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from resources.deployment import load_deployment
from resources.reference_core import OrganisationSeed, load_schedule_p, repair, repairs_path
from resources.reference_core import generate as generate_core
from resources.secrets import resolve
from resources.settings import Settings

app = typer.Typer(no_args_is_help=True)
_HEAD_OFFICE_REGION = "110102"


@app.command()
def generate(
    policies: Annotated[int, typer.Option(min=1, help="保单数 · number of policies")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="随机种子 · seed: the same seed gives the same rows")] = 1,
    defects: Annotated[Path | None, typer.Option(help="缺陷清单 YAML · defects to inject")] = None,
    database: Annotated[Path | None, typer.Option(help="写到哪里 · default BAOSONG_HOME/core.db")] = None,
    answer_key: Annotated[Path | None, typer.Option(help="答案清单 CSV · what validation must find")] = None,
) -> None:
    """生成模拟核心系统 · Generate the reference core, whole or not at all."""
    settings = Settings.load()
    target = database or settings.home / "core.db"
    key = answer_key or (settings.home / "answer_key.csv" if defects else None)
    began = time.monotonic()
    with _progress() as report:
        summary = generate_core(
            target,
            policies=policies,
            seed=seed,
            organisations=_organisations(settings),
            defects=defects,
            answer_key=key,
            progress=report,
        )
    rows = "，".join(f"{table} {count:,}" for table, count in summary.rows.items())
    typer.echo(f"{summary.path}: {rows}（{time.monotonic() - began:.1f} s）")
    if key:
        counts = " ".join(f"{rule}×{count}" for rule, count in summary.defects.items())
        typer.echo(f"{key}: {sum(summary.defects.values())} 处缺陷 · defects: {counts or '—'}")
        typer.echo(f"{repairs_path(key)}: 分公司的修复语句 · the branches' repairs")


@app.command("to-postgresql")
def to_postgresql(
    url: Annotated[
        str,
        typer.Option(
            help="目标库地址的密钥引用 · secret reference of the target, e.g. env:CORE_DATABASE_URL"
        ),
    ],
    database: Annotated[Path | None, typer.Option(help="核心库 · default BAOSONG_HOME/core.db")] = None,
) -> None:
    """把模拟核心系统复制到空的 PostgreSQL 库 · Copy the reference core to an empty PostgreSQL database, whole or not at all."""
    from resources.reference_core.postgresql import copy_to_postgresql  # noqa: PLC0415 - loads drivers

    home = Settings.load().home
    with _progress() as report:
        copied = copy_to_postgresql(database or home / "core.db", resolve(url, home), progress=report)
    typer.echo("，".join(f"{table} {count:,}" for table, count in copied.items()))


@app.command("load-schedule-p")
def load_schedule_p_(
    database: Annotated[
        Path | None, typer.Option(help="写到哪里 · default BAOSONG_HOME/schedule_p.db")
    ] = None,
) -> None:
    """装载真实的 Schedule P 报送数据 · Load the real Schedule P filings into a source database."""
    target = database or Settings.load().home / "schedule_p.db"
    typer.echo(f"{target}: {load_schedule_p(target):,} 行 · rows")


@app.command()
def fix(
    repairs: Annotated[
        Path, typer.Option(help="generate 写出的修复清单 · the repair list written by generate")
    ],
    organisation: Annotated[str, typer.Option(help="哪个机构 · which branch")],
    rule: Annotated[list[str] | None, typer.Option(help="只修这些规则 · only these rules")] = None,
    database: Annotated[Path | None, typer.Option(help="核心库 · default BAOSONG_HOME/core.db")] = None,
) -> None:
    """【仅演示】模拟分公司在核心系统中改数 · Demo only: a branch's clerk corrects the core system."""
    target = database or Settings.load().home / "core.db"
    count = repair(target, repairs, organisation=organisation, rules=rule or ())
    typer.echo(f"{organisation}: 已在核心系统中修正 {count} 处 · corrected in the core")


def _organisations(settings: Settings) -> list[OrganisationSeed]:
    deployment = load_deployment(settings.deployment, settings.home)
    return [
        OrganisationSeed(
            code=each.code,
            name=each.name,
            parent=each.parent,
            level=each.level,
            is_own_account=each.is_own_account,
            region=each.region or _HEAD_OFFICE_REGION,
        )
        for each in deployment.organisations
    ]


@contextmanager
def _progress() -> Generator[Callable[[str, int, int], None]]:
    """A bar on a terminal's stderr; elsewhere one line."""
    console = Console(stderr=True)
    if not console.is_terminal:
        typer.echo("生成模拟核心系统… · generating the reference core", err=True)
        yield lambda what, done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("生成")
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
