"""`make dev`: Dagster's UI, its daemon and the stand-in servers, until Ctrl-C."""

from __future__ import annotations

import os
import sys

from pipelines.demo.company import Company, password_file
from pipelines.demo.servers import Servers
from pipelines.demo.stage_setting import set_stage
from pipelines.errors import Refused
from resources.deployment import load_deployment
from resources.settings import Settings


def serve(settings: Settings, *, port: int) -> None:
    """Serve what `make demo` left behind, or a fresh demo core when there is nothing yet."""
    servers = Servers(settings.home)
    if servers.is_running():
        raise Refused("demo.running", home=settings.home)
    servers.stop()
    servers.prepare_dagster()
    if not (settings.home / "core.db").exists():
        set_stage(settings, policies=20_000)
    servers.start_embedded()
    os.environ["BAOSONG_DAGSTER_URL"] = f"http://127.0.0.1:{port}"
    url = servers.start_desk(port + 1)
    servers.start_daemon()
    webserver = servers.start_webserver(port)
    if not password_file(settings.home).exists():
        Company(settings, load_deployment(settings.deployment, settings.home), url)
    sys.stdout.write(
        f"Dagster  http://127.0.0.1:{port}\n审核台 desk  {url}\n"
        f"用户与口令 users and passwords  {password_file(settings.home)}\n日志 logs  {settings.home / 'log'}\n"
        "命令 commands  .venv/bin/baosong --help\nCtrl-C 结束 · ends everything\n"
    )
    sys.stdout.flush()
    try:
        webserver.wait()
        sys.stderr.write(f"webserver ended with {webserver.returncode}, see {settings.home / 'log'}\n")
    except KeyboardInterrupt:
        pass
    finally:
        servers.stop()
