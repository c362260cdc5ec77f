"""Calls to the Bot API, and what its answers mean (Bot API, "Making requests"; the refusals' words are those of the Bot API server).

Only a refusal that the Bot API itself spoke (`{"ok": false, ...}` below 500) counts as not applied: the API has neither an idempotency key
nor a way to look. The token is part of every address, so whatever comes up from below is cleaned of it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from plugin.contracts.http import FormFile, HttpClient, HttpResponse
from plugin.domain.errors import (
    CredentialsRejected,
    CrossdeskError,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    WindowClosed,
)
from plugin.platforms.telegram.schema import Settings

_UPLOAD_SECONDS = 120.0
_ANSWER_BYTES = 8 << 20

_GONE = (
    "chat not found",
    "private chat not found",
    "message thread not found",
    "message to edit not found",
    "message to delete not found",
    "topic_deleted",
    "topic_id_invalid",
    "peer_id_invalid",
    "business connection not found",
    "business_connection_invalid",
    "group chat was deactivated",
)
_MOVED = "migrate_to_chat_id="
_WINDOW = ("business_peer_usage_missing",)


class BotApi:
    """One bot's Bot API. Parameters are JSON data; what is None is left out."""

    def __init__(self, http: HttpClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings

    def read(self, method: str, parameters: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> Any:
        """The result of a call that changes nothing, or that may be repeated at will.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        try:
            return self._call(method, parameters or {}, timeout=timeout)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable(
                f"Telegram gave no usable answer to {method}; nothing was changed, it is asked again later.", detail=unclear.detail
            ) from None

    def write(self, method: str, parameters: Mapping[str, Any], *, files: Sequence[tuple[str, FormFile]] = ()) -> Any:
        """The result of a call that says, changes or takes back something.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` unless the Bot API itself refused.
        """
        return self._call(method, parameters, files=files, timeout=_UPLOAD_SECONDS if files else None)

    def fetch(self, file_path: str, *, max_bytes: int) -> bytes:
        """The bytes at a `file_path` of `getFile`.

        Raises:
            RemoteUnavailable: not to be had now.
            RemoteRejected: Telegram does not give it out.
        """
        address = f"{self._settings.api_url}/file/bot{self._settings.token}/{quote(file_path)}"
        with self._without_token():
            answer = self._http.request("GET", address, max_bytes=max_bytes)
        if answer.is_ok:
            return answer.body
        if answer.status == 429 or answer.status >= 500:
            raise RemoteUnavailable(
                f"Telegram's file server answered {answer.status}; the message is kept, the file is fetched later.",
                retry_after=answer.retry_after,
            )
        raise RemoteRejected(f"Telegram's file server answered {answer.status}; the message is kept without the file. Open it in Telegram.")

    def _call(
        self, method: str, parameters: Mapping[str, Any], *, files: Sequence[tuple[str, FormFile]] = (), timeout: float | None = None
    ) -> Any:
        address = f"{self._settings.api_url}/bot{self._settings.token}/{method}"
        given = {name: value for name, value in parameters.items() if value is not None}
        with self._without_token():
            if files:
                form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
                answer = self._http.request("POST", address, data=form, files=files, timeout=timeout, max_bytes=_ANSWER_BYTES)
            else:
                answer = self._http.request("POST", address, json=given, timeout=timeout, max_bytes=_ANSWER_BYTES)
        return _result(method, answer)

    @contextmanager
    def _without_token(self) -> Iterator[None]:
        secret = self._settings.token.partition(":")[2]
        try:
            yield
        except CrossdeskError as problem:
            # Always a new error without cause: the old one, or what it was raised from, may show the address in a log.
            message, detail = (text.replace(secret, "[token]") for text in (str(problem), problem.detail))
            raise type(problem)(message, retry_after=problem.retry_after, detail=detail) from None


def moved_to(problem: TargetGone) -> str:
    """The id of the supergroup that the addressed group became, "" where that is not the trouble."""
    return problem.detail.partition(_MOVED)[2]


def _result(method: str, answer: HttpResponse) -> Any:
    """What the Bot API returned, or the error that it means."""
    body = answer.json_object
    if body is None or not isinstance(body.get("ok"), bool):
        if answer.status == 429:
            raise _rate_limited(answer.retry_after)
        raise OutcomeUnknown(
            f"Something between us and Telegram answered {method} with status {answer.status} and no Bot API answer; it may have been done "
            "or not. It is not repeated by itself: look into the chat, then mark it as sent or send it again."
        )
    if body["ok"] and answer.is_ok and "result" in body:
        return body["result"]
    code, parameters = body.get("error_code"), body.get("parameters")
    known = parameters if isinstance(parameters, Mapping) else {}
    raise _refusal(
        method,
        code if isinstance(code, int) else answer.status,
        str(body.get("description", "")),
        {**known, "header": answer.retry_after},
    )


def _refusal(method: str, code: int, description: str, parameters: Mapping[str, Any]) -> RemoteError:
    words = description.lower()
    if code == 429:
        retry_after = parameters.get("retry_after")
        return _rate_limited(float(retry_after) if isinstance(retry_after, (int, float)) else parameters["header"])
    if code in (401, 404, 421):
        return CredentialsRejected(
            "Telegram does not accept this bot token (any more). Everything is kept; put the present token from @BotFather into the "
            "channel's settings and resume the channel.",
            detail=description,
        )
    if code == 409:
        # Not "unavailable": the bot can still speak while somebody else hears for it.
        return RemoteRejected(
            "Telegram says that this bot's updates are taken in another way already: a webhook is set, or another program asks for them. "
            "Nothing is lost for 24 hours. Let only one program use this bot, and set `intake` to the way you want.",
            detail=description,
        )
    if "migrate_to_chat_id" in parameters:
        detail = f"{description} {_MOVED}{parameters['migrate_to_chat_id']}"
        return TargetGone("The group became a supergroup with another id. Nothing was changed; write to that one.", detail=detail)
    if code == 403:
        return TargetGone(f"Telegram does not let the bot write here: {_reason(description)}. Nothing was sent.", detail=description)
    if 400 <= code < 500:
        if any(known in words for known in _WINDOW):
            return WindowClosed(
                "The customer has not written for 24 hours, so Telegram lets no bot answer for the business account. Nothing was sent; "
                "answer from the account itself, or wait for the customer's next message.",
                detail=description,
            )
        kind = TargetGone if any(known in words for known in _GONE) else RemoteRejected
        return kind(f"Telegram refused {method}: {_reason(description)}. Nothing was changed.", detail=description)
    return OutcomeUnknown(
        f"Telegram answered {method} with an error of its own ({code}); it may have been done or not. It is not repeated by itself: look "
        "into the chat, then mark it as sent or send it again.",
        detail=description,
    )


def _rate_limited(retry_after: float | None) -> RateLimited:
    wait = 5.0 if retry_after is None else retry_after
    return RateLimited(f"Telegram asks for a pause of {wait:g} s; nothing was sent, it is sent after that.", retry_after=wait)


def _reason(description: str) -> str:
    return description.partition(": ")[2] or description or "no reason given"
