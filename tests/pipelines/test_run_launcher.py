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


@pytest.mark.parametrize(
    ("was_launched", "status"), [(True, WorkerStatus.NOT_FOUND), (False, WorkerStatus.RUNNING)]
)
def test_a_run_whose_code_server_is_gone_is_not_found_and_one_that_never_had_one_is_left_alone(
    tmp_path: Path, was_launched: bool, status: WorkerStatus
) -> None:
    shutil.copyfile(CHECKOUT / "resources" / "dagster.yaml", tmp_path / "dagster.yaml")
    server = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": str(tmp_path / "gone")})}
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run = dg.DagsterRun("any", status=dg.DagsterRunStatus.STARTED, tags=server if was_launched else {})
        instance.add_run(run)
        launcher = instance.run_launcher
        assert isinstance(launcher, WatchedRunLauncher) and launcher.supports_check_run_worker_health
        assert launcher.check_run_worker_health(run).status is status
        assert instance.run_retries_enabled and not instance.run_retries_retry_on_asset_or_op_failure
