"""Telling X where we are and what we want to hear, and keeping that alive: X stops delivering in silence when a check of its own fails.

Sources: X documentation, "Webhooks" (registration, validity, replay), "X Activity API quickstart" (subscriptions), "Account Activity API".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteError, RemoteRejected
from plugin.platforms.x.asking import next_page
from plugin.platforms.x.client import Client, data_of, list_of, segment
from plugin.platforms.x.values import read_id, read_object, read_string

_POSTS = ("post.create", "post.delete", "post.mention.create", "post.quote.create", "post.reply.create")
_MESSAGES = ("chat.received", "chat.sent", "dm.read", "dm.received", "dm.sent")
_REGISTER = "Run crossdesk channel register for this channel."
_PAGES = 20
_KEPT, _NOT_YET = timedelta(hours=23, minutes=50), timedelta(minutes=11)
"""What X delivers again: nothing older than a day, nothing of the last ten minutes."""
_MINUTES = "%Y%m%d%H%M"


class Registration:
    """The webhook and the subscriptions of one account."""

    def __init__(self, client: Client, webhook_url: str) -> None:
        self._client = client
        self._settings = client.settings
        self._url = webhook_url

    @property
    def wanted(self) -> tuple[str, ...]:
        """The kinds of event that are subscribed to."""
        return (*_POSTS, *(_MESSAGES if self._settings.direct_messages else ()))

    def register(self) -> None:
        """Make the webhook known and valid, and subscribe to what is missing. Nothing with intake = "poll".

        Raises:
            RemoteRejected: X could not reach the address, or takes no further webhook.
            RemoteError: any other of its kinds.
        """
        if self._settings.intake == "poll":
            return
        webhook = self._webhook()
        if webhook is None:
            webhook_id = self._create()
        else:
            webhook_id = read_id(webhook.get("id"))
            if webhook.get("valid") is not True:
                self._validate(webhook_id)
        if self._settings.intake == "account_activity":
            self._client.call("POST", f"/2/account_activity/webhooks/{segment(webhook_id)}/subscriptions/all", json={})
            return
        for kind in self._missing(webhook_id):
            told = {"event_type": kind, "filter": {"user_id": self._settings.account_id}, "tag": "crossdesk", "webhook_id": webhook_id}
            self._client.call("POST", "/2/activity/subscriptions", json=told)

    def revive(self, *, since: datetime, now: datetime, was_away: bool) -> str:
        """Have X check the webhook again if it gave it up; then, and when we `was_away`, have it deliver again what it told `since`.

        X keeps a day of that, but for the last minutes. The polls bring most of it anyway; quotes, receipts and encrypted chats come by webhook alone.
        Returns why X tells us nothing, in a sentence; empty where it does.
        """
        webhook = self._webhook()
        if webhook is None:
            return "X does not know our address; the polls bring mentions, answers and direct messages all the same."
        webhook_id, is_valid = read_id(webhook.get("id")), webhook.get("valid") is True
        if not is_valid and not self._validate(webhook_id):
            return "X cannot reach our address and has given it up; the polls bring mentions, answers and direct messages all the same."
        begin, end = max(since, now - _KEPT), now - _NOT_YET
        if (was_away or not is_valid) and begin < end:
            told = {"webhook_id": webhook_id, "from_date": f"{begin:{_MINUTES}}", "to_date": f"{end:{_MINUTES}}"}
            with suppress(RemoteRejected):  # A job may be at work already.
                self._client.app_call("POST", "/2/webhooks/replay", json=told)
        return ""

    def probes(self) -> Iterator[Probe]:
        """How the webhook and the subscriptions fare."""
        if self._settings.intake == "poll":
            yield Probe(name="webhook", is_ok=True, answer="none: X is asked every two minutes")
            return
        try:
            webhook = self._webhook()
        except RemoteError as problem:
            yield Probe(name="webhook", is_ok=False, answer=str(problem), next_step="Check `bearer_token` of this channel.")
            return
        if webhook is None:
            yield Probe(name="webhook", is_ok=False, answer="X does not know our address", next_step=_REGISTER)
            return
        is_valid = webhook.get("valid") is True
        answer = "registered, and X finds it in order" if is_valid else "registered, but X gave it up and delivers nothing"
        yield Probe(name="webhook", is_ok=is_valid, answer=answer, next_step="" if is_valid else f"See that X can reach it. {_REGISTER}")
        yield self._tried(lambda: self._subscribed(read_id(webhook.get("id"))))

    def _tried(self, probe: Callable[[], Probe]) -> Probe:
        try:
            return probe()
        except RemoteError as problem:
            return Probe(name="subscriptions", is_ok=False, answer=str(problem), next_step=_REGISTER)

    def _subscribed(self, webhook_id: str) -> Probe:
        if self._settings.intake == "account_activity":
            told = data_of(self._client.call("GET", f"/2/account_activity/webhooks/{segment(webhook_id)}/subscriptions/all"))
            missing: Sequence[str] = () if told.get("subscribed") is True else ("all activity",)
        else:
            missing = self._missing(webhook_id)
        answer = f"missing: {', '.join(missing)}" if missing else "all that are needed"
        return Probe(name="subscriptions", is_ok=not missing, answer=answer, next_step=_REGISTER if missing else "")

    def _webhook(self) -> Mapping[str, Any] | None:
        listed = list_of(self._client.app_call("GET", "/2/webhooks"))
        return next((one for one in listed if one.get("url") == self._url and read_id(one.get("id"))), None)

    def _create(self) -> str:
        try:
            answer = self._client.app_call("POST", "/2/webhooks", json={"url": self._url})
        except RemoteRejected as refusal:
            raise RemoteRejected(
                f"X does not take our address {self._url}: {refusal.detail or 'no reason given'}. Nothing was registered. Crossdesk must be running "
                "and reachable from outside under it, by https and without a port; or set `intake` to poll.",
                detail=refusal.detail,
            ) from None
        made = read_id(data_of(answer).get("id"))
        if not made:
            raise RemoteRejected("X took our address but named no webhook. Run crossdesk channel register again.")
        return made

    def _validate(self, webhook_id: str) -> bool:
        """Have X check the address now; whether it found it in order."""
        told = self._client.app_call("PUT", f"/2/webhooks/{segment(webhook_id)}")
        return data_of(told).get("valid", True) is not False

    def _missing(self, webhook_id: str) -> list[str]:
        there: set[str] = set()
        token = ""
        for _ in range(_PAGES):
            params = {"max_results": "100", **({"pagination_token": token} if token else {})}
            body = self._client.app_call("GET", "/2/activity/subscriptions", params=params)
            there |= {
                read_string(one.get("event_type"))
                for one in list_of(body)
                if one.get("webhook_id") == webhook_id and read_object(one.get("filter")).get("user_id") == self._settings.account_id
            }
            token = next_page(body)
            if not token:
                break
        return [kind for kind in self.wanted if kind not in there]
