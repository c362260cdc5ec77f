"""Tickets: opened under a marker, found by it, read and changed. Whatever was changed is read again, since RT refuses with a 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from plugin.contracts.http import FormFile
from plugin.domain.errors import OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.ids import ArticleRef, CustomerRef, Marker, TicketRef
from plugin.domain.model import Contact, NewTicket, OpenedTicket, TicketChange, TicketState
from plugin.helpdesks.rt import fields, wording
from plugin.helpdesks.rt.client import RtClient, created_id, field_values, quoted, read_record, segment
from plugin.helpdesks.rt.schema import RtSettings

_VIEW = {"fields[Queue]": "Name"}
_PRIORITIES = {"low": "0", "normal": "50", "medium": "50", "high": "100", "urgent": "100"}
"""RT's default words (its configuration's PriorityAsString) and the two that others use."""
_NOBODY = "Nobody"
_NATIVE = frozenset({"Status", "Owner", "Queue", "Priority", "Subject", "Due"})
"""What RT calls its own in a ticket; every other name of a change is a custom field's."""


class TicketDesk:
    """One RT's tickets."""

    def __init__(self, client: RtClient, settings: RtSettings) -> None:
        self._client = client
        self._settings = settings

    def state(self, ticket_ref: TicketRef) -> TicketState:
        """The ticket as it is now. RT answers for the id of a merged ticket with the ticket that swallowed it.

        Raises:
            TargetGone: there is no such ticket, and never was or it was shredded.
        """
        return self._state(ticket_ref, self._read(ticket_ref)[0])

    def tags(self, ticket_ref: TicketRef) -> tuple[str, ...]:
        """The values of our field for tags. Raises as `state`."""
        return fields.value(self._read(ticket_ref)[0], wording.TAGS_FIELD)

    def state_and_requestor(self, ticket_ref: TicketRef, author: Contact | None) -> tuple[TicketState, str]:
        """The same, and the name of the requestor who is `author`; empty if none is."""
        record, _ = self._read(ticket_ref)
        channel, platform = (next(iter(field_values(record, name)), "") for name in (wording.CHANNEL_FIELD, wording.PLATFORM_FIELD))
        name = wording.user_name(author, channel=channel, platform=platform) if author is not None else ""
        return self._state(ticket_ref, record), name if name in _requestors(record) else ""

    def open(self, ticket: NewTicket, *, customer: CustomerRef, marker: Marker, files: tuple[FormFile, ...]) -> OpenedTicket:
        """Make the ticket with its first article, in the one call that RT commits as a whole."""
        queue = ticket.group or self._settings.queue
        self._require_marker_field(queue)
        asked = {fields.name_of(word): text for word, text in ticket.fields if text}
        due_at = asked.pop("Due", "")
        values: dict[str, Any] = {
            **asked,
            wording.MARKER_FIELD: marker,
            wording.CHANNEL_FIELD: ticket.channel,
            wording.PLATFORM_FIELD: ticket.platform,
            wording.VISIBILITY_FIELD: ticket.visibility.value,
            wording.STAGE_FIELD: ticket.stage.value,
        }
        if ticket.tags:
            values[wording.TAGS_FIELD] = list(ticket.tags)
        body: dict[str, Any] = {
            "Queue": queue,
            "Subject": wording.one_line(ticket.title, 200) or "(no subject)",
            "Requestor": customer,
            "Content": wording.article_html(ticket.article, has_author=self.bears_author(ticket)),
            "ContentType": "text/html",
            "CustomFields": values,
        }
        if due_at:
            body["Due"] = fields.date(due_at)
        if ticket.owner:
            body["Owner"] = ticket.owner
        if ticket.priority:
            body["Priority"] = _priority(ticket.priority)
        if ticket.follows:
            body["RefersTo"] = ticket.follows
        ticket_ref = TicketRef(created_id(self._client.post("/ticket", body, files), "ticket"))
        try:
            opened, record = self._opened(ticket_ref, customer)
        except RemoteError as problem:
            # The ticket is there; whatever ails RT now must not look like a ticket that was never made.
            raise OutcomeUnknown("RT made the ticket and could not show it; the bridge looks for it.", detail=problem.detail) from None
        return replace(opened, losses=(*opened.losses, *_not_taken(record, ticket, asked)))

    def bears_author(self, ticket: NewTicket) -> bool:
        """Whether the extension will name the contact as author of what they wrote."""
        return self._settings.extension and ticket.article.author is not None and ticket.article.author.ref == ticket.contact.ref

    def find(self, ticket: NewTicket, *, marker: Marker) -> OpenedTicket | None:
        """The ticket with this marker, wherever it is merged now."""
        del ticket
        sql = f"CF.{{{wording.MARKER_FIELD}}}={quoted(marker)} AND EffectiveId > 0"
        found = self._client.search("/tickets", {"query": sql, "fields": "Requestor"})
        if not found:
            return None
        requestors = [str(user["id"]) for user in found[0].get("Requestor") or ()]
        return self._opened(TicketRef(str(found[0]["id"])), CustomerRef(requestors[0]) if requestors else None)[0]

    def change(self, ticket_ref: TicketRef, change: TicketChange) -> None:
        """Send what differs, read again, say what RT did not take.

        Raises:
            TargetGone: the ticket is deleted.
            RemoteRejected: RT keeps an older value; the detail holds its reasons.
        """
        for _attempt in range(3):
            record, etag = self._read(ticket_ref)
            if record.get("Status") == "deleted":
                raise TargetGone("The ticket is deleted in RT; the change was not made.")
            wanted = self._differences(record, change)
            if not wanted:
                return
            said = self._client.put(f"/ticket/{segment(ticket_ref)}", _body(wanted), etag=etag)
            if said is None:
                continue
            kept = self._differences(self._read(ticket_ref)[0], change)
            if kept:
                raise RemoteRejected(
                    f"RT did not change the ticket's {', '.join(sorted(kept)).lower()}; the rest was changed. See RT's reason.",
                    detail="; ".join(said)[:600],
                )
            return
        raise RemoteUnavailable("Somebody else keeps changing the ticket in RT; the change is tried again.")

    def take(self, ticket_ref: TicketRef, agent: str, *, steal: bool) -> str:
        """Make `agent` the owner, unless somebody else is and `steal` is not asked for. Who owns it then; read again, whatever RT says.

        RT's `If-Match` looks before it leaps, and no more: of two who take at once, both are told the one who has it in the end.
        """
        owner = self.state(ticket_ref).owner
        if owner.casefold() == agent.casefold() or (owner and not steal):
            return owner
        self.change(ticket_ref, TicketChange(owner=agent))
        return self.state(ticket_ref).owner

    def _read(self, ticket_ref: TicketRef) -> tuple[dict[str, Any], str]:
        answer = self._client.get(f"/ticket/{segment(ticket_ref)}", _VIEW)
        return read_record(answer), answer.headers.get("etag", "")

    def _state(self, ticket_ref: TicketRef, record: Mapping[str, Any]) -> TicketState:
        live, status = TicketRef(str(record["id"])), str(record.get("Status") or "")
        owner = _owner(record)
        return TicketState(
            ticket_ref=ticket_ref,
            number=live,
            title=str(record.get("Subject") or ""),
            state=status,
            is_closed=self._is_closed(status),
            owner="" if owner == _NOBODY else owner,
            group=str((record.get("Queue") or {}).get("Name") or ""),
            live_ref=None if status == "deleted" else live,
            url=self._url(live),
            fields=fields.told(record, self._settings.custom_fields),
        )

    def _is_closed(self, status: str) -> bool:
        return status == "deleted" or status in self._settings.closed_statuses

    def _url(self, ticket_ref: TicketRef) -> str:
        return f"{self._settings.web_url}/Ticket/Display.html?id={ticket_ref}"

    def _require_marker_field(self, queue: str) -> None:
        # RT drops values of unknown fields in silence, and a ticket without our marker could not be found again.
        record = self._client.find(f"/queue/{segment(queue)}")
        fields = (record or {}).get("TicketCustomFields") or ()
        if not any(field.get("name") == wording.MARKER_FIELD for field in fields):
            raise RemoteRejected(
                f"RT has no queue {queue} with the field {wording.MARKER_FIELD}; the message is kept. Run seed.pl for it, then replay."
            )

    def _opened(self, ticket_ref: TicketRef, customer: CustomerRef | None) -> tuple[OpenedTicket, dict[str, Any]]:
        record, _ = self._read(ticket_ref)
        losses = []
        if customer is not None and customer not in _requestors(record):
            self._client.put(f"/ticket/{segment(ticket_ref)}", {"Requestor": [*_requestors(record), customer]})
            record, _ = self._read(ticket_ref)
            if customer not in _requestors(record):
                losses.append(f"RT did not take {customer} as the ticket's requestor.")
        sql = f"ObjectType='RT::Ticket' AND TicketId={int(ticket_ref)} AND Type='Create'"
        made = self._client.search("/transactions", {"query": sql, "fields": "Type"}, per_page=1)
        opened = OpenedTicket(
            ticket_ref=ticket_ref,
            number=ticket_ref,
            article_ref=ArticleRef(made[0]["id"]) if made else None,
            customer_ref=customer or CustomerRef(""),
            url=self._url(ticket_ref),
            losses=tuple(losses),
        )
        return opened, record

    def _differences(self, record: Mapping[str, Any], change: TicketChange) -> dict[str, Any]:
        """RT's names and wanted values of what is not yet as wanted."""
        status = str(record.get("Status") or "")
        now: dict[str, Any] = {
            "Status": status,
            "Owner": _owner(record),
            "Queue": str((record.get("Queue") or {}).get("Name") or ""),
            "Priority": str(record.get("Priority") or "0"),
            "Subject": str(record.get("Subject") or ""),
            wording.STAGE_FIELD: next(iter(field_values(record, wording.STAGE_FIELD)), ""),
            wording.TAGS_FIELD: sorted(field_values(record, wording.TAGS_FIELD)),
        }
        wanted: dict[str, Any] = {}
        if change.state is not None:
            wanted["Status"] = change.state
        elif change.is_closed is not None and change.is_closed != self._is_closed(status):
            wanted["Status"] = self._settings.closed_statuses[0] if change.is_closed else self._settings.open_status
        plain: tuple[tuple[str, str | None, Callable[[str], str]], ...] = (
            ("Owner", change.owner, lambda owner: owner or _NOBODY),
            ("Queue", change.group, str),
            ("Priority", change.priority, _priority),
            ("Subject", change.title, lambda title: wording.one_line(title, 200)),
            (wording.STAGE_FIELD, change.stage, str),
        )
        wanted |= {name: say(value) for name, value, say in plain if value is not None}
        if change.add_tags or change.remove_tags:
            wanted[wording.TAGS_FIELD] = sorted({*now[wording.TAGS_FIELD], *change.add_tags} - set(change.remove_tags))
        for word, text in change.fields:
            name = fields.name_of(word)
            if name == "Due":
                wanted[name], now[name] = fields.date(text), fields.due(record)
            elif fields.has(record, name) or not fields.is_ours(name):
                wanted[name], now[name] = text, "\n".join(fields.value(record, name))
        return {name: value for name, value in wanted.items() if now[name] != value}


def _not_taken(record: Mapping[str, Any], ticket: NewTicket, asked: Mapping[str, str]) -> list[str]:
    """What RT left out of a new ticket without a word, in sentences."""
    said = [
        f"RT did not fill the field {name}: the queue has none of that name, or the bridge may not write it."
        for name, text in asked.items()
        if text not in fields.value(record, name) and not fields.is_ours(name)
    ]
    if ticket.owner and _owner(record) != ticket.owner:
        said.append(f"RT did not make {ticket.owner} the ticket's owner: there is no such user, or they may not own tickets in this queue.")
    return said


def _owner(record: Mapping[str, Any]) -> str:
    return str((record.get("Owner") or {}).get("id") or "")


def _body(wanted: Mapping[str, Any]) -> dict[str, Any]:
    # An empty text would be kept as a value of its own.
    custom = {name: None if value == "" else value for name, value in wanted.items() if name not in _NATIVE}
    body = {name: value for name, value in wanted.items() if name in _NATIVE}
    return {**body, "CustomFields": custom} if custom else body


def _requestors(record: Mapping[str, Any]) -> list[str]:
    return [str(user.get("id")) for user in record.get("Requestor") or ()]


def _priority(word: str) -> str:
    value = _PRIORITIES.get(word.casefold(), word)
    if not value.isdigit():
        raise RemoteRejected(f"RT knows no priority {word}; nothing was changed. Use a number or one of {', '.join(_PRIORITIES)}.")
    return value
