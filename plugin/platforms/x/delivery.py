"""Deliveries: public answers and direct messages, and finding again what was sent when no answer came.

X knows no key for repeated calls. A public answer is found by what it answers and by its words, which X takes only once; a direct message by
its words and its time. Sources: X documentation, "Manage Posts", "Manage Direct Messages", "User Post timeline", "Pricing".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from typing import Any

from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone, Unsupported
from plugin.domain.ids import MessageRef
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.platforms.x.answers import Duplicate
from plugin.platforms.x.asking import NOTICED, for_messages, for_wordings, found_in, next_page
from plugin.platforms.x.client import Client, data_of, segment
from plugin.platforms.x.keys import PrivateThread, PublicThread, post_id, private_id, private_ref, read_thread
from plugin.platforms.x.people import SITE
from plugin.platforms.x.posts import read_post
from plugin.platforms.x.private import received
from plugin.platforms.x.uploads import Uploads, kind_of
from plugin.platforms.x.values import read_id
from plugin.platforms.x.wording import essence, find_links

_SKEW = timedelta(seconds=5)
_PAGES = 8
_BILLED = "It holds a link: X bills such a post about 0.20 USD instead of 0.015."


class Delivery:
    """Delivers for one account."""

    def __init__(self, client: Client, uploads: Uploads) -> None:
        self._client = client
        self._settings = client.settings
        self._uploads = uploads

    def send(self, message: OutboundMessage) -> Receipt:
        """Say it. See `PlatformAdapter.deliver`."""
        thread = _thread(message)
        _check_files(message)
        return self._public(message, thread) if isinstance(thread, PublicThread) else self._private(message, thread)

    def find(self, message: OutboundMessage) -> Receipt | None:
        """What an earlier `send` of this message made."""
        thread = _thread(message)
        return self._find_post(message, thread) if isinstance(thread, PublicThread) else self._find_message(message, thread)

    def take_back(self, message_ref: MessageRef) -> None:
        """Delete our post, or our direct message. What is gone already is success."""
        try:
            if event := private_id(message_ref):
                self._client.need("dm.write")
                self._client.call("DELETE", f"/2/dm_events/{segment(event)}")
            elif post := post_id(message_ref):
                self._client.sdk.delete_tweet(segment(post))
            else:
                raise Unsupported("X hands over encrypted chats in no form that can be changed from here. Use the X app.")
        except TargetGone:
            return

    def hide(self, message_ref: MessageRef, *, is_hidden: bool) -> None:
        """Hide somebody's answer below our posts, or show it again."""
        post = post_id(message_ref)
        if not post:
            raise Unsupported("Only public posts can be hidden on X. Nothing was changed.")
        self._client.need("tweet.moderate.write")
        try:
            self._client.sdk.hidden_reply(segment(post), hidden=is_hidden)
        except TargetGone:
            if not is_hidden:
                raise

    def _public(self, message: OutboundMessage, thread: PublicThread) -> Receipt:
        losses: tuple[str, ...] = ()
        if self._settings.links != "allow" and find_links(message.text.plain):
            if self._settings.links == "refuse":
                raise RemoteRejected(
                    "This reply holds a link, which X bills at about 0.20 USD, and this channel sends none in public. Nothing was posted; take "
                    "the link out, or answer in private."
                )
            losses = (_BILLED,)
        self._client.need("tweet.write")
        media = [self._uploads.hand_over(file, Visibility.PUBLIC) for file in message.files]
        losses += tuple(loss for _, several in media for loss in several)
        try:
            made = self._client.sdk.create_tweet(
                text=message.text.plain or None,
                media_media_ids=[media_id for media_id, _ in media] or None,
                reply_in_reply_to_tweet_id=_target(message, thread),
                return_json=True,
            )
        except Duplicate:
            # The words stand there already: an earlier try of this very wish came through, or else it is refused for good.
            if (found := self._find_post(message, thread)) is not None:
                return found
            raise
        one = read_id(data_of(made).get("id"))
        if not one:
            raise OutcomeUnknown("X accepted the post but named no id; it is looked up before anything is sent again.")
        return _posted(one, losses)

    def _private(self, message: OutboundMessage, thread: PrivateThread) -> Receipt:
        self._client.need("dm.write")
        media = [self._uploads.hand_over(file, Visibility.PRIVATE) for file in message.files]
        said: dict[str, Any] = {
            "text": message.text.plain or None,
            "attachments": [{"media_id": media_id} for media_id, _ in media] or None,
            "return_json": True,
        }
        customer, sdk = thread.other(self._settings.account_id), self._client.sdk
        if customer:
            made = sdk.create_message_to_participant(segment(customer), **said)
        else:
            made = sdk.create_message_to_conversation(segment(thread.conversation), **said)
        one = read_id(data_of(made).get("dm_event_id"))
        if not one:
            raise OutcomeUnknown("X accepted the message but named no id; it is looked up before anything is sent again.")
        return Receipt(message_ref=private_ref(one), losses=tuple(loss for _, several in media for loss in several))

    def _find_post(self, message: OutboundMessage, thread: PublicThread) -> Receipt | None:
        target, words = _target(message, thread), essence(message.text.plain)
        since = message.created_at - _SKEW
        for raw, includes in self._own_posts(since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")):
            try:
                post = read_post(raw, includes)
            except NOTICED:
                continue
            if post.parent == target and post.at is not None and post.at >= since and essence(post.text.plain) == words:
                return _posted(post.first, ())
        return None

    def _find_message(self, message: OutboundMessage, thread: PrivateThread) -> Receipt | None:
        """The latest one with these words: of equal ones that were sent one after the other, the earlier are settled already."""
        words, since = essence(message.text.plain), message.created_at - _SKEW
        for raw, includes in self._messages(thread):
            try:
                event = received(raw, includes, self._settings.account_id)
            except NOTICED:
                continue
            if event.occurred_at is not None and event.occurred_at < since:
                return None
            if event.is_own and essence(event.text.plain) == words:
                return Receipt(message_ref=event.message_ref)
        return None

    def _own_posts(self, since: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        token = None
        for _ in range(_PAGES):
            body = self._client.sdk.get_timelines(
                self._settings.account_id,
                start_time=since,
                exclude="retweets",
                max_results=100,
                pagination_token=token,
                return_json=True,
                **for_wordings(self._settings.spelling),
            )
            _check_list(body)
            yield from found_in(body)
            token = next_page(body)
            if not token:
                return

    def _messages(self, thread: PrivateThread) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        token, customer, sdk = None, thread.other(self._settings.account_id), self._client.sdk
        asked = {**for_messages(self._settings.spelling), "max_results": 20, "return_json": True}
        for _ in range(_PAGES):
            if customer:
                body = sdk.get_dm_events_by_participant(segment(customer), pagination_token=token, **asked)
            else:
                body = sdk.get_dm_events_by_conversation(segment(thread.conversation), pagination_token=token, **asked)
            _check_list(body)
            yield from found_in(body)
            token = next_page(body)
            if not token:
                return


def _thread(message: OutboundMessage) -> PublicThread | PrivateThread:
    thread = read_thread(message.thread_key)
    if thread is None:
        raise Unsupported("This is an encrypted chat, which can only be answered in the X app. Nothing was sent.")
    return thread


def _target(message: OutboundMessage, thread: PublicThread) -> str:
    """The post that is answered; where none is named, the one with which the conversation began."""
    return (post_id(message.reply_to) if message.reply_to else "") or thread.conversation


def _posted(one: str, losses: tuple[str, ...]) -> Receipt:
    return Receipt(message_ref=MessageRef(one), url=f"{SITE}/i/status/{one}", losses=losses)


def _check_files(message: OutboundMessage) -> None:
    kinds = [kind_of(file) for file in message.files]
    if len(kinds) > 1 and (message.visibility is Visibility.PRIVATE or set(kinds) != {"image"} or len(kinds) > 4):
        raise Unsupported(
            "X takes up to four pictures in a post, or one animation or film; in a direct message one file. Nothing was sent; send the "
            "files in replies of their own."
        )


def _check_list(body: Mapping[str, Any]) -> None:
    """X leaves `data` out of an empty list, and then says in `meta` that there are none."""
    if not isinstance(body.get("data"), list) and not isinstance(body.get("meta"), dict):
        raise RemoteUnavailable("X did not say what was sent; it is asked again.")
