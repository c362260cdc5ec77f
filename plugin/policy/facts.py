"""What a rule may look at: documented facts about one conversation at one moment. Gathered by the handlers, judged by the policy; pure data.

Rules and expressions name them as `message.text`, `contact.followers`, `conversation.agent_replies` and so on. Times are minutes, lengths are
characters; None means that nobody knows, and no comparison with it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from plugin.domain.model import Stage, Visibility


class Trigger(StrEnum):
    """What just happened, so that the policy is asked."""

    MESSAGE = "message"
    """The customer or a bystander said something."""
    REPLY = "reply"
    """An agent wrote a reply that is about to leave."""
    TIMER = "timer"
    """Time passed."""
    ACTION = "action"
    """A person pressed something, or the ticket's own fields changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """The message that is judged: what the customer said last, or the reply that is about to leave."""

    text: str = ""
    """Its words, without marks."""
    language: str = ""
    """As found in the text or told by the platform, `de` or `pt-BR`; empty when unknown."""
    visibility: Visibility = Visibility.PUBLIC
    """Who may read it: `public` or `private`."""
    length: int = 0
    """Characters in it."""
    links: tuple[str, ...] = ()
    """Addresses in it."""
    files: int = 0
    """How many files came with it."""
    is_found: bool = False
    """A saved search found it; it does not address us."""
    is_bystander: bool = False
    """Somebody else than the customer said it."""
    personal_data: tuple[str, ...] = ()
    """Kinds of personal data and secrets in it: `card`, `iban`, `phone`, `password` ..."""
    sentiment: float | None = None
    """From -1 (furious) to 1 (delighted)."""
    topics: tuple[str, ...] = ()
    """Names of the policy's own topics whose words are in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """Who opened the conversation."""

    handle: str = ""
    """As people write it, without a leading `@`."""
    name: str = ""
    """As shown on the platform."""
    language: str = ""
    """As the platform tells it; empty when unknown."""
    followers: int | None = None
    """How many follow the contact on the platform."""
    is_verified: bool | None = None
    """Whether the platform vouches for the contact."""
    is_bot: bool = False
    """The platform calls it a machine."""
    is_vip: bool = False
    """The contact is on the list of important customers."""
    account_days: float | None = None
    """Age of the account on the platform, in days."""
    conversations_before: int = 0
    """Earlier conversations of this contact on this channel."""
    reputation: int | None = None
    """Points that the platform's people gave the contact in all (Reddit: karma)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationFacts:
    """How the conversation went so far."""

    stage: Stage = Stage.SOCIAL
    """`social`, `handoff`, `formal`, `confirming` or `resolved`."""
    visibility: Visibility = Visibility.PUBLIC
    """Where it takes place: `public` or `private`."""
    is_scam: bool = False
    """It carries the scam flag."""
    agent_replies: int = 0
    """Replies of agents so far."""
    customer_messages: int = 0
    """Messages of the customer so far."""
    bystander_messages: int = 0
    """Messages of others in the thread so far."""
    suspicious_bystanders: int = 0
    """Bystanders labelled as likely impostors."""
    minutes_open: float = 0.0
    """Since its first message."""
    minutes_unanswered: float | None = None
    """Since the customer's first message that nobody answered yet."""
    minutes_silent: float | None = None
    """Since the customer's last message."""
    window_minutes_left: float | None = None
    """Until the platform's reply window shuts."""
    times_reopened: int = 0
    """How often the customer said that it is not solved."""
    group: str = ""
    """The ticket's group; empty before there is one."""
    owner: str = ""
    """The ticket's owner; empty when nobody is."""
    tags: tuple[str, ...] = ()
    """The ticket's tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """Where it takes place."""

    key: str = ""
    """NAME of its section [channel.NAME]."""
    platform: str = ""
    """The social network, `mastodon` or `matrix`."""
    group: str = ""
    """The group in which the channel files its tickets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """The moment, and the team's hours. `weekday` 1 is Monday; `hour` is of the team's time zone."""

    now: datetime
    """The moment of the decision."""
    weekday: int = 1
    """In the team's time zone; 1 is Monday, 7 is Sunday."""
    hour: int = 0
    """In the team's time zone, 0 to 23."""
    is_open: bool = True
    """The team is at work."""
    minutes_until_open: float = 0.0
    """0 while the team is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacts:
    """How much is going on. `usual` is the median of the same hour in the last four weeks; None before there is enough to say."""

    contact_hour: int = 0
    """Messages of this contact in the last hour."""
    contact_day: int = 0
    """Messages of this contact in the last 24 hours."""
    channel_hour: int = 0
    """Messages on this channel in the last hour."""
    channel_usual: float | None = None
    """Messages on this channel in such an hour, usually."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """Who wrote the reply that is about to leave; empty for everything else."""

    ref: str = ""
    """The helpdesk's id of the agent."""
    name: str = ""
    """As the helpdesk shows it."""
    is_trainee: bool = False
    """The agent is still learning."""
    groups: tuple[str, ...] = ()
    """The helpdesk's groups that the agent belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it."""

    trigger: Trigger
    """What just happened: `message`, `reply`, `timer` or `action`."""
    clock: ClockFacts
    message: MessageFacts = field(default_factory=MessageFacts)
    contact: ContactFacts = field(default_factory=ContactFacts)
    conversation: ConversationFacts = field(default_factory=ConversationFacts)
    channel: ChannelFacts = field(default_factory=ChannelFacts)
    counts: CountFacts = field(default_factory=CountFacts)
    agent: AgentFacts = field(default_factory=AgentFacts)
