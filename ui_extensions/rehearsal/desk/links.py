"""Links between tickets in the JSON forms that Zammad gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ui_extensions.rehearsal.desk.rows import Link, Ticket


def links_data(ticket: Ticket, links: Iterable[Link]) -> list[dict[str, Any]]:
    """Links as seen from one ticket: what it is to the other side is turned round."""
    turned = {"parent": "child", "child": "parent", "normal": "normal"}
    links = list(links)
    own = [(turned[link.kind], link.target_id) for link in links if link.source_id == ticket.id]
    others = [(link.kind, link.source_id) for link in links if link.target_id == ticket.id]
    return [{"link_type": kind, "link_object": "Ticket", "link_object_value": key} for kind, key in own + others]


def link_data(link: Link) -> dict[str, Any]:
    """A link as its creation answers it."""
    return {
        "id": link.id,
        "link_type_id": {"normal": 1, "parent": 2, "child": 3}[link.kind],
        "link_object_source_id": 1,
        "link_object_source_value": link.source_id,
        "link_object_target_id": 1,
        "link_object_target_value": link.target_id,
        "created_at": link.created_at,
        "updated_at": link.created_at,
    }
