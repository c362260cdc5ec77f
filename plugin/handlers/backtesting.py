"""Feeds the back-test: the stored traffic as the facts that a policy would have been asked with, one by one, so that memory stays flat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from plugin.domain.codec import decode, decode_event
from plugin.domain.events import ArticleAdded, MessageReceived
from plugin.domain.model import Contact, Visibility
from plugin.handlers import gathering
from plugin.handlers.installation import Channel, Installation
from plugin.policy.backtest import Report, Stored, compare
from plugin.policy.facts import (
    AgentFacts,
    ChannelFacts,
    ClockFacts,
    ContactFacts,
    ConversationFacts,
    CountFacts,
    Facts,
    Trigger,
)
from plugin.policy.policy import Policy
from plugin.policy.safety.watch import Watch
from plugin.policy.verdicts import ApprovalNeeded, Broken, Crossover, Filtered, Routing, Targets
from plugin.store import overview
from plugin.store.database import Database

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_NOBODY = AgentFacts()


def backtest(database: Database, installation: Installation, before: Policy, after: Policy, *, since: datetime) -> Report:
    """What `after` would have done to the traffic since then, beside what `before` would have done."""
    return compare(_OwnEyes(before), _OwnEyes(after), stored(database, installation, since=since), since=since)


def stored(database: Database, installation: Installation, *, since: datetime) -> Iterator[Stored]:
    """Every message and reply since then with the facts of its moment, as far as the store still knows them and as far as they are asked for.

    What a policy itself says (topics, important people, trainees, hours) is left to whoever judges. Counts of the whole channel, the helpdesk's
    owner, group and tags, and the reply window of that moment are not kept, so they are unknown.
    """
    watch = installation.policy.watch if installation.policy is not None else Watch()
    run: _Run | None = None
    with database.begin() as connection:
        for row in overview.stored_messages(connection, since):
            if row.place not in installation.channels:
                continue
            if run is None or run.conversation_id != row.conversation_id:
                run = _begun(row, installation.channels[row.place])
            facts = run.facts(row, watch)
            if row.at >= since:
                yield Stored(conversation=str(row.conversation_id), message=str(row.event_id), facts=facts)


@dataclass(slots=True, kw_only=True)
class _Run:
    """One conversation, message by message."""

    conversation_id: int
    opened_at: datetime
    contact: Contact | None
    opener: ContactFacts
    channel: ChannelFacts
    agent_replies: int = 0
    customer_messages: int = 0
    bystander_messages: int = 0
    unanswered_since: datetime | None = None
    last_customer_at: datetime | None = None
    said: deque[datetime] = field(default_factory=deque)

    def facts(self, row: Any, watch: Watch) -> Facts:
        """The facts of one message, after it was counted."""
        at, event = row.at, decode_event(row.payload)
        is_reply = row.direction == "outbound"
        is_bystander = not is_reply and row.opened_by is not None and row.contact_id != row.opened_by
        self._count(at, is_reply=is_reply, is_bystander=is_bystander)
        visibility = Visibility(row.visibility)
        return Facts(
            trigger=Trigger.REPLY if is_reply else Trigger.MESSAGE,
            clock=ClockFacts(now=at),
            message=gathering.reply_later(watch, event, visibility)
            if isinstance(event, ArticleAdded)
            else gathering.message_later(watch, cast(MessageReceived, event), is_bystander=is_bystander),
            contact=self._contact(at),
            conversation=ConversationFacts(
                visibility=visibility,
                is_scam=row.is_scam,
                agent_replies=self.agent_replies,
                customer_messages=self.customer_messages,
                bystander_messages=self.bystander_messages,
                minutes_open=(at - self.opened_at) / _MINUTE,
                minutes_unanswered=gathering.minutes(at, self.unanswered_since),
                minutes_silent=gathering.minutes(at, self.last_customer_at),
            ),
            channel=self.channel,
            counts=CountFacts(contact_hour=sum(at - moment <= _HOUR for moment in self.said), contact_day=len(self.said)),
            agent=AgentFacts(ref=event.agent_ref, name=event.agent_name, groups=event.agent_groups)
            if isinstance(event, ArticleAdded)
            else _NOBODY,
        )

    def _contact(self, at: datetime) -> ContactFacts:
        """Who opened it: only the account's age changes with the moment."""
        contact = self.contact
        if contact is None or contact.created_at is None:
            return self.opener
        return replace(self.opener, account_days=(at - contact.created_at) / _DAY)

    def _count(self, at: datetime, *, is_reply: bool, is_bystander: bool) -> None:
        if is_reply:
            self.agent_replies += 1
            self.unanswered_since = None
        elif is_bystander:
            self.bystander_messages += 1
        else:
            self.customer_messages += 1
            self.unanswered_since = self.unanswered_since or at
            self.last_customer_at = at
            self.said.append(at)
            while at - self.said[0] > _DAY:
                self.said.popleft()


def _begun(row: Any, channel: Channel) -> _Run:
    """The conversation that begins with this row."""
    contact = decode(Contact, row.profile) if row.profile is not None else None
    return _Run(
        conversation_id=row.conversation_id,
        opened_at=row.at,
        contact=contact,
        opener=ContactFacts()
        if contact is None
        else ContactFacts(
            handle=contact.handle,
            name=contact.display_name,
            language=contact.language,
            followers=contact.followers,
            is_verified=contact.is_verified,
            is_bot=contact.is_bot,
            reputation=contact.reputation,
        ),
        channel=ChannelFacts(key=channel.key, platform=channel.platform, group=channel.group),
    )


class _OwnEyes:
    """A policy that sees stored facts by its own topics, important people, trainees and hours."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.digest = policy.digest
        self._last: tuple[Facts, Facts] | None = None

    def _own(self, facts: Facts) -> Facts:
        """The same facts are asked about several times in a row: made their own once."""
        if self._last is None or self._last[0] is not facts:
            self._last = (facts, own(facts, self._policy))
        return self._last[1]

    def filter(self, facts: Facts) -> Filtered | Broken | None:
        """As `Judge.filter`."""
        return self._policy.filter(self._own(facts))

    def route(self, facts: Facts) -> tuple[Routing, Sequence[Broken]]:
        """As `Judge.route`."""
        return self._policy.route(self._own(facts))

    def crossover(self, facts: Facts) -> Crossover | Broken | None:
        """As `Judge.crossover`."""
        return self._policy.crossover(self._own(facts))

    def approval(self, facts: Facts) -> ApprovalNeeded | Broken | None:
        """As `Judge.approval`."""
        return self._policy.approval(self._own(facts))

    def targets(
        self, facts: Facts, *, sla: str, opened_at: datetime, unanswered_since: datetime | None, rested: timedelta = timedelta()
    ) -> Targets | None:
        """As `Judge.targets`."""
        return self._policy.targets(self._own(facts), sla=sla, opened_at=opened_at, unanswered_since=unanswered_since, rested=rested)


def own(facts: Facts, policy: Policy) -> Facts:
    """Stored facts with what the policy itself says of them."""
    people, contact, agent, message = policy.people, facts.contact, facts.agent, facts.message
    is_vip = people.is_vip(facts.channel.key, contact.handle)
    is_trainee = people.is_trainee(ref=agent.ref, name=agent.name, groups=agent.groups)
    return Facts(
        trigger=facts.trigger,
        clock=gathering.clock_later(policy, facts.channel, now=facts.clock.now),
        message=gathering.with_topics(policy, message),
        contact=replace(contact, is_vip=True) if is_vip else contact,
        conversation=facts.conversation,
        channel=facts.channel,
        counts=facts.counts,
        agent=replace(agent, is_trainee=True) if is_trainee else agent,
    )
