"""When people work on a working day: the sessions of `hours` in calendar.yaml, each written `08:30-12:00`."""

from __future__ import annotations

from datetime import time
from typing import Any

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from resources.deployment.types import Model


class Session(Model):
    """From when to when people work without a break; both on one day."""

    opens: time
    closes: time

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        opens, dash, closes = data.partition("-")
        try:
            times = {"opens": time.fromisoformat(opens.strip()), "closes": time.fromisoformat(closes.strip())}
        except ValueError:
            raise PydanticCustomError("deployment.session", "a session", {"value": data}) from None
        if not dash or times["opens"] >= times["closes"]:
            raise PydanticCustomError("deployment.session", "a session", {"value": data})
        return times


USUAL_HOURS = (
    Session(opens=time(8, 30), closes=time(12)),
    Session(opens=time(13, 30), closes=time(17, 30)),
)
"""450 minutes a day, where a deployment says nothing else."""
