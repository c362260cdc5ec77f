"""Deliveries: answers in public and in private, edits, deletions, and finding again what was sent when no answer came.

Reddit knows no key for repeated calls: an answer is found among our own by what it answers, its words and its time.
Source: Reddit's API documentation, /api/comment, /api/editusertext, /api/del.
"""

from __future__ import annotations

from datetime import timedelta

from plugin.contracts.reading import read_string
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.ids import MessageRef
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.domain.text import fold
from plugin.platforms._oauth.values import essence, read_seconds
from plugin.platforms.reddit.client import Client
from plugin.platforms.reddit.things import MESSAGE, fullname, made_by, target_of

_SKEW = timedelta(minutes=2)
_PAGES = 5


class Delivery:
    """Delivers for one account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, message: OutboundMessage) -> Receipt:
        """Answer below a comment or post, or in a private conversation. See `PlatformAdapter.deliver`."""
        made = self._client.write("/api/comment", {"thing_id": _target(message), "text": _words(message)})
        return self._receipt(made_by(made).get("name"), made_by(made).get("permalink"))

    def find(self, message: OutboundMessage) -> Receipt | None:
        """What an earlier `send` of this message made."""
        target, words, since = _target(message), essence(_words(message)), (message.created_at - _SKEW).timestamp()
        is_private, after = message.visibility is Visibility.PRIVATE, ""
        path = "/message/sent" if is_private else f"/user/{self._client.settings.username}/comments"
        for _ in range(_PAGES):
            page, after = self._client.listing(path, {"limit": 100, **({"after": after} if after else {})})
            for _, raw in page:
                at = read_seconds(raw.get("created_utc"))
                if at is not None and at.timestamp() < since:
                    return None
                if raw.get("parent_id") == target and essence(read_string(raw.get("body"))) == words:
                    return self._receipt(raw.get("name"), raw.get("permalink"))
            if not after:
                return None
        raise RemoteUnavailable("Too much was said since to find the answer among it; it is looked for again.")

    def rewrite(self, message_ref: MessageRef, message: OutboundMessage) -> Receipt:
        """Make a comment of ours say something else."""
        made = self._client.write("/api/editusertext", {"thing_id": _editable(message_ref), "text": _words(message)})
        return self._receipt(made_by(made).get("name"), made_by(made).get("permalink"))

    def take_back(self, message_ref: MessageRef) -> None:
        """Delete a comment of ours. One that is gone already is success."""
        try:
            self._client.write("/api/del", {"id": _editable(message_ref)})
        except TargetGone:
            return

    def _receipt(self, name: object, path: object) -> Receipt:
        found = fullname(name)
        if not found:
            raise OutcomeUnknown("Reddit took the answer and does not say where it stands; it is looked up before anything is sent again.")
        link = read_string(path)
        return Receipt(message_ref=MessageRef(found), url=self._client.settings.site_url + link if link.startswith("/") else "")


def _target(message: OutboundMessage) -> str:
    found = fullname(message.reply_to) or target_of(message.thread_key)
    if not found or (message.visibility is Visibility.PRIVATE) != found.startswith(MESSAGE):
        raise RemoteRejected(
            "There is nothing on Reddit below which this could be said: public answers stand below a post or comment, private ones below a private "
            "message of the customer. Nothing was sent."
        )
    return found


def _editable(ref: MessageRef) -> str:
    found = fullname(ref)
    if not found or found.startswith(MESSAGE):
        raise RemoteRejected("Reddit lets nobody change or take back a private message. It stays as it is.")
    return found


def _words(message: OutboundMessage) -> str:
    return fold(message.text, frozenset())[0].plain
