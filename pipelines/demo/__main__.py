"""`python -m pipelines.demo play | serve | stop`: what `make demo`, `make dev` and `make clean` run."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from pipelines.demo.play import Deviation, play
from pipelines.demo.serve import serve
from pipelines.demo.servers import Servers
from pipelines.errors import LANGUAGE, BaosongError
from resources.settings import Settings


def main() -> int:
    """0: all went as it must; 1: a deviation, named; 2–5: the exit code of the error that a person would read."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.demo", description=__doc__)
    parser.add_argument("what", choices=["play", "serve", "stop"])
    parser.add_argument("--policies", type=int, default=20_000)
    parser.add_argument("--port", type=int, default=3000, help="port of Dagster's UI (serve)")
    given = parser.parse_args()
    settings = Settings.load()
    LANGUAGE.set(settings.language)
    signal.signal(signal.SIGTERM, _interrupt)  # whoever ends this ends its servers
    try:
        if given.what == "play":
            play(settings, policies=given.policies)
        elif given.what == "serve":
            serve(settings, port=given.port)
        else:
            Servers(settings.home).stop()
    except Deviation as deviation:
        sys.stderr.write(f"\n演示未达到预期 · the demo deviated: {deviation}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\n已中断，服务已停止 · interrupted, the servers are stopped\n")
        return 130
    except BaosongError as error:
        sys.stderr.write(f"\n{error}\n")
        return error.exit_code
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
