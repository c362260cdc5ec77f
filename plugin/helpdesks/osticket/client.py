"""The calls to our plugin in osTicket: signed, JSON both ways, every answer turned into data or one of our errors. Knows nothing of our model.

The shapes are those of ui_extensions/osticket/contract.schema.json. Every write carries a marker under which the plugin does it once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from marshmallow import Schema, ValidationError

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.signing import sign
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.helpdesks.osticket.schema import OsTicketSettings

CONTRACT = 1
_LONG = 60.0
"""Seconds: osTicket sends its alerts by mail before it answers."""
_NOT_THERE = "URL not supported"
"""osTicket's own answer to an address that no plugin serves."""
_LATER = frozenset({"busy", "unprepared", "call"})
_SECRET = frozenset({"signature", "clock"})


class PluginClient:
    """One osTicket with our plugin in it."""

    def __init__(self, settings: OsTicketSettings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http
        self._clock = connection.clock

    def read(self, call: str, body: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
        """Ask something.

        Raises:
            TargetGone: what was asked about is not there.
            RemoteError: any other kind, but never `OutcomeUnknown`.
        """
        answer = self._send(call, body, is_write=False)
        return _told(answer, schema, is_write=False)

    def write(self, call: str, body: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
        """Have something done, once for each marker.

        Raises:
            OutcomeUnknown: it may have been done.
            RemoteError: any other kind: it was not.
        """
        answer = self._send(call, body, is_write=True)
        return _told(answer, schema, is_write=True)

    def download(self, file: str, *, max_bytes: int) -> bytes:
        """A file of an entry, as it is."""
        answer = self._send("read_file", {"file": file}, is_write=False, max_bytes=max_bytes)
        size = answer.headers.get("x-crossdesk-file", "")
        if answer.status != 200 or size != str(len(answer.body)):
            _raise_for(answer, is_write=False)
        return answer.body

    def _send(self, call: str, body: Mapping[str, Any], *, is_write: bool, max_bytes: int | None = None) -> HttpResponse:
        data = json.dumps(body).encode()
        stamp = str(int(self._clock.now().timestamp()))
        signature = sign(self._settings.webhook_secret, stamp.encode(), b".", call.encode(), b".", data)
        try:
            return self._http.request(
                "POST",
                f"{self._settings.url}/{self._settings.api_path}/crossdesk/v1/{call}",
                headers={
                    "Content-Type": "application/json",
                    "Accept": "*/*",
                    "X-Crossdesk-Timestamp": stamp,
                    "X-Crossdesk-Signature": f"v1={signature}",
                },
                data=data,
                timeout=_LONG,
                max_bytes=max_bytes,
            )
        except OutcomeUnknown as problem:
            if is_write:
                raise
            raise RemoteUnavailable("osTicket did not answer; everything is kept and tried again.", detail=problem.detail) from None


def _told(answer: HttpResponse, schema: Schema, *, is_write: bool) -> dict[str, Any]:
    said = answer.json_object
    if answer.status != 200 or said is None or said.get("ok") is not True:
        _raise_for(answer, is_write=is_write)
    try:
        return cast(dict[str, Any], schema.load(said))
    except ValidationError as problem:
        raise _unclear(str(problem.messages)[:300], is_write=is_write) from None


def _raise_for(answer: HttpResponse, *, is_write: bool) -> NoReturn:
    said = answer.json_object or {}
    code, sentence = said.get("code"), said.get("message")
    if said.get("ok") is False and isinstance(code, str) and isinstance(sentence, str) and sentence.strip():
        raise _refusal(answer.status, code, sentence.strip(), is_write=is_write)
    if _NOT_THERE.encode() in answer.body[:200] and not answer.is_ok:
        raise RemoteUnavailable(
            "Our plugin does not answer in osTicket; everything is kept. Install it, enable it and its instance, or check api_path."
        )
    if answer.status == 429:
        raise RateLimited("osTicket's server asks the bridge to wait; everything is kept.", retry_after=answer.retry_after)
    if answer.status == 401:
        raise CredentialsRejected("Something in front of osTicket wants a login; everything is kept. Let the bridge reach osTicket's api/.")
    if answer.status == 404 or 300 <= answer.status < 400:
        raise RemoteUnavailable("What answers in osTicket's place is not our plugin; everything is kept. Check the helpdesk's url.")
    if 400 <= answer.status < 500:
        raise RemoteRejected(
            "Something in front of osTicket refused this; nothing was changed. Look at that server's limits and rules, then replay.",
            detail=str(answer.status),
        )
    raise _unclear(str(answer.status), is_write=is_write, retry_after=answer.retry_after)


def _refusal(status: int, code: str, sentence: str, *, is_write: bool) -> RemoteError:
    """The plugin's own refusal: its sentence says what to do; but for `failed` nothing was done."""
    if code in _SECRET:
        return CredentialsRejected(f"osTicket's plugin does not accept the bridge; everything is kept. {sentence}", detail=code)
    if code == "gone":
        return TargetGone(_sentence(sentence), detail=code)
    if code in _LATER:
        return RemoteUnavailable(f"{_sentence(sentence)} Everything is kept and tried again.", detail=code)
    if status >= 500:
        return _unclear(code, is_write=is_write)
    return RemoteRejected(_sentence(sentence), detail=code)


def _unclear(detail: str, *, is_write: bool, retry_after: float | None = None) -> RemoteError:
    if is_write:
        return OutcomeUnknown("osTicket did not say what became of this; the bridge asks again under the same marker.", detail=detail)
    return RemoteUnavailable("osTicket cannot answer now; everything is kept.", retry_after=retry_after, detail=detail)


def _sentence(said: str) -> str:
    return said if said.endswith((".", "!", "?")) else said + "."
