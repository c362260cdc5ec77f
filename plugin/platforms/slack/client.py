"""Calls to Slack's Web API, and what its answers mean. Knows no message.

Slack answers nearly everything with 200 and `{"ok": false, "error": "..."}`. Only such a refusal counts as not applied; the few errors that
Slack itself calls unclear (`internal_error`, `fatal_error`) do not. Source: Slack API, "Using the Slack Web API", and the errors of each method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from plugin.contracts.http import FormFile, HttpClient, HttpResponse
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import (
    BillingStopped,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    WindowClosed,
)
from plugin.platforms.slack.schema import Settings

_CREDENTIALS = frozenset({
    "access_denied", "account_inactive", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth", "missing_scope",
    "no_permission", "not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted", "token_expired",
    "token_revoked", "two_factor_setup_required", "app_missing_action_scope", "accesslimited",
})  # fmt: skip
_GONE = frozenset({
    "channel_not_found", "is_archived", "message_not_found", "not_in_channel", "thread_not_found", "user_not_found", "user_disabled",
    "file_not_found", "file_deleted", "channel_is_archived", "cannot_dm_user",
})  # fmt: skip
_WINDOW = frozenset({"edit_window_closed"})
_BILLING = frozenset({"paid_teams_only", "plan_upgrade_required", "storage_limit_reached", "team_not_on_plan"})
_NOT_DONE = frozenset({"team_added_to_org", "request_timeout"})
_UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable"})
_RATE = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_UPLOAD_SECONDS = 120.0
_WAIT = 30.0
_PAGES = 50


class SlackApi:
    """One app's Web API."""

    def __init__(self, http: HttpClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings

    def read(self, method: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """The answer to a call that changes nothing.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        return self._result(method, self.ask(method, params), is_write=False)

    def ask(self, method: str, params: Mapping[str, str] | None = None) -> HttpResponse:
        """As `read`, the whole answer, unjudged."""
        return self._http.request("GET", self._address(method), headers=self._bearer, params=params)

    def pages(self, method: str, params: Mapping[str, str], *, member: str, most: int = _PAGES) -> Iterator[Sequence[Mapping[str, Any]]]:
        """The pages of a list, at most `most` of them."""
        cursor = ""
        for _ in range(most):
            answer = self.read(method, {**params, **({"cursor": cursor} if cursor else {})})
            listed = answer.get(member)
            if not isinstance(listed, list):
                raise RemoteUnavailable(f"Slack answered {method} without its {member}; nothing was changed, it is asked again later.")
            yield read_objects(listed)
            cursor = read_string(read_object(answer.get("response_metadata")).get("next_cursor"))
            if not cursor:
                return

    def write(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a call that says, changes or takes back something.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` unless Slack itself refused.
        """
        answer = self._http.request("POST", self._address(method), headers=self._bearer, json=body)
        return self._result(method, answer, is_write=True)

    def prepare(self, method: str, *, form: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """As `write`, for a call whose effect nobody sees: what is unclear is simply done again.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        try:
            answer = self._http.request("POST", self._address(method), headers=self._bearer, json=body, data=form)
            return self._result(method, answer, is_write=False)
        except OutcomeUnknown as unclear:
            raise _later(method, unclear.detail) from None

    def upload(self, url: str, file: FormFile) -> None:
        """Hand the bytes of a file to the address that Slack named for it. It goes there without our token."""
        self._check_host(url)
        try:
            answer = self._http.request("POST", url, files=[("filename", file)], timeout=_UPLOAD_SECONDS)
        except OutcomeUnknown as unclear:
            raise _later("the upload", unclear.detail) from None
        if answer.status == 429:
            raise RateLimited("Slack asks for a pause in uploading; nothing was sent, it goes on after that.", retry_after=_wait(answer))
        if answer.status >= 500:
            raise _later("the upload", f"status {answer.status}")
        if answer.status != 200:
            raise RemoteRejected(
                f"Slack did not take the file “{file.filename}” (status {answer.status}); nothing was sent. Send it in another form or as a link."
            )

    def fetch(self, url: str, *, max_bytes: int) -> HttpResponse:
        """The bytes at an address that `files.info` named; only Slack itself is shown our token."""
        self._check_host(url)
        answer = self._http.download(url, headers=self._bearer, max_bytes=max_bytes)
        if answer.status == 429 or answer.status >= 500:
            raise RemoteUnavailable(
                f"Slack's file server answered {answer.status}; the message is kept, the file is fetched later.",
                retry_after=answer.retry_after,
            )
        if not answer.is_ok:
            raise RemoteRejected(f"Slack's file server answered {answer.status}; the message is kept without the file. Open it on Slack.")
        return answer

    @property
    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._settings.bot_token}"}

    def _address(self, method: str) -> str:
        return f"{self._settings.api_url}/{method}"

    def _check_host(self, url: str) -> None:
        """A file's address is Slack's own: below the domain of the Web API, or on the very same server."""
        api = urlsplit(self._settings.api_url)
        try:
            given = urlsplit(url)
            host, port = given.hostname or "", given.port
        except ValueError:
            host, port, given = "", None, urlsplit("")
        domain = api.hostname or ""
        is_same = (host, port) == (domain, api.port) or (port in (None, 443) and host.endswith(f".{domain}"))
        if given.scheme != api.scheme or not is_same:
            raise RemoteRejected("Slack named an address for a file that is not its own; nothing was sent there. Handle the file on Slack.")

    def _result(self, method: str, answer: HttpResponse, *, is_write: bool) -> Mapping[str, Any]:
        body = answer.json_object
        if answer.status == 429:
            raise _rate_limited(answer)
        if body is None or not isinstance(body.get("ok"), bool):
            raise (
                _unclear(method, f"status {answer.status} and nothing that is Slack's")
                if is_write
                else _later(method, f"status {answer.status}")
            )
        if body["ok"] and answer.is_ok:
            return body
        error = read_string(body.get("error")) or f"status {answer.status}"
        if error in _RATE:
            raise _rate_limited(answer)
        if body["ok"] or error in _UNCLEAR or answer.status >= 500:
            raise _unclear(method, error) if is_write else _later(method, error)
        raise _refusal(method, error, body)


def _refusal(method: str, error: str, body: Mapping[str, Any]) -> RemoteError:
    if error in _CREDENTIALS:
        needed = read_string(body.get("needed"))
        what = f"The app lacks the permission {needed}" if needed else "Slack does not accept the app's token (any more)"
        return CredentialsRejected(
            f"{what} ({method}: {error}). Everything is kept; on the app's page OAuth & Permissions see to the scopes, install the app to the "
            "workspace again, put its token into the channel's settings and resume the channel.",
            detail=error,
        )
    if error in _GONE:
        return TargetGone(
            f"Slack refused {method}: {error}. The channel or message is gone, or the bot is no member of it. Nothing was changed; invite the "
            "bot to the channel, or write to the person directly.",
            detail=error,
        )
    if error in _WINDOW:
        return WindowClosed(f"Slack does not allow {method} here now: {error}. Nothing was changed; write a new message.", detail=error)
    if error in _BILLING:
        return BillingStopped(
            f"The workspace's plan does not allow {method}: {error}. Everything is kept; see to the plan, then resume the channel.",
            detail=error,
        )
    if error in _NOT_DONE:
        return _later(method, error)
    told = "; ".join(text for text in read_object(body.get("response_metadata")).get("messages") or () if isinstance(text, str))[:300]
    return RemoteRejected(
        f"Slack refused {method}: {error}. Nothing was changed; change the message and send it again.", detail=f"{error} {told}".strip()
    )


def _rate_limited(answer: HttpResponse) -> RateLimited:
    wait = _wait(answer)
    return RateLimited(f"Slack asks for a pause of {wait:g} s; nothing was sent, it is sent after that.", retry_after=wait)


def _wait(answer: HttpResponse) -> float:
    return _WAIT if answer.retry_after is None else answer.retry_after


def _unclear(method: str, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Slack gave no clear answer to {method}; it may have been done or not. That is looked up before anything is sent again.",
        detail=why,
    )


def _later(method: str, why: str) -> RemoteUnavailable:
    return RemoteUnavailable(f"Slack gave no usable answer to {method}; nobody saw anything of it, it is tried again later.", detail=why)
