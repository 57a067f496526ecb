"""How runs are launched: as Dagster does by default, and a run whose process is gone is noticed.

After a kill or a power failure such a run would count as running for ever, keep its place in the queue, and its step would
never be asked for again, since its run_key is taken. `run_retries` in dagster.yaml runs it anew; stages end as if nothing had
happened. Nothing of the product is imported here: the daemon and the web server load this.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value


class WatchedRunLauncher(DefaultRunLauncher):
    """Asks the code server that a run was started on whether the run is still there."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """RUNNING, or NOT_FOUND where the code server that it was started on is gone or knows nothing of it."""
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:  # it ended, or a process runs it by itself, of which nothing can be known here
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code server that ran it is gone")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code server does not run it")
