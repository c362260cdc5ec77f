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
    language: str = ""
    """As found in the text or told by the platform, `de` or `pt-BR`; empty when unknown."""
    visibility: Visibility = Visibility.PUBLIC
    length: int = 0
    links: tuple[str, ...] = ()
    files: int = 0
    is_found: bool = False
    """A saved search found it; it does not address us."""
    is_bystander: bool = False
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
    name: str = ""
    language: str = ""
    followers: int | None = None
    is_verified: bool | None = None
    is_bot: bool = False
    is_vip: bool = False
    account_days: float | None = None
    conversations_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationFacts:
    """How the conversation went so far."""

    stage: Stage = Stage.SOCIAL
    visibility: Visibility = Visibility.PUBLIC
    is_scam: bool = False
    agent_replies: int = 0
    customer_messages: int = 0
    bystander_messages: int = 0
    suspicious_bystanders: int = 0
    """Bystanders labelled as likely impostors."""
    minutes_open: float = 0.0
    minutes_unanswered: float | None = None
    """Since the customer's first message that nobody answered yet."""
    minutes_silent: float | None = None
    """Since the customer's last message."""
    window_minutes_left: float | None = None
    """Until the platform's reply window shuts."""
    times_reopened: int = 0
    group: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """Where it takes place."""

    key: str = ""
    platform: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """The moment, and the team's hours. `weekday` 1 is Monday; `hour` is of the team's time zone."""

    now: datetime
    weekday: int = 1
    hour: int = 0
    is_open: bool = True
    minutes_until_open: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacts:
    """How much is going on. `usual` is the median of the same hour in the last four weeks; None before there is enough to say."""

    contact_hour: int = 0
    contact_day: int = 0
    channel_hour: int = 0
    channel_usual: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """Who wrote the reply that is about to leave; empty for everything else."""

    ref: str = ""
    name: str = ""
    is_trainee: bool = False
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it."""

    trigger: Trigger
    clock: ClockFacts
    message: MessageFacts = field(default_factory=MessageFacts)
    contact: ContactFacts = field(default_factory=ContactFacts)
    conversation: ConversationFacts = field(default_factory=ConversationFacts)
    channel: ChannelFacts = field(default_factory=ChannelFacts)
    counts: CountFacts = field(default_factory=CountFacts)
    agent: AgentFacts = field(default_factory=AgentFacts)
