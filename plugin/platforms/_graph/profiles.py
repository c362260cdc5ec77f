"""Who somebody is: Messenger and Instagram name people in their webhooks by an id alone. Asked once, when somebody is made known to the helpdesk.

Sources: Messenger Platform, "User Profile API"; Instagram Messaging, "User Profile API". Both tell it only of people who wrote to us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plugin.contracts.reading import read_count, read_string
from plugin.domain.model import Contact
from plugin.platforms._graph.client import Graph, segment

_LONGEST = 200


def described(graph: Graph, contact: Contact, *, fields: str, site: str = "") -> Contact:
    """`contact` with what Meta tells of it. Who is named already, and who has no id of their own, is not asked about.

    Raises:
        RemoteError: any of its kinds; Meta tells nothing of people who did not allow it, or whose account has no profile.
    """
    if contact.display_name or contact.handle or not contact.ref.isdigit():
        return contact
    return _read(graph.read(f"/{segment(contact.ref)}", {"fields": fields}), contact, site)


def _read(told: Mapping[str, Any], contact: Contact, site: str) -> Contact:
    parts = (read_string(told.get("first_name")), read_string(told.get("last_name")))
    handle = read_string(told.get("username"))[:_LONGEST]
    is_verified = told.get("is_verified_user")
    return replace(
        contact,
        display_name=(read_string(told.get("name")) or " ".join(filter(None, parts))).strip()[:_LONGEST],
        handle=handle,
        url=f"{site}/{handle}/" if site and handle else contact.url,
        avatar_url=read_string(told.get("profile_pic")),
        language=read_string(told.get("locale")).partition("_")[0],
        is_verified=is_verified if isinstance(is_verified, bool) else None,
        followers=read_count(told.get("follower_count")),
    )
