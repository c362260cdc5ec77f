"""Decisions: what the policy and people decided about a conversation, with the rule, the facts and the time. Rows are only added or settled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """One decision on one event. `facts` are what it was judged on, without anybody's words."""

    event_id: int
    kind: str
    rule: str
    reason: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    policy: str = ""
    is_broken: bool = False


_INSERT = text(
    """
    INSERT INTO decision (conversation_id, event_id, kind, rule, reason, outcome, facts, policy, state)
    SELECT :conversation, r.event_id, r.kind, r.rule, r.reason, r.outcome, r.facts, r.policy, r.state
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(n int, event_id bigint, kind text, rule text, reason text, outcome jsonb, facts jsonb,
         policy text, state text)
    ORDER BY r.n
    """
)


def insert(connection: Connection, conversation_id: int, decisions: Sequence[NewDecision]) -> None:
    """Keep decisions, in order."""
    if decisions:
        rows = [
            {
                "n": number,
                "event_id": item.event_id,
                "kind": item.kind,
                "rule": item.rule,
                "reason": item.reason[:2000],
                "outcome": dict(item.outcome),
                "facts": dict(item.facts),
                "policy": item.policy,
                "state": "quarantined" if item.is_broken else "done",
            }
            for number, item in enumerate(decisions)
        ]
        connection.execute(_INSERT, {"conversation": conversation_id, "rows": json.dumps(rows)})


def of_conversation(connection: Connection, conversation_id: int) -> Sequence[Row[Any]]:
    """All decisions about a conversation, oldest first."""
    statement = text(
        "SELECT id, event_id, at, kind, rule, reason, outcome, facts, policy, state FROM decision WHERE conversation_id = :conversation ORDER BY id"
    )
    return connection.execute(statement, {"conversation": conversation_id}).all()


def taken_for(connection: Connection, conversation_id: int, likeness: str) -> frozenset[str]:
    """The bystanders of a conversation who were ever taken for this: the ids of their contacts, as text."""
    statement = text(
        "SELECT DISTINCT outcome->>'contact' AS contact FROM decision"
        " WHERE conversation_id = :conversation AND kind = 'bystander' AND outcome->>'likeness' = :likeness"
    )
    return frozenset(connection.execute(statement, {"conversation": conversation_id, "likeness": likeness}).scalars())


def was_decided(connection: Connection, conversation_id: int, kind: str, rule: str) -> bool:
    """Whether this was decided about a conversation before."""
    statement = text("SELECT EXISTS (SELECT 1 FROM decision WHERE conversation_id = :conversation AND kind = :kind AND rule = :rule)")
    return bool(connection.execute(statement, {"conversation": conversation_id, "kind": kind, "rule": rule}).scalar())


def settle_broken(connection: Connection, conversation_id: int) -> None:
    """A person has seen to what could not be judged."""
    statement = text("UPDATE decision SET state = 'done' WHERE conversation_id = :conversation AND state = 'quarantined'")
    connection.execute(statement, {"conversation": conversation_id})
