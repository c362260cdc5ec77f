"""The calls to the outside, one function for each kind of wish. No database: a call gets plain data and returns a `Result`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

import structlog

from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import (
    AnswersInPrivate,
    EditsMessages,
    FetchesMedia,
    HidesMessages,
    PlatformAdapter,
    ReadsBack,
    RechecksMessages,
    SendsTemplates,
    Template,
)
from plugin.domain.codec import decode, decode_event
from plugin.domain.errors import CrossdeskError, RemoteRejected, Unsupported
from plugin.domain.events import ArticleAdded, MessageEdited, MessageReceived
from plugin.domain.ids import Marker, MessageRef, Place
from plugin.domain.model import Contact, File, Lane, OpenedTicket, OutboundMessage, Receipt, TicketChange, Visibility
from plugin.domain.text import Text
from plugin.faults import point
from plugin.handlers import articles, courtesies, desk_calls, looking, wording
from plugin.handlers.call import Call
from plugin.handlers.fates import Try, fate
from plugin.handlers.installation import Channel, Installation
from plugin.handlers.introducing import introduced
from plugin.handlers.outcomes import absent as _absent
from plugin.handlers.outcomes import applied as _applied
from plugin.handlers.outcomes import known as _known
from plugin.handlers.results import (
    ContactDescribed,
    CustomerKnown,
    Effect,
    Fetched,
    FetchRefused,
    Noted,
    Result,
    SlotEmptied,
    ThreadOpened,
    TicketMoved,
    TicketOpened,
    TicketShut,
)
from plugin.policy.saying import NUMBER

_log = structlog.get_logger("crossdesk.calls")


class Caller:
    """Makes the calls of an installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def make(self, call: Call) -> Result:
        """Ask the other side and say what became of it. Never raises for what the other side does."""
        action = self._actions[call.call.removeprefix("find:")]
        place = call.place
        try:
            point(f"call.{call.call}.before")
            made = action(self, call)
            point(f"call.{call.call}.after")
        except _AtOtherPlace as elsewhere:
            return fate(self._installation.engine, self._try(call, elsewhere.place), elsewhere.error)
        except Exception as error:  # noqa: BLE001 - an adapter's fault must not take the conversation down with it
            if not isinstance(error, CrossdeskError):
                _log.exception("call_fault", call=call.call, place=place, intent_id=call.intent.id)
            return fate(self._installation.engine, self._try(call, place), error)
        return made

    def _try(self, call: Call, place: Place) -> Try:
        return Try(
            intent_id=call.intent.id,
            event_id=call.intent.event_id,
            part=call.intent.part,
            lane=Lane(call.intent.lane),
            op=call.intent.op,
            call=call.call,
            place=place,
            attempts=call.intent.attempts,
            errors=call.intent.errors,
            failures=call.failures,
            capabilities=self._installation.adapter(place).capabilities,
            visibility=Visibility(call.held.visibility),
            was_read_back=call.call.startswith("find:"),
        )

    def _channel(self, call: Call) -> Channel:
        return self._installation.channels[call.held.place]

    def _desk(self, call: Call) -> HelpdeskAdapter:
        return self._installation.desks[call.held.helpdesk].adapter

    # -- to the helpdesk -------------------------------------------------------------------------------------------------------

    def _open_ticket(self, call: Call) -> Result:
        desk, marker, channel = self._desk(call), Marker(call.intent.marker), self._channel(call)
        if call.call.startswith("find:"):
            opened = desk.find_ticket(articles.new_ticket(channel, call), marker=marker)
            if opened is None:
                return _absent(call)
            _, described = introduced(channel, call)
            return self._opened(call, opened, described, was_found=True)
        named, described = introduced(channel, call) if call.held.customer_ref is None else (call, ())
        opened = desk.open_ticket(articles.new_ticket(channel, named), marker=marker)
        return self._opened(call, opened, described, was_found=False)

    def _opened(self, call: Call, opened: OpenedTicket, described: Sequence[ContactDescribed], *, was_found: bool) -> Result:
        effects: list[Effect] = [
            *described,
            TicketOpened(
                ticket_ref=opened.ticket_ref,
                number=opened.number,
                url=opened.url,
                customer_ref=opened.customer_ref,
                was_found=was_found,
                is_rechecked=isinstance(self._channel(call).adapter, RechecksMessages),
            ),
        ]
        if opened.article_ref is not None:
            effects.append(_known(call, call.held.helpdesk, opened.article_ref))
        return _applied(call, opened.article_ref or opened.ticket_ref, effects, losses=opened.losses, was_found=was_found)

    def _add_article(self, call: Call) -> Result:
        desk, marker = self._desk(call), Marker(call.intent.marker)
        assert call.held.ticket_ref is not None, "the turn chose to add to a ticket"
        effects: list[Effect] = []
        if call.call.startswith("find:"):
            filed = desk.find_article(call.held.ticket_ref, marker=marker)
            if filed is None:
                return _absent(call)
        else:
            customer_ref = call.author_customer_ref
            if customer_ref is None and call.author is not None and call.author_id is not None:
                channel = self._channel(call)
                named, described = introduced(channel, call)
                customer_ref = desk.find_or_create_customer(named.author or call.author, channel=channel.key, platform=channel.platform)
                effects += [*described, CustomerKnown(contact_id=call.author_id, customer_ref=customer_ref)]
            article = replace(articles.new_article(self._channel(call), call), customer_ref=customer_ref)
            filed = desk.add_article(call.held.ticket_ref, article, marker=marker)
        effects.append(_known(call, call.held.helpdesk, filed.article_ref))
        if filed.ticket_ref != call.held.ticket_ref:
            effects.append(TicketMoved(ticket_ref=filed.ticket_ref))
        elif call.held.ticket_closed and articles.new_article(self._channel(call), call).reopen:
            effects.append(TicketShut(is_closed=False))
        return _applied(call, filed.article_ref, effects, losses=filed.losses, was_found=call.call.startswith("find:"))

    def _change(self, call: Call) -> Result:
        """Change the ticket's data; asked again as it is when the outcome is unclear, for the same change twice is one."""
        assert call.held.ticket_ref is not None, "the turn chose to change a ticket"
        change = decode(TicketChange, call.intent.payload["change"])
        self._desk(call).update_ticket(call.held.ticket_ref, change)
        effects: list[Effect] = [] if change.is_closed is None else [TicketShut(is_closed=change.is_closed)]
        if call.intent.op == "change:reset":
            effects.append(SlotEmptied(ticket_ref=call.held.ticket_ref))
        return _applied(call, call.held.ticket_ref, effects, was_found=False)

    # -- to the platform -------------------------------------------------------------------------------------------------------

    def _reply(self, call: Call) -> Result:
        channel, marker = self._channel(call), Marker(call.intent.marker)
        is_question = call.call.startswith("find:")
        message = self._outbound(call, with_files=not is_question)
        if is_question:
            assert isinstance(channel.adapter, ReadsBack), "the turn asks only adapters that can tell"
            receipt = channel.adapter.find_delivered(message, marker=marker)
            if receipt is None:
                return _absent(call)
        else:
            if call.intent.lane == Lane.TO_SOCIAL and call.intent.part == 0:
                courtesies.show_attention(channel.adapter, message)
            receipt = _say(channel.adapter, call, message, marker)
        return self._delivered(call, receipt, was_found=is_question)

    def _delivered(self, call: Call, receipt: Receipt, *, was_found: bool) -> Result:
        place = call.held.place
        effects: list[Effect] = [_known(call, place, ref) for ref in (receipt.message_ref, *receipt.extra_refs)]
        if receipt.opened_thread not in (None, call.held.thread_key) and call.intent.message_id is not None:
            effects.append(ThreadOpened(thread_key=receipt.opened_thread, message_id=call.intent.message_id))
        return _applied(call, receipt.message_ref, effects, losses=receipt.losses, was_found=was_found)

    def _outbound(self, call: Call, *, with_files: bool) -> OutboundMessage:
        payload, held = call.intent.payload, call.held
        files: tuple[File, ...] = ()
        if payload["files"] and with_files:
            event = cast(ArticleAdded, decode_event(call.intent.event))
            files = tuple(self._fetch_from_desk(call, event, index) for index in payload["files"])
        return OutboundMessage(
            thread_key=held.thread_key,
            contact=held.contact or Contact(ref=cast(Any, held.thread_key)),
            visibility=Visibility.PRIVATE if payload.get("private") else held.visibility,
            text=_worded(call),
            files=files,
            reply_to=call.reply_to,
            created_at=call.intent.created_at,
            choices=tuple(payload.get("choices", ())),
        )

    def _fetch_from_desk(self, call: Call, event: ArticleAdded, index: int) -> File:
        try:
            limit = self._channel(call).adapter.capabilities.limits.file_bytes or self._installation.engine.max_attachment
            return self._desk(call).fetch_attachment(event.attachments[index], max_bytes=limit)
        except RemoteRejected:
            raise
        except CrossdeskError as error:
            raise _AtOtherPlace(call.held.helpdesk, error) from error

    def _edit(self, call: Call) -> Result:
        adapter = self._channel(call).adapter
        if not isinstance(adapter, EditsMessages) or call.reply_to is None:
            raise Unsupported("This platform lets nobody edit what was sent. The customer still sees the first version.")
        receipt = adapter.edit(call.reply_to, self._outbound(call, with_files=False), marker=Marker(call.intent.marker))
        return _applied(call, receipt.message_ref, [], losses=receipt.losses, was_found=False)

    def _template(self, call: Call) -> Result:
        """As a reply, by a text that the platform has approved."""
        channel, marker, message = self._channel(call), Marker(call.intent.marker), self._outbound(call, with_files=False)
        if call.call.startswith("find:"):
            assert isinstance(channel.adapter, ReadsBack), "the turn asks only adapters that can tell"
            receipt = channel.adapter.find_delivered(message, marker=marker)
            if receipt is None:
                return _absent(call)
        elif isinstance(channel.adapter, SendsTemplates):
            receipt = channel.adapter.send_template(decode(Template, call.intent.payload["template"]), message, marker=marker)
        else:
            raise Unsupported("This platform has no templates; nothing was sent.")
        result = self._delivered(call, receipt, was_found=call.call.startswith("find:"))
        told = wording.template_sent(call.intent.payload["template"]["name"], call.intent.payload["actor"], message.text.plain)
        return replace(result, effects=(*result.effects, Noted(name="template", text=told)))

    def _at_desk(self, call: Call) -> Result:
        return desk_calls.ACTIONS[call.call](self._desk(call), call)

    def _hide(self, call: Call) -> Result:
        adapter, payload = self._channel(call).adapter, call.intent.payload
        if not isinstance(adapter, HidesMessages):
            raise Unsupported("This platform lets us hide nothing; nothing was changed.")
        adapter.hide(MessageRef(payload["message_ref"]), call.held.thread_key, is_hidden=payload["is_hidden"])
        told = Noted(name="hide", text=wording.hidden(payload["message_ref"], payload["actor"], is_hidden=payload["is_hidden"]))
        return _applied(call, payload["message_ref"], [told], was_found=False)

    # -- reading ---------------------------------------------------------------------------------------------------------------

    def _look(self, call: Call) -> Result:
        return looking.look(self._installation.policy, self._desk(call), call)

    def _fetch(self, call: Call) -> Result:
        adapter, part = self._channel(call).adapter, call.intent.part
        event = cast(MessageReceived | MessageEdited, decode_event(call.intent.event))
        attachment = event.attachments[part]
        if not isinstance(adapter, FetchesMedia):
            raise Unsupported("This platform gives out no files.")
        try:
            file = adapter.fetch_media(attachment, max_bytes=self._installation.engine.max_attachment)
        except RemoteRejected as error:
            refusal = FetchRefused(
                part=part, filename=attachment.filename, content_type=attachment.content_type, refusal=f"This file is not here: {error}"
            )
            return _applied(call, attachment.filename, [refusal], was_found=False)
        return _applied(call, attachment.filename, [Fetched(part=part, file=file)], was_found=False)

    _actions: ClassVar[Mapping[str, Callable[[Caller, Call], Result]]] = {
        "open_ticket": _open_ticket,
        "add_article": _add_article,
        "change": _change,
        "reply": _reply,
        "say": _reply,
        "edit": _edit,
        "template": _template,
        "hide": _hide,
        "look": _look,
        "fetch": _fetch,
        **dict.fromkeys(desk_calls.ACTIONS, _at_desk),
    }


def _worded(call: Call) -> Text:
    """What is said. A notice names the ticket by the number that it has by now."""
    text = decode(Text, call.intent.payload["text"])
    return replace(text, plain=text.plain.replace(NUMBER, call.held.ticket_number or "")) if call.intent.lane == Lane.NOTICES else text


class _AtOtherPlace(Exception):
    """A call to one place failed because another one, which had to be asked first, did; nothing was applied."""

    def __init__(self, place: Place, error: CrossdeskError) -> None:
        super().__init__(place)
        self.place = place
        self.error = error


def _say(adapter: PlatformAdapter, call: Call, message: OutboundMessage, marker: Marker) -> Receipt:
    if not call.intent.payload.get("private"):
        return adapter.deliver(message, marker=marker)
    if not isinstance(adapter, AnswersInPrivate):
        raise Unsupported(
            "This platform lets nobody answer in private what was said in public. Nothing was sent; set the ticket's “Reply as” to public, "
            "or write to the customer in another way."
        )
    return adapter.answer_in_private(message, marker=marker)
