"""What every model of a deployment is built on: the strict base and the small types its entries share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from resources.deployment.roles import ROLES
from resources.secrets import is_reference


class Model(BaseModel):
    """A border: unknown keys are mistakes, values never change, errors echo no input (it may be a secret)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _secret_reference(value: object) -> str:
    if isinstance(value, str) and is_reference(value):
        return value
    raise PydanticCustomError("deployment.plain_secret", "env:NAME or file:PATH")


def _role(value: str) -> str:
    if value not in ROLES:
        raise PydanticCustomError(
            "deployment.unknown_role", "unknown role", {"role": value, "known": ", ".join(ROLES)}
        )
    return value


def inside(value: str) -> str:
    """The path, unless it leads out of the folder that it is relative to."""
    if value.startswith(("/", "~")) or ".." in value.split("/") or not value:
        raise PydanticCustomError("deployment.path_outside", "a path inside", {"value": value})
    return value


SecretReference = Annotated[str, BeforeValidator(_secret_reference)]
Role = Annotated[str, AfterValidator(_role)]
InsidePath = Annotated[str, AfterValidator(inside)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
