"""`python -m resources.embedded start|status|stop|handover --home HOME`: arguments and exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from resources.embedded.bureau import NoReceiptError, hand_over
from resources.embedded.places import Places
from resources.embedded.supervisor import NotStartedError, Options, live_endpoints, run, start_detached, stop


def main(arguments: list[str] | None = None) -> int:
    """0: done or alive; 1: `status` finds nothing running; 4: not done, the reason is on standard error."""
    given = _parser().parse_args(arguments)
    places = Places(Path(given.home).resolve())
    try:
        return _do(given, places)
    except (NotStartedError, NoReceiptError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 4


def _do(given: argparse.Namespace, places: Places) -> int:
    if given.command == "start":
        clock = None if given.clock is None else Path(given.clock).resolve()
        options = Options(clock, given.sftp_quota, given.judging_seconds, tuple(given.inbox))
        if given.detach:
            sys.stdout.write(json.dumps(start_detached(places, options), indent=2, sort_keys=True) + "\n")
        else:
            places.root.mkdir(parents=True, exist_ok=True)
            logging.basicConfig(
                filename=places.log,
                level=logging.INFO,
                format="%(asctime)s %(levelname)s %(name)s %(message)s",
            )
            logging.getLogger("asyncssh").setLevel(logging.WARNING)
            run(places, options)
    elif given.command == "stop":
        pid = stop(places)
        sys.stdout.write("nothing was running\n" if pid is None else f"stopped process {pid}\n")
    elif given.command == "handover":
        sys.stdout.write(hand_over(places, Path(given.file), filing=given.filing) + "\n")
    else:
        alive = live_endpoints(places)
        sys.stdout.write(
            "not running\n" if alive is None else json.dumps(alive, indent=2, sort_keys=True) + "\n"
        )
        return 1 if alive is None else 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m resources.embedded", description="servers that stand in for the outside"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="run the servers; a running one is kept")
    start.add_argument("--detach", action="store_true", help="return when they answer")
    start.add_argument("--clock", metavar="FILE", help="clock file whose time the receipts carry")
    start.add_argument("--sftp-quota", type=int, metavar="BYTES", help="largest file the SFTP server takes")
    start.add_argument(
        "--inbox",
        action="append",
        default=[],
        metavar="USER",
        help="an account that drops answers into its own folder",
    )
    start.add_argument(
        "--judging-seconds", type=float, default=0.3, metavar="S", help="how long the regulator takes"
    )
    commands.add_parser("stop", help="end the running servers")
    commands.add_parser("status", help="where they listen")
    handover = commands.add_parser(
        "handover", help="hand a package to the bureau as a branch does, print its receipt"
    )
    handover.add_argument("--filing", required=True)
    handover.add_argument("file")
    for command in commands.choices.values():
        command.add_argument("--home", required=True, metavar="DIR", help="BAOSONG_HOME")
    return parser


if __name__ == "__main__":
    sys.exit(main())
