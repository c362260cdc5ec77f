"""The calls to the helpdesk that file nothing: its own lock, who may read an agent's article, our fields. No database; each is safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from plugin.contracts.helpdesk import HelpdeskAdapter, TakesLock
from plugin.domain.ids import ArticleRef, TicketRef
from plugin.domain.model import TicketChange
from plugin.handlers.call import Call
from plugin.handlers.outcomes import applied
from plugin.handlers.results import DeskLocked, FieldsShown, Result
from plugin.policy import locks

_TAGS = {"held": ("cd-held",), "failed": ("cd-failed",)}
"""How far the last reply came, where somebody has to look after it."""


def _lock(desk: HelpdeskAdapter, call: Call) -> Result:
    """Keep the helpdesk's own lock in step with ours."""
    ticket_ref, wanted = _ticket(call), locks.mirrored(call.held.lock, now=call.held.now)
    assert isinstance(desk, TakesLock), "the wish was made for a helpdesk that has a lock"
    assert wanted is not None, "the turn asks only what is wanted"
    holder = desk.release(ticket_ref, wanted.lets_go) if wanted.lets_go else ""
    was_theirs = desk.locks_by_owner and bool(wanted.takes) and call.held.ticket_owner.casefold() == wanted.takes.casefold()
    if wanted.takes:
        holder = desk.take(ticket_ref, wanted.takes, steal=wanted.is_forced)
    locked = DeskLocked(wanted=wanted.takes, holder=holder, was_theirs=was_theirs)
    return applied(call, ticket_ref, [locked], was_found=False)


def _visibility(desk: HelpdeskAdapter, call: Call) -> Result:
    """Hide an agent's reply that is held, or show it when it has left: since then the customer has an answer, however late this is asked."""
    payload = call.intent.payload
    sent_at = datetime.fromisoformat(payload["sent_at"]) if "sent_at" in payload else None
    desk.set_visibility(_ticket(call), ArticleRef(payload["article"]), is_internal=payload["is_internal"], sent_at=sent_at)
    return applied(call, payload["article"], [], was_found=False)


def _stand(desk: HelpdeskAdapter, call: Call) -> Result:
    """Fill our fields with how things stand. What waits or failed is tagged, so that it is found among all tickets."""
    ticket_ref = _ticket(call)
    shown, change = dict(call.fields), TicketChange(fields=call.fields)
    if "delivery" in shown:
        before = call.held.ticket_fields.get("delivery", "")
        change = replace(change, add_tags=_TAGS.get(shown["delivery"], ()), remove_tags=_TAGS.get(before, ()))
    desk.update_ticket(ticket_ref, change)
    return applied(call, ticket_ref, [FieldsShown(fields=call.fields)], was_found=False)


def _ticket(call: Call) -> TicketRef:
    assert call.held.ticket_ref is not None, "the turn asks only where there is a ticket"
    return call.held.ticket_ref


ACTIONS: Mapping[str, Callable[[HelpdeskAdapter, Call], Result]] = {"lock": _lock, "visibility": _visibility, "stand": _stand}
