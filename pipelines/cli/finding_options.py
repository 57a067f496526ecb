"""The options by which a person chooses findings, the same for every command that acts on some."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from pipelines.stages.selection import Selection

Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
Reason = Annotated[str, typer.Option(help="原因 · reason")]

_OPTIONS = {
    "rules": ("--rule", "规则，可重复 · rules, repeatable"),
    "tables": ("--table", "表，可重复 · tables, repeatable"),
    "branches": ("--branch", "答复机构，可重复 · answering branches, repeatable"),
    "departments": ("--department", "责任部门，可重复 · departments, repeatable"),
    "findings": ("--finding", "问题编号，可重复 · finding keys, repeatable"),
    "states": ("--state", "状态，可重复 · states, repeatable"),
}
ACTED_ON = ("rules", "tables", "branches", "departments", "findings")
"""What an act on findings may be limited by; the register may be limited by their state too."""


def choosing(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of these parts of a Selection; it gets them as `chosen`. Nothing given means all."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = signature(command, eval_str=True)

        def run(**given: Any) -> None:
            chosen = Selection(**{name: tuple(given.pop(name) or ()) for name in names})
            command(chosen=chosen, **given)

        options = [
            Parameter(
                name,
                Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[
                    list[str] | None, typer.Option(_OPTIONS[name][0], help=_OPTIONS[name][1])
                ],
            )
            for name in names
        ]
        kept = [
            each.replace(kind=Parameter.KEYWORD_ONLY)
            for name, each in own.parameters.items()
            if name != "chosen"
        ]
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = own.replace(parameters=[*kept, *options])  # type: ignore[attr-defined] # typer reads it
        run.__annotations__ = {each.name: each.annotation for each in (*kept, *options)}
        return run

    return decorate
