"""Routing of what happened in a ticket: an agent's reply goes to where the customer wrote; nothing else ever does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from plugin.contracts.capabilities import Limits
from plugin.contracts.platform import AnswersInPrivate
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.splitting import split
from plugin.domain.codec import decode, encode
from plugin.domain.events import ArticleAdded, ArticleAuthor, TicketChanged, TicketTouched
from plugin.domain.model import Attachment, Lane, TicketChange, Visibility
from plugin.domain.text import Text, fold
from plugin.handlers import deskside, judging, learning, locking, noting, proving, replying
from plugin.handlers.agents import author
from plugin.handlers.effects import RESET
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict, twin
from plugin.policy import approvals
from plugin.policy.locks import Agent
from plugin.policy.loop_brake import BrakeLimits, SaidBefore, sentence
from plugin.store import conversations, holds, intents, messages, places, replies
from plugin.store.intents import Ending

_CHOICE = "reply_as"
"""The ticket's field in which agents choose how the next reply goes out."""


def ticket_touched(desktop: Desktop, event: TicketTouched) -> Verdict:
    """Something happened in the ticket: look what."""
    if event.event_key.startswith(RESET):
        judging.slot_read_again(desktop)
    if desktop.held.ticket_ref is None:
        return Ignored(reason="no_ticket")
    desktop.commit(desktop.wish(Lane.FROM_HELPDESK, "look", {}))
    return Routed()


def ticket_changed(desktop: Desktop, event: TicketChanged) -> Verdict:
    """The ticket was closed, reopened, merged or deleted: the conversation follows."""
    held = desktop.held
    if event.ticket_ref != held.ticket_ref:
        return Ignored(reason="former_ticket")
    if event.is_deleted:
        lost = {"former_ticket_ref": held.ticket_ref, "ticket_ref": None, "article_cursor": None, "ticket_closed": False}
        conversations.update(desktop.connection, held.id, lost)
    elif event.merged_into is not None:
        moved = {"ticket_ref": event.merged_into, "ticket_closed": event.is_closed}
        conversations.update(desktop.connection, held.id, moved)
    elif event.is_closed != held.ticket_closed:
        conversations.update(desktop.connection, held.id, {"ticket_closed": event.is_closed})
    if desktop.policy is not None and not event.is_deleted:
        locking.assigned(desktop, desktop.policy, event)
        judging.keep_ticket(desktop, event)
        closed = event.is_closed if event.is_closed != held.ticket_closed else None
        judging.ticket_changed(desktop, desktop.policy, event, closed=closed)
    return Routed()


def article_added(desktop: Desktop, event: ArticleAdded) -> Verdict:
    """An article stands in the ticket: ours, a note, or an agent's reply."""
    held, connection = desktop.held, desktop.connection
    known = messages.find(connection, held.helpdesk, [event.article_ref]).get(event.article_ref)
    if known is not None:
        return _published_again(desktop, event, known.event_id)
    wish = intents.find_by_marker(connection, held.id, event.marker) if event.marker else None
    if wish is not None:
        if wish.message_id is not None:
            messages.add_ref(connection, held.helpdesk, event.article_ref, wish.message_id)
        if wish.state == "sent" and wish.lane == Lane.TO_HELPDESK and wish.remote_ref not in {None, event.article_ref, held.ticket_ref}:
            return twin(desktop, held.helpdesk, wish, event.article_ref)
        if wish.state in {"pending", "unknown", "held"} and wish.lane == Lane.TO_HELPDESK and held.ticket_ref is not None:
            ending = Ending(intent_id=wish.id, state="sent", outcome="found", call="echo", remote_ref=event.article_ref)
            intents.settle(connection, [ending])
            intents.finish_events(connection, [wish.event_id])
        return Ignored(reason="echo")
    if event.author is not ArticleAuthor.AGENT:
        return Ignored(reason=f"by_{event.author}")
    if not event.is_reply:
        if learning.noted(desktop, event) or proving.noted(desktop, event) or noting.noted(desktop, event):
            return Routed()
        return _unsent(desktop, event)
    return _reply(desktop, event)


def _unsent(desktop: Desktop, event: ArticleAdded) -> Verdict:
    """A note; where it is public all the same, its author may take it for an answer, and is told once in a conversation that it is none."""
    course = desktop.course
    if not event.unsent or course.state.told_unsent:
        return Ignored(reason="note")
    course.state = replace(course.state, told_unsent=True)
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:unsent", {"kind": "note", "text": event.unsent}))
    return Routed()


def _published_again(desktop: Desktop, event: ArticleAdded, reply: int) -> Verdict:
    """An agent made a reply that is held public once more: the gate judges it anew, and says so again. Anything else known is an echo."""
    if not event.is_reply or event.author is not ArticleAuthor.AGENT:
        return Ignored(reason="echo")
    asked = replies.ask_again(desktop.connection, desktop.held.id, reply, by=desktop.row.id, place=desktop.source(), key=event.event_key)
    return Routed() if asked else Ignored(reason="echo")


def _reply(desktop: Desktop, event: ArticleAdded) -> Verdict:
    held, connection = desktop.held, desktop.connection
    message_id = messages.create(
        connection,
        held.helpdesk,
        event.article_ref,
        conversation_id=held.id,
        event_id=desktop.row.id,
        direction="outbound",
        contact_id=None,
        plain=event.text.plain,
        occurred_at=event.occurred_at,
    )
    _stand_in(desktop, event, message_id)
    capabilities = desktop.channel.adapter.capabilities
    limits = capabilities.limits_of(replying.seen_by(desktop))
    text, _ = fold(event.text, capabilities.marks)
    files, refused = _fitting(event.attachments, limits, desktop.engine.max_attachment)
    remarks = [*event.remarks, *refused]
    parts = [] if _is_kept_private(desktop) else _parts(text, files, limits)
    stamps = replying.stamps(desktop, event)
    reply_to = messages.last_inbound_ref(connection, held.place, held.id, before_event=desktop.row.id)
    wishes = [
        desktop.wish(
            Lane.TO_SOCIAL,
            "reply",
            {"text": encode(words), "files": indices, "reply_to": reply_to, "parts": len(parts), **stamps},
            part=number,
            message_id=message_id,
        )
        for number, (words, indices) in enumerate(parts)
    ]
    if remarks:
        told = "Not everything in this reply reaches the customer: " + " ".join(remarks)
        wishes.append(desktop.wish(Lane.TO_HELPDESK, "note:losses", {"kind": "note", "text": told}, part=len(parts)))
    if not parts:
        wishes.append(desktop.wish(Lane.TO_HELPDESK, "note:empty", {"kind": "note", "text": _why_nothing(desktop), "warns": True}))
    desktop.commit(*wishes)
    _reset_choice(desktop)
    if not parts:
        desktop.commit(*deskside.hidden(desktop, event))
        return Routed()
    desktop.course.agent_replied(held.now)
    if desktop.policy is not None:
        judging.replied(desktop, desktop.policy, event, parts=[words.plain for words, _ in parts], answers=reply_to)
    _brake(desktop)
    return Routed()


def _is_kept_private(desktop: Desktop) -> bool:
    """The agent chose that this reply is for the customer alone, and nothing can be said in private here: it never leaves."""
    is_other = replying.seen_by(desktop) is Visibility.PRIVATE and desktop.held.visibility is Visibility.PUBLIC
    return is_other and not isinstance(desktop.channel.adapter, AnswersInPrivate)


def _why_nothing(desktop: Desktop) -> str:
    if not _is_kept_private(desktop):
        return "This reply holds nothing that can be sent on the platform. Nothing left; the reply stays in the ticket."
    return (
        "Not sent: `Reply as` said private message, and this conversation is public; the customer has not written to us in private yet. Your reply stays "
        "in the ticket. Press `to_private` to ask them to, and answer there; or choose the public reply and send it again."
    )


def _reset_choice(desktop: Desktop) -> None:
    """`Reply as` counts for one reply: the next one goes as the conversation does, unless it is chosen anew."""
    course, usual = desktop.course, desktop.held.visibility.value
    if course.ticket_fields.get(_CHOICE, usual) not in {"", usual}:
        course.ticket_fields[_CHOICE] = usual
        change = encode(TicketChange(fields=((_CHOICE, usual),)))
        desktop.commit(desktop.wish(Lane.TO_HELPDESK, "change:reply_as", {"kind": "change", "change": change}))


def _stand_in(desktop: Desktop, event: ArticleAdded, message_id: int) -> None:
    """The same words, sent again by their author while they are held, are one reply: the later one, which the gate judges anew."""
    writer = author(event)
    earlier = [
        row.event_id
        for row in replies.same_words(desktop.connection, desktop.held.id, message_id)
        if "agent" in row.payload and decode(Agent, row.payload["agent"]).is_same(writer)
    ]
    if earlier:
        holds.withdraw(desktop.connection, desktop.held.id, earlier)
        desktop.course.candidates = approvals.without(desktop.course.candidates, set(earlier))
        told = "The same words were held already. That reply is withdrawn, and this one stands in its place."
        desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:again", {"kind": "note", "text": told}))


def _parts(text: Text, files: list[int], limits: Limits) -> list[tuple[Text, list[int]]]:
    """The reply as the platform takes it: words by its own ruler, files in the last part of the words, further files in parts of their own."""
    ruler = limits.ruler or CODE_POINTS
    trimmed = text.strip()
    words = list(split(trimmed, limits.text_length, ruler)) if limits.text_length and trimmed else [trimmed] if trimmed else []
    if not files:
        return [(part, []) for part in words]
    batches = [files[at : at + limits.files_per_message] for at in range(0, len(files), limits.files_per_message)]
    fits_caption = bool(words) and (limits.caption_length is None or ruler.measure(words[-1].plain) <= limits.caption_length)
    if not fits_caption:
        return [(part, []) for part in words] + [(Text(""), batch) for batch in batches]
    first = [(part, list[int]()) for part in words[:-1]]
    return [*first, (words[-1], batches[0]), *((Text(""), batch) for batch in batches[1:])]


def _fitting(attachments: tuple[Attachment, ...], limits: Limits, cap: int) -> tuple[list[int], list[str]]:
    fitting: list[int] = []
    refused: list[str] = []
    for index, attachment in enumerate(attachments):
        why = _refusal(attachment, limits, min(limits.file_bytes or cap, cap))
        if why is None:
            fitting.append(index)
        else:
            refused.append(f"The file {attachment.filename!r} was not sent: {why}")
    return fitting, refused


def _refusal(attachment: Attachment, limits: Limits, most: int) -> str | None:
    if limits.files_per_message == 0:
        return "this platform takes no files from us."
    if attachment.size is not None and attachment.size > most:
        return f"it has {attachment.size:,} bytes and the platform takes {most:,}."
    kind = attachment.content_type.partition(";")[0].strip().lower()
    if limits.content_types and not any(_matches(kind, pattern) for pattern in limits.content_types):
        return f"the platform does not take files of type {kind}."
    return None


def _matches(kind: str, pattern: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("/*") else kind == pattern


def _brake(desktop: Desktop) -> None:
    """Stop the conversation when two machines seem to answer each other."""
    engine, held = desktop.engine, desktop.held
    past: list[SaidBefore] = [
        SaidBefore(is_ours=row.direction != "inbound", at=row.created_at, digest=bytes(row.text_digest))
        for row in messages.recent_turns(desktop.connection, held.id, seconds=timedelta(minutes=10).total_seconds())
    ]
    why = sentence(past, BrakeLimits(turns=engine.loop_turns, pace=engine.loop_pace_seconds))
    if why is None or held.hold_reason:
        return
    conversations.update(desktop.connection, held.id, {"hold_reason": "loop", "hold_text": why})
    places.raise_alert(desktop.connection, held.place, f"loop:{held.id}", why)
    told: dict[str, Any] = {"kind": "note", "text": why}
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:loop", told))
