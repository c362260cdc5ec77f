"""One whole conversation, from the first post to the confirmed end, as steps that read as sentences: who does what, and what comes of it.

What every policy has in common stands here once; policies differ in how the conversation becomes formal, platforms in how the customer goes on:
in private where there is a private way, else in public, where a supervisor lets each reply go. Knows nothing of any platform or helpdesk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PUBLIC, PRIVATE = "in public", "in private"
HELD = "handoff: This conversation is a formal ticket now, so nothing more is posted in public."
CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that somebody does. Texts are what must be in it, not the whole of it.

    `sees`: each thing that the customer sees since then, as (where, words). `held`: each reply that does not leave since then, with why.
    `notes`: what the agents read in the ticket since then, besides what was said. `decided`: the rules that the ledger shows since then.
    """

    who: str
    does: str
    words: str = ""
    reason: str = ""
    sees: tuple[tuple[str, str], ...] = ()
    held: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    stage: str = "social"
    group: str = "Social"
    ticket: str = "open"

    def __str__(self) -> str:
        return f"{self.who} {self.does} {self.words}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """How a starter policy makes it formal. `routed`: the group in which it is filed first."""

    steps: tuple[Step, ...]
    group: str
    routed: str = "Social"


_TOLD = (PUBLIC, "ticket {number}")
_FORMAL = "This is a formal ticket now. Rule: {rule}."


def _crosses(who: str, does: str, words: str, *, rule: str, group: str, held: tuple[str, ...] = ()) -> Step:
    return Step(
        who=who,
        does=does,
        words=words,
        sees=(_TOLD,),
        held=held,
        notes=(_FORMAL.replace("{rule}", rule), "Crossdesk tells the customer:"),
        decided=(f"crossover: {rule}",),
        stage="handoff",
        group=group,
    )


CROSSINGS = {
    "command-centre": Crossing(
        steps=(_crosses("customer", "posts", "Yes, and now my invoice is wrong", rule="billing needs the account", group="Billing"),),
        group="Billing",
    ),
    "hub-and-spoke": Crossing(
        steps=(_crosses("customer", "posts", "Yes. Could a technician have a look?", rule="remote session needed", group="Technical"),),
        group="Technical",
    ),
    "everyone": Crossing(
        steps=(
            Step(who="customer", does="posts", words="Yes, and it still hums all the time", group="Support"),
            _crosses("agent", "replies", "Then fill it with vinegar", rule="two replies are enough", group="Support", held=(HELD,)),
        ),
        group="Support",
        routed="Support",
    ),
}


def script(policy: str, *, has_private: bool) -> tuple[Step, ...]:
    """The whole conversation by this starter policy, on a platform with or without a private way."""
    crossing = CROSSINGS[policy]
    group, where = crossing.group, PRIVATE if has_private else PUBLIC
    leaked, late = "Just tell me your customer number right here", "It is corrected now"
    held_before = tuple(step.words for step in crossing.steps if step.held)

    def step(who: str, does: str, words: str = "", *, stage: str, **more: Any) -> Step:
        return Step(who=who, does=does, words=words, stage=stage, group=group, **more)

    def told(words: str) -> tuple[tuple[str, str], ...]:
        return ((where, words),)

    asks: dict[str, Any] = {
        "sees": told("Please answer yes or no"),
        "notes": ("Crossdesk tells the customer:",),
        "decided": ("action: confirm",),
    }
    released: dict[str, Any] = {"reason": "They cannot write in private here.", "decided": ("action: release",)}
    goes_on = (
        (
            step(
                "customer",
                "writes privately",
                "It is me, my customer number is 4711",
                stage="handoff",
                notes=("The customer goes on by private message.",),
            ),
            step("agent", "replies", late, stage="handoff", sees=told(late)),
        )
        if has_private
        else (
            step(
                "supervisor",
                "presses release",
                stage="handoff",
                sees=tuple((PUBLIC, words) for words in (*held_before, leaked)),
                **released,
            ),
            step("agent", "replies", late, stage="handoff", held=(HELD,), notes=("nothing more is posted in public",)),
            step("supervisor", "presses release", stage="handoff", sees=told(late), **released),
        )
    )
    answers = "writes privately" if has_private else "posts"
    return (
        Step(who="customer", does="posts", words="Hello, I need a hand with my kettle please", group=crossing.routed),
        Step(who="agent", does="notes", words="Not them again, never tell them", group=crossing.routed),
        Step(
            who="agent",
            does="replies",
            words="Have you tried to descale it?",
            sees=((PUBLIC, "Have you tried to descale it?"),),
            group=crossing.routed,
        ),
        *crossing.steps,
        step("agent", "replies", leaked, stage="handoff", held=(HELD,), notes=("nothing more is posted in public",)),
        step("customer", "posts", "Is anybody there", stage="handoff"),
        *goes_on,
        step("agent", "presses confirm", stage="formal", decided=("action: confirm",)),
        step("agent", "closes the ticket", stage="formal", notes=("closed without the customer's confirmation, so it is open again",)),
        step("agent", "presses confirm", stage="confirming", **asks),
        step(
            "customer",
            answers,
            "no, it is still wrong",
            stage="formal",
            sees=told("is open again, in its old place"),
            notes=("Not solved.", "Crossdesk tells the customer:"),
            decided=("answer: denied",),
        ),
        step("agent", "presses confirm", stage="confirming", **asks),
        step(
            "customer",
            answers,
            "Yes, thank you!",
            stage="resolved",
            sees=told("from 1 (badly) to 5 (very well)"),
            notes=("Resolved, confirmed.", "Crossdesk tells the customer:"),
            decided=("answer: confirmed",),
            ticket=CLOSED,
        ),
        step("customer", answers, "5", stage="resolved", sees=told("Thank you"), decided=("answer: score",), ticket=CLOSED),
    )
