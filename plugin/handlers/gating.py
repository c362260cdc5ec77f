"""What the gate is asked with: an outbound wish and its conversation, as facts. Runs inside a turn's transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row

from plugin.contracts.capabilities import Capabilities
from plugin.domain.model import HeldReason, Lane, Visibility
from plugin.handlers import parking
from plugin.handlers.installation import Installation
from plugin.policy import approvals, gate, locks
from plugin.policy.sections import Safety
from plugin.store import messages, replies
from plugin.store.conversations import Held

BESIDE = frozenset({HeldReason.LOCK, HeldReason.APPROVAL, HeldReason.PREFLIGHT, HeldReason.WINDOW})
"""What is held for these reasons lets the replies behind it pass."""
TOLD_BEFORE = frozenset({HeldReason.APPROVAL})
"""The agents were told with the reply itself."""


def facts(connection: Connection, installation: Installation, held: Held, row: Row[Any], *, is_begun: bool) -> gate.OutboundFacts:
    """All that the gate may look at."""
    payload = row.payload
    answered = payload.get("reply_to")
    waits = approvals.find(held.candidates, row.event_id) if row.op == "reply" else None
    rules = installation.policy.book.safety if installation.policy is not None else None
    is_locked_out = "fence" in payload and not held.lock.is_good(payload["fence"])
    is_private_answer = bool(payload.get("private"))
    return gate.OutboundFacts(
        now=held.now,
        visibility=Visibility.PRIVATE if is_private_answer else Visibility(held.visibility),
        stage=held.stage,
        is_reachable=held.is_reachable,
        last_inbound_at=held.last_inbound_at,
        hold_reason=held.hold_reason,
        hold_text=held.hold_text,
        capabilities=_abilities(installation.channels[held.place].adapter.capabilities, is_private_answer=is_private_answer),
        file_count=len(payload.get("files", ())),
        no_reply=messages.why_no_reply(connection, held.place, answered) if answered else "",
        is_template=row.op == "template",
        holds_public=held.state.holds_public,
        is_notice=row.lane == Lane.NOTICES,
        is_released=bool(payload.get("released")),
        broken_rule=held.state.broken,
        is_monitored=held.state.is_monitored,
        is_scam=held.is_scam and (rules is None or rules.scam_stops_replies),
        equal_replies=_equal_replies(connection, rules, row),
        waits_to_step_in=held.state.waits_to_step_in,
        lock=locks.why_held(held.lock, now=held.now) if is_locked_out else "",
        approval=approvals.why_held(waits) if waits is not None else "",
        preflight=payload.get("preflight", ""),
        is_begun=is_begun,
        is_shut=parking.is_shut(held, row),
        shut_text=parking.shut_text(held, row),
        withdrawn_at=parking.withdrawn_at(installation, row),
    )


def _abilities(capabilities: Capabilities, *, is_private_answer: bool) -> Capabilities:
    """A private answer to what was said in public has the sizes of private messages, and the window of what it answers."""
    if not is_private_answer:
        return capabilities
    private = replace(capabilities.limits_of(Visibility.PRIVATE), reply_window=capabilities.limits.reply_window)
    return replace(capabilities, private_limits=private)


def _equal_replies(connection: Connection, rules: Safety | None, row: Row[Any]) -> int:
    """In how many other tickets the same words were written at the same time."""
    if rules is None or not rules.equal_replies_within or row.op != "reply" or row.part > 0 or row.payload.get("released"):
        return 0
    return replies.equal_elsewhere(connection, row.message_id, seconds=rules.equal_replies_within.total_seconds())
