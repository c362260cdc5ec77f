"""X's users as contacts, with the profile facts that the policy may look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact
from plugin.platforms.x.values import pick, read_count, read_id, read_object, read_objects, read_stamp, read_string, read_time

SITE = "https://x.com"
_NO_LANGUAGE = frozenset({"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"})
"""What X writes for posts without words: only media, links, hashtags and so on."""
People = Mapping[str, Mapping[str, Any]]


def people_of(users: Any) -> People:
    """Users by id: the list of v2's `includes`, or the map beside direct messages, each perhaps wrapped in `data`."""
    listed = list(users.values()) if isinstance(users, dict) else users
    found = (read_object(one.get("data")) or one for one in read_objects(listed))
    return {key: one for one in found if (key := read_id(pick(one, "id_str", "id")))}


def contact(one: str, people: People, *, language: str = "") -> Contact:
    """The user with the id `one`, as far as X told us about them."""
    raw = people.get(one, {})
    handle = read_string(pick(raw, "username", "screen_name"))
    verified = raw.get("verified")
    metrics = read_object(raw.get("public_metrics"))
    return Contact(
        ref=ContactRef(one),
        display_name=read_string(raw.get("name")),
        handle=handle,
        url=f"{SITE}/{handle}" if handle else f"{SITE}/i/user/{one}",
        avatar_url=read_string(pick(raw, "profile_image_url", "profile_image_url_https")),
        language="" if language in _NO_LANGUAGE else language,
        is_bot=read_object(raw.get("affiliation")).get("description") == "Automated",
        is_verified=verified if isinstance(verified, bool) else None,
        followers=read_count(pick(metrics, "followers_count") if metrics else raw.get("followers_count")),
        created_at=read_time(raw.get("created_at")) or read_stamp(raw.get("created_timestamp")),
    )
