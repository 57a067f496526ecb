"""The shipped dagster.yaml notices runs that were killed. That they run again is shown in `tests/faults/test_running_daemon.py`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from pipelines.run_launcher import WatchedRunLauncher
from resources.settings import CHECKOUT


@pytest.mark.parametrize("was_launched", [True, False])
def test_a_run_whose_code_server_is_gone_is_not_found(tmp_path: Path, was_launched: bool) -> None:
    shutil.copyfile(CHECKOUT / "resources" / "dagster.yaml", tmp_path / "dagster.yaml")
    server = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": str(tmp_path / "gone")})}
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run = dg.DagsterRun("any", status=dg.DagsterRunStatus.STARTED, tags=server if was_launched else {})
        instance.add_run(run)
        launcher = instance.run_launcher
        assert isinstance(launcher, WatchedRunLauncher) and launcher.supports_check_run_worker_health
        assert launcher.check_run_worker_health(run).status is WorkerStatus.NOT_FOUND
        assert instance.run_retries_enabled and not instance.run_retries_retry_on_asset_or_op_failure
