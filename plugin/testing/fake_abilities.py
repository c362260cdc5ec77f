"""The fake network with everything that only some platforms can: search, second looks, hiding, templates, OAuth, a registered webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from plugin.contracts.capabilities import Capabilities, Level
from plugin.contracts.platform import Grant, Polled, Template
from plugin.domain.errors import CredentialsRejected, RemoteRejected
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, OutboundMessage, Receipt, Visibility
from plugin.domain.text import Text
from plugin.testing.fake_platform import CAPABILITIES as FEWER
from plugin.testing.fake_platform import FakePlatform
from plugin.testing.fake_posts import Post, last_change, receipt, received

CAPABILITIES = replace(FEWER, hides=Level.FULL, templates=Level.FULL, listens=Level.FULL, may_answer="Those who did not forbid it.")


class AbleNetwork(FakePlatform):
    """People `mutter` what a search finds, and change things so `quietly` that only a second look tells."""

    search_seconds = 0.05
    recheck_seconds = 60.0
    recheck_batch = 3
    scopes: tuple[str, ...] = ("read", "write")

    def __init__(self, *, capabilities: Capabilities = CAPABILITIES) -> None:
        super().__init__(capabilities=capabilities)
        self.looked_at: list[tuple[MessageRef, ...]] = []
        """What each second look asked about."""
        self.read = 0
        """Posts that searches brought, as a platform that bills each would count them."""
        self.hidden: set[MessageRef] = set()
        self.templates: list[Template] = []
        self.registrations = 0
        self.tokens: list[str] = []
        """What `exchange` would have stored."""
        self._muttered: list[tuple[Post, str]] = []

    # What people do

    def mutter(self, who: str, words: str, *, no_reply: str = "") -> MessageReceived:
        """Say something that does not address us; with `no_reply` the network forbids an answer and says why."""
        author = Contact(ref=ContactRef(who), display_name=who.title(), handle=who)
        with self._lock:
            post = self._add(ThreadKey(f"muttered:{who}:{len(self._posts)}"), author, Visibility.PUBLIC, Text(words), None, ())
            self._feed.pop()
            self._muttered.append((post, no_reply))
            return replace(received(post), no_reply=no_reply)

    def change_quietly(self, ref: MessageRef, words: str) -> None:
        """An edit of which neither webhook nor poll tells."""
        with self._lock:
            self._edited(ref, Text(words))
            self._feed.pop()

    def take_back_quietly(self, ref: MessageRef) -> None:
        """A deletion of which neither webhook nor poll tells."""
        with self._lock:
            self._deleted(ref)
            self._feed.pop()

    # What the bridge asks

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """As `Listens.search`: what holds the query's words."""
        return self.faults.around("search", lambda: self._search(name, query, int((position or {}).get("next", 0)), most))

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """As `RechecksMessages.recheck`."""
        return self.faults.around("recheck", lambda: self._recheck(tuple(message_refs)))

    def hide(self, message_ref: MessageRef, thread_key: ThreadKey, *, is_hidden: bool) -> None:
        """As `HidesMessages.hide`."""

        def apply() -> None:
            with self._lock:
                self._existing(message_ref)
                (self.hidden.add if is_hidden else self.hidden.discard)(message_ref)

        self.faults.around("hide", apply)

    def send_template(self, template: Template, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `SendsTemplates.send_template`. Sending twice says it twice."""

        def apply() -> Receipt:
            if template.name == "unknown":
                raise RemoteRejected("The fake network knows no template of this name; nothing was sent. Name one that it has approved.")
            with self._lock:
                self.templates.append(template)
                post = self._add(
                    message.thread_key, self.account, message.visibility, message.text, message.reply_to, (), is_own=True, marker=marker
                )
                return receipt(post)

        return self.faults.around("send_template", apply)

    def register_webhook(self) -> None:
        """As `RegistersWebhook.register_webhook`."""

        def apply() -> None:
            self.registrations += 1

        self.faults.around("register_webhook", apply)

    def authorize_url(self, grant: Grant) -> str:
        """As `Connects.authorize_url`."""
        return "https://fake.example/authorize?" + urlencode({"state": grant.state, "redirect_uri": grant.redirect_url})

    def exchange(self, code: str, grant: Grant) -> None:
        """As `Connects.exchange`. The code "narrow" was given without a scope, "used" was used before."""

        def apply() -> None:
            if code == "narrow":
                raise CredentialsRejected("The permission `write` was not given. Connect again and agree to all of them.")
            if code == "used" or not grant.verifier:
                raise CredentialsRejected("The code was used before. Connect again.")
            self.tokens.append(f"token for {code}")

        self.faults.around("exchange", apply)

    def _search(self, name: str, query: str, start: int, most: int) -> Polled:
        if query.count("(") != query.count(")"):
            raise RemoteRejected("The fake network cannot understand the query: a bracket is open.")
        with self._lock:
            matching = [(post, why) for post, why in self._muttered[start:] if query.casefold() in post.text.plain.casefold()]
            page = matching[:most]
            is_over = len(page) == len(matching)
            end = len(self._muttered) if is_over else self._muttered.index(matching[most])
            self.read += len(page)
        events = tuple(replace(received(post), no_reply=why, found_by=name) for post, why in page)
        return Polled(events=events, position={"next": end}, has_more=not is_over)

    def _recheck(self, refs: tuple[MessageRef, ...]) -> list[PlatformEvent]:
        self.looked_at.append(refs)
        with self._lock:
            return [event for ref in refs if (event := last_change(self._posts.get(ref))) is not None]
