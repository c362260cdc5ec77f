"""What the policy will do to a channel, in sentences: for who sets one up. The policy itself stands in the file and is changed there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugin.bootstrap import Bridge
from plugin.contracts.platform import Platform
from plugin.policy.verdicts import Participation

_TAKING = {
    Participation.ANSWER: "We answer whoever writes.",
    Participation.STEP_IN: "It is answered when we are asked, when wrong advice is given, or when a rule says so.",
    Participation.MONITOR: "What is said is filed, and never answered.",
}
_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One thing to know. `line` is what could be written into the policy to have it otherwise."""

    about: str
    says: str
    line: str = ""


def hints(bridge: Bridge, key: str, static: Platform) -> list[Hint]:
    """What a channel of this name on this platform will meet."""
    book = bridge.config.policy
    taken = dict(book.participation.channel)
    participation = taken.get(key, book.participation.default)
    found = [
        Hint(
            about="Participation",
            says=_TAKING.get(participation, str(participation)),
            line="" if key in taken else f'[policy.participation] channel = {{ {key} = "step_in" }}',
        )
    ]
    for about, rules, nothing in (
        ("Crossover", book.crossover_rules, "No rule makes its conversations formal by itself; agents may."),
        ("Approval", book.approval_rules, "Public replies need no second person."),
        ("Noise", book.noise_rules, "Nothing is filtered out: every message becomes a ticket."),
    ):
        names = [rule.name for rule in rules if _looks_here(rule, key)]
        found.append(Hint(about=about, says=f"These rules look here: {', '.join(names)}." if names else nothing))
    window = static.capabilities.limits.reply_window
    if window is not None:
        found.append(Hint(about="Reply window", says=f"The platform lets us answer for {_span(window)} after the customer's last message."))
    if static.capabilities.may_answer:
        found.append(Hint(about="Who may be answered", says=static.capabilities.may_answer))
    return found


def _looks_here(rule: Any, key: str) -> bool:
    channels = rule.head.channels
    return not channels or key in channels


def _span(seconds: float) -> str:
    return f"{seconds / _DAY:.0f} days" if seconds >= 2 * _DAY else f"{seconds / 3600:.0f} hours"
