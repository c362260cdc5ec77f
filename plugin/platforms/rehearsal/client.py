"""The practice network's API calls, and what each of its answers means. See the README for the API itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.contracts.http import FormFile, HttpClient, HttpResponse
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.domain.model import File
from plugin.platforms.rehearsal.schema import Settings

TIMEOUT = 5.0
"""Seconds that a call may take."""
NOT_APPLIED = "not_applied"
"""The network's own word for: this call changed nothing and may be made again."""


class Client:
    """One account's calls. Reads raise `RemoteUnavailable` where writes raise `OutcomeUnknown`."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._http = http
        self._base = f"{settings.url}/api/v1"
        self._headers = {"Authorization": f"Bearer {settings.token}", "Accept": "application/json"}

    def read(self, path: str, *, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """`GET` an object.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        answer = self._http.request("GET", self._base + path, headers=self._headers, params=params, timeout=TIMEOUT)
        _check(answer, is_write=False)
        return _object(answer, is_write=False)

    def write(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Change something; the object that came back, empty for 204.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` where it may have been applied.
        """
        answer = self._http.request(method, self._base + path, headers=self._headers, json=data, timeout=TIMEOUT)
        _check(answer, is_write=True)
        return {} if answer.status == 204 else _object(answer, is_write=True)

    def upload(self, file: File) -> str:
        """Bring a file there; its id. Nobody sees it before a post carries it, so an unclear outcome may simply be tried again.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        part = FormFile(filename=file.filename, content=file.content, content_type=file.content_type)
        try:
            answer = self._http.request(
                "POST",
                f"{self._base}/media",
                headers=self._headers,
                data={"description": file.description[:500]},
                files=[("file", part)],
                timeout=TIMEOUT * 4,
            )
            _check(answer, is_write=True)
            return str(_object(answer, is_write=True)["id"])
        except (OutcomeUnknown, KeyError) as unclear:
            raise RemoteUnavailable(
                "A file did not surely reach the practice network; nothing was posted yet, and it is tried again."
            ) from unclear

    def download(self, path: str, *, max_bytes: int) -> bytes:
        """`GET` a file's bytes.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`; `RemoteRejected` when it is too big.
        """
        room = max(max_bytes, 4096)  # for the sentence of an error
        answer = self._http.request("GET", self._base + path, headers=self._headers, timeout=TIMEOUT * 4, max_bytes=room)
        _check(answer, is_write=False)
        if len(answer.body) > max_bytes:
            raise RemoteRejected(f"The file has {len(answer.body)} bytes; at most {max_bytes} are carried. Ask for a smaller one.")
        return answer.body


def _check(answer: HttpResponse, *, is_write: bool) -> None:
    if answer.is_ok:
        return
    code, said = _reason(answer)
    if answer.status == 401:
        raise CredentialsRejected(
            "The practice network no longer accepts the token. Everything is kept; put the new token into the channel's settings.",
            detail=said,
        )
    if answer.status == 429:
        raise RateLimited("The practice network asks to wait; it is tried again then.", retry_after=answer.retry_after, detail=said)
    if answer.status == 404 and code in {"", "route_unknown"}:
        raise RemoteUnavailable("There is no practice network at this address; everything is kept. Check the channel's url.", detail=said)
    if answer.status in {404, 410}:
        raise TargetGone("What was addressed on the practice network does not exist any more.", detail=said)
    if 400 <= answer.status < 500:
        why = f": {said.rstrip('.')}" if said else f" ({answer.status})"
        raise RemoteRejected(
            f"The practice network refused this{why}. Nothing was changed there; change what it names and try again.", detail=code
        )
    if is_write and code != NOT_APPLIED:
        raise OutcomeUnknown(
            f"The practice network answered {answer.status}; whether it took the call is not known and is looked up.", detail=said
        )
    raise RemoteUnavailable(
        f"The practice network takes nothing now ({answer.status}); it is tried again.", retry_after=answer.retry_after, detail=said
    )


def _reason(answer: HttpResponse) -> tuple[str, str]:
    try:
        error = (answer.json_object or {})["error"]
        return str(error["code"])[:80], str(error["message"])[:300]
    except (KeyError, TypeError):
        return "", ""


def _object(answer: HttpResponse, *, is_write: bool) -> dict[str, Any]:
    data = answer.json_object
    if data is not None:
        return data
    if is_write:
        raise OutcomeUnknown("The practice network's answer cannot be read; whether it took the call is looked up.")
    raise RemoteUnavailable("The practice network's answer cannot be read; it is asked again. Is the address the network's own?")
