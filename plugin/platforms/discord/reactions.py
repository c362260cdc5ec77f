"""Who reacted to a message: what is shown beside it tells how many did, and one call for each emoji who. That somebody took it back is told nowhere.

Source: Discord documentation, "Reaction Object", "Get Reactions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import RateLimited, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.events import ReactionChanged
from plugin.domain.ids import MessageRef
from plugin.platforms.discord.client import DiscordApi
from plugin.platforms.discord.keys import split_message
from plugin.platforms.discord.messages import contact
from plugin.platforms.discord.values import read_id

_CALLS = 20
"""Look-ups of one batch of messages: the others' turn comes with the next, and what was told before is known by its key."""
_PEOPLE = "100"


class Reactions:
    """Looks up who reacted, for one batch of messages."""

    def __init__(self, api: DiscordApi) -> None:
        self._api = api
        self._left = _CALLS

    def of(self, message: Mapping[str, Any], ref: MessageRef) -> Iterator[ReactionChanged]:
        """The reactions of people to a message as it is shown now."""
        channel, number = split_message(ref)
        for one in read_objects(message.get("reactions")):
            emoji = read_object(one.get("emoji"))
            name, custom = read_string(emoji.get("name")), read_id(emoji.get("id"))
            if not name or not self._left:
                continue
            self._left -= 1
            path = f"/channels/{channel}/messages/{number}/reactions/{quote(f'{name}:{custom}' if custom else name, safe='')}"
            try:
                people = self._api.page(path, {"limit": _PEOPLE})
            except (RateLimited, RemoteUnavailable):
                self._left = 0  # Reactions may wait; what was found so far must not be lost for them.
                return
            except (RemoteRejected, TargetGone):
                continue
            for person in people:
                if read_id(person.get("id")) and person.get("bot") is not True:
                    yield _reacted(person, ref, f":{name}:" if custom else name)


def _reacted(person: Mapping[str, Any], ref: MessageRef, emoji: str) -> ReactionChanged:
    who = contact(person)
    return ReactionChanged(
        event_key=f"reaction:{ref}:{who.ref}:+{emoji}", occurred_at=None, message_ref=ref, author=who, emoji=emoji, added=True
    )
