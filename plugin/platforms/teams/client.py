"""Calls to the Bot Connector, and what its answers mean. Knows no message.

Only a refusal that the Connector itself spoke (`{"error": {"code", "message"}}`) was not applied. The token goes to the one service that the settings name.
Sources: Microsoft Learn, "Send and receive messages with the Bot Framework REST API", "Rate limiting for bots" (status codes to be tried again).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from plugin.contracts.http import HttpResponse, parse_json
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_object, read_string, read_time
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
from plugin.platforms.teams.schema import Settings

TOKEN = "access_token"  # noqa: S105 - the name of one
_SCOPE = "https://api.botframework.com/.default"
_EARLY = timedelta(minutes=5)
_WAIT = 10.0
_AGAIN = frozenset({412})


class Connector:
    """One bot's Connector."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection

    def write(self, method: str, conversation: str, activity: str = "", body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Say, change or take back an activity of a conversation. With a token that is refused, once more with a new one.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` unless the Connector itself refused.
        """
        path = f"/v3/conversations/{quote(conversation, safe='')}/activities" + (f"/{quote(activity, safe='')}" if activity else "")
        kept = self.token()
        answer = self._send(method, path, kept, body)
        if answer.status == 401:
            answer = self._send(method, path, self._connection.secrets.refresh(TOKEN, kept, self._renew), body)
        if not answer.is_ok:
            raise _failure(answer)
        if method == "DELETE" or answer.status == 204:
            return {}
        found = answer.json_object
        if found is None:
            raise _unclear("an answer that is not the Connector's")
        return found

    def token(self) -> str:
        """The kept token, as `{"token", "until"}`; a new one where it ends within five minutes.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        kept = self._connection.secrets.get(TOKEN)
        until = read_time(_kept(kept).get("until"))
        if kept is not None and until is not None and self._connection.clock.now() < until - _EARLY:
            return kept
        return self._connection.secrets.refresh(TOKEN, kept, self._renew)

    def download(self, url: str, *, max_bytes: int) -> HttpResponse:
        """The bytes at an address that came in a message; our token goes along to our own service alone."""
        service = urlsplit(self._settings.service_url)
        given = urlsplit(url)
        is_ours = (given.scheme, given.hostname, given.port) == (service.scheme, service.hostname, service.port)
        answer = self._connection.http.download(url, max_bytes=max_bytes, headers=_bearer(self.token()) if is_ours else None)
        if answer.status == 429 or answer.status >= 500:
            raise RemoteUnavailable(
                f"Teams' file server answered {answer.status}; the message is kept, the file is fetched later.",
                retry_after=answer.retry_after,
            )
        if not answer.is_ok:
            raise RemoteRejected(f"Teams' file server answered {answer.status}; the message is kept without the file. Open it in Teams.")
        return answer

    def _send(self, method: str, path: str, kept: str, body: Mapping[str, Any] | None) -> HttpResponse:
        return self._connection.http.request(method, self._settings.service_url + path, headers=_bearer(kept), json=body)

    def _renew(self, current: str | None) -> str:
        """A token by the app's own credentials (Microsoft Learn, "Bot to Connector", step 1)."""
        del current
        settings = self._settings
        form = {"grant_type": "client_credentials", "client_id": settings.app_id, "client_secret": settings.app_password, "scope": _SCOPE}
        try:
            answer = self._connection.http.request("POST", f"{settings.login_url}/{settings.tenant_id}/oauth2/v2.0/token", data=form)
        except OutcomeUnknown as unclear:
            raise _later("Microsoft's sign-in gave no whole answer", unclear.detail) from None
        body = answer.json_object or {}
        token, seconds, error = read_string(body.get("access_token")), body.get("expires_in"), read_string(body.get("error"))
        if answer.status == 429:
            raise _rate_limited(answer)
        if answer.status in (400, 401) and error:
            raise CredentialsRejected(
                f"Microsoft does not accept the bot's app_id, tenant_id or app_password ({error}). Everything is kept; make a new client secret if "
                "the old one ended, put it into the channel's settings and resume the channel.",
                detail=error,
            )
        if not answer.is_ok or not token or not token.isascii() or not isinstance(seconds, int) or not 0 < seconds < 10**7:
            raise _later(f"Microsoft's sign-in answered {answer.status} without a token", error)
        until = self._connection.clock.now() + timedelta(seconds=seconds)
        return json.dumps({"token": token, "until": until.isoformat()})


def _kept(kept: str | None) -> Mapping[str, Any]:
    try:
        return read_object(parse_json((kept or "").encode()))
    except MalformedPayload:
        return {}


def _bearer(kept: str) -> dict[str, str]:
    return {"authorization": f"Bearer {read_string(_kept(kept).get('token'))}"}


def _failure(answer: HttpResponse) -> RemoteError:
    error = read_object((answer.json_object or {}).get("error"))
    code, said = read_string(error.get("code")), read_string(error.get("message"))[:300]
    detail = f"{code} {said}".strip()
    if answer.status == 429:
        return _rate_limited(answer)
    if answer.status == 401:
        return CredentialsRejected(
            "Teams does not accept the bot's token, nor a new one. Everything is kept; see that the bot's app id and tenant are those of the Azure "
            "Bot, then resume the channel.",
            detail=detail,
        )
    if answer.status in _AGAIN:
        return RemoteUnavailable(
            "Teams is busy with this conversation; nothing was sent, it is tried again.", retry_after=answer.retry_after, detail=detail
        )
    if not code or answer.status >= 500 or answer.status < 400:
        return _unclear(f"status {answer.status} {detail}".strip())
    if answer.status in (403, 404, 410):
        return TargetGone(
            f"Teams does not let the bot write here: {said or code}. The conversation or message is gone, or the bot was removed. Nothing was changed; "
            "have the bot added again, or write to the person directly.",
            detail=detail,
        )
    return RemoteRejected(f"Teams refused this: {said or code}. Nothing was changed; change the message and send it again.", detail=detail)


def _rate_limited(answer: HttpResponse) -> RateLimited:
    wait = _WAIT if answer.retry_after is None else answer.retry_after
    return RateLimited(f"Teams asks for a pause of {wait:g} s; nothing was sent, it is sent after that.", retry_after=wait)


def _unclear(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "Teams gave no clear answer; it may have been done or not, and a bot cannot look. It is not repeated by itself: look into the chat, then mark it "
        "as sent or send it again.",
        detail=why,
    )


def _later(what: str, why: str) -> RemoteUnavailable:
    return RemoteUnavailable(f"{what}; nothing was sent, it is tried again later.", detail=why)
