"""Calls to Discord's API, and what its answers mean. Knows no message.

A refusal that Discord itself spoke (`{"code", "message"}`) was not applied; anything else after a write is unclear.
Sources: Discord documentation, "Error Messages", "JSON Error Codes", "Rate Limits".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.http import FormFile, HttpClient, HttpResponse
from plugin.contracts.reading import read_objects, read_string
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.platforms.discord.schema import Settings

UNKNOWN_MESSAGE = "10008"
_GONE = frozenset({10003, 10004, 10008, 10013, 50001, 50007, 50278, 160005})
_ACCESS = frozenset({50013, 50083})
_UPLOAD_SECONDS = 120.0
_WAIT = 5.0


class DiscordApi:
    """One bot's API."""

    def __init__(self, http: HttpClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """One object.

        Raises:
            TargetGone: it does not exist (any more), or not for us.
            RemoteError: any other of its kinds, never `OutcomeUnknown`.
        """
        found = self._asked(path, params)
        if not isinstance(found, dict):
            raise _later(path, "no object")
        return found

    def page(self, path: str, params: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """A list of objects. Raises as `read`."""
        found = self._asked(path, params)
        if not isinstance(found, list):
            raise _later(path, "no list")
        return read_objects(found)

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        form: Mapping[str, str] | None = None,
        files: Sequence[FormFile] = (),
    ) -> Mapping[str, Any]:
        """Say, change or take back something; `form` and `files` go together. What comes back, empty for an answer without content.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` unless Discord itself refused.
        """
        parts = [(f"files[{number}]", file) for number, file in enumerate(files)]
        address = self._settings.api_url + path
        if parts:
            answer = self._http.request(method, address, headers=self._headers, data=form, files=parts, timeout=_UPLOAD_SECONDS)
        else:
            answer = self._http.request(method, address, headers=self._headers, json=body)
        if answer.status == 204:
            return {}
        if not answer.is_ok:
            raise _failure(answer, path, is_write=True)
        found = answer.json_object
        if found is None:
            raise _unclear(path, "an answer that is not Discord's")
        return found

    def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """The bytes at a signed address of Discord's file server; our token stays here."""
        answer = self._http.download(url, max_bytes=max_bytes)
        if answer.status == 429 or answer.status >= 500:
            raise RemoteUnavailable(
                f"Discord's file server answered {answer.status}; the message is kept, the file is fetched later.",
                retry_after=answer.retry_after,
            )
        if not answer.is_ok:
            raise RemoteRejected(
                f"Discord's file server answered {answer.status}; the message is kept without the file. Open it on Discord."
            )
        return answer.body

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bot {self._settings.bot_token}", "user-agent": "DiscordBot (https://crossdesk.example, 1)"}

    def _asked(self, path: str, params: Mapping[str, str] | None) -> Any:
        answer = self._http.request("GET", self._settings.api_url + path, headers=self._headers, params=params)
        if not answer.is_ok:
            raise _failure(answer, path, is_write=False)
        try:
            return answer.json()
        except MalformedPayload as problem:
            raise _later(path, problem.detail) from None


def _failure(answer: HttpResponse, path: str, *, is_write: bool) -> RemoteError:
    body = answer.json_object or {}
    code, said = body.get("code"), read_string(body.get("message"))[:300]
    if answer.status == 429:
        return _rate_limited(answer, body)
    if answer.status == 401:
        return CredentialsRejected(
            "Discord does not accept the bot's token (any more). Everything is kept; on the application's page Bot reset the token, put the new "
            "one into the channel's settings and resume the channel.",
            detail=said,
        )
    if not isinstance(code, int) or isinstance(code, bool) or answer.status >= 500:
        why = f"status {answer.status}"
        return _unclear(path, why) if is_write else _later(path, why)
    detail = f"{code} {said}"
    if answer.status == 404 or code in _GONE:
        return TargetGone(
            f"Discord says: {said or code}. The message or channel is gone, or the bot may not see it. Nothing was changed; see to the bot's "
            "role in that channel, or answer elsewhere.",
            detail=detail,
        )
    if code in _ACCESS or answer.status == 403:
        return RemoteRejected(
            f"Discord does not allow the bot this: {said or code}. Nothing was changed; give it the permissions View Channel, Read Message History, "
            "Send Messages, Send Messages in Threads and Attach Files there, and send it again.",
            detail=detail,
        )
    return RemoteRejected(
        f"Discord refused this: {said or code}. Nothing was changed; change the message and send it again.", detail=detail
    )


def _rate_limited(answer: HttpResponse, body: Mapping[str, Any]) -> RateLimited:
    told = body.get("retry_after")
    in_body = float(told) if isinstance(told, (int, float)) and not isinstance(told, bool) and 0 <= told < 1e6 else _WAIT
    wait = in_body if answer.retry_after is None else answer.retry_after
    return RateLimited(f"Discord asks for a pause of {wait:g} s; nothing was sent, it is sent after that.", retry_after=wait)


def _unclear(path: str, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Discord gave no clear answer to {_bare(path)}; it may have been done or not. That is looked up before anything is sent again.",
        detail=why,
    )


def _later(path: str, why: str) -> RemoteUnavailable:
    return RemoteUnavailable(f"Discord gave no usable answer to {_bare(path)}; nothing was changed, it is tried again later.", detail=why)


def _bare(path: str) -> str:
    return path.partition("?")[0]
