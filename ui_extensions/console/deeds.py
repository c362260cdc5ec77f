"""What the acts do: each by the same function as the `crossdesk` command, in the name of the person who pressed. Knows no page and no form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import g
from werkzeug.exceptions import NotFound

from plugin.bootstrap import Bridge
from plugin.contracts.platform import Probe
from plugin.domain.ids import Place
from plugin.handlers import operate, pressing
from plugin.handlers.admission import Role
from plugin.handlers.pressing import Press
from plugin.policy import approvals
from plugin.store import ledger, overview, waiting_replies
from ui_extensions.console.approval_pages import as_agent, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What an act is done to, by whom and why. `key` is the form's own: told twice it is one press."""

    subject: str
    actor: str
    reason: str
    ref: str
    key: str

    @property
    def number(self) -> int:
        """The subject as a number.

        Raises:
            NotFound: it is none.
        """
        if not (self.subject.isascii() and self.subject.isdecimal() and len(self.subject) <= 18):
            raise NotFound("There is nothing of this number; nothing was changed.")
        return int(self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it: a sentence, and what was tried or where to go on where there is such."""

    says: str
    probes: tuple[Probe, ...] = ()
    address: str = ""
    is_done: bool = True


Do = Callable[[Bridge, Pressed], Outcome]
Fence = Callable[[Bridge, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that people press. `asks_ref`: the id on the other side is asked for; `back` is the page to return to.

    `fence`: a word that changes when what the person decided on is not as it was shown to them.
    """

    title: str
    says: str
    role: Role
    do: Do
    back: str
    asks_ref: bool = False
    needs_reason: bool = True
    is_final: bool = False
    fence: Fence | None = None


def conversation(bridge: Bridge, subject: str) -> str:
    """The word by which a conversation was shown."""
    number = subject.partition(":")[0]
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        return ""
    with bridge.database.begin() as connection:
        return waiting_replies.shown(connection, int(number))


def place_state(bridge: Bridge, subject: str) -> str:
    """The word by which a place was shown."""
    with bridge.database.begin() as connection:
        return waiting_replies.shown_place(connection, subject)


def set_aside(kind: str, action: str) -> Do:
    """Try again, drop, or count as sent what was set aside."""

    def do(bridge: Bridge, pressed: Pressed) -> Outcome:
        number = pressed.number
        with bridge.database.begin() as connection:
            if action == "replay":
                is_done = ledger.replay(connection, kind, number, actor=pressed.actor, reason=pressed.reason)
            elif action == "drop":
                is_done = ledger.drop(connection, kind, number, actor=pressed.actor, reason=pressed.reason)
            else:
                is_done = ledger.mark_sent(connection, number, remote_ref=pressed.ref, actor=pressed.actor, reason=pressed.reason)
        done = {"replay": "is tried again now", "drop": "is dropped", "mark-sent": "counts as sent"}[action]
        return Outcome(says=f"The {kind} {number} {done}." if is_done else f"The {kind} {number} is not set aside; nothing was changed.")

    return do


def press(action: str) -> Do:
    """Have the crossover contract judge a press."""

    def do(bridge: Bridge, pressed: Pressed) -> Outcome:
        role = "admin" if g.person.role is Role.ADMIN else "supervisor"
        press = Press(action=action, actor=pressed.actor, role=role, reason=pressed.reason, key=pressed.key)
        pressing.press(bridge.database, pressed.number, press)
        return Outcome(says="It is kept, and done as soon as a worker comes to it; the conversation's page shows what was decided.")

    return do


def decide(action: str) -> Do:
    """Approve a reply, send it back, or take it back: judged now by the rules that will judge it again when its turn comes."""

    def do(bridge: Bridge, pressed: Pressed) -> Outcome:
        conversation, _, reply = pressed.subject.partition(":")
        number, at = replace(pressed, subject=reply).number, replace(pressed, subject=conversation).number
        with bridge.database.begin() as connection:
            held = overview.look(connection, at)
        candidate = None if held is None else approvals.find(held.candidates, number)
        if held is None or candidate is None:
            return Outcome(
                says=f"Reply {number} does not wait any more: somebody decided, or it was taken back. Nothing was changed.", is_done=False
            )
        if action == "recall":
            may = approvals.may_recall(candidate.author, as_agent(g.person), role=g.person.role.value)
            why_not = "" if may else "only its author or a supervisor may take a reply back."
        else:
            why_not = refusal(held.candidates, g.person, action, number, reason=pressed.reason)
        if why_not:
            return Outcome(says=f"Not done: {why_not} Nothing was changed.", is_done=False)
        _tell(bridge, at, action, pressed, reply=reply)
        done = {
            "approve": "It is approved and leaves",
            "reject": "It goes back to its author with your reason",
            "recall": "It is taken back",
        }[action]
        return Outcome(says=f"{done} as soon as a worker comes to it, within seconds. The ticket gets a note of it.")

    return do


def take_over(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Take the lock from whoever has it."""
    with bridge.database.begin() as connection:
        held = overview.look(connection, pressed.number)
    holder = None if held is None else held.lock.holder_at(held.now)
    _tell(bridge, pressed.number, "take_over", pressed)
    if holder is None:
        return Outcome(says="Nobody has the lock any more. It becomes yours as soon as a worker comes to it.")
    return Outcome(
        says=f"The lock goes from {holder} to you as soon as a worker comes to it. What {holder} wrote and has not left yet is held."
    )


def release_lock(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Give the lock back in its holder's stead."""
    _tell(bridge, pressed.number, "release_lock", pressed)
    return Outcome(says="The lock is given back as soon as a worker comes to it; whoever answers next takes it.")


def _tell(bridge: Bridge, conversation: int, action: str, pressed: Pressed, **arguments: str) -> None:
    """Have the conversation's next turn do it, in the name of the person, whom locks and approvals know by login and name."""
    named = {"agent_ref": g.person.login, **arguments}
    press = Press(action=action, actor=g.person.name, role=g.person.role.value, reason=pressed.reason, arguments=named, key=pressed.key)
    pressing.press(bridge.database, conversation, press)


def release(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Let a stopped conversation speak."""
    freed = operate.release(bridge.database, pressed.number, actor=pressed.actor, reason=pressed.reason)
    return Outcome(says=f"The conversation {pressed.number} speaks again; {freed} held replies go out now.")


def promote(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Make a ticket of what was filtered out."""
    is_done = pressing.promote(bridge.database, pressed.number, actor=pressed.actor)
    return Outcome(says="It becomes a ticket now." if is_done else "This was not filtered out; nothing was changed.")


def close_alert(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Say that somebody has seen to it."""
    is_done = operate.close_alert(bridge.database, pressed.number, actor=pressed.actor, reason=pressed.reason)
    return Outcome(
        says="The alert is closed. It is raised again if it happens again." if is_done else "This alert is not open; nothing was changed."
    )


def _place(bridge: Bridge, pressed: Pressed) -> Place:
    if not bridge.installation.knows(Place(pressed.subject)):
        raise NotFound("There is no such channel or helpdesk; nothing was changed.")
    return Place(pressed.subject)


def pause(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Stop calling a place."""
    place = _place(bridge, pressed)
    operate.pause(bridge.database, place, reason=pressed.reason, actor=pressed.actor)
    return Outcome(says=f"{place} is paused. What arrives is kept; resuming goes on where it stopped.")


def resume(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Call it again."""
    place = _place(bridge, pressed)
    freed = operate.resume(bridge.database, place, actor=pressed.actor, reason=pressed.reason)
    return Outcome(says=f"{place} works again; {freed} held replies and messages go on now.")


def register(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Tell the platform our address."""
    place = _place(bridge, pressed)
    operate.register(bridge.installation, bridge.database, place, actor=pressed.actor)
    return Outcome(says=f"{place}: the platform knows our address now.")


def connect(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Send the person to the platform, to agree."""
    address = bridge.connector().begin(_place(bridge, pressed), actor=pressed.actor)
    return Outcome(says="Go on in a browser that is signed in to the account. The way works once, within ten minutes.", address=address)


def test(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Ask the place now."""
    place = _place(bridge, pressed)
    probes = tuple(bridge.installation.adapter(place).probe())
    bad = sum(not probe.is_ok for probe in probes)
    return Outcome(says=f"{len(probes)} checks of {place}, {bad} of them failed.", probes=probes)


def remove(bridge: Bridge, pressed: Pressed) -> Outcome:
    """Take a channel away that was made in the console."""
    key = pressed.subject.removeprefix("channel:")
    is_done = bridge.channels.remove(key, actor=pressed.actor, reason=pressed.reason)
    bridge.refresh()
    if is_done:
        return Outcome(
            says=f"{key} is removed, with its secrets. What came by it stays, with its tickets; nothing more is fetched or sent."
        )
    return Outcome(
        says=f"{key} was not made in the console; nothing was changed. A channel of the file goes when its section is deleted there."
    )
