"""Reads accounts: a profile of any kind becomes a contact. Pure; whatever a profile holds, nothing here fails.

Sources: lexicons `app.bsky.actor.defs`, `chat.bsky.actor.defs`, `com.atproto.label.defs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact
from plugin.platforms.bluesky.keys import profile_url
from plugin.platforms.bluesky.values import listed, read_object, read_string, read_time

_QUIET_LABELS = frozenset({"!no-unauthenticated"})
BLOCKED = "This account and the customer's block each other on Bluesky."
BLOCKING = "This account blocks the customer on Bluesky; lift the block in its app first."
BLOCKED_BY = "The customer blocks this account on Bluesky."


def contact_of(profile: Mapping[str, Any], *, ref: str = "", language: str = "") -> Contact:
    """Whoever a profile shows. `ref`: the account's DID where the profile may not hold it."""
    did = ref or read_string(profile.get("did"))
    handle = read_string(profile.get("handle"))
    handle = "" if handle == "handle.invalid" else handle
    status = read_string(read_object(profile.get("verification")).get("verifiedStatus"))
    followers = profile.get("followersCount")
    return Contact(
        ref=ContactRef(did),
        display_name=read_string(profile.get("displayName")),
        handle=handle,
        url=profile_url(handle or did),
        avatar_url=read_string(profile.get("avatar")),
        language=language,
        is_bot="bot" in labels_in(profile.get("labels")),
        is_verified={"valid": True, "invalid": False, "none": False}.get(status),
        followers=followers if isinstance(followers, int) else None,
        created_at=read_time(profile.get("createdAt")),
    )


def labels_in(value: object) -> list[str]:
    """What moderators call something; labels that were taken back do not count."""
    return [read_string(label["val"]) for label in listed(value) if label.get("val") and not label.get("neg")]


def loud(labels: set[str]) -> list[str]:
    """Those that an agent should know of."""
    return sorted(labels - _QUIET_LABELS)


def on_account(profile: Mapping[str, Any]) -> list[str]:
    """A remark on what moderators call the account, if they do."""
    labels = loud(set(labels_in(profile.get("labels"))))
    return [f"Bluesky labels this account: {', '.join(labels)}."] if labels else []


def why_apart(profile: Mapping[str, Any]) -> str:
    """A sentence on who blocks whom; empty when nobody does."""
    viewer = read_object(profile.get("viewer"))
    if viewer.get("blocking") or viewer.get("blockingByList"):
        return BLOCKING
    return BLOCKED_BY if viewer.get("blockedBy") is True else ""
