"""Calls to Slack's Web API, and what its answers mean. Knows no message.

Slack answers nearly everything with 200 and `{"ok": false, "error": "..."}`. Only such a refusal counts as not applied; the few errors that
Slack itself calls unclear (`internal_error`, `fatal_error`) do not. Source: Slack API, "Using the Slack Web API", and the errors of each method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

    from plugin.platforms.slack.sdk import Sdk

PER_PAGE = 200
"""What one page of a list holds at most."""

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
_WRITES = frozenset({"chat.postMessage", "chat.update", "chat.delete"})
"""The methods whose effect people see. Any other that is unclear is simply called again."""
_KINDS = ("public_channel", "private_channel", "mpim", "im")
_ROOM_PAGES = 50
_UPLOAD_SECONDS = 120.0
_WAIT = 30.0


class SlackApi:
    """One app's Web API."""

    def __init__(self, http: HttpClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings

    @cached_property
    def sdk(self) -> Sdk:
        """Slack's methods as slack-sdk names them.

        Raises:
            OutcomeUnknown: a call that says, changes or takes back something, unless Slack itself refused.
            RemoteError: any other of its kinds.
        """
        # Whoever has no Slack channel shall not pay for the package: see there.
        from plugin.platforms.slack.sdk import Sdk

        return Sdk(self._door)

    def rooms(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        """The pages of the conversations that the bot is in."""
        ask = partial(self.sdk.users_conversations, types=_KINDS, exclude_archived=True, limit=PER_PAGE)
        return _pages(ask, member="channels", most=_ROOM_PAGES)

    def messages(self, channel: str, root: str, *, oldest: str, most: int) -> Iterator[Sequence[Mapping[str, Any]]]:
        """The pages, at most `most` of them, of what was said since `oldest`: in the thread of `root`, or at the top of the channel where it is empty."""
        ask = partial(self.sdk.conversations_replies, ts=root) if root else self.sdk.conversations_history
        return _pages(partial(ask, channel=channel, oldest=oldest, limit=PER_PAGE, include_all_metadata=True), member="messages", most=most)

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

    def _door(self, verb: str, method: str, **how: Any) -> tuple[dict[str, Any], dict[str, str]]:
        try:
            answer = self._http.request(verb, f"{self._settings.api_url}/{method}", headers=self._bearer, **how)
            return _judged(method, answer), dict(answer.headers)
        except OutcomeUnknown as unclear:
            if method in _WRITES:
                raise
            raise _later(method, unclear.detail) from None

    @property
    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._settings.bot_token}"}

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


def _pages(ask: Callable[..., SlackResponse], *, member: str, most: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    cursor: str | None = None
    for _ in range(most):
        answer = ask(cursor=cursor)
        listed = answer.get(member)
        if not isinstance(listed, list):
            raise RemoteUnavailable(f"Slack answered without its {member}; nothing was changed, it is asked again later.")
        yield read_objects(listed)
        cursor = read_string(read_object(answer.get("response_metadata")).get("next_cursor"))
        if not cursor:
            return


def _judged(method: str, answer: HttpResponse) -> dict[str, Any]:
    body = answer.json_object
    if answer.status == 429:
        raise _rate_limited(answer)
    if body is None or not isinstance(body.get("ok"), bool):
        raise _unclear(method, f"status {answer.status} and nothing that is Slack's")
    if body["ok"] and answer.is_ok:
        return body
    error = read_string(body.get("error")) or f"status {answer.status}"
    if error in _RATE:
        raise _rate_limited(answer)
    if body["ok"] or error in _UNCLEAR or answer.status >= 500:
        raise _unclear(method, error)
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
