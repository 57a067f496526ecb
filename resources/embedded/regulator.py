"""The simulated regulator over HTTP: the commission's interface and a bureau's desk (docs/interface.md).

Here are the doors, the order stored → submitted → accepted | rejected, and the background judging. What is
kept is in `submissions`, what is judged in `judging`; this module starts no server.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from resources.embedded.judging import judge_file
from resources.embedded.layouts import Limits
from resources.embedded.places import Places, RegulatorClock
from resources.embedded.submissions import Stored, Submissions

COMMISSION_PATH = "/api/v1"
BUREAU_PATH = "/bureau/handover"
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}")
_FILING = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
_LOG = logging.getLogger("embedded.regulator")


class _RefusalError(Exception):
    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message


@dataclass(frozen=True)
class _Desk:
    """One place that takes files: whose token opens it, and how it signs and judges."""

    name: str
    token: str
    issuer: str
    receipt_prefix: str
    serials: bool


class Regulator:
    """State and rules behind the routes of one process."""

    def __init__(
        self, places: Places, clock: RegulatorClock, *, limits: Limits, judging_seconds: float
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._judging_seconds = judging_seconds
        self._submissions = Submissions(places.regulator)
        self._judging: dict[int, asyncio.Task[Stored]] = {}
        token, bureau = places.secret("interface_token"), places.secret("bureau_token")
        self._commission = _Desk("commission", token, "示例监督管理委员会（模拟）", "JS", False)
        self._bureau = _Desk("bureau", bureau, "示例监管局（模拟）", "YJ", True)

    def application(self) -> FastAPI:
        """The routes; nothing runs until a server runs it."""
        app = FastAPI(title="Simulated regulator", docs_url=None, redoc_url=None, openapi_url=None)
        app.add_exception_handler(HTTPException, _plain_error)
        app.middleware("http")(_refusals)
        route = app.add_api_route
        route(f"{COMMISSION_PATH}/files", self._store, methods=["POST"])
        route(f"{COMMISSION_PATH}/files", self._find, methods=["GET"])
        route(f"{COMMISSION_PATH}/files/{{file_id}}", self._show, methods=["GET"])
        route(f"{COMMISSION_PATH}/files/{{file_id}}/submit", self._submit, methods=["POST"])
        route(f"{COMMISSION_PATH}/files/{{file_id}}/receipt", self._receipt, methods=["GET"])
        route(BUREAU_PATH, self._hand_over, methods=["POST"])
        route("/health", _health, methods=["GET"])
        return app

    def resume(self) -> None:
        """Judge what was submitted before a restart."""
        for desk in (self._commission, self._bureau):
            for stored in self._submissions.waiting(desk.name):
                self._start_judging(desk, stored)

    async def _store(self, request: Request) -> Response:
        stored, is_new = await self._take(self._commission, request)
        return JSONResponse(stored.published(), 201 if is_new else 200)

    async def _find(self, request: Request) -> Response:
        _demand_token(request, self._commission)
        digest = request.query_params.get("sha256", "")
        found = self._submissions.with_digest(self._commission.name, digest)
        return JSONResponse({"files": [stored.published() for stored in found]})

    async def _show(self, request: Request) -> Response:
        return JSONResponse(self._known(request).published())

    async def _submit(self, request: Request) -> Response:
        stored = self._submissions.submit(self._known(request))
        if stored.status == "submitted":
            self._start_judging(self._commission, stored)
        return JSONResponse(stored.published(), 202)

    async def _receipt(self, request: Request) -> Response:
        stored = self._known(request)
        if stored.receipt is None:
            return JSONResponse(stored.published(), 202)
        return Response(stored.receipt.encode(), 200, media_type="application/json")

    async def _hand_over(self, request: Request) -> Response:
        stored, _ = await self._take(self._bureau, request)
        stored = self._submissions.submit(stored)
        if stored.receipt is None:
            stored = await asyncio.shield(self._start_judging(self._bureau, stored))
        return Response((stored.receipt or "").encode(), 200, media_type="application/json")

    def _known(self, request: Request) -> Stored:
        _demand_token(request, self._commission)
        file_id = request.path_params["file_id"]
        stored = self._submissions.get(self._commission.name, file_id)
        if stored is None:
            raise _RefusalError(404, "unknown_file", f"没有编号为 {file_id} 的文件")
        return stored

    async def _take(self, desk: _Desk, request: Request) -> tuple[Stored, bool]:
        """Receive a body to disk; it becomes a file only when its digest is the announced one."""
        _demand_token(request, desk)
        name = unquote(request.headers.get("x-file-name", ""))
        filing = request.headers.get("x-filing", "")
        announced = request.headers.get("x-sha256", "")
        if (
            not _NAME.fullmatch(name)
            or not _FILING.fullmatch(filing)
            or not re.fullmatch(r"[0-9a-f]{64}", announced)
        ):
            raise _RefusalError(400, "headers", "X-File-Name、X-Filing 或 X-SHA256 缺少或不合公布的格式")
        draft = self._submissions.received / f".{secrets.token_hex(8)}.part"
        try:
            size, digest = await self._receive(request, draft)
            if digest != announced:
                raise _RefusalError(
                    422, "digest", f"收到的内容 SHA-256 为 {digest}，与申报的 {announced} 不一致"
                )
            draft.replace(self._submissions.received / digest)
        finally:
            draft.unlink(missing_ok=True)
        return self._submissions.keep(
            desk=desk.name, name=name, filing=filing, sha256=digest, size=size, at=self._clock.now()
        )

    async def _receive(self, request: Request, draft: Path) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with draft.open("xb") as file:
            async for block in request.stream():
                size += len(block)
                if size > self._limits.upload_bytes:
                    raise _RefusalError(413, "too_large", f"文件超过 {self._limits.upload_bytes} 字节上限")
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        return size, digest.hexdigest()

    def _start_judging(self, desk: _Desk, stored: Stored) -> asyncio.Task[Stored]:
        task = self._judging.get(stored.number)
        if task is None:
            task = self._judging[stored.number] = asyncio.create_task(self._judge(desk, stored))
            task.add_done_callback(lambda _: self._judging.pop(stored.number, None))
        return task

    async def _judge(self, desk: _Desk, stored: Stored) -> Stored:
        await asyncio.sleep(self._judging_seconds)
        problems = await asyncio.to_thread(
            judge_file,
            self._submissions.path(stored),
            name=stored.name,
            filing=stored.filing,
            serials=desk.serials,
            limits=self._limits,
        )
        at = self._clock.now()
        number = f"{desk.receipt_prefix}-{at:%Y}-{stored.number:06d}"
        done = self._submissions.conclude(stored, problems, number=number, issuer=desk.issuer, at=at)
        _LOG.info("%s %s %s: %s, %d problems", desk.name, stored.id, stored.name, done.status, len(problems))
        return done


def _demand_token(request: Request, desk: _Desk) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {desk.token}".encode()):
        raise _RefusalError(401, "token", "令牌缺少或不正确")


async def _health() -> dict[str, int]:
    return {"pid": os.getpid()}


async def _plain_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": "not_published", "message": f"未公布的地址 {request.url.path}"}, status)


async def _refusals(request: Request, proceed: Callable[[Request], Awaitable[Any]]) -> Response:
    try:
        return await proceed(request)
    except _RefusalError as refusal:
        _LOG.warning("%s %s refused: %s", request.method, request.url.path, refusal.error)
        return JSONResponse({"error": refusal.error, "message": refusal.message}, refusal.status)
