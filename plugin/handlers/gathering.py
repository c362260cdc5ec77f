"""Gathers the facts that the policy judges: from the event, the conversation's own row, and one query for the counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from plugin.domain.events import ArticleAdded, MessageReceived
from plugin.domain.model import Contact, Stage, Visibility
from plugin.domain.text import Text
from plugin.handlers.installation import Channel, PolicyAtWork
from plugin.policy import words
from plugin.policy.contract import State
from plugin.policy.facts import (
    AgentFacts,
    ChannelFacts,
    ClockFacts,
    ContactFacts,
    ConversationFacts,
    CountFacts,
    Facts,
    MessageFacts,
    Trigger,
)
from plugin.policy.later import LaterClock, LaterMessage, later
from plugin.policy.policy import Policy
from plugin.policy.safety.first_glance import examine
from plugin.policy.safety.watch import Watch
from plugin.store.conversations import Held, Progress
from plugin.store.counts import Counts

TAGS = "tags"
"""Under which the ticket's tags stand among its fields, a line each or with commas, where the helpdesk tells them or the policy looks at them."""


def facts(
    *,
    trigger: Trigger,
    policy: PolicyAtWork,
    channel: Channel,
    held: Held,
    state: State,
    progress: Progress,
    counts: Counts,
    message: MessageFacts | None = None,
    agent: AgentFacts | None = None,
    suspicious_bystanders: int = 0,
    fields: Mapping[str, str] | None = None,
) -> Facts:
    """All that is known at this moment. `fields` are the ticket's, where they are newer than those that are held."""
    now = held.now
    contact = held.contact or Contact(ref=held.thread_key)  # type: ignore[arg-type]
    made_at = contact.created_at
    this_hour, before = counts.this_hour, counts.hour_before
    return Facts(
        trigger=trigger,
        clock=clock_facts(policy.book, channel, group=held.ticket_group, now=now),
        message=message or MessageFacts(language=state.language, visibility=held.visibility),
        contact=ContactFacts(
            handle=contact.handle,
            name=contact.display_name,
            language=contact.language,
            followers=contact.followers,
            is_verified=contact.is_verified,
            is_bot=contact.is_bot,
            is_vip=policy.book.people.is_vip(channel.key, contact.handle),
            account_days=None if made_at is None else (now - made_at) / timedelta(days=1),
            conversations_before=counts.conversations_before,
            reputation=contact.reputation,
        ),
        conversation=ConversationFacts(
            stage=Stage.SOCIAL if state.is_light else state.stage,
            visibility=held.visibility,
            is_scam=held.is_scam,
            agent_replies=progress.agent_replies,
            customer_messages=progress.customer_messages,
            bystander_messages=progress.bystander_messages,
            suspicious_bystanders=suspicious_bystanders,
            minutes_open=minutes(now, progress.opened_at) or 0.0,
            minutes_unanswered=minutes(now, progress.unanswered_since),
            minutes_silent=minutes(now, progress.last_customer_at),
            window_minutes_left=_window_left(channel, held),
            times_reopened=progress.times_reopened,
            group=held.ticket_group,
            owner=held.ticket_owner,
            tags=tuple((held.ticket_fields if fields is None else fields).get(TAGS, "").replace(", ", "\n").splitlines()),
        ),
        channel=ChannelFacts(key=channel.key, platform=channel.platform, group=channel.group),
        counts=CountFacts(
            contact_hour=counts.contact_hour,
            contact_day=counts.contact_day,
            channel_hour=round(this_hour + before * (1.0 - counts.passed)),
            channel_usual=counts.channel_usual,
        ),
        agent=agent or AgentFacts(),
    )


def of_message(policy: PolicyAtWork, event: MessageReceived, *, is_bystander: bool) -> MessageFacts:
    """What is to be known of something that was said, looked for when it is first asked for."""
    return with_topics(policy.book, message_later(policy.watch, event, is_bystander=is_bystander))


def of_reply(policy: PolicyAtWork, event: ArticleAdded, visibility: Visibility) -> MessageFacts:
    """What is to be known of a reply that is about to leave, looked for when it is first asked for."""
    return with_topics(policy.book, reply_later(policy.watch, event, visibility))


def message_later(watch: Watch, event: MessageReceived, *, is_bystander: bool) -> MessageFacts:
    """The same, as far as it is asked for, without the policy's topics."""
    return _later(
        event.text,
        watch,
        told=event.author.language,
        visibility=event.visibility,
        files=len(event.attachments),
        is_found=bool(event.found_by),
        is_bystander=is_bystander,
    )


def reply_later(watch: Watch, event: ArticleAdded, visibility: Visibility) -> MessageFacts:
    """The same of a reply."""
    return _later(event.text, watch, visibility=visibility, files=len(event.attachments))


def _later(said: Text, watch: Watch, *, told: str = "", **known: Any) -> MessageFacts:
    seen = examine(said, language_hint=told, guess=words.language, lookout=watch.lookout)
    finders = {"links": "addresses", "personal_data": "kinds"}
    plain = said.plain
    return later(
        LaterMessage,
        lambda name: getattr(seen, finders.get(name, name)),
        **{"text": plain, "length": len(plain), "is_found": False, "is_bystander": False, "topics": (), **known},
    )


def with_topics(book: Policy, message: MessageFacts) -> MessageFacts:
    """The same, with the topics of a policy."""
    return later(LaterMessage, lambda name: book.topics_in(message.text) if name == "topics" else getattr(message, name))


def of_agent(policy: PolicyAtWork, event: ArticleAdded) -> AgentFacts:
    """What is to be known of who wrote a reply."""
    people = policy.book.people
    return AgentFacts(
        ref=event.agent_ref,
        name=event.agent_name,
        groups=event.agent_groups,
        is_trainee=people.is_trainee(ref=event.agent_ref, name=event.agent_name, groups=event.agent_groups),
    )


def clock_facts(book: Policy, channel: Channel | ChannelFacts, *, group: str, now: datetime) -> ClockFacts:
    """The moment, and the hours of the team that answers."""
    hours = book.team_of(group=group, channel=channel.key, channel_group=channel.group).hours
    local, opens = now.astimezone(hours.zone), hours.next_open(now)
    return ClockFacts(
        now=now,
        weekday=local.isoweekday(),
        hour=local.hour,
        is_open=opens == now,
        minutes_until_open=0.0 if opens is None else (opens - now) / timedelta(minutes=1),
    )


def clock_later(book: Policy, channel: ChannelFacts, *, now: datetime) -> ClockFacts:
    """The same before there is a ticket, as far as it is asked for."""
    return later(LaterClock, lambda name: getattr(clock_facts(book, channel, group="", now=now), name), now=now)


def kept(found: Facts) -> Facts:
    """As the ledger keeps them: without anybody's words, so that an erasure need not look here."""
    return replace(found, message=replace(found.message, text="", links=()), contact=replace(found.contact, name="", handle=""))


def minutes(now: datetime, since: datetime | None) -> float | None:
    """From `since` to `now`; None where there is no `since`."""
    return None if since is None else (now - since) / timedelta(minutes=1)


def _window_left(channel: Channel, held: Held) -> float | None:
    window = channel.adapter.capabilities.limits.reply_window
    if window is None or held.last_inbound_at is None:
        return None
    return (held.last_inbound_at + timedelta(seconds=window) - held.now) / timedelta(minutes=1)
