"""How the practice network writes things down for others: the JSON of its API and of its events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ui_extensions.rehearsal.network.model import Change, Kind, Media, Post, User


def user(someone: User, *, base_url: str = "") -> dict[str, Any]:
    """An account as others see it."""
    return {
        "id": someone.user_id,
        "handle": someone.handle,
        "name": someone.name,
        "url": f"{base_url}/?as={someone.handle}",
        "is_company": someone.is_company,
    }


def media(file: Media) -> dict[str, Any]:
    """An uploaded file; its bytes are at `GET /api/v1/media/<id>`."""
    return {
        "id": file.media_id,
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "description": file.description,
    }


def post(something: Post, author: User, files: Sequence[Media], *, base_url: str = "") -> dict[str, Any]:
    """A post or message as it is now. `client_ref` is nobody's business but its author's app's, which here is the company's."""
    where = f"{base_url}/?thread={something.post_id}" if something.kind is Kind.POST else f"{base_url}/?dialogue={something.customer_id}"
    return {
        "id": something.post_id,
        "kind": something.kind.value,
        "author": user(author, base_url=base_url),
        "text": something.text,
        "conversation": {"id": something.conversation, "with": something.customer_id or None},
        "reply_to": something.reply_to or None,
        "media": [media(file) for file in files],
        "choices": list(something.choices),
        "client_ref": (something.client_ref or None) if author.is_company else None,
        "url": where,
        "revision": something.revision,
        "created_at": moment(something.created_at),
        "edited_at": something.edited_at and moment(something.edited_at),
        "deleted_at": something.deleted_at and moment(something.deleted_at),
    }


def event(event_id: str, change: Change, at: datetime, subject: dict[str, Any]) -> dict[str, Any]:
    """One change as it is told: `type` is `post.created`, `message.deleted` and so on."""
    return {"id": event_id, "type": f"{subject['kind']}.{change.value}", "at": moment(at), "post": subject}


def moment(at: datetime) -> str:
    """A time as the network writes it: UTC, to the millisecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
