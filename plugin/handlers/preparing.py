"""A wish made ready to be asked: everything that its call needs is read here, inside the turn's transaction, so that no call touches the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row

from plugin.domain.ids import ArticleRef, CustomerRef, MessageRef, Place
from plugin.domain.model import Contact, Lane
from plugin.handlers import deskside
from plugin.handlers.call import Call
from plugin.handlers.installation import Installation
from plugin.store import conversations, media, messages
from plugin.store.conversations import Held


def prepared(
    connection: Connection, installation: Installation, held: Held, row: Row[Any], *, call: str, place: Place, failures: int
) -> Call:
    """The intent of `row` as the call that is to be made at `place`."""
    payload = row.payload
    author_id = payload.get("author")
    author, customer_ref = _author(connection, held, author_id)
    files = media.of_event(connection, row.event_id) if row.lane == Lane.TO_HELPDESK and row.event.get("attachments") else ()
    reply_to: str | None = payload.get("reply_to")
    if row.lane in {Lane.TO_SOCIAL, Lane.NOTICES} and row.part > 0:
        earlier = messages.refs_of(connection, held.place, row.message_id)
        reply_to = earlier[-1] if earlier else reply_to
    in_reply_to = _first(messages.find(connection, held.place, [payload["parent"]]).values()) if payload.get("parent") else None
    article = _first(messages.refs_of(connection, held.helpdesk, in_reply_to.id)) if in_reply_to is not None else None
    return Call(
        intent=row,
        call=call,
        held=held,
        place=place,
        failures=failures,
        author=author,
        author_id=author_id,
        author_customer_ref=customer_ref,
        files=files,
        reply_to=None if reply_to is None else MessageRef(reply_to),
        in_reply_to=None if article is None else ArticleRef(article),
        fields=deskside.stand(connection, installation.engine, held) if call == deskside.STAND else (),
    )


def _author(connection: Connection, held: Held, contact_id: int | None) -> tuple[Contact | None, CustomerRef | None]:
    if contact_id is None:
        return None, None
    if contact_id == held.contact_id and held.contact is not None:
        return held.contact, held.customer_ref
    return conversations.read_contact(connection, contact_id)


def _first(items: Iterable[Any]) -> Any:
    return next(iter(items), None)
