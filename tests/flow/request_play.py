"""How the tests of requests register, review and amend one. Asserts nothing of the product but which refusals it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.errors import BaosongError
from pipelines.ledger.request_events import RequestOpinion
from pipelines.stages.installation import Installation
from pipelines.stages.request import RequestDraft, raise_request, review_request
from pipelines.stages.request_amend import RequestChanges, amend_request

NUMBER = "JH-2026-003"
NAIC = "NAIC-1997-F"


def register(installation: Installation, demand: RequestDraft) -> str:
    return raise_request(installation, demand, installation.user("requester_440000"))


def decide(installation: Installation, opinion: RequestOpinion, number: str = NUMBER) -> object:
    reviewer = installation.user("audit_reviewer")
    return review_request(installation, number, reviewer, opinion=opinion, comment="意见（模拟）")


def amend(installation: Installation, number: str = NUMBER, **changes: Any) -> None:
    user = installation.user("requester_440000" if number == NUMBER else "requester")
    amend_request(installation, number, user, changes=RequestChanges(**changes), reason="文件已变更")


def codes(call: Callable[[], object]) -> list[str]:
    with pytest.raises(BaosongError) as caught:
        call()
    return [detail.code for detail in caught.value.details] or [caught.value.code]
