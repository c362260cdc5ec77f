"""What people press: each act has a page that says what will happen and asks for a reason, and one place where it is done.

The acts are those of the `crossdesk` command, by the same functions; this module only words them and says who may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, g, render_template, request
from werkzeug.exceptions import Forbidden, NotFound

from plugin.bootstrap import Bridge
from plugin.contracts.platform import Probe
from plugin.domain.ids import Place
from plugin.handlers import operate, pressing
from plugin.handlers.admission import Role
from plugin.handlers.pressing import Press
from plugin.store import ledger
from ui_extensions.console.doorkeeper import actor, needs

_LONGEST_REASON = 500


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


Do = Callable[[Bridge, Pressed], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that people press. `asks_ref`: the id on the other side is asked for; `back` is the page to return to."""

    title: str
    says: str
    role: Role
    do: Do
    back: str
    asks_ref: bool = False
    needs_reason: bool = True
    is_final: bool = False


def _set_aside(kind: str, action: str) -> Do:
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


def _press(action: str) -> Do:
    def do(bridge: Bridge, pressed: Pressed) -> Outcome:
        role = "admin" if g.person.role is Role.ADMIN else "supervisor"
        press = Press(action=action, actor=pressed.actor, role=role, reason=pressed.reason, key=pressed.key)
        pressing.press(bridge.database, pressed.number, press)
        return Outcome(says="It is kept, and done as soon as a worker comes to it; the conversation's page shows what was decided.")

    return do


def _release(bridge: Bridge, pressed: Pressed) -> Outcome:
    freed = operate.release(bridge.database, pressed.number, actor=pressed.actor, reason=pressed.reason)
    return Outcome(says=f"The conversation {pressed.number} speaks again; {freed} held replies go out now.")


def _promote(bridge: Bridge, pressed: Pressed) -> Outcome:
    is_done = pressing.promote(bridge.database, pressed.number, actor=pressed.actor)
    return Outcome(says="It becomes a ticket now." if is_done else "This was not filtered out; nothing was changed.")


def _close_alert(bridge: Bridge, pressed: Pressed) -> Outcome:
    is_done = operate.close_alert(bridge.database, pressed.number, actor=pressed.actor, reason=pressed.reason)
    return Outcome(
        says="The alert is closed. It is raised again if it happens again." if is_done else "This alert is not open; nothing was changed."
    )


def _place(bridge: Bridge, pressed: Pressed) -> Place:
    if not bridge.installation.knows(Place(pressed.subject)):
        raise NotFound("There is no such channel or helpdesk; nothing was changed.")
    return Place(pressed.subject)


def _pause(bridge: Bridge, pressed: Pressed) -> Outcome:
    place = _place(bridge, pressed)
    operate.pause(bridge.database, place, reason=pressed.reason, actor=pressed.actor)
    return Outcome(says=f"{place} is paused. What arrives is kept; resuming goes on where it stopped.")


def _resume(bridge: Bridge, pressed: Pressed) -> Outcome:
    place = _place(bridge, pressed)
    freed = operate.resume(bridge.database, place, actor=pressed.actor, reason=pressed.reason)
    return Outcome(says=f"{place} works again; {freed} held replies and messages go on now.")


def _register(bridge: Bridge, pressed: Pressed) -> Outcome:
    place = _place(bridge, pressed)
    operate.register(bridge.installation, bridge.database, place, actor=pressed.actor)
    return Outcome(says=f"{place}: the platform knows our address now.")


def _connect(bridge: Bridge, pressed: Pressed) -> Outcome:
    address = bridge.connector().begin(_place(bridge, pressed), actor=pressed.actor)
    return Outcome(says="Go on in a browser that is signed in to the account. The way works once, within ten minutes.", address=address)


def _test(bridge: Bridge, pressed: Pressed) -> Outcome:
    place = _place(bridge, pressed)
    probes = tuple(bridge.installation.adapter(place).probe())
    bad = sum(not probe.is_ok for probe in probes)
    return Outcome(says=f"{len(probes)} checks of {place}, {bad} of them failed.", probes=probes)


def _remove(bridge: Bridge, pressed: Pressed) -> Outcome:
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


_SUPERVISOR, _ADMIN = Role.SUPERVISOR, Role.ADMIN
ACTS: Mapping[str, Act] = {
    **{
        f"replay-{kind}": Act(
            title=f"Try this {kind} again",
            says="It is tried again as if nothing had been tried. If it did arrive before, that is recognised where the other side lets us look.",
            role=_SUPERVISOR,
            do=_set_aside(kind, "replay"),
            back="held",
        )
        for kind in ("intent", "event", "receipt")
    },
    **{
        f"drop-{kind}": Act(
            title=f"Drop this {kind}",
            says="It will never be sent or filed. The ledger keeps that you did this, and why.",
            role=_SUPERVISOR,
            do=_set_aside(kind, "drop"),
            back="held",
            is_final=True,
        )
        for kind in ("intent", "event", "receipt", "decision")
    },
    "mark-sent-intent": Act(
        title="Mark this intent as sent",
        says="You have seen that it did arrive. It counts as sent and is not sent again.",
        role=_SUPERVISOR,
        do=_set_aside("intent", "mark-sent"),
        back="held",
        asks_ref=True,
    ),
    "release": Act(
        title="Let this conversation speak again",
        says="The loop brake had stopped it. What is held leaves now.",
        role=_SUPERVISOR,
        do=_release,
        back="held",
    ),
    "release-replies": Act(
        title="Release the held public replies",
        says="After the crossover public replies are held. These leave in public all the same, in your name and with your reason.",
        role=_SUPERVISOR,
        do=_press("release"),
        back="held",
    ),
    "undo": Act(
        title="Take the handoff back",
        says="The conversation is social again; what was held leaves.",
        role=_SUPERVISOR,
        do=_press("undo"),
        back="board",
    ),
    "close": Act(
        title="Close without the customer's confirmation",
        says="The ticket closes as unconfirmed, with your reason in it.",
        role=_SUPERVISOR,
        do=_press("close"),
        back="board",
    ),
    "promote": Act(
        title="Make a ticket of a filtered message",
        says="A rule had filtered it out; it is filed now.",
        role=_SUPERVISOR,
        do=_promote,
        back="ledger_page",
    ),
    "close-alert": Act(
        title="Close this alert",
        says="You have seen to its cause. The same is told again if it happens again.",
        role=_SUPERVISOR,
        do=_close_alert,
        back="health",
    ),
    "pause": Act(
        title="Pause this place",
        says="Nothing is sent or fetched until it is resumed; everything that arrives is kept.",
        role=_ADMIN,
        do=_pause,
        back="channels",
    ),
    "resume": Act(
        title="Resume this place",
        says="It goes on where it stopped; what was held for it leaves now.",
        role=_ADMIN,
        do=_resume,
        back="channels",
    ),
    "register": Act(
        title="Register our webhook",
        says="The platform is told our address. An address that it had before is replaced.",
        role=_ADMIN,
        do=_register,
        back="channels",
        needs_reason=False,
    ),
    "connect": Act(
        title="Reconnect this account",
        says="You are led to the platform, where you agree; the settings stay as they are.",
        role=_ADMIN,
        do=_connect,
        back="channels",
        needs_reason=False,
    ),
    "remove": Act(
        title="Remove this channel",
        says="It stops at once and its secrets are forgotten. What came by it stays, with its tickets. To stop it for a while, pause it instead.",
        role=_ADMIN,
        do=_remove,
        back="channels",
        is_final=True,
    ),
    "test": Act(
        title="Run the checks",
        says="The place is asked now: credentials, permissions, webhook. Nothing is changed.",
        role=_SUPERVISOR,
        do=_test,
        back="channels",
        needs_reason=False,
    ),
}


def add_acts(app: Flask, bridge: Bridge) -> None:
    """`/act/NAME/SUBJECT`: a page to confirm, and the act."""
    app.jinja_env.globals.update(may=lambda name: g.person is not None and g.person.role.covers(ACTS[name].role), acts=ACTS)

    @app.get("/act/<name>/<subject>")
    @needs(Role.AUDITOR)
    def confirm(name: str, subject: str) -> str:
        return render_template("act.html", act=_act(name), name=name, subject=subject, problem="")

    @app.post("/act/<name>/<subject>")
    @needs(Role.AUDITOR)  # Each act has a role of its own, which `_act` asks for.
    def do(name: str, subject: str) -> str | tuple[str, int]:
        act = _act(name)
        reason = " ".join(request.form.get("reason", "").replace("\0", "").split())[:_LONGEST_REASON]
        if act.needs_reason and not reason:
            return render_template("act.html", act=act, name=name, subject=subject, problem="Give a reason; nothing was changed."), 400
        ref = request.form.get("ref", "").replace("\0", "").strip()[:_LONGEST_REASON]
        pressed = Pressed(subject=subject, actor=actor(), reason=reason, ref=ref, key=request.form["once"])
        return render_template("done.html", act=act, outcome=act.do(bridge, pressed))


def _act(name: str) -> Act:
    act = ACTS.get(name)
    if act is None:
        raise NotFound("There is no such act.")
    if not g.person.role.covers(act.role):
        raise Forbidden(f"This needs the role {act.role.value}, and yours is {g.person.role.value}; nothing was changed.")
    return act
