"""The list of commands: it says of each what the command itself says, and asking for it imports none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipelines.cli.commands import COMMANDS, imported
from pipelines.cli.main import app

FUNCTIONS = [name for name, (place, _) in COMMANDS.items() if not place.endswith(":app")]


def loaded_by(arguments: list[str]) -> set[str]:
    """The modules of commands that a fresh interpreter has loaded after one call."""
    code = (
        "import sys\nfrom pipelines.cli.main import app\n"
        f"app({arguments!r}, standalone_mode=False)\n"
        "print('loaded', *[name for name in sys.modules if name.startswith('pipelines.cli.')])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.removeprefix("pipelines.cli.") for name in done.stdout.splitlines()[-1].split()[1:]}


def test_the_list_of_commands_imports_none_of_them() -> None:
    assert loaded_by(["--help"]) == {"main", "commands"}


def test_a_command_is_imported_when_it_is_called_and_no_other_is() -> None:
    assert loaded_by(["clock", "--help"]) == {"main", "commands", "clock"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_list_says_of_a_command_what_its_help_begins_with(name: str) -> None:
    assert imported(name).help.split("\n\n")[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_list_answers_for_its_help(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert COMMANDS[name][1] in shown.output


def test_a_command_mistyped_is_answered_with_the_nearest() -> None:
    refused = CliRunner().invoke(app, ["standar"])
    assert refused.exit_code == 2
    assert "No such command 'standar'. Did you mean 'standard'?" in refused.output
