"""Room, event and media ids as this adapter writes them down, and the links people follow. Knows nothing of the calls."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from plugin.domain.ids import ContactRef, ThreadKey

_THREAD = "/$"
_PERSON = re.compile(r"https://matrix\.to/#/((?:@|%40)[^?#/]+)", re.IGNORECASE)
_MEDIA = re.compile(r"mxc://([A-Za-z0-9.\-:\[\]]+)/([A-Za-z0-9_\-]+)")


def thread_key(room_id: str, root: str | None) -> ThreadKey:
    """The key of a room's own time line, or of one thread in it: `!room:server` or `!room:server/$root`."""
    return ThreadKey(f"{room_id}/{root}" if root is not None else room_id)


def room_and_root(key: ThreadKey) -> tuple[str, str | None]:
    """What `thread_key` was made of."""
    room_id, found, rest = key.partition(_THREAD)
    return room_id, f"${rest}" if found else None


def event_url(room_id: str, event_id: str) -> str:
    """A link that opens the event in the reader's own client."""
    return f"https://matrix.to/#/{quote(room_id, safe='')}/{quote(event_id, safe='')}"


def person_url(user_id: str) -> str:
    """A link to a user; inside formatted text it is a mention."""
    return f"https://matrix.to/#/{quote(user_id, safe='@:')}"


def person_of(url: str) -> ContactRef | None:
    """The user that a link mentions, if it does."""
    found = _PERSON.fullmatch(url.partition("?")[0])
    return ContactRef(unquote(found[1])) if found else None


def media_parts(address: object) -> tuple[str, str] | None:
    """Server and media id of an `mxc://` address (Matrix spec, "Content repository"); None for anything else."""
    found = _MEDIA.fullmatch(address) if isinstance(address, str) else None
    return (found[1], found[2]) if found else None
