"""Which messages are asked about again: those of conversations with an open ticket, the longest not looked at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.ids import MessageRef, Place

_CONVERSATIONS = 25
"""Conversations of one look at most; the others' turn comes with the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One batch. `upto`: the conversations it covers, each with its last message; 0: to its end, so that it has been looked at."""

    refs: tuple[MessageRef, ...]
    upto: dict[int, int]


_NEXT = text(
    """
    SELECT c.id AS conversation, m.id AS message, m.ref FROM (
        SELECT id, looked_at, looked_upto FROM conversation
        WHERE place = :place AND looked_at IS NOT NULL AND NOT ticket_closed AND looked_at <= now() - make_interval(secs => :seconds)
          AND ticket_ref IS NOT NULL
        ORDER BY looked_at LIMIT :conversations) c
    LEFT JOIN LATERAL (
        SELECT m.id, r.ref FROM message m JOIN message_ref r ON r.message_id = m.id AND r.place = :place
        WHERE m.conversation_id = c.id AND m.id > c.looked_upto AND m.deleted_at IS NULL
        ORDER BY m.id, r.part, r.ref LIMIT :batch + 1) m ON true
    ORDER BY c.looked_at, c.id, m.id
    """
)


def next_look(connection: Connection, place: Place, *, seconds: float, batch: int) -> Look:
    """What to ask about now: at most `batch` messages, none that was asked about less than `seconds` ago."""
    parameters = {"place": place, "seconds": seconds, "batch": batch, "conversations": _CONVERSATIONS}
    rows = connection.execute(_NEXT, parameters).all()
    refs: list[MessageRef] = []
    upto: dict[int, int] = {}
    for conversation, of_one in groupby(rows, key=lambda row: row.conversation):
        found = [row for row in of_one if row.ref is not None]
        taken = _whole_messages(found, batch - len(refs))
        if found and not taken:
            break
        refs += [MessageRef(row.ref) for row in taken]
        is_over = len(taken) == len(found)
        upto[conversation] = 0 if is_over else taken[-1].message
        if not is_over:
            break
    return Look(refs=tuple(refs), upto=upto)


def looked(connection: Connection, look: Look) -> None:
    """Remember the look. Conversations are locked in the order of their ids, as everybody does it."""
    connection.execute(text("SELECT id FROM conversation WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": list(look.upto)})
    statement = text(
        """
        UPDATE conversation SET looked_upto = l.upto, looked_at = CASE WHEN l.upto = 0 THEN now() ELSE looked_at END
        FROM unnest(CAST(:ids AS bigint[]), CAST(:upto AS bigint[])) AS l(id, upto) WHERE conversation.id = l.id
        """
    )
    connection.execute(statement, {"ids": list(look.upto), "upto": list(look.upto.values())})


def _whole_messages(found: Sequence[Row[Any]], most: int) -> Sequence[Row[Any]]:
    """The first `most` references, without those of a last message that does not fit whole behind others."""
    taken = found[:most]
    is_cut = len(taken) < len(found) and bool(taken) and found[most].message == taken[-1].message != taken[0].message
    return [row for row in taken if row.message != taken[-1].message] if is_cut else taken
