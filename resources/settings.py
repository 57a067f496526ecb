"""Where an installation keeps its state and whose deployment it serves: the `BAOSONG_*` environment.

Only what must be known before the deployment can be opened lives here. What an insurer configures (people,
sources, channels) lives in the deployment folder; secrets are never settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import BadInput

CHECKOUT = Path(__file__).resolve().parent.parent
"""The checkout is the installation: standards, SQL and the demo deployment are found from here."""


class Settings(BaseSettings):
    """The environment of one process; all paths absolute. Use `Settings.load()`, which explains mistakes."""

    model_config = SettingsConfigDict(
        env_prefix="BAOSONG_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    home: Path = Field(default=CHECKOUT / ".baosong", validate_default=True)
    deployment: Path = Field(default=CHECKOUT / "resources" / "demo" / "deployment", validate_default=True)
    database_url: str | None = Field(default=None, repr=False)  # may carry a password
    accounts_url: str | None = Field(default=None, repr=False)  # may carry a password
    language: Literal["zh", "en"] = "zh"
    desk_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""  # where people reach the desk
    dagster_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = (
        ""  # where engineers reach Dagster's UI
    )

    @field_validator("home", "deployment")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def ledger_url(self) -> str:
        """The SQLAlchemy URL of the ledger: `BAOSONG_DATABASE_URL`, or a SQLite file in the home."""
        return self.database_url or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def accounts_database_url(self) -> str:
        """The SQLAlchemy URL of the accounts: `BAOSONG_ACCOUNTS_URL`, or a SQLite file in the home."""
        return self.accounts_url or f"sqlite:///{self.home / 'accounts.db'}"

    @classmethod
    def load(cls) -> Settings:
        """Read the environment; raises BadInput naming every variable that cannot be read."""
        try:
            return cls()
        except ValidationError as error:
            details = [
                BadInput(
                    "settings.variable",
                    variable="BAOSONG_" + "_".join(str(part) for part in problem["loc"]).upper(),
                    reason=problem["msg"],
                )
                for problem in error.errors(include_input=False, include_url=False)
            ]
            raise BadInput("settings.invalid", details=details) from None
