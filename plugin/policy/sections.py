"""The sections of `[policy]` that hold no rules: what the engine goes by once a rule has spoken. Each is a frozen dataclass with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from plugin.policy.fields import Flag, OneOf, Pairs, Several, Span, Whole, Words, setting
from plugin.policy.kinds import Country, Pattern
from plugin.policy.verdicts import Participation


class FormalTicket(StrEnum):
    """What becomes of the ticket at the crossover."""

    SAME = "same"
    LINKED = "linked"
    """A new one, linked with the social one."""


class NativeAnswer(StrEnum):
    """What an answer given on the platform itself does to another's lock."""

    TAKE = "take"
    BREAK = "break"


class Warning(StrEnum):  # noqa: A001 - the policy's own word; the built-in is not used here
    """Who posts a warning under a likely impostor's message."""

    OFFER = "offer"
    """An agent, by one press."""
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """`[policy]` itself."""

    name: str = setting(Words(200), "What this policy is called.", default="")
    groups: tuple[str, ...] = setting(
        Several(Words(200)), "The helpdesk's groups that may be named here; a group that is not among them is a mistake.", default=()
    )
    sla: str = setting(Words(63), "The SLA of tickets for which no rule names one.", default="", names="sla", key="default_sla")
    team: str = setting(Words(63), "The team whose hours count where no other answers.", default="", names="team", key="default_team")


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """`[policy.people]`: lists of people that rules ask for."""

    vips: tuple[str, ...] = setting(Several(Words(300), most=5000), "Important customers: `handle`, or `channel:handle`.", default=())
    trainees: tuple[str, ...] = setting(Several(Words(300)), "Agents who are still learning, by name or id.", default=())
    trainee_groups: tuple[str, ...] = setting(Several(Words(200)), "Groups whose agents all are.", default=(), names="group")
    supervisors: str = setting(Words(200), "The group that may release, undo and close without confirmation.", default="", names="group")

    def is_vip(self, channel: str, handle: str) -> bool:
        """Whether the contact with this handle is listed."""
        name = handle.lstrip("@").casefold()
        anywhere, there = _handles(self.vips)
        return bool(name) and (name in anywhere or f"{channel}:{name}".casefold() in there)

    def is_trainee(self, *, ref: str, name: str, groups: tuple[str, ...]) -> bool:
        """Whether the agent is listed."""
        listed = _names(self.trainees)
        return bool(listed & {ref.casefold(), name.casefold()} - {""}) or bool(set(groups) & set(self.trainee_groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """`[policy.participation]`: how far we take part. A topic goes before a channel, and the most careful topic before the others."""

    default: Participation = setting(OneOf(Participation), "Where nothing else is said.", default=Participation.ANSWER)
    channel: tuple[tuple[str, Participation], ...] = setting(
        Pairs(OneOf(Participation)), 'By channel: `{ mastodon = "step_in" }`.', default=(), names="channel"
    )
    topic: tuple[tuple[str, Participation], ...] = setting(
        Pairs(OneOf(Participation)), 'By topic: `{ politics = "monitor" }`.', default=(), names="topic"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTable:
    """`[policy.topic.NAME]`: a topic by its words."""

    words: tuple[str, ...] = setting(Several(Words(200), least=1), "Words and phrases in any case; `refund*` finds every ending.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """`[policy.expectations]`: what customers are told without an agent."""

    receipt_out_of_hours: bool = setting(Flag(), "Say when we are back to whoever writes while the team is not at work.", default=True)
    receipt_once_in: timedelta = setting(Span(60), "To the same customer at most once in this time.", default=timedelta(hours=12))
    receipt_in_public: bool = setting(Flag(), "In public threads, too, not only in private messages.", default=False)
    answers_status: bool = setting(Flag(), 'Answer "status" by ourselves with the ticket\'s state.', default=True)
    status_once_in: timedelta = setting(Span(60), "To the same customer at most once in this time.", default=timedelta(minutes=10))


class PrivatePage(StrEnum):
    """When customers are shown the way to the private page."""

    NEVER = "never"
    NEEDED = "needed"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """`[policy.handoff]`: how a conversation becomes formal."""

    ticket: FormalTicket = setting(OneOf(FormalTicket), "Go on in the same ticket, or open a linked one.", default=FormalTicket.SAME)
    group: str = setting(Words(200), "Where formal tickets go when the rule names no group.", default="", names="group")
    sla: str = setting(Words(63), "Their SLA when the rule names none.", default="", names="sla")
    next_step: timedelta = setting(
        Span(60, is_business=True), "By when the customer is promised the next step, in the team's hours.", default=timedelta(hours=8)
    )
    required_fields: tuple[str, ...] = setting(Several(Words(100)), "Fields of the ticket that must be filled in first.", default=())
    pointer_once_in: timedelta = setting(
        Span(60), "Further public posts are pointed to the ticket at most once in this time.", default=timedelta(hours=24)
    )
    private_page: PrivatePage = setting(
        OneOf(PrivatePage),
        "A signed link to a private page of ours: never, where the platform has no private messages, or always.",
        default=PrivatePage.NEVER,
    )
    page_open_for: timedelta = setting(Span(3600, 366 * 86400), "For how long such a link is good.", default=timedelta(days=30))
    offer_waits: timedelta = setting(Span(60), "An offered crossover is forgotten when nobody takes it.", default=timedelta(hours=4))
    postpone_at_most: timedelta = setting(Span(60), "For how long an agent may put a crossover off.", default=timedelta(hours=4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """`[policy.locks]`."""

    lease: timedelta = setting(
        Span(10, 8 * 3600), "For how long an agent's lock holds without a sign of life.", default=timedelta(minutes=10)
    )
    needs_lock: bool = setting(Flag(), "Public replies without the lock are held.", default=True)
    needs_reason: bool = setting(Flag(), "Taking a lock over needs a reason.", default=True)
    native_answer: NativeAnswer = setting(
        OneOf(NativeAnswer), "An answer given on the platform itself takes another's lock, or breaks it.", default=NativeAnswer.BREAK
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """`[policy.parked]`: replies for which the platform's reply window is shut."""

    withdraw_after: timedelta = setting(
        Span(600, 86400 * 30), "They wait so long for the customer to write again; then they are withdrawn.", default=timedelta(hours=72)
    )
    template: tuple[tuple[str, str], ...] = setting(
        Pairs(Words(200)),
        'The approved template that asks the customer to write, by channel: `{ whatsapp = "go_on" }`; where the platform has templates.',
        default=(),
        names="channel",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """`[policy.fairness]`."""

    fold_repeats: bool = setting(Flag(), "Repeated posts of one person are one clock and one place in the queue.", default=True)
    fold_within: timedelta = setting(Span(60), "Posts within this time are repeats.", default=timedelta(hours=24))


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """`[policy.safety]`."""

    hide_personal_data: bool = setting(Flag(), "Hide public posts with personal data, where the platform can.", default=True)
    ask_private: bool = setting(Flag(), "Ask their authors to go on in private.", default=True)
    stops_outbound: tuple[str, ...] = setting(
        Several(Words(40)), "Kinds of data that no public reply may hold; `all` for every kind.", default=("all",)
    )
    equal_replies_within: timedelta = setting(
        Span(0, 3600),
        'The same words of one agent in several tickets within this time are held, as bulk edits make them; "0 s" lets them go.',
        default=timedelta(seconds=5),
    )
    label_bystanders: bool = setting(Flag(), "Tell helpers, strangers and likely impostors apart.", default=True)
    warn: Warning = setting(OneOf(Warning), "A warning under a likely impostor's post.", default=Warning.OFFER)
    scam_stops_replies: bool = setting(Flag(), "Hold every reply while the scam flag is set.", default=True)
    defang_links: bool = setting(Flag(), "Show agents where links really lead.", default=True)
    our_handles: tuple[str, ...] = setting(Several(Words(300)), "Our own handles on all networks, for finding look-alikes.", default=())
    helpers: tuple[str, ...] = setting(
        Several(Words(300)),
        'Handles, "channel:handle", or "channel:id" where a platform tells no handles, of others whom we trust to help in threads, such as our own people '
        "who write there as themselves; never labelled an impostor.",
        default=(),
    )
    own_domains: tuple[str, ...] = setting(
        Several(Words(253, r"[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "example.org")),
        "Our domains on the web and in mail: their addresses and links are neither personal data nor a risk.",
        default=(),
    )
    own_phones: tuple[str, ...] = setting(
        Several(Words(40, r"[+0-9][0-9 ()/.-]{4,}", "+49 30 1234567")), "Our own phone numbers, which replies may name.", default=()
    )
    phone_region: str = setting(Country(), "Of phone numbers without a country code; else that of `[crossdesk] language`.", default="")
    order_number: str = setting(Pattern(), "What an order or customer number of ours looks like.", default="")
    proof_valid: timedelta = setting(Span(60, 86400), "For how long a one-time word proves an identity.", default=timedelta(minutes=15))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """`[policy.confirmation]`: how a formal ticket ends."""

    ask_after: timedelta = setting(Span(0), "From the agent's closing to the question.", default=timedelta())
    remind_after: timedelta | None = setting(Span(60), "Ask once more when nothing came.", default=None)
    silence_after: timedelta = setting(Span(600), 'Silence ends as "unconfirmed" after this time.', default=timedelta(hours=72))
    social: bool = setting(Flag(), "Ask in the stage `social`, too; lightly.", default=False)
    csat: bool = setting(Flag(), 'Ask for a score after "yes".', default=True)
    csat_waits: timedelta = setting(Span(600), "A score is taken for so long.", default=timedelta(hours=72))
    bad_score: int = setting(Whole(1, 5), "A score from 1 to 5; this or worse opens follow-up work.", default=2)
    closing_needs_reason: bool = setting(Flag(), "Closing without confirmation needs a supervisor's reason.", default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """`[policy.follow_up]`: what comes after the end."""

    bad_score_group: str = setting(Words(200), "Where the follow-up of a bad score goes.", default="", names="group")
    bad_score_priority: str = setting(Words(100), "And with which priority.", default="")
    reopens_within: timedelta = setting(
        Span(0), "A later message reopens the ticket within this time; then it is a new one.", default=timedelta(days=14)
    )
    learn: bool = setting(Flag(), 'Ask agents for a short "what solved it".', default=False)
    suggest: bool = setting(Flag(), "Show agents what solved earlier conversations that resemble a new one.", default=True)


@lru_cache(maxsize=16)
def _handles(vips: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The listed handles, as they stand for every channel and for one."""
    listed = {entry.lstrip("@").casefold() for entry in vips}
    return frozenset(listed), frozenset(entry.replace(":@", ":") for entry in listed)


@lru_cache(maxsize=16)
def _names(listed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(entry.casefold() for entry in listed)
