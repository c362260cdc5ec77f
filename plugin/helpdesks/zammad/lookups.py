"""Around the writes: where a ticket lives now, which article carries our marker, whether a customer is there. One client, no state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.domain.errors import RemoteError, TargetGone
from plugin.domain.ids import ArticleRef, Marker, TicketRef
from plugin.domain.model import Contact
from plugin.helpdesks.zammad import fields
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.reading import MERGED, message_id
from plugin.helpdesks.zammad.writing import customer_data

_MOST_MERGES = 10


def the_ticket(client: ZammadClient, ticket_ref: Any) -> Mapping[str, Any]:
    """A ticket, expanded.

    Raises:
        TargetGone: it is deleted.
        RemoteError: any other of its kinds but `OutcomeUnknown`.
    """
    return client.read_row(f"/tickets/{ticket_ref}", {"expand": "true"})


def live_ticket(client: ZammadClient, ticket: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where articles must go: the ticket itself, or the one it was merged into. A merged ticket takes them without a word.

    Raises:
        TargetGone: what it was merged into is not there any more.
        RemoteError: any other of its kinds but `OutcomeUnknown`.
    """
    for _ in range(_MOST_MERGES):
        if ticket.get("state") != MERGED:
            return ticket
        links = client.read_object("/links", {"link_object": "Ticket", "link_object_value": ticket["id"]})
        parents = [link["link_object_value"] for link in links.get("links") or () if link.get("link_type") == "parent"]
        if len(parents) > 1:
            parents.sort(key=lambda parent: not _took_in_others(client, parent))
        if not parents:
            break
        ticket = the_ticket(client, parents[0])
    raise TargetGone("The ticket was merged, and what it was merged into is not there any more.")


def put_right(client: ZammadClient, ticket: Mapping[str, Any], live: Mapping[str, Any]) -> Mapping[str, Any]:
    """The live ticket after our attributes were put right in it, and carried over where a bridged ticket was merged into an ordinary one.

    A failure is no reason not to read the ticket: the next look tries again.
    """
    changes = fields.overwritten(live) if live["id"] == ticket["id"] else fields.inherited(ticket, live) or fields.overwritten(live)
    if not changes:
        return live
    try:
        changed = client.write("PUT", f"/tickets/{live['id']}?expand=true", changes)
    except RemoteError:
        return live
    return changed if isinstance(changed, Mapping) and "id" in changed else live


def articles_of(client: ZammadClient, ticket_ref: Any) -> list[dict[str, Any]]:
    """A ticket's articles by rising id.

    Raises:
        TargetGone: the ticket is deleted.
        RemoteError: any other of its kinds but `OutcomeUnknown`.
    """
    return sorted(client.read_rows(f"/ticket_articles/by_ticket/{ticket_ref}"), key=lambda row: int(row["id"]))


def find_marked(client: ZammadClient, marker: Marker) -> tuple[Mapping[str, Any], ArticleRef] | None:
    """The ticket and the article that carries our marker: the first written, should there be twins.

    What a merged ticket swallowed does not count, since nobody looks there.

    Raises:
        RemoteError: any of its kinds but `OutcomeUnknown`.
    """
    wanted = message_id(marker)
    rows = client.search({"article.message_id": {"operator": "is", "value": wanted}}, limit=10)
    found = [
        (row, int(article["id"]))
        for row in rows
        if row.get("state") != MERGED
        for article in articles_of(client, row["id"])
        if article.get("message_id") == wanted
    ]
    if not found:
        return None
    row, article_id = min(found, key=lambda pair: pair[1])
    return row, ArticleRef(str(article_id))


def ensure_customer(client: ZammadClient, login: str, contact: Contact) -> None:
    """Have a customer with this login. Zammad makes a twin with a digit instead of refusing a login that exists: switch the twin off.

    Raises:
        RemoteError: any of its kinds.
    """
    # The first form of the query is for systems without Elasticsearch, the second for those with it.
    for query in (login, f'login:"{login}"'):
        found = client.read_rows("/users/search", {"query": query, "limit": 50, "expand": "true"})
        if any(str(user.get("login")).lower() == login for user in found):
            return
    made = client.create("POST", "/users", customer_data(contact, login))
    if str(made.get("login")) != login:
        client.write("PUT", f"/users/{made['id']}", {"active": False, "note": f"Made by mistake; the customer is {login}"})


def correct_customer(client: ZammadClient, ticket: Mapping[str, Any], login: str) -> tuple[str, ...]:
    """See to it that a new ticket has the right customer; a sentence where that failed.

    Two tickets of one new contact at the same moment make two customers, one with a digit behind our login.
    """
    if str(ticket.get("customer", login)).lower() == login:
        return ()
    try:
        client.write("PUT", f"/tickets/{ticket['id']}", {"customer": login})
    except RemoteError:
        return (f"Zammad filed this under the customer {ticket.get('customer')}; the right one is {login}.",)
    return ()


def link_former(client: ZammadClient, made: Mapping[str, Any], follows: TicketRef | None) -> tuple[str, ...]:
    """Link a new ticket to the one that it continues; a sentence where that failed."""
    if follows is None:
        return ()
    link = {
        "link_type": "normal",
        "link_object_target": "Ticket",
        "link_object_target_value": int(follows),
        "link_object_source": "Ticket",
        "link_object_source_number": made.get("number"),
    }
    try:
        client.write("POST", "/links/add", link)
    except RemoteError:
        return ("This ticket continues an older one that Zammad would not link it to.",)
    return ()


def _took_in_others(client: ZammadClient, ticket_ref: Any) -> bool:
    """Whether tickets were merged into this one. Links of the kind `parent` are people's own, too.

    From which ticket is no test: when the first target is merged in turn, our link moves on to the second.
    """
    history = client.read_object(f"/ticket_history/{ticket_ref}").get("history") or ()
    return any(entry.get("type") == "received_merge" for entry in history)
