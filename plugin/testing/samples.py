"""Arguments for each call of the contracts, taken from an adapter's own fixtures: only it knows what its references look like.

`{"arguments": {...}}` of a fixture lies over them: objects are merged, everything else is replaced. Files' bytes are not JSON: write
`"files": [{"filename", "content_type", "content": <text>}]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from plugin.contracts.platform import Grant, Template
from plugin.domain.codec import decode, encode
from plugin.domain.events import ArticleAdded, MessageReceived, TicketTouched
from plugin.domain.ids import Marker
from plugin.domain.model import Attachment, Contact, File, NewArticle, NewTicket, OutboundMessage, TicketChange, Visibility
from plugin.domain.text import Text
from plugin.testing.fakes import START
from plugin.testing.fixtures import Subject

T = TypeVar("T")
MARKER = Marker("01jd7q3w9x8v7u6t5s4r3q2p1n")
_MAX_BYTES = 1_000_000
_MOST_FOUND = 20
_GRANT = Grant(state="state-1", verifier="v" * 43, redirect_url="https://desk.example.com/oauth/callback")
Calls = Mapping[str, Callable[[], Any]]


def platform_calls(subject: Subject, adapter: Any, changes: Mapping[str, Any] | None = None) -> Calls:
    """Each call that the adapter has, by its name, ready to be made."""
    told = [event for event in subject.events if isinstance(event, MessageReceived)]
    theirs = next((event for event in told if not event.is_own), None)
    ours = next((event for event in told if event.is_own), theirs)
    attachment = next((encode(one) for event in told for one in event.attachments), {"media_ref": "media", "filename": "a.png"})
    values: dict[str, Any] = {
        "message": {
            "thread_key": theirs.thread_key if theirs else "thread",
            "contact": encode(theirs.author) if theirs else {"ref": "contact"},
            "visibility": theirs.visibility.value if theirs else "public",
            "text": {"plain": "We look into it."},
            "reply_to": theirs.message_ref if theirs else None,
            "created_at": START.isoformat(),
        },
        "message_ref": ours.message_ref if ours else "message",
        "thread_key": (ours.thread_key if ours else "thread"),
        "attachment": attachment,
        "position": None,
        "template": {"name": "go_on", "language": "en", "values": ["42"]},
        "search": {"name": "brand", "query": "crossdesk"},
    }
    values = _merged(values, changes or {})
    message, attached = _with_files(OutboundMessage, values["message"]), decode(Attachment, values["attachment"])
    ref, thread = values["message_ref"], values["thread_key"]
    template, search = decode(Template, values["template"]), values["search"]
    calls: dict[str, Callable[[], Any]] = {
        "deliver": lambda: adapter.deliver(message, marker=MARKER),
        "find_delivered": lambda: adapter.find_delivered(message, marker=MARKER),
        "edit": lambda: adapter.edit(ref, message, marker=MARKER),
        "delete": lambda: adapter.delete(ref, thread, marker=MARKER),
        "fetch_media": lambda: adapter.fetch_media(attached, max_bytes=_MAX_BYTES),
        "poll": lambda: adapter.poll(values["position"]),
        "send_typing": lambda: adapter.send_typing(thread),
        "mark_read": lambda: adapter.mark_read(thread, ref),
        "hide": lambda: adapter.hide(ref, thread, is_hidden=True),
        "send_template": lambda: adapter.send_template(template, message, marker=MARKER),
        "search": lambda: adapter.search(search["name"], search["query"], values["position"], most=_MOST_FOUND),
        "recheck": lambda: adapter.recheck([ref]),
        "exchange": lambda: adapter.exchange("code-1", _GRANT),
        "describe": lambda: adapter.describe(message.contact),
    }
    calls |= {name: getattr(adapter, name) for name in ("register_webhook", "probe") if hasattr(adapter, name)}
    able: dict[str, Callable[[], Any]] = {name: call for name, call in calls.items() if hasattr(adapter, name)}
    return {**able, **_in_private(subject, adapter, told)}


def _in_private(subject: Subject, adapter: Any, told: Sequence[MessageReceived]) -> Calls:
    """What goes through another interface where private messages have one of their own."""
    capabilities = subject.static.capabilities
    heard = next((event for event in told if event.visibility is Visibility.PRIVATE and not event.is_own), None)
    if heard is None or (capabilities.private_idempotency is None and capabilities.private_readback is None):
        return {}
    message = OutboundMessage(
        thread_key=heard.thread_key,
        contact=heard.author,
        visibility=Visibility.PRIVATE,
        text=Text("We look into it."),
        reply_to=heard.message_ref,
        created_at=START,
    )
    calls = {
        "deliver (private)": lambda: adapter.deliver(message, marker=MARKER),
        "find_delivered (private)": lambda: adapter.find_delivered(message, marker=MARKER),
    }
    return {name: call for name, call in calls.items() if hasattr(adapter, name.partition(" ")[0])}


def helpdesk_calls(subject: Subject, adapter: Any, changes: Mapping[str, Any] | None = None) -> Calls:
    """Each call that the adapter has, by its name, ready to be made."""
    events = subject.events
    ticket_ref = next((event.ticket_ref for event in events if isinstance(event, (TicketTouched, ArticleAdded))), "1")
    article_ref = next((event.article_ref for event in events if isinstance(event, ArticleAdded)), "1")
    attachments = (encode(one) for event in events if isinstance(event, ArticleAdded) for one in event.attachments)
    contact = {"ref": "u-1001", "display_name": "Lena Marsh", "handle": "lena"}
    article = {"text": {"plain": "My printer does not answer."}, "author": contact, "customer_ref": "1", "occurred_at": START.isoformat()}
    values: dict[str, Any] = {
        "contact": contact,
        "channel": "fixture",
        "platform": "rehearsal",
        "ticket": {
            "title": "My printer does not answer.",
            "group": "Social",
            "contact": contact,
            "customer_ref": "1",
            "article": article,
            "channel": "fixture",
            "platform": "rehearsal",
            "visibility": "public",
        },
        "article": article,
        "ticket_ref": ticket_ref,
        "article_ref": article_ref,
        "change": {"owner": "ada@example.com"},
        "attachment": next(attachments, {"media_ref": "1/1/1", "filename": "a.png"}),
        "is_internal": True,
        "sent_at": None,
        "since": None,
        "position": None,
    }
    values = _merged(values, changes or {})
    ref, article_at = values["ticket_ref"], values["article_ref"]
    person, new = decode(Contact, values["contact"]), decode(NewTicket, values["ticket"])
    calls: dict[str, Callable[[], Any]] = {
        "find_or_create_customer": lambda: adapter.find_or_create_customer(person, channel=values["channel"], platform=values["platform"]),
        "open_ticket": lambda: adapter.open_ticket(new, marker=MARKER),
        "find_ticket": lambda: adapter.find_ticket(new, marker=MARKER),
        "add_article": lambda: adapter.add_article(ref, _with_files(NewArticle, values["article"]), marker=MARKER),
        "find_article": lambda: adapter.find_article(ref, marker=MARKER),
        "update_ticket": lambda: adapter.update_ticket(ref, decode(TicketChange, values["change"])),
        "set_visibility": lambda: adapter.set_visibility(ref, article_at, is_internal=values["is_internal"], sent_at=values["sent_at"]),
        "list_articles_since": lambda: adapter.list_articles_since(ref, values["since"]),
        "fetch_attachment": lambda: adapter.fetch_attachment(decode(Attachment, values["attachment"]), max_bytes=_MAX_BYTES),
        "follow_merge": lambda: adapter.follow_merge(ref),
        "poll": lambda: adapter.poll(values["position"]),
    }
    calls |= {name: getattr(adapter, name) for name in ("register_webhook", "probe") if hasattr(adapter, name)}
    return {name: call for name, call in calls.items() if hasattr(adapter, name)}


def _with_files(kind: type[T], data: Mapping[str, Any]) -> T:
    files = tuple(
        File(filename=file["filename"], content_type=file["content_type"], content=file["content"].encode())
        for file in data.get("files", ())
    )
    made: Any = decode(kind, {key: value for key, value in data.items() if key != "files"})
    return cast(T, replace(made, files=files))


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    both = {**values}
    for name, change in changes.items():
        known = both.get(name)
        both[name] = _merged(known, change) if isinstance(known, Mapping) and isinstance(change, Mapping) else change
    return both
