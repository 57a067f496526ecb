"""`baosong handover`, `receipt`, `verify`: the end of a filing, and proving it years later."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import BadInput, text
from pipelines.stages.installation import open_installation

Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]


def handover(
    filing: Filing,
    file: Annotated[list[Path], typer.Option(help="移交的文件 · the files handed over")],
    as_user: As = None,
) -> None:
    """登记分公司向监管局的移交 · Record that the branch handed the package to the bureau."""
    from pipelines.stages.acknowledge import record_handover  # noqa: PLC0415

    with open_installation() as installation:
        state = record_handover(installation, filing, installation.user(as_user), files=file)
        assert state.handover is not None, "it was just recorded"
        typer.echo(text("cli.handed_over", filing=filing, recipient=state.handover.fact.recipient))


def receipt(
    filing: Filing,
    file: Annotated[Path, typer.Option(help="回执文件 · the receipt")],
    as_user: As = None,
) -> None:
    """登记监管局的回执 · Record the bureau's receipt."""
    from pipelines.stages.acknowledge import record_receipt  # noqa: PLC0415

    with open_installation() as installation:
        state = record_receipt(installation, filing, installation.user(as_user), receipt_file=file)
        assert state.receipt is not None, "it was just recorded"
        answer = state.receipt.fact
        typer.echo(text(f"cli.receipt.{answer.result}", filing=filing, number=answer.number))


def verify(
    evidence: Annotated[Path, typer.Argument(help="档案 · the evidence file")],
    key: Annotated[
        Path | None, typer.Option(help="保险公司的公钥文件（PEM）· the insurer's public key")
    ] = None,
) -> None:
    """离线验证档案 · Verify an archive offline; exit 5 when anything in it was changed."""
    from pipelines.ledger.heads import public_text_of_file  # noqa: PLC0415
    from pipelines.stages.verify_evidence import verify_evidence  # noqa: PLC0415

    if key is not None and not key.is_file():
        raise BadInput("cli.no_file", option="--key", path=key)
    proven = verify_evidence(evidence, public_text_of_file(key) if key else None)
    typer.echo(
        text(
            "cli.verified",
            filing=proven.filing,
            version=proven.version,
            files=proven.files,
            events=proven.events,
            content=proven.content[:16],
            package=proven.package[:16],
            approvals="; ".join(proven.approvals),
            receipt=proven.receipt,
        )
    )
    typer.echo(text("cli.verified_rounds", rounds=proven.rounds, rows=f"{proven.rows:,}"))
    typer.echo(text("cli.verified_key" if key else "cli.verified_any_key", key=proven.key))
