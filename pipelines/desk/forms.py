"""A form as it was sent, read within limits and as text; what it means is told where it is used."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.datastructures import FormData

from pipelines.errors import BadInput

_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""What no browser sends and no database keeps: NUL, and halves of characters."""
STEERING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that are not seen but make a text read otherwise than it is kept: controls and changes of direction."""


@asynccontextmanager
async def sent_form(
    request: Request, *, max_files: int, max_fields: int, max_part_size: int
) -> AsyncGenerator[FormData]:
    """The form of a request, its files closed at the end. BadInput for what cannot be text; HTTPException 400 beyond the limits."""
    try:
        form = await request.form(max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)
    except UnicodeError as error:  # the sender names the encoding, and Python knows odd ones
        raise BadInput("desk.not_understood") from error
    try:
        for name, value in form.multi_items():
            written = value if isinstance(value, str) else value.filename or ""
            if _NO_TEXT.search(name) or _NO_TEXT.search(written):
                raise BadInput("desk.not_understood")
        yield form
    finally:
        await form.close()
