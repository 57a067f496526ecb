"""The commission's interface over HTTP as published in docs/interface.md: find, store, submit, receipt.

Every answer is read strictly; whatever is not as published is `interface.garbage`. Short failures of the network are
tried again here, since every call can be repeated without a second effect (the file's SHA-256 names it). What a
delivery means, and what to do when its outcome is unknown, is decided by the stage that delivers.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
import stamina
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from resources.channels.local_files import digest_of, open_to_read
from resources.channels.receipts import Receipt, Sha256, excerpt_of, reason_of

_ATTEMPTS = 3
_MOST_ANSWER_BYTES = 8 * 1024 * 1024
_BUSY = frozenset({429, 502, 503, 504})

Answer = TypeVar("Answer", bound=BaseModel)
FileId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Published(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Submission(_Published):
    """A file at the regulator and how far it has come."""

    id: FileId
    status: Literal["stored", "submitted", "accepted", "rejected"]
    name: str
    filing: str
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    stored_at: AwareDatetime


class _Found(_Published):
    files: tuple[Submission, ...]


class _Refusal(_Published):
    error: str
    message: str


class _TransientError(Exception):
    """Worth another attempt; `final` is what is told when there is none."""

    def __init__(self, final: BaosongError) -> None:
        super().__init__(final.code)
        self.final = final


class InterfaceChannel:
    """A client of one interface. Use it as a context manager; its token is never shown."""

    def __init__(
        self, base_url: str, token: str, timeout_seconds: float = 30.0, ca_file: Path | None = None
    ) -> None:
        self._url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._client = httpx.Client(
            timeout=timeout_seconds,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            verify=_trust(ca_file),
            trust_env=False,  # the deployment's address is the whole truth, not a proxy of the environment
        )

    def __repr__(self) -> str:
        return f"InterfaceChannel({self._url})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def find(self, sha256: str) -> Submission | None:
        """The latest file with this digest that the regulator holds, or None."""
        answer = self._call("GET", f"/files?sha256={quote(sha256)}")
        found = self._read(_Found, answer).files
        for submission in found:
            self._demand_same(answer, "sha256", submission.sha256, sha256)
        return found[-1] if found else None

    def store(self, path: Path, filing: str) -> Submission:
        """Upload a file; the same bytes again give the same submission. It counts only when submitted.

        Raises BadInput when the local file cannot be read, Refused with the regulator's words, Unavailable when the
        outcome is unknown: ask `find`.
        """
        digest = digest_of(path)
        headers = {"X-File-Name": quote(path.name), "X-Filing": filing, "X-SHA256": digest}
        answer = self._call("POST", "/files", headers=headers, body=path)
        submission = self._read(Submission, answer)
        self._demand_same(answer, "sha256", submission.sha256, digest)
        self._demand_same(answer, "name", submission.name, path.name)
        return submission

    def submit(self, file_id: str) -> Submission:
        """Hand a stored file to the regulator's validation; one that is further on stays as it is."""
        return self._submission("POST", file_id, "/submit")

    def show(self, file_id: str) -> Submission:
        """How far a file has come."""
        return self._submission("GET", file_id, "")

    def receipt(self, file_id: str) -> Receipt | None:
        """The receipt of a file, or None while the regulator is still validating (or nobody has submitted it)."""
        submission = self.show(file_id)
        if submission.status not in ("accepted", "rejected"):
            return None
        answer = self._call("GET", f"/files/{quote(file_id, safe='')}/receipt")
        receipt = self._read(Receipt, answer)
        self._demand_same(answer, "sha256", receipt.sha256, submission.sha256)
        self._demand_same(answer, "file_name", receipt.file_name, submission.name)
        self._demand_same(answer, "result", receipt.result, submission.status)
        return receipt

    def _submission(self, method: str, file_id: str, action: str) -> Submission:
        answer = self._call(method, f"/files/{quote(file_id, safe='')}{action}")
        submission = self._read(Submission, answer)
        self._demand_same(answer, "id", submission.id, file_id)
        return submission

    def _call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: Path | None = None
    ) -> httpx.Response:
        try:
            for attempt in stamina.retry_context(
                on=_TransientError,
                attempts=_ATTEMPTS,
                timeout=None,
                wait_initial=0.1,
                wait_max=2.0,
                wait_jitter=0.1,
            ):
                with attempt:
                    return self._try(method, path, headers or {}, body)
        except _TransientError as last:
            raise last.final from None
        raise AssertionError("a retry context either returns or raises")

    def _try(self, method: str, path: str, headers: dict[str, str], body: Path | None) -> httpx.Response:
        url = self._url + path
        try:
            if body is None:
                answer = self._exchange(method, url, headers, None)
            else:
                with open_to_read(body) as content:
                    answer = self._exchange(method, url, headers, content)
        except (httpx.TransportError, httpx.DecodingError) as error:
            reason = str(error) or type(error).__name__
            down = Unavailable("interface.down", url=self._url, reason=reason, seconds=self._timeout_seconds)
            raise _TransientError(down) from error
        if answer.status_code in _BUSY:
            raise _TransientError(self._garbage(answer, f"HTTP {answer.status_code}"))
        if answer.is_success:
            return answer
        raise self._not_done(answer)

    def _exchange(self, method: str, url: str, headers: dict[str, str], content: object) -> httpx.Response:
        """One request with a bounded answer: a regulator that talks without end is cut off."""
        with self._client.stream(method, url, headers=headers, content=content) as answer:  # pyright: ignore[reportArgumentType]
            text = bytearray()
            for block in answer.iter_bytes():
                text += block
                if len(text) > _MOST_ANSWER_BYTES:
                    raise self._garbage(
                        answer, f"> {_MOST_ANSWER_BYTES} bytes", text=text.decode("utf-8", "replace")
                    )
            return httpx.Response(answer.status_code, content=bytes(text), request=answer.request)

    def _not_done(self, answer: httpx.Response) -> BaosongError:
        """The error for an answer that is no success: the regulator's own words if they are as published."""
        try:
            said = _Refusal.model_validate_json(answer.content)
        except ValidationError:
            return self._garbage(answer, f"HTTP {answer.status_code}")
        if answer.status_code in (401, 403):
            return Refused("interface.token", url=self._url, message=said.message)
        if answer.is_client_error:
            return Refused(
                "interface.refused", url=str(answer.request.url), error=said.error, message=said.message
            )
        return self._garbage(answer, f"HTTP {answer.status_code}")

    def _read(self, kind: type[Answer], answer: httpx.Response) -> Answer:
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            raise self._garbage(answer, reason_of(error)) from None

    def _demand_same(self, answer: httpx.Response, field: str, got: str, expected: str) -> None:
        if got != expected:
            raise self._garbage(answer, f"{field} {got[:80]} ≠ {expected}")

    def _garbage(self, answer: httpx.Response, reason: str, *, text: str | None = None) -> Unavailable:
        shown = answer.content.decode("utf-8", "replace") if text is None else text
        where = f"{answer.request.method} {answer.request.url}"
        return Unavailable("interface.garbage", where=where, reason=reason, excerpt=excerpt_of(shown))


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise BadInput("interface.ca_file", path=ca_file, reason=error) from None
