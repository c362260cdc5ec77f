"""The gate: may this outbound message leave now? Asked when the wish is made and again immediately before it is sent.

The order of the questions is fixed (design, section 4). Each refusal carries the sentence that the agent reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from plugin.contracts.capabilities import Capabilities, Level
from plugin.domain.model import HeldReason, Stage, Visibility
from plugin.policy.contract import FORMAL

FORMAL_NOW = (
    "This conversation is a formal ticket now, so nothing more is posted in public. Your reply is kept here. "
    "Answer in private as soon as the customer writes there, or have a supervisor press `release` with a reason to post it all the same, "
    "or `undo` to take the handoff back."
)
_WINDOW_MARGIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundFacts:
    """All that the gate may look at."""

    now: datetime
    visibility: Visibility
    stage: Stage
    is_reachable: bool
    last_inbound_at: datetime | None
    hold_reason: str | None
    hold_text: str
    capabilities: Capabilities
    file_count: int
    no_reply: str = ""
    """Why the platform does not let us answer the message that is answered; empty when it does."""
    holds_public: bool | None = None
    """Whether the crossover contract holds what is public; None: as the stage says."""
    is_notice: bool = False
    """Crossdesk itself says it, by the contract."""
    is_released: bool = False
    """A supervisor let it go, with a reason."""
    broken_rule: str = ""
    """The policy's rule that could not be judged in this conversation."""
    is_monitored: bool = False
    """The policy says that nobody answers here."""
    is_scam: bool = False
    """It is marked as a scam, and the policy says that this stops replies."""
    equal_replies: int = 0
    """In how many other tickets the same agent wrote the same at the same time."""
    waits_to_step_in: bool = False
    """The policy says that we answer here only when asked, and nobody has asked yet."""
    lock: str = ""
    """Why the agents' lock does not let it go; empty when it does."""
    approval: str = ""
    """Whose yes it waits for; empty when nobody's."""
    preflight: str = ""
    """What it would give away; empty when nothing."""
    is_begun: bool = False
    """An earlier part of the same reply is on the platform already: the rest follows."""
    is_shut: bool = False
    """The platform itself said that it takes no reply now."""
    shut_text: str = ""
    """What it said, in a sentence; empty where that is not known any more."""
    withdrawn_at: datetime | None = None
    """When it is given up if the window stays shut."""
    is_template: bool = False
    """It is a prepared text, which the platform takes when the reply window is shut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """It waits, for `reason`, until a person or an event releases it."""

    reason: HeldReason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It can never leave."""

    code: str
    text: str


def ask(facts: OutboundFacts) -> Held | Refused | None:
    """None: it may leave."""
    for question in (_stage, _policy, _scam, _hold, _lock, _approval, _preflight, _equal, _ability, _rule, _reach, _window):
        answer = question(facts)
        if answer is not None:
            return answer
    return None


def _stage(facts: OutboundFacts) -> Held | None:
    if facts.is_notice or facts.is_released or facts.visibility is not Visibility.PUBLIC:
        return None
    if facts.stage in FORMAL if facts.holds_public is None else facts.holds_public:
        return Held(
            reason=HeldReason.HANDOFF,
            text=FORMAL_NOW,
        )
    return None


def _policy(facts: OutboundFacts) -> Held | None:
    """What the policy says about all replies of the conversation."""
    if facts.is_notice or facts.is_released:
        return None
    if facts.broken_rule and facts.visibility is Visibility.PUBLIC:
        return Held(
            reason=HeldReason.POLICY,
            text=f"The policy's rule {facts.broken_rule} could not be judged, so nothing is posted in public. Your reply is kept here. Have an admin "
            "repair the rule, then a supervisor press `release` with a reason.",
        )
    if facts.is_monitored and facts.waits_to_step_in:
        return Held(
            reason=HeldReason.POLICY,
            text="The policy says that here we answer only when we are asked, and nobody has asked us yet. Your reply is kept here and leaves by itself as "
            "soon as somebody in the thread speaks to us, a likely impostor shows up, or a rule makes it ours. To step in now, press `handoff`, or have a "
            "supervisor press `release` with a reason. Press `recall` to take it back.",
        )
    if facts.is_monitored:
        return Held(
            reason=HeldReason.POLICY,
            text="The policy says that here we only listen. Your reply is kept here. If it must be answered all the same, have a supervisor press "
            "`release` with a reason.",
        )
    return None


def _scam(facts: OutboundFacts) -> Held | Refused | None:
    if not facts.is_scam or facts.is_released:
        return None
    if facts.is_notice:
        return Refused(
            code="scam", text="This conversation is marked as a scam, so the customer was not told this. It stays in the ticket."
        )
    return Held(
        reason=HeldReason.POLICY,
        text="This conversation is marked as a scam. Your reply is kept here. If it is none after all, have a supervisor press `not_scam` with a reason, "
        "or `release` to post this one reply all the same.",
    )


def _hold(facts: OutboundFacts) -> Held | None:
    if facts.hold_reason:
        return Held(reason=HeldReason(facts.hold_reason), text=facts.hold_text)
    return None


def _lock(facts: OutboundFacts) -> Held | None:
    if not facts.lock or facts.is_released or facts.is_begun:
        return None
    return Held(reason=HeldReason.LOCK, text=facts.lock)


def _approval(facts: OutboundFacts) -> Held | None:
    """A supervisor's `release` is no second person's yes."""
    return Held(reason=HeldReason.APPROVAL, text=facts.approval) if facts.approval and not facts.is_begun else None


def _preflight(facts: OutboundFacts) -> Held | None:
    if not facts.preflight or facts.is_released or facts.is_begun:
        return None
    return Held(
        reason=HeldReason.PREFLIGHT,
        text=f"{facts.preflight} Send it again without that, and this one is withdrawn; or have a supervisor press `release` with a reason to post "
        "it as it is.",
    )


def _equal(facts: OutboundFacts) -> Held | None:
    if not facts.equal_replies or facts.is_released or facts.is_begun:
        return None
    return Held(
        reason=HeldReason.PREFLIGHT,
        text=f"The same words were written in {facts.equal_replies} other {'ticket' if facts.equal_replies == 1 else 'tickets'} at the same moment, as "
        "the bulk bar does, and that is seldom meant for customers. Your reply is kept here. Send it again in this ticket alone, and this one is withdrawn; "
        "or have a supervisor press `release` with a reason.",
    )


def _ability(facts: OutboundFacts) -> Refused | None:
    if facts.is_template:
        return None
    ability = facts.capabilities.replies_public if facts.visibility is Visibility.PUBLIC else facts.capabilities.replies_private
    if ability is Level.REJECTED:
        return Refused(
            code="unsupported",
            text=f"This platform takes no {facts.visibility.value} replies from us. Your reply was not sent; it stays in the ticket. "
            "Use another way to reach the customer.",
        )
    return None


def _rule(facts: OutboundFacts) -> Refused | None:
    if facts.no_reply:
        return Refused(
            code="no_reply",
            text=f"The platform's rule does not let us answer this post: {facts.no_reply} Your reply was not sent; it stays in the ticket. "
            "Answer when they write to us, or reach them another way.",
        )
    return None


def _reach(facts: OutboundFacts) -> Refused | None:
    if not facts.is_reachable:
        return Refused(
            code="unreachable",
            text="The customer has blocked us or left the conversation, so the platform would refuse the reply. It was not sent and stays in "
            "the ticket. Reach the customer another way, or send again when they write.",
        )
    return None


def _window(facts: OutboundFacts) -> Held | Refused | None:
    """What an agent wrote waits for the customer; what Crossdesk says would be out of date by then."""
    window = facts.capabilities.limits_of(facts.visibility).reply_window
    if facts.is_template:
        return None
    is_over = False
    if window is not None and facts.last_inbound_at is not None:
        is_over = facts.now > facts.last_inbound_at + timedelta(seconds=window) - _WINDOW_MARGIN
    if not (is_over or facts.is_shut):
        return None
    if facts.is_notice:
        return Refused(
            code="window_closed",
            text="The platform's reply window has closed since the customer's last message. This was not said to the customer; it stays in the ticket.",
        )
    until = f" If they do not until {facts.withdrawn_at:%Y-%m-%d %H:%M} UTC, it is withdrawn." if facts.withdrawn_at is not None else ""
    why = facts.shut_text or "The platform's reply window has closed since the customer's last message."
    return Held(
        reason=HeldReason.WINDOW,
        text=f"{why} Your reply is kept here and leaves by itself when the customer writes again.{until} Press `recall` to take it back.",
    )
