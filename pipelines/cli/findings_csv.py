"""Findings as CSV for people with a spreadsheet: nothing in it is ever a formula, and long numbers stay what they are.

Programs take the Parquet file: here an apostrophe stands before what a spreadsheet would run, round or shorten.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

_RUNS = r"^[=+\-@|%\t\r\n＝＋－＠]"
_HARMLESS = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,10})?$"
_CHANGES = r"^[+-]?([0-9][0-9.,]{15,}|0[0-9]+.*|[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]+)$"


def write_csv(findings: Path, target: Path) -> None:
    """Write all findings, with a byte order mark so that spreadsheets see UTF-8; whole or not at all."""
    frame = pl.scan_parquet(findings)
    texts = [name for name, kind in frame.collect_schema().items() if kind == pl.String]
    temporary = target.with_name(f".tmp-{target.name}")
    try:
        frame.with_columns(_inert(pl.col(name)).alias(name) for name in texts).sink_csv(
            temporary, include_bom=True
        )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _inert(text: pl.Expr) -> pl.Expr:
    """The text, after an apostrophe where a spreadsheet would take it for a formula or change its digits."""
    is_taken = (text.str.contains(_RUNS) & ~text.str.contains(_HARMLESS)) | text.str.contains(_CHANGES)
    return pl.when(is_taken).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)
