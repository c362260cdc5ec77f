"""Routing of what was said on a platform: into the ticket, as a revision, a tombstone, a note, or recognised as our own echo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.domain.events import (
    ContactReachability,
    DeliveryStatus,
    DeliveryUpdated,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
)
from plugin.domain.model import Lane, Visibility
from plugin.handlers import (
    albums,
    continuing,
    crossing,
    deskside,
    gathering,
    guarding,
    judging,
    learning,
    locking,
    promising,
    protecting,
    proving,
    wording,
)
from plugin.handlers.routing import Desktop, Gathers, Ignored, Routed, Verdict, Waits, twin
from plugin.store import conversations, events, intents, messages
from plugin.store.intents import Ending

_OURS = frozenset({"outbound", "notice"})
_ECHO_SECONDS = 2.0
_RISING = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ)


def message_received(desktop: Desktop, event: MessageReceived) -> Verdict:
    """Someone spoke: the customer, a bystander, or our own account."""
    direction = desktop.batch.known.get(event.message_ref)
    if direction is not None:
        if event.album and direction not in _OURS:
            return Routed()  # It stands in the ticket as a part of its album's first message.
        return Ignored(reason="echo" if direction in _OURS else "known")
    if event.is_own:
        return _own(desktop, event)
    remarks: list[str] = []
    if event.parent_ref and event.parent_ref not in desktop.batch.known:
        if not (desktop.has_waited or desktop.has_gathered):
            return Waits(reason="parent", seconds=desktop.engine.reply_wait_seconds, wake_ref=event.parent_ref)
        remarks.append("This answers a message that is not in this ticket.")
    album = albums.gather(desktop, event)
    if album is None:
        return Gathers(seconds=desktop.engine.album_wait_seconds)
    event = album.event
    is_told = wording.OVERTAKEN in event.remarks
    if not is_told and event.occurred_at is not None and messages.is_overtaken(desktop.connection, desktop.held.id, event.occurred_at):
        remarks.append(wording.OVERTAKEN)
    author_id = _author(desktop, event)
    is_bystander = desktop.held.contact_id is not None and author_id != desktop.held.contact_id
    policy, more = desktop.policy, dict[str, Any]()
    is_stranger = continuing.is_stranger(desktop, policy)
    is_bystander = is_bystander or is_stranger
    found = gathering.of_message(policy, event, is_bystander=is_bystander) if policy is not None else None
    crossing.follow_lead(desktop)
    if policy is not None and found is not None:
        rule = judging.noise(desktop, policy, found)
        if rule is not None:
            return Ignored(reason=f"filtered:{rule}")
    message_id = _create(desktop, event, direction="inbound", contact_id=author_id)
    album.keep(desktop, message_id, "inbound")
    if is_bystander:
        desktop.course.bystander_spoke()
    else:
        desktop.course.customer_spoke(desktop.held.now)
    if policy is not None and found is not None:
        more = judging.file_by(desktop, policy, event, found)
        if is_bystander:
            more |= guarding.label(desktop, policy, event, author_id)
    if is_stranger:
        more["label"] = continuing.STRANGER
    _file(desktop, event, "message", message_id, remarks=remarks, is_bystander=is_bystander, author_id=author_id, more=more)
    if policy is not None and found is not None and not is_stranger:
        judging.said(desktop, policy, event, found, is_bystander=is_bystander)
        if not is_bystander:
            protecting.guard_privacy(desktop, policy, event, found)
    if not is_bystander:
        learning.suggest(desktop, event)
        proving.hear(desktop, event)
        continuing.hear(desktop, event)
    return Routed()


def _own(desktop: Desktop, event: MessageReceived) -> Verdict:
    """Our own account: an echo of what we sent, or staff answering on the platform itself. Never sent again, either way."""
    wish = intents.find_by_marker(desktop.connection, desktop.held.id, event.marker) if event.marker else None
    if wish is not None:
        if wish.message_id is not None:
            messages.add_ref(desktop.connection, desktop.place, event.message_ref, wish.message_id, part=wish.part)
            desktop.batch.known[event.message_ref] = "outbound"
        if wish.state == "sent" and not wish.payload.get("files") and wish.remote_ref not in {None, event.message_ref}:
            return twin(desktop, desktop.place, wish, event.message_ref)
        if wish.state in {"pending", "sending", "unknown", "held"}:
            ending = Ending(intent_id=wish.id, state="sent", outcome="found", call="echo", remote_ref=event.message_ref)
            intents.settle(desktop.connection, [ending])
            intents.finish_events(desktop.connection, [wish.event_id])
        return Ignored(reason="echo")
    if event.marker and intents.is_private_answer(desktop.connection, desktop.place, event.marker):
        return Ignored(reason="echo")
    if intents.has_unsettled(desktop.connection, desktop.held.id, (Lane.TO_SOCIAL, Lane.NOTICES)):
        # It may be what we are just sending: its id will be known when that is settled.
        return Waits(reason="echo", seconds=_ECHO_SECONDS)
    if desktop.held.contact_id is None:
        # Nobody but us has spoken here: a post of our own, not an answer to a customer.
        return Ignored(reason="own_post")
    album = albums.gather(desktop, event)
    if album is None:
        return Gathers(seconds=desktop.engine.album_wait_seconds)
    event = album.event
    message_id = _create(desktop, event, direction="native", contact_id=None)
    album.keep(desktop, message_id, "native")
    _file(desktop, event, "native", message_id)
    desktop.course.agent_replied(desktop.held.now)
    if desktop.policy is not None:
        locking.answered_natively(desktop, desktop.policy)
        promising.settle(desktop, desktop.policy)
    if desktop.course.state.holds_public and event.visibility is Visibility.PUBLIC:
        told = "This was posted in public on the platform itself, although the conversation is a formal ticket. Go on in private or in the ticket."
        desktop.commit(_note(desktop, "native", told))
    return Routed()


def message_edited(desktop: Desktop, event: MessageEdited) -> Verdict:
    """A message says something else now: a revision stands below it in the ticket."""
    found = messages.find(desktop.connection, desktop.place, [event.message_ref]).get(event.message_ref)
    if found is None:
        if not desktop.has_waited:
            return Waits(reason="parent", seconds=desktop.engine.parent_wait_seconds, wake_ref=event.message_ref)
        message_id = _create(desktop, event, direction="inbound", contact_id=desktop.held.contact_id)
        _file(desktop, event, "edit", message_id, remarks=["The message that was edited never reached us."])
        return Routed()
    if found.direction in _OURS:
        return Ignored(reason="echo")
    if event.author_ref is not None and found.contact_id != conversations.find_contact(desktop.connection, desktop.place, event.author_ref):
        return Ignored(reason="edit_by_other")
    messages.revise(desktop.connection, found.id)
    _file(desktop, event, "edit", found.id, author_id=found.contact_id)
    return Routed()


def message_deleted(desktop: Desktop, event: MessageDeleted) -> Verdict:
    """A message was taken back: a tombstone stands below it in the ticket."""
    found = messages.find(desktop.connection, desktop.place, [event.message_ref]).get(event.message_ref)
    if found is None:
        if desktop.has_waited:
            return Ignored(reason="unknown_target")
        return Waits(reason="parent", seconds=desktop.engine.parent_wait_seconds, wake_ref=event.message_ref)
    if not messages.bury(desktop.connection, found.id):
        return Ignored(reason="known")
    if found.direction in _OURS:
        desktop.commit(_note(desktop, "deleted", "Our reply is no longer on the platform: it was deleted there. The ticket keeps it."))
        return Routed()
    _file(desktop, event, "tombstone", found.id, author_id=found.contact_id)
    learning.unlearn(desktop)
    return Routed()


def reaction_changed(desktop: Desktop, event: ReactionChanged) -> Verdict:
    """A reaction to a message: a note."""
    found = messages.find(desktop.connection, desktop.place, [event.message_ref]).get(event.message_ref)
    if found is None:
        if desktop.has_waited:
            return Ignored(reason="unknown_target")
        return Waits(reason="parent", seconds=desktop.engine.parent_wait_seconds, wake_ref=event.message_ref)
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, "file", {"kind": "reaction", "message": found.id}))
    if desktop.policy is not None:
        judging.reacted(desktop, desktop.policy, event, direction=found.direction)
    return Routed()


def delivery_updated(desktop: Desktop, event: DeliveryUpdated) -> Verdict:
    """The platform says how far a reply came; only a failure is worth a warning."""
    if event.until is not None:
        lower = ["", *(one for one in _RISING if _rank(one) < _rank(event.status))]
        if not messages.raise_delivery(desktop.connection, desktop.held.id, event.status, over=lower, until=event.until):
            return Ignored(reason="known")
        deskside.came_on(desktop, is_failure=False)
        return Routed()
    found = messages.find(desktop.connection, desktop.place, [event.message_ref]).get(event.message_ref)
    if found is None:
        if desktop.has_waited:
            return Ignored(reason="unknown_target")
        return Waits(reason="parent", seconds=desktop.engine.parent_wait_seconds, wake_ref=event.message_ref)
    if found.direction == "inbound":
        return Ignored(reason="not_ours")
    if event.status is not DeliveryStatus.FAILED and found.delivery in _RISING and _rank(event.status) <= _rank(found.delivery):
        return Ignored(reason="known")
    messages.set_delivery(desktop.connection, found.id, event.status)
    deskside.came_on(desktop, is_failure=DeliveryStatus.FAILED in {event.status, found.delivery})
    if event.status is DeliveryStatus.FAILED:
        said = events.read(desktop.connection, found.event_id).payload.get("text") or {}
        told = wording.undelivered(event.detail, said.get("plain", "") if found.direction == "outbound" else "")
        payload = {"kind": "note", "text": told, "warns": True, "parent": event.message_ref}
        desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:undelivered", payload))
    return Routed()


def contact_reachability(desktop: Desktop, event: ContactReachability) -> Verdict:
    """The customer blocked us or came back."""
    if event.is_reachable == desktop.held.is_reachable:
        return Ignored(reason="known")
    conversations.update(desktop.connection, desktop.held.id, {"is_reachable": event.is_reachable})
    if event.is_reachable:
        told = "The customer can be reached on this channel again."
    else:
        told = (
            f"The customer can no longer be reached on this channel: {event.detail or 'they blocked us or left.'} Replies will not be sent."
        )
    desktop.commit(_note(desktop, "reachability", told))
    return Routed()


def _rank(status: str) -> int:
    return _RISING.index(DeliveryStatus(status)) if status in _RISING else -1


def _note(desktop: Desktop, name: str, text: str) -> intents.NewIntent:
    return desktop.wish(Lane.TO_HELPDESK, f"note:{name}", {"kind": "note", "text": text})


def _create(desktop: Desktop, event: MessageReceived | MessageEdited, *, direction: str, contact_id: int | None) -> int:
    message_id = messages.create(
        desktop.connection,
        desktop.place,
        event.message_ref,
        conversation_id=desktop.held.id,
        event_id=desktop.row.id,
        direction=direction,
        contact_id=contact_id,
        plain=event.text.plain,
        occurred_at=event.occurred_at,
    )
    desktop.batch.known[event.message_ref] = direction
    desktop.batch.heard += direction == "inbound" and contact_id is not None and contact_id == desktop.held.contact_id
    return message_id


def _author(desktop: Desktop, event: MessageReceived) -> int | None:
    """Who spoke: nearly always the one who opened the conversation."""
    if desktop.held.contact is not None and desktop.held.contact.ref == event.author.ref:
        return desktop.held.contact_id
    return conversations.find_contact(desktop.connection, desktop.place, event.author.ref)


def _file(
    desktop: Desktop,
    event: MessageReceived | MessageEdited | MessageDeleted,
    kind: str,
    message_id: int,
    *,
    remarks: list[str] | None = None,
    is_bystander: bool = False,
    author_id: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Wish the event into the ticket, its files first: those are fetched at once, since their addresses die young."""
    payload: dict[str, Any] = {"kind": kind, "author": author_id, "parent": getattr(event, "parent_ref", None)}
    payload |= more or {}
    if desktop.policy is not None and desktop.policy.book.safety.defang_links and kind in {"message", "edit"}:
        payload["defang"] = list(desktop.policy.watch.ours.domains)
    if remarks:
        payload["remarks"] = remarks
    if is_bystander:
        payload["bystander"] = True
    attachments = getattr(event, "attachments", ())
    fetches = [desktop.wish(Lane.FROM_SOCIAL, "fetch", {}, part=part) for part in range(len(attachments))]
    desktop.commit(*fetches, desktop.wish(Lane.TO_HELPDESK, "file", payload, message_id=message_id))
