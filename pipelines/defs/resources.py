"""How steps reach the installation, and how a stage's error shows in Dagster: a red step with one clear message.

What is unavailable outside is retried a little; what a person must mend is not.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeVar

import dagster as dg

from pipelines.errors import BaosongError, Unavailable
from pipelines.stages.installation import Installation, open_installation
from resources.settings import Settings

T = TypeVar("T")
Context = dg.AssetExecutionContext | dg.OpExecutionContext
RETRIES = 2
RETRY_SECONDS = 5


class InstallationResource(dg.ConfigurableResource[None]):
    """The settings of one installation; `open` gives stages what they need."""

    home: str
    deployment: str
    language: Literal["zh", "en"]

    @staticmethod
    def of(settings: Settings) -> InstallationResource:
        return InstallationResource(
            home=str(settings.home), deployment=str(settings.deployment), language=settings.language
        )

    def open(self) -> AbstractContextManager[Installation]:
        """Open the installation; the database URL, which may hold a password, stays in the environment."""
        settings = Settings.load()
        here = {"home": Path(self.home), "deployment": Path(self.deployment), "language": self.language}
        return open_installation(settings.model_copy(update=here))


def run_stage(
    context: dg.AssetExecutionContext, resource: InstallationResource, stage: Callable[[Installation, str], T]
) -> T:
    """Run a stage on this partition's filing, one at a time: a run launched twice finds the step done.

    Raises dg.Failure with the message that a person reads.
    """
    filing = context.partition_key

    def act(installation: Installation) -> T:
        with installation.alone(f"{filing}.stage"):
            return stage(installation, filing)

    return run_explained(context, resource, act, again=f"baosong filing retry {filing} --reason …")


def run_explained(
    context: Context, resource: InstallationResource, act: Callable[[Installation], T], *, again: str
) -> T:
    """Do something with the installation. Raises dg.Failure with the message that a person reads and how it is done `again`."""
    try:
        with resource.open() as installation:
            return act(installation)
    except Unavailable as error:
        if context.retry_number < RETRIES:
            context.log.warning(f"{error} {RETRY_SECONDS} 秒后重试。")
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_SECONDS) from None
        raise _failure(context, error, again) from None
    except BaosongError as error:
        raise _failure(context, error, again) from None


def _failure(context: Context, error: BaosongError, again: str) -> dg.Failure:
    """The message in red and the command that runs the step again; the traceback goes to the log, at debug level."""
    context.log.debug("".join(traceback.format_exception(error)))
    return dg.Failure(
        description=str(error),
        metadata={"处理后重新运行": again, "错误代码": error.code},
        allow_retries=False,
    )
