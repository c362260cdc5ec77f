"""Modmail: the private conversations of a subreddit with those who write to its moderators. Reading, answering, and finding an answer again.

Answers go out in the subreddit's name. Every moderator is our side; their notes among themselves are nothing that is carried.
Source: Reddit's API documentation, "modmail"; recorded answers in PRAW's tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Skipped
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, UnsupportedEvent
from plugin.domain.events import MessageReceived
from plugin.domain.ids import MessageRef, ThreadKey
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.domain.text import Text, fold
from plugin.platforms.reddit.client import Client
from plugin.platforms.reddit.things import REMOVED, person

SCOPE = "modmail"
_MODMAIL = "modmail/"
_PATH = "/api/mod/conversations"
_ID = re.compile(r"[a-z0-9]{1,16}\Z")
_PAGE, _PAGES = 100, 5
_SKEW = timedelta(minutes=2)


def is_modmail(key: ThreadKey) -> bool:
    """Whether a conversation of ours is one of the moderators' inbox."""
    return key.startswith(_MODMAIL)


class Modmail:
    """The moderators' inbox of the channel's subreddits."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._site = client.settings.site_url

    def hear(self, floor: datetime) -> tuple[list[MessageReceived], list[Skipped]]:
        """What was said at or after `floor`, by those who wrote and by moderators.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        events: list[MessageReceived] = []
        skipped: list[Skipped] = []
        for one in self._fresh(floor):
            whole = self._client.ask(f"{_PATH}/{one}", {"markRead": "false"})
            conversation = read_object(whole.get("conversation"))
            for message in _messages(whole):
                at = _time(message.get("date"))
                if at is None or at < floor:
                    continue
                if message.get("isInternal") is True:
                    reason = UnsupportedEvent("Moderators wrote a note among themselves; it stays on Reddit.", detail="internal")
                    skipped.append(Skipped(event_key=f"modmail:{one}:{read_string(message.get('id'))}", reason=reason))
                elif (event := self._said(one, conversation, message, at)) is not None:
                    events.append(event)
        return events, skipped

    def send(self, message: OutboundMessage) -> Receipt:
        """Answer in the subreddit's name.

        Raises:
            RemoteError: any of its kinds.
        """
        one, words = _conversation(message.thread_key), _words(message)
        made = self._client.write(f"{_PATH}/{one}", {"body": words, "isAuthorHidden": "true", "isInternal": "false"})
        found = self._among(one, _messages(made), words, message.created_at - _SKEW)
        if found is None:
            raise OutcomeUnknown("Reddit took the answer and does not show it; it is looked up before anything is sent again.")
        return found

    def find(self, message: OutboundMessage) -> Receipt | None:
        """The latest answer of our side with these words since the wish was made."""
        one = _conversation(message.thread_key)
        whole = self._client.ask(f"{_PATH}/{one}", {"markRead": "false"})
        if not isinstance(whole.get("messages"), dict):
            raise RemoteUnavailable("Reddit did not show the moderators' conversation; it is looked at again.")
        return self._among(one, _messages(whole), _words(message), message.created_at - _SKEW)

    def _fresh(self, floor: datetime) -> Iterator[str]:
        """The conversations in which something was said since, the newest first."""
        after = ""
        for _ in range(_PAGES):
            asked: dict[str, str | int] = {
                "entity": ",".join(self._client.settings.subreddits),
                "sort": "recent",
                "state": "all",
                "limit": _PAGE,
            }
            page = self._client.ask(_PATH, {**asked, **({"after": after} if after else {})})
            conversations, order = page.get("conversations"), page.get("conversationIds")
            if not isinstance(conversations, dict) or not isinstance(order, list):
                raise RemoteUnavailable("Reddit did not show the moderators' inbox; it is looked at again.")
            names = [one for one in order if isinstance(one, str) and _ID.match(one)]
            for one in names:
                conversation = read_object(conversations.get(one))
                at = _time(conversation.get("lastUpdated"))
                if at is not None and at < floor:
                    return
                if conversation.get("isInternal") is not True:
                    yield one
            if len(order) < _PAGE or not names or names[-1] == after:
                return
            after = names[-1]

    def _said(self, one: str, conversation: Mapping[str, Any], message: Mapping[str, Any], at: datetime) -> MessageReceived | None:
        name, author = read_string(message.get("id")), read_object(message.get("author"))
        who, words = read_string(author.get("name")), read_string(message.get("bodyMarkdown")).strip()
        if not _ID.match(name) or not who or not words or who in REMOVED or author.get("isDeleted") is True:
            return None
        is_ours = author.get("isMod") is True or message.get("participatingAs") == "moderator"
        objects = read_objects(conversation.get("objIds"))
        is_first = bool(objects) and objects[0].get("id") == name
        subject = read_string(conversation.get("subject")).strip()
        return MessageReceived(
            event_key=f"modmail:{one}:{name}",
            occurred_at=at,
            message_ref=_ref(one, name),
            thread_key=ThreadKey(_MODMAIL + one),
            visibility=Visibility.PRIVATE,
            author=person(who, self._site),
            text=Text(f"{subject}\n\n{words}" if is_first and subject else words),
            url=_url(one),
            is_own=is_ours,
        )

    def _among(self, one: str, messages: Sequence[Mapping[str, Any]], words: str, since: datetime) -> Receipt | None:
        for message in reversed(messages):
            at, name, author = _time(message.get("date")), read_string(message.get("id")), read_object(message.get("author"))
            is_ours = author.get("isMod") is True or message.get("participatingAs") == "moderator"
            if at is None or at < since or not is_ours or message.get("isInternal") is True or not _ID.match(name):
                continue
            if _essence(read_string(message.get("bodyMarkdown"))) == _essence(words):
                return Receipt(message_ref=_ref(one, name), url=_url(one))
        return None


def _messages(whole: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages of a conversation, oldest first."""
    told = [read_object(one) for one in read_object(whole.get("messages")).values()]
    return sorted(told, key=lambda one: (_time(one.get("date")) or datetime.max.replace(tzinfo=UTC), read_string(one.get("id"))))


def _conversation(key: ThreadKey) -> str:
    one = key.removeprefix(_MODMAIL)
    if not _ID.match(one):
        raise RemoteRejected("This is no conversation of a Reddit moderators' inbox. Nothing was sent.")
    return one


def _ref(conversation: str, message: str) -> MessageRef:
    return MessageRef(f"{_MODMAIL}{conversation}/{message}")


def _url(conversation: str) -> str:
    return f"https://mod.reddit.com/mail/all/{conversation}"


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(read_string(value))
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words(message: OutboundMessage) -> str:
    return fold(message.text, frozenset())[0].plain


def _essence(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())
