"""Deliveries of WhatsApp as events: every message, every status, every echo of the batch. Source: WhatsApp Cloud API, "Webhooks reference".

A status bears the marker of the call that made the message: it settles a call whose answer never came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from plugin.contracts.batches import Member, unreadable
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import (
    ContactReachability,
    DeliveryStatus,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    PlatformEvent,
    ReactionChanged,
)
from plugin.domain.ids import ContactRef, MessageRef, ThreadKey
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms._graph.envelopes import Told, need
from plugin.platforms._graph.errors import read_fault
from plugin.platforms._graph.messages import read_marker
from plugin.platforms._graph.values import read_id, read_time
from plugin.platforms.whatsapp.contents import read_content
from plugin.platforms.whatsapp.people import former_thread, read_contacts, read_person, thread_of

_STATUSES = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "played": DeliveryStatus.READ,
    "failed": DeliveryStatus.FAILED,
}
_SILENT = frozenset({"request_welcome"})
_SHUT = 131047
_SPEAKERS = ("from_user_id", "from", "recipient_user_id", "recipient_id", "to_user_id", "to")


def members(told: Told, phone: str) -> Iterator[Member]:
    """The members of one change of the number `phone`: each message, each echo, each status by itself."""
    value = told.value
    number = read_id(read_object(value.get("metadata")).get("phone_number_id"))
    if number and number != phone:
        yield _passed(told, f"This is about another number ({number}). Register each number's channel, so that each has its own address.")
        return
    is_empty = True
    for name, read in _LISTS.items():
        listed = value.get(name, [])
        if not isinstance(listed, list):
            yield unreadable({name: listed}, f"`{name}` of the delivery is no list; it was kept as it came.")
            continue
        for said in listed:
            is_empty = False
            if isinstance(said, dict):
                yield Member(raw=said, read=partial(read, said, value, phone), thread_key=_hint(said, value))
            else:
                yield unreadable(said, f"A member of `{name}` is no object; it was kept as it came.")
    if is_empty:
        faults = [fault for one in read_objects(value.get("errors")) if (fault := read_fault(one)) is not None]
        words = "; ".join(f"{fault.number} {fault.words}" for fault in faults)
        yield _passed(told, f"WhatsApp reports: {words}" if words else f"{told.field or 'A change'} holds nothing that is carried.")


def _passed(told: Told, why: str) -> Member:
    def refuse() -> Iterator[PlatformEvent]:
        raise UnsupportedEvent(why)

    return Member(raw=told.raw, read=refuse)


def _hint(said: Mapping[str, Any], value: Mapping[str, Any]) -> ThreadKey | None:
    """The conversation of a member that may be unreadable otherwise."""
    person = read_person(said, read_contacts(value), *_SPEAKERS)
    return thread_of(person.ref, read_id(said.get("group_id"))) if person is not None else None


def _heard(said: Mapping[str, Any], value: Mapping[str, Any], phone: str) -> Iterator[PlatformEvent]:
    return _message(said, value, phone, is_own=False)


def _echoed(said: Mapping[str, Any], value: Mapping[str, Any], phone: str) -> Iterator[PlatformEvent]:
    return _message(said, value, phone, is_own=True)


def _message(said: Mapping[str, Any], value: Mapping[str, Any], phone: str, *, is_own: bool) -> Iterator[PlatformEvent]:
    kind = read_string(said.get("type"))
    if kind in _SILENT:
        raise UnsupportedEvent("A chat was opened, and nothing was said yet; it was counted.")
    ref, at = MessageRef(need(read_id(said.get("id")), "message id")), read_time(said.get("timestamp"))
    system = read_object(said.get("system"))
    if kind == "system" and (moved := _moved(ref, said, system)) is not None:
        yield moved
        return
    names = ("to_user_id", "to") if is_own else ("from_user_id", "from")
    person = read_person(said, read_contacts(value), *names)
    if person is not None and not person.display_name and not is_own:
        person = replace(person, display_name=_only_name(value))
    if person is None:
        raise MalformedPayload("A message in the delivery names nobody; the delivery was kept as it came. Look at it and release it.")
    group = read_id(said.get("group_id"))
    thread_key = thread_of(person.ref, group)
    author = Contact(ref=ContactRef(phone)) if is_own else person
    if kind == "reaction":
        yield _reaction(said, ref, author, thread_key)
        return
    if kind in ("edit", "revoke"):
        change = read_object(said.get(kind))
        target = MessageRef(need(read_id(change.get("original_message_id")), "original message id"))
        if kind == "revoke":
            yield MessageDeleted(event_key=f"revoked:{target}", occurred_at=at, message_ref=target, thread_key=thread_key, is_own=is_own)
            return
        content = read_content(read_object(change.get("message")))
        stamp = f"{max(0, int(at.timestamp())):012}" if at is not None else "0" * 12
        yield MessageEdited(
            event_key=f"edited:{target}:{ref}",
            occurred_at=at,
            message_ref=target,
            revision=f"{stamp}:{ref}",
            text=content.text,
            attachments=tuple(content.files),
            thread_key=thread_key,
            is_own=is_own,
            remarks=tuple(content.remarks),
        )
        return
    content = read_content(said if "errors" in said else {**said, "errors": value.get("errors")})
    parent = read_id(read_object(said.get("context")).get("id"))
    yield MessageReceived(
        event_key=f"message:{ref}",
        occurred_at=at,
        message_ref=ref,
        thread_key=thread_key,
        visibility=Visibility.PRIVATE,
        author=author,
        text=content.text,
        attachments=tuple(content.files),
        former_thread=former_thread(person, group),
        parent_ref=MessageRef(parent) if parent else None,
        is_own=is_own,
        remarks=tuple(content.remarks),
    )


def _only_name(value: Mapping[str, Any]) -> str:
    """The name of the one contact that a change describes where all its messages are by one person, whatever the form of the numbers."""
    contacts, listed = read_contacts(value), read_objects(value.get("messages"))
    is_one = len(contacts) == 1 and len({read_id(one.get("from")) for one in listed}) == 1
    return read_string(read_object(contacts[0].get("profile")).get("name")) if is_one else ""


def _moved(ref: MessageRef, said: Mapping[str, Any], system: Mapping[str, Any]) -> ContactReachability | None:
    """A person who is known by another id from now on; None for other news of the system."""
    old = read_id(system.get("previous_user_id")) or read_id(said.get("from_user_id")) or read_id(said.get("from"))
    new = read_id(system.get("user_id")) or read_id(system.get("wa_id")) or read_id(system.get("new_wa_id"))
    if not old or not new or old == new:
        return None
    return ContactReachability(
        event_key=f"moved:{ref}",
        occurred_at=read_time(said.get("timestamp")),
        thread_key=thread_of(old),
        is_reachable=False,
        detail=f"They changed their number or account: they are {new} now, and what they write from now on is a conversation of its own.",
    )


def _reaction(said: Mapping[str, Any], ref: MessageRef, author: Contact, thread_key: Any) -> ReactionChanged:
    reaction = read_object(said.get("reaction"))
    target = MessageRef(need(read_id(reaction.get("message_id")), "message id of the reaction"))
    emoji = read_string(reaction.get("emoji"))
    return ReactionChanged(
        event_key=f"reaction:{ref}",
        occurred_at=read_time(said.get("timestamp")),
        message_ref=target,
        author=author,
        emoji=emoji or "❔",
        added=bool(emoji),
        thread_key=thread_key,
    )


def _status(status: Mapping[str, Any], value: Mapping[str, Any], phone: str) -> Iterator[PlatformEvent]:
    ref, at = MessageRef(need(read_id(status.get("id")), "message id")), read_time(status.get("timestamp"))
    told = read_string(status.get("status"))
    reached = _STATUSES.get(told)
    if reached is None:
        raise UnsupportedEvent(f"The status “{told or 'without a name'}” says nothing of how far a message came; it was counted.")
    marker = read_marker(status.get("biz_opaque_callback_data"))
    person = read_person(status, read_contacts(value), "recipient_user_id", "recipient_id")
    if marker is not None and person is not None:
        is_group = read_string(status.get("recipient_type")) == "group"
        group = read_id(status.get("recipient_id")) if is_group else ""
        yield MessageReceived(
            event_key=f"sent:{ref}",
            occurred_at=at,
            message_ref=ref,
            thread_key=thread_of(person.ref, group),
            former_thread=former_thread(person, group),
            visibility=Visibility.PRIVATE,
            author=Contact(ref=ContactRef(phone)),
            text=Text(""),
            is_own=True,
            marker=marker,
        )
    yield DeliveryUpdated(
        event_key=f"status:{ref}:{read_string(status.get('status'))}",
        occurred_at=at,
        message_ref=ref,
        status=reached,
        detail=_why(status) if reached is DeliveryStatus.FAILED else "",
    )


def _why(status: Mapping[str, Any]) -> str:
    fault = next((one for error in read_objects(status.get("errors")) if (one := read_fault(error)) is not None), None)
    if fault is None:
        return "WhatsApp gives no reason."
    if fault.code == _SHUT:
        return "The customer has not written for 24 hours, so WhatsApp takes prepared texts (templates) only (131047)."
    return f"{fault.words or 'WhatsApp gives no reason'} ({fault.number})."


_LISTS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], str], Iterator[PlatformEvent]]] = {
    "messages": _heard,
    "message_echoes": _echoed,
    "statuses": _status,
}
