"""The snapshot: everything that the panel shows of one ticket, as `schema.json` describes it. Reads; decides nothing but what may be pressed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from plugin.contracts.platform import HidesMessages
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.codec import decode
from plugin.domain.ids import Place
from plugin.domain.model import Stage, Visibility
from plugin.domain.text import Text
from plugin.handlers import crossing
from plugin.handlers.installation import Channel, Installation
from plugin.policy.approvals import Candidate, Candidates
from plugin.policy.contract import OFFER, POSTPONED, SILENCE, State
from plugin.policy.locks import Agent as Author
from plugin.policy.locks import Lock
from plugin.policy.safety.preflight import audience
from plugin.policy.safety.watch import Watch
from plugin.store import evidence, panels, places, solutions
from ui_extensions.panel import buttons, people, thread
from ui_extensions.panel.buttons import Case
from ui_extensions.panel.presence import Present
from ui_extensions.panel.signing import Agent
from ui_extensions.panel.thread import Eyes, Rows, in_json

VERSION = 1
MESSAGES = 60
_STALE_SECONDS = 30
"""What is no part of the conversations' own rows (a channel's state, other tickets of the person) is read again so often at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose panel asks for what, and how it gets at pictures."""

    helpdesk: Place
    ticket: str
    agent: Agent
    present: Sequence[Present] = ()
    before: int | None = None
    file_address: Callable[[int, int], str]
    avatar_address: Callable[[int], str]


def revision(connection: Connection, helpdesk: Place, ticket: str, present: Sequence[Present], *, now: datetime) -> str | None:
    """A word that changes whenever the snapshot may have; None for a ticket that has nothing to do with us. One query."""
    found = panels.token(connection, helpdesk, ticket)
    if found is None:
        return None
    token, decision = found
    here = zlib.crc32("\n".join(f"{item.agent_id} {item.doing}" for item in present).encode("utf-8", "replace"))
    return f"{decision}:{token}:{here:x}:{int(now.timestamp()) // _STALE_SECONDS:x}"


def decision_of(rev: str) -> int:
    """The last decision that the holder of a revision has seen."""
    first = rev.partition(":")[0]
    return int(first) if first.isascii() and first.isdecimal() and len(first) < 19 else 0


def take(connection: Connection, installation: Installation, asked: Asked, rev: str) -> dict[str, Any] | None:
    """The snapshot, None when there is nothing of ours on the ticket."""
    found = panels.conversations(connection, asked.helpdesk, asked.ticket)
    found = [row for row in found if row.place in installation.channels]
    if not found:
        return None
    lead, ids = found[0], [row.id for row in found]
    channel = installation.channels[lead.place]
    state = decode(State, {**lead.crossover, "stage": lead.stage})
    listed = panels.messages(connection, ids, limit=MESSAGES + 1, before=asked.before)
    shown = listed[:MESSAGES]
    rows = Rows(
        conversations={row.id: row for row in found},
        messages=shown,
        changes=panels.changes(connection, ids),
        sendings=panels.sendings(connection, [row.event_id for row in shown if row.direction != "inbound"]),
        refused=panels.refused_files(connection, [row.event_id for row in shown if row.direction == "inbound"]),
    )
    policy = installation.policy
    eyes = Eyes(
        ours=(policy.watch if policy is not None else Watch()).ours,
        now=lead.now,
        file_address=asked.file_address,
        avatar_address=asked.avatar_address,
        hidable=(hidable := frozenset(row.id for row in found if isinstance(installation.adapter(Place(row.place)), HidesMessages))),
        hidden=panels.hidden(connection, sorted(hidable)) if hidable else frozenset(),
    )
    deliveries = thread.deliveries(rows)
    decided = panels.last_decisions(connection, ids)
    lock = decode(Lock, lead.agent_lock)
    waiting = {
        item.event_id: decode(Author, item.payload["agent"])
        for item in rows.sendings
        if item.op == "reply" and item.state in {"pending", "held"} and "agent" in item.payload
    }
    candidates = tuple(item for item in decode(Candidates, lead.candidates) if item.number in waiting)
    case = Case(
        lock=lock,
        candidates=candidates,
        waiting=waiting,
        state=state,
        held_replies=sum(item["status"] == "held" for item in deliveries),
        group=lead.ticket_group,
        now=lead.now,
        is_closed=lead.ticket_closed,
        is_scam=lead.is_scam,
        has_impostor=_has_impostor(connection, lead),
        has_failed=any(item["status"] in {"failed", "unclear"} for item in deliveries),
        is_private=lead.visibility == Visibility.PRIVATE,
        can_go_private=crossing.goes_private(channel.adapter.capabilities) or (policy is not None and crossing.has_page(policy)),
    )
    return {
        "version": VERSION,
        "rev": rev,
        "server_now": lead.now.isoformat(),
        "me": {"id": asked.agent.id, "name": asked.agent.name, "role": asked.agent.role},
        "ticket": _ticket(lead),
        "thread": _thread(connection, channel, lead, len(shown), older=shown[-1].id if len(listed) > MESSAGES else None),
        "person": people.shown(connection, installation, found, eyes),
        "stage": _stage(lead, state, decided),
        "lock": _lock(lock, asked.agent, lead.now),
        "presence": [{"name": item.name, "doing": item.doing, "me": item.agent_id == asked.agent.id} for item in asked.present],
        "approval": _approval(candidates, rows),
        "hold": {"reason": lead.hold_reason, "text": lead.hold_text} if lead.hold_reason else None,
        "deliveries": deliveries,
        "messages": thread.messages(rows, eyes),
        "limits": _limits(channel, Visibility(lead.visibility)),
        "actions": buttons.all_of(policy, case, asked.agent) + buttons.template(channel.adapter),
        "pending": buttons.pending(panels.open_presses(connection, ids)),
        "suggestions": [_suggestion(row) for row in solutions.suggested(connection, ids)],
    }


def _has_impostor(connection: Connection, lead: Row[Any]) -> bool:
    if not lead.bystander_messages or lead.visibility != Visibility.PUBLIC:
        return False
    found = evidence.impostor(connection, lead.id)
    return found is not None and not found.is_warned


def _suggestion(row: Row[Any]) -> dict[str, Any]:
    return {
        "note": row.note,
        "tags": row.tags,
        "link": row.link,
        "ticket_number": row.ticket_number or "",
        "ticket_url": row.ticket_url if row.ticket_url.lower().startswith(("https://", "http://")) else "",
        "score": min(1.0, row.score),
    }


def _ticket(lead: Row[Any]) -> dict[str, Any]:
    return {
        "ref": lead.ticket_ref,
        "number": lead.ticket_number or "",
        "url": lead.ticket_url,
        "closed": lead.ticket_closed,
        "owner": lead.ticket_owner,
        "group": lead.ticket_group,
    }


def _thread(connection: Connection, channel: Channel, lead: Row[Any], count: int, *, older: int | None) -> dict[str, Any]:
    limits = channel.adapter.capabilities.limits_of(Visibility(lead.visibility))
    closes = None
    if limits.reply_window is not None and lead.last_inbound_at is not None:
        closes = lead.last_inbound_at + timedelta(seconds=limits.reply_window)
    standing = places.standings(connection, [channel.place]).get(channel.place)
    return {
        "conversation": lead.id,
        "channel": channel.key,
        "platform": channel.platform,
        "network": channel.platform_name,
        "visibility": lead.visibility,
        "audience": audience(Visibility(lead.visibility)),
        "window_closes_at": in_json(closes),
        "reachable": lead.is_reachable,
        "may_answer": channel.adapter.capabilities.may_answer,
        "channel_status": standing.status if standing is not None else "active",
        "channel_text": standing.status_text if standing is not None else "",
        "count": count,
        "older": older,
    }


def _stage(lead: Row[Any], state: State, decided: Sequence[Row[Any]]) -> dict[str, Any]:
    due_at, kind = _due(state)
    return {
        "name": state.stage.value,
        "light": state.is_light,
        "rule": state.rule,
        "reason": state.reason,
        "offered": state.offered,
        "due_at": in_json(due_at),
        "due_kind": kind,
        "outcome": state.outcome,
        "scam": lead.is_scam,
        "broken": state.broken,
        "monitored": state.is_monitored,
        "steps_in": state.waits_to_step_in,
        "holds_public": state.holds_public,
        "history": [
            {
                "id": row.id,
                "at": in_json(row.at),
                "kind": row.kind,
                "rule": row.rule,
                "reason": row.reason,
                "by": row.actor,
                "refused": bool(row.outcome.get("refused")),
            }
            for row in decided
        ],
    }


def _lock(lock: Lock, agent: Agent, now: datetime) -> dict[str, Any] | None:
    holder = lock.holder_at(now)
    if holder is None:
        return None
    return {"holder": str(holder), "until": in_json(lock.until), "fence": lock.fence, "mine": holder.is_same(buttons.author(agent))}


def _approval(candidates: Candidates, rows: Rows) -> dict[str, Any] | None:
    """The replies that wait for a second person, the first in full: as it was written, and as it would stand on the platform."""
    if not candidates:
        return None
    first, *others = (_candidate(item, rows) for item in candidates)
    return {"state": "pending", **first, "others": others}


def _candidate(candidate: Candidate, rows: Rows) -> dict[str, Any]:
    written = next((row for row in rows.messages if row.event_id == candidate.number and row.direction == "outbound"), None)
    parts = [decode(Text, item.payload["text"]).plain for item in rows.sendings if item.event_id == candidate.number and item.op == "reply"]
    proposed = "\n\n".join(parts)
    return {
        "by": str(candidate.author),
        "at": in_json(written.created_at if written is not None else None),
        "reason": f"{candidate.rule}: {candidate.reason}" if candidate.reason else candidate.rule,
        "original": decode(Text, written.payload["text"]).plain if written is not None and "text" in written.payload else proposed,
        "proposed": proposed,
    }


def _due(state: State) -> tuple[datetime | None, str]:
    """What the conversation waits for next, as an agent must know it."""
    if state.stage is Stage.CONFIRMING:
        return state.timer(SILENCE), "silence"
    if state.stage in {Stage.HANDOFF, Stage.FORMAL}:
        return state.promised_by, "promise"
    if state.stage is Stage.SOCIAL and state.postponed_until is not None and state.timer(POSTPONED) is not None:
        return state.postponed_until, "postponed"
    if state.stage is Stage.SOCIAL and state.offered:
        return state.timer(OFFER), "offer"
    return None, ""


def _limits(channel: Channel, visibility: Visibility) -> dict[str, Any]:
    capabilities = channel.adapter.capabilities
    limits = capabilities.limits_of(visibility)
    ruler = limits.ruler or CODE_POINTS
    return {
        "length": limits.text_length,
        "ruler": ruler.name,
        "unit": ruler.unit,
        "files": limits.files_per_message,
        "file_bytes": limits.file_bytes,
        "content_types": list(limits.content_types),
    }
