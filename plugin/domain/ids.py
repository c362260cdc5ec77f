"""Identifiers as types. Ids from outside are opaque: only the adapter that minted one may look inside it."""

from __future__ import annotations

from typing import NewType

ChannelKey = NewType("ChannelKey", str)
"""The admin's name for one configured account, as in `[channel.NAME]`. Unique in one installation."""
HelpdeskKey = NewType("HelpdeskKey", str)
"""The admin's name for one helpdesk, as in `[helpdesk.NAME]`. Unique in one installation."""
Place = NewType("Place", str)
"""Where something lives outside: `channel:NAME` or `helpdesk:NAME`. Scope of every outside reference."""

ThreadKey = NewType("ThreadKey", str)
"""The adapter's key of one conversation on one channel: same contact, same thread, same visibility."""
ContactRef = NewType("ContactRef", str)
"""A person's id on a platform. Unique on its channel."""
MessageRef = NewType("MessageRef", str)
"""A message's id on a platform. Unique on its channel: an adapter whose ids are unique per chat only adds the chat."""
MediaRef = NewType("MediaRef", str)
"""What an adapter needs to fetch a file again. Never an address that a browser or the helpdesk would follow."""

TicketRef = NewType("TicketRef", str)
"""A ticket's internal id in its helpdesk; what people read is the ticket's `number`."""
ArticleRef = NewType("ArticleRef", str)
"""An article's id. Unique in its helpdesk, also after a merge."""
CustomerRef = NewType("CustomerRef", str)
"""The contact's record in the helpdesk."""

Marker = NewType("Marker", str)
"""Our own unique name for one wish to call outside: 26 characters of `0-9a-v`, sortable by time, safe in URLs and headers.

It is the first 26 characters of a conversation-independent id and stays the same over every retry."""


def channel_place(key: ChannelKey) -> Place:
    """The place of a channel."""
    return Place(f"channel:{key}")


def helpdesk_place(key: HelpdeskKey) -> Place:
    """The place of a helpdesk."""
    return Place(f"helpdesk:{key}")
