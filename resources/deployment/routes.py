"""Routes of a sign-off (签报路线) as a deployment writes them: steps in order, each with its seats, quorum and limit.

Only shapes and questions; whether the people and departments exist is `coherence`'s matter, who sits where is the stages'.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from resources.deployment.departments import Title
from resources.deployment.roles import ROLES
from resources.deployment.types import Model, Name, Role

Rejection = Literal["preparer", "departments", "branches"]
StepKind = Literal["opinion", "compliance"]
DEPARTMENT_ROLE = "business_reviewer"
"""Who speaks for a department; a step with departments is always theirs."""


def _quorum(value: object) -> int | None:
    if value is None or value == "all":
        return None
    if isinstance(value, int) and value >= 1:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and int(value) >= 1:
        return int(value)
    raise PydanticCustomError("deployment.quorum", "all or a number from 1")


def _departments(value: object) -> object:
    if value is None or value in ("concerned", "all"):
        return value
    if isinstance(value, list | tuple):
        codes = cast("list[object]", value)
        if codes and all(isinstance(code, str) for code in codes) and len(set(codes)) == len(codes):
            return tuple(codes)
    raise PydanticCustomError("deployment.step_departments", "concerned, all or a list of codes")


class RouteStep(Model):
    """One step: a seat (席位) for each of `roles` or, of business reviewers, for each of `departments`; all in parallel.

    `quorum` None: all seats must agree. `departments` "concerned": those that own any finding of the filing.
    """

    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    title: Title
    departments: Annotated[
        Literal["concerned", "all"] | tuple[Name, ...] | None, BeforeValidator(_departments)
    ] = None
    quorum: Annotated[int | None, BeforeValidator(_quorum)] = None
    limit_working_hours: Annotated[int | None, Field(ge=1, le=1_000)] = None
    rejection: Rejection = "preparer"
    kind: StepKind = "opinion"

    @property
    def role(self) -> str:
        """The first, and mostly the only, role of the step."""
        return self.roles[0]

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        """A step may be written as the role alone, and with `role` for one of `roles`; its title is then the roles'."""
        if isinstance(data, str):
            data = {"role": data}
        if not isinstance(data, dict):
            return data
        step = dict(cast("dict[str, Any]", data))
        if "role" in step:
            if "roles" in step:
                raise PydanticCustomError("deployment.role_and_roles", "role or roles")
            step["roles"] = [step.pop("role")]
        elif "roles" not in step and step.get("departments") is not None:
            step["roles"] = [DEPARTMENT_ROLE]
        named: Any = step.get("roles")
        if "title" not in step and isinstance(named, list | tuple):
            roles = cast("list[Any]", named)
            if roles and all(isinstance(role, str) and role in ROLES for role in roles):
                titles = [ROLES[role] for role in roles]
                zh, en = "、".join(zh for zh, _ in titles), ", ".join(en for _, en in titles)
                step["title"] = {"zh": zh, "en": en}
        return step

    @model_validator(mode="after")
    def _fits(self) -> RouteStep:
        if len(set(self.roles)) != len(self.roles):
            raise PydanticCustomError("deployment.role_twice", "a role twice")
        if self.departments is not None and self.roles != (DEPARTMENT_ROLE,):
            raise PydanticCustomError("deployment.departments_role", "departments are for business reviewers")
        most: int | None = len(self.roles)
        if self.departments is not None:
            most = len(self.departments) if isinstance(self.departments, tuple) else None
        if self.quorum is not None and most is not None and self.quorum > most:
            raise PydanticCustomError("deployment.quorum_too_large", "too many", {"most": most})
        return self


class Route(Model):
    """Who must agree, in this order, before a content of the standard may be sent; `gates` are demanded beside those that
    always are."""

    steps: Annotated[tuple[RouteStep, ...], Field(min_length=1)]
    gates: tuple[Name, ...] = ()


class Execution(Model):
    """Who corrects production outside Baosong: anybody of `roles`, within so much working time once it is approved."""

    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("data_engineer", "branch_it", "it")
    limit_working_hours: Annotated[int | None, Field(ge=1, le=1_000)] = None


class ChangeRoute(Model):
    """How a change request (改库签报) goes: anybody of `raised_by` raises it, the seats of `approval` approve, a third person
    executes it.

    The approval is a step as any other; "concerned" is the department that owns the finding, `rejection` to whom a refusal goes.
    """

    raised_by: Annotated[tuple[Role, ...], Field(min_length=1)] = ("data_engineer",)
    approval: RouteStep = Field(
        default_factory=lambda: RouteStep.model_validate({"departments": "concerned"})
    )
    execution: Execution = Execution()

    @model_validator(mode="after")
    def _fits(self) -> ChangeRoute:
        if self.approval.kind != "opinion":
            raise PydanticCustomError("deployment.change_approval_kind", "no compliance review here")
        return self
