"""How much each agent has to do: open tickets by owner, for routing by capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from plugin.domain.ids import Place

# Two halves, each with an index of its own: as one condition with OR they would walk the table for each new ticket.
_OPEN = text(
    """
    SELECT lower(owner) AS owner, count(*) AS open FROM (
        SELECT c.ticket_owner AS owner FROM conversation c
        WHERE c.helpdesk = :desk AND NOT c.ticket_closed AND c.ticket_owner <> '' AND c.stage <> 'resolved' AND c.continued_by IS NULL
        UNION ALL
        SELECT (SELECT d.outcome->>'owner' FROM decision d WHERE d.conversation_id = c.id AND d.kind = 'route' ORDER BY d.id DESC LIMIT 1)
        FROM conversation c
        WHERE c.helpdesk = :desk AND NOT c.ticket_closed AND c.ticket_owner = '' AND c.stage <> 'resolved' AND c.continued_by IS NULL
          AND c.opened_at > now() - interval '10 minutes'
    ) found WHERE lower(owner) = ANY(:owners) GROUP BY 1
    """
)


def open_tickets(connection: Connection, desk: Place, owners: Sequence[str]) -> Mapping[str, int]:
    """How many open tickets each of `owners` has, by the name as it is given.

    The helpdesk tells of a ticket's owner a moment after its opening; until then whoever it was routed to counts.
    """
    rows = connection.execute(_OPEN, {"desk": desk, "owners": [owner.lower() for owner in owners]})
    found = {row.owner: int(row.open) for row in rows}
    return {owner: found.get(owner.lower(), 0) for owner in owners}
