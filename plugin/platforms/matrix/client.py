"""Calls to the homeserver's client API, and what its answers mean. Knows nothing of events and their content."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from plugin.contracts.http import HttpClient, HttpResponse
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.domain.ids import MessageRef
from plugin.platforms.matrix.schema import MatrixSettings

CLIENT = "/_matrix/client/v3"
DEVICE = "CROSSDESK"
_PATIENCE = 30.0
_LONG_PATIENCE = 120.0
_PAGE = 100
_ERROR_BYTES = 64 * 1024
"""Room for an error's answer, however small the file may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a room's history, newest first. `next_token` is None at the room's beginning."""

    events: tuple[dict[str, Any], ...]
    next_token: str | None


class Homeserver:
    """The homeserver as the bot sees it.

    Two kinds of call: `ask` for whatever may be applied twice without harm, so that an unclear outcome is merely "not now", and `send`
    for events. Sent events name a device of ours: Synapse remembers a transaction id per device for a day on disk, but only in the
    memory of one process where an application service names none (MSC4326; Matrix spec, "Transaction identifiers").
    """

    def __init__(self, http: HttpClient, settings: MatrixSettings) -> None:
        self._http = http
        self._settings = settings

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        as_bot: bool = True,
        timeout: float = _PATIENCE,
        max_bytes: int | None = None,
    ) -> dict[str, Any]:
        """A call that harms nobody when it is applied twice; the answer's JSON object.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        who: dict[str, str | int] = {"user_id": self._settings.user_id} if as_bot else {}
        asked = {**who, **(params or {})}
        answer = self._request(method, path, params=asked, json=body, timeout=timeout, max_bytes=max_bytes)
        return _object(answer)

    def send(self, path: str, content: Mapping[str, Any]) -> MessageRef:
        """PUT an event under a transaction id, which ends `path`; the event's id.

        Raises:
            OutcomeUnknown: it may have been applied; the same path and transaction id may be sent again.
            RemoteError: any other of its kinds: surely not applied.
        """
        answer = self._on_device("PUT", path, {}, is_effect=True, json=content)
        if not answer.is_ok:
            raise _refusal(answer, is_effect=True)
        event_id = (answer.json_object or {}).get("event_id")
        if not isinstance(event_id, str):
            raise OutcomeUnknown(
                "The homeserver said yes without naming the event. The message was kept; what became of it is looked up next."
            )
        return MessageRef(event_id)

    def upload(self, content: bytes, *, filename: str, content_type: str) -> str:
        """Put a file into the media repository; its `mxc://` address. An unused upload harms nobody."""
        answer = self._request(
            "POST",
            "/_matrix/media/v3/upload",
            params={"user_id": self._settings.user_id, "filename": filename},
            headers={"Content-Type": content_type},
            data=content,
            timeout=_LONG_PATIENCE,
        )
        address = _object(answer).get("content_uri")
        if not isinstance(address, str):
            raise RemoteUnavailable("The homeserver took a file without saying where it is. The message was kept and will be sent again.")
        return address

    def download(self, server: str, media_id: str, *, max_bytes: int) -> HttpResponse:
        """The bytes of a file (Matrix spec, "Content repository": authenticated media); a little more than `max_bytes` may come."""
        path = f"/_matrix/client/v1/media/download/{quote(server, safe='')}/{quote(media_id, safe='')}"
        asked: dict[str, str | int] = {"user_id": self._settings.user_id, "timeout_ms": 20_000}
        answer = self._request("GET", path, params=asked, timeout=_LONG_PATIENCE, max_bytes=max(max_bytes, _ERROR_BYTES))
        if not answer.is_ok:
            raise _refusal(answer, is_effect=False)
        return answer

    def pages_back(self, room_id: str, query: Mapping[str, Any], *, start: str | None = None) -> Iterator[Page]:
        """A room's history from its end, or from `start`, back to its beginning, by pages; `query` is an event filter."""
        token = start
        while True:
            asked: dict[str, str | int] = {"dir": "b", "limit": _PAGE, "filter": json.dumps(query)}
            if token is not None:
                asked["from"] = token
            answer = _object(self._on_device("GET", room_path(room_id, "messages"), asked))
            chunk, end = answer.get("chunk"), answer.get("end")
            events = tuple(event for event in chunk if isinstance(event, dict)) if isinstance(chunk, list) else ()
            token = end if isinstance(end, str) and end != token else None
            yield Page(events=events, next_token=token)
            if token is None:
                return

    def settle_in(self) -> None:
        """Make the bot's account and our device, if they are not there yet."""
        answer = self._request(
            "POST",
            f"{CLIENT}/register",
            params={},
            json={"type": "m.login.application_service", "username": self._settings.localpart, "inhibit_login": True},
        )
        if not answer.is_ok and _errcode(answer)[0] != "M_USER_IN_USE":
            raise _refusal(answer, is_effect=False)
        device = {"display_name": "Crossdesk"}
        made = self._request("PUT", f"{CLIENT}/devices/{DEVICE}", params={"user_id": self._settings.user_id}, json=device)
        if made.status != 404:
            _object(made)
            return
        # Before MSC4190 a device was made by logging in; the token of that login is not needed.
        login = {
            "type": "m.login.application_service",
            "identifier": {"type": "m.id.user", "user": self._settings.user_id},
            "device_id": DEVICE,
            "initial_device_display_name": "Crossdesk",
        }
        _object(self._request("POST", f"{CLIENT}/login", params={}, json=login))

    def _on_device(
        self, method: str, path: str, params: Mapping[str, str | int], *, is_effect: bool = False, json: Any = None
    ) -> HttpResponse:
        """A call in the name of our device, which is made the first time it is missed."""
        asked = {"user_id": self._settings.user_id, "device_id": DEVICE, **params}
        answer = self._request(method, path, params=asked, is_effect=is_effect, json=json)
        if answer.status == 400 and _errcode(answer)[0] == "M_UNKNOWN_DEVICE":
            self.settle_in()
            answer = self._request(method, path, params=asked, is_effect=is_effect, json=json)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int],
        headers: Mapping[str, str] | None = None,
        is_effect: bool = False,
        timeout: float = _PATIENCE,
        **more: Any,
    ) -> HttpResponse:
        url, sent = self._settings.homeserver_url + path, {"Authorization": f"Bearer {self._settings.as_token}", **(headers or {})}
        try:
            return self._http.request(method, url, headers=sent, params=params, timeout=timeout, **more)
        except OutcomeUnknown as problem:
            if is_effect:
                raise
            raise RemoteUnavailable(
                "The homeserver gave no whole answer. Nothing was lost; the call is made again by itself.", detail=problem.detail
            ) from problem


def room_path(room_id: str, *rest: str) -> str:
    """The path of something in a room; every part is escaped."""
    return "/".join((f"{CLIENT}/rooms", *(quote(part, safe="") for part in (room_id, *rest))))


def _object(answer: HttpResponse) -> dict[str, Any]:
    if not answer.is_ok:
        raise _refusal(answer, is_effect=False)
    told = answer.json_object
    if told is None:
        # Taken for an empty answer, a proxy's page would say that a message was never sent.
        raise RemoteUnavailable(
            "What answered is not a homeserver: its answer cannot be read. Nothing was lost; the call is made again. Check homeserver_url."
        )
    return told


def _errcode(answer: HttpResponse) -> tuple[str, str]:
    """The error's code and its sentence (Matrix spec, "Standard error response"); both empty where something else answered."""
    told = answer.json_object or {}
    code, words = told.get("errcode"), told.get("error")
    return (code if isinstance(code, str) else "", words[:500] if isinstance(words, str) else "")


def _refusal(answer: HttpResponse, *, is_effect: bool) -> RemoteError:
    """What an answer other than 2xx means. `is_effect`: whether the call would have been noticed by people."""
    code, words = _errcode(answer)
    detail = f"{answer.status} {code}: {words}" if code else f"{answer.status} without a Matrix error"
    if answer.status == 429:
        return RateLimited(
            "The homeserver asks us to wait. The call was kept and is made again after that.", retry_after=_wait(answer), detail=detail
        )
    if answer.status == 401 or code in {"M_USER_DEACTIVATED", "M_EXCLUSIVE"}:
        return CredentialsRejected(
            "The homeserver does not accept the as_token for this bot. Everything is kept; compare the tokens and user_id with the "
            "registration on the homeserver, restart it if the registration changed, then resume the channel.",
            detail=detail,
        )
    if answer.status == 404 and code == "M_NOT_FOUND":
        return TargetGone("The homeserver does not know the room, message or file that was meant. Nothing was sent.", detail=detail)
    if code == "M_RESOURCE_LIMIT_EXCEEDED" or (not code and answer.status in {404, 405}) or 300 <= answer.status < 400:
        return RemoteUnavailable(
            "What answered is not a working homeserver: a proxy, a wrong homeserver_url, or one over its limits. The call is made again.",
            detail=detail,
        )
    if 400 <= answer.status < 500 and (code or answer.status == 413):
        return RemoteRejected(
            f"The homeserver refused: {words or 'too large'}. Nothing was applied; look at the room and the bot's rights in it.",
            detail=detail,
        )
    if is_effect:
        return OutcomeUnknown(
            "The homeserver failed while it had the message. It was kept; what became of it is looked up next.", detail=detail
        )
    return RemoteUnavailable("The homeserver failed. Nothing was lost; the call is made again by itself.", detail=detail)


def _wait(answer: HttpResponse) -> float | None:
    """Seconds to wait: the header, else the field that it replaced."""
    if answer.retry_after is not None:
        return answer.retry_after
    milliseconds = (answer.json_object or {}).get("retry_after_ms")
    return max(0.0, milliseconds / 1000) if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool) else None
