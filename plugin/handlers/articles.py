"""What is written into a ticket: tickets and articles made of events, files and notes. Plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from plugin.domain.codec import decode, decode_event
from plugin.domain.events import ArticleAdded, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Contact, File, NewArticle, NewTicket
from plugin.domain.text import Text
from plugin.handlers import wording
from plugin.handlers.call import Call
from plugin.handlers.installation import Channel
from plugin.policy.safety import links
from plugin.policy.saying import NUMBER
from plugin.policy.verdicts import Routing


def new_ticket(channel: Channel, call: Call) -> NewTicket:
    """The ticket that a conversation's first message opens."""
    held, first = call.held, new_article(channel, call)
    contact = held.contact or call.author or Contact(ref=cast(Any, held.thread_key))
    payload = call.intent.payload
    if payload["kind"] == "formal":
        return _formal_ticket(channel, call, first, contact)
    routing = decode(Routing, payload.get("routing", {}))
    return NewTicket(
        title=wording.title(first.text, contact, channel.platform_name),
        group=routing.group or _group(channel, call),
        contact=contact,
        customer_ref=held.customer_ref,
        article=first,
        channel=channel.key,
        platform=channel.platform,
        visibility=held.visibility,
        stage=held.stage,
        follows=held.former_ticket_ref or (held.ticket_ref if channel.late == "follow_up" else None),
        tags=routing.tags,
        priority=routing.priority,
        owner=routing.owner,
        fields=(*routing.fields, *((("sla", routing.sla),) if routing.sla else ())),
    )


def _formal_ticket(channel: Channel, call: Call, first: NewArticle, contact: Contact) -> NewTicket:
    """The formal ticket that is linked to the one in which the conversation began."""
    held, payload = call.held, call.intent.payload
    return NewTicket(
        title=f"{channel.platform_name}: {wording.name_of(contact)}",
        group=payload["group"] or channel.group,
        contact=contact,
        customer_ref=held.customer_ref,
        article=first,
        channel=channel.key,
        platform=channel.platform,
        visibility=held.visibility,
        stage=held.stage,
        priority=payload["priority"],
        follows=held.ticket_ref,
    )


def new_article(channel: Channel, call: Call) -> NewArticle:
    """What an event, or a note of ours, says in the ticket; what could not be carried is named below it."""
    payload = call.intent.payload
    if payload["kind"] in {"note", "formal"}:
        return _note(payload, call)
    event = decode_event(call.intent.event)
    refusals = tuple(f"{row.filename}: {row.refusal}" for row in call.files if row.content is None)
    files = tuple(
        File(filename=row.filename, content_type=row.content_type, content=bytes(row.content))
        for row in call.files
        if row.content is not None
    )
    remarks = (*_limits_of(event), *getattr(event, "remarks", ()), *refusals, *payload.get("remarks", ()))
    text, internal = _words(event, payload["kind"])
    if "defang" in payload or payload.get("is_impostor"):
        text = links.defang(text, keep=() if payload.get("is_impostor") else payload["defang"])
    if payload.get("bystander") and call.author is not None:
        text = Text(f"[{wording.bystander(call.author, payload.get('label', ''))}]\n") + text
    return NewArticle(
        text=wording.with_remarks(text, remarks),
        author=None if payload["kind"] == "native" else call.author,
        by_staff=payload["kind"] == "native",
        internal=internal,
        files=files,
        source_url=getattr(event, "url", ""),
        occurred_at=event.occurred_at,
        in_reply_to=call.in_reply_to,
        reopen=payload["kind"] == "message" and channel.late == "reopen" and payload.get("reopen", True),
    )


def _note(payload: Mapping[str, Any], call: Call) -> NewArticle:
    """Something of ours; a warning names the reply that it is about."""
    warns = bool(payload.get("warns"))
    about = decode_event(call.intent.event) if warns else None
    reply = about.article_ref if isinstance(about, ArticleAdded) else call.in_reply_to if warns else None
    text = Text(payload["text"].replace(NUMBER, call.held.ticket_number or ""))
    return NewArticle(text=text, internal=True, is_warning=warns, in_reply_to=reply)


def _group(channel: Channel, call: Call) -> str:
    """Where the ticket is filed: what a search found may have a group of its own."""
    search = channel.searches.get(call.intent.event.get("found_by", ""))
    return search.group if search is not None and search.group else channel.group


def _limits_of(event: object) -> tuple[str, ...]:
    """What an agent must know before answering: that nobody asked us, and whether the platform allows an answer."""
    if not isinstance(event, MessageReceived):
        return ()
    found = (wording.found(event.found_by),) if event.found_by else ()
    return (*found, *((wording.no_reply(event.no_reply),) if event.no_reply else ()))


def _words(event: object, kind: str) -> tuple[Text, bool]:
    """The article's words, and whether it is internal."""
    match event:
        case MessageReceived() if kind == "native":
            return wording.native(event.text), False
        case MessageReceived():
            return event.text, False
        case MessageEdited():
            return wording.edited(event.text), False
        case MessageDeleted():
            return wording.deleted(), True
        case ReactionChanged():
            return wording.reaction(event.author, event.emoji, added=event.added), True
        case _:
            raise AssertionError(f"a {type(event).__name__} is not filed")
