"""Why a conversation stands where it does: every decision with its rule, facts and time, and what every rule would say now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from plugin.domain.codec import decode_event, encode
from plugin.domain.events import MessageReceived
from plugin.handlers import gathering
from plugin.handlers.installation import Installation
from plugin.policy.facts import Facts, Trigger
from plugin.store import counts, decisions, overview
from plugin.store.conversations import Held
from plugin.store.database import Database


def explain(database: Database, installation: Installation, conversation_id: int) -> dict[str, Any] | None:
    """`conversation`, `lock`, `decisions`, `now` (what every rule says of the present facts) and the `facts` themselves; None: no such conversation."""
    with database.begin() as connection:
        held = overview.look(connection, conversation_id)
        if held is None:
            return None
        found: dict[str, Any] = {
            "conversation": conversation_id,
            "stage": held.state.stage,
            "rule": held.state.rule,
            "reason": held.state.reason,
            "lock": _lock(held),
            "approvals": [encode(item) for item in held.candidates],
            "timers": [dict(row._mapping) for row in overview.timers(connection, conversation_id)],  # noqa: SLF001 - SQLAlchemy's public way
            "held": [dict(row._mapping) for row in overview.held_wishes(connection, conversation_id)],  # noqa: SLF001
            "decisions": [dict(row._mapping) for row in decisions.of_conversation(connection, conversation_id)],  # noqa: SLF001
            "now": [],
        }
        policy, channel = installation.policy, installation.channels.get(held.place)
        if policy is None or channel is None:
            return found  # Nothing is asked where there is no policy, or no such channel any more.
        said = overview.last_said(connection, conversation_id)
        facts = gathering.facts(
            trigger=Trigger.MESSAGE,
            policy=policy,
            channel=channel,
            held=held,
            state=held.state,
            progress=held.progress,
            counts=counts.read(connection, held.place, contact_id=held.contact_id, conversation_id=held.id),
            message=None
            if said is None
            else gathering.of_message(policy, cast(MessageReceived, decode_event(said.payload)), is_bystander=False),
        )
    found["now"] = [asdict(judged) for judged in policy.book.explain(facts)]
    found["facts"] = plain(facts)
    return found


def _lock(held: Held) -> dict[str, Any] | None:
    """Who has the conversation to themselves now, and until when; None: nobody."""
    holder = held.lock.holder_at(held.now)
    return None if holder is None else {"ref": holder.ref, "name": holder.name, "until": held.lock.until, "fence": held.lock.fence}


def plain(facts: Facts) -> dict[str, Any]:
    """Facts as plain data, without anybody's words."""
    return dict(encode(gathering.kept(facts)))
