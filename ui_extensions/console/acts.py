"""What people press: each act has a page that says what will happen and asks for a reason, and one place where it is done.

The acts are those of the `crossdesk` command, by the same functions (`deeds`); this module only words them and says who may.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, g, render_template, request
from werkzeug.exceptions import Forbidden, NotFound

from plugin.bootstrap import Bridge
from plugin.handlers.admission import Role
from ui_extensions.console import deeds
from ui_extensions.console.deeds import Act
from ui_extensions.console.doorkeeper import actor, needs

_LONGEST_REASON = 500
_SUPERVISOR, _ADMIN = Role.SUPERVISOR, Role.ADMIN
ACTS: Mapping[str, Act] = {
    **{
        f"replay-{kind}": Act(
            title=f"Try this {kind} again",
            says="It is tried again as if nothing had been tried. If it did arrive before, that is recognised where the other side lets us look.",
            role=_SUPERVISOR,
            do=deeds.set_aside(kind, "replay"),
            back="held",
        )
        for kind in ("intent", "event", "receipt")
    },
    **{
        f"drop-{kind}": Act(
            title=f"Drop this {kind}",
            says="It will never be sent or filed. The ledger keeps that you did this, and why.",
            role=_SUPERVISOR,
            do=deeds.set_aside(kind, "drop"),
            back="held",
            is_final=True,
        )
        for kind in ("intent", "event", "receipt", "decision")
    },
    "mark-sent-intent": Act(
        title="Mark this intent as sent",
        says="You have seen that it did arrive. It counts as sent and is not sent again.",
        role=_SUPERVISOR,
        do=deeds.set_aside("intent", "mark-sent"),
        back="held",
        asks_ref=True,
    ),
    "release": Act(
        title="Let this conversation speak again",
        says="The loop brake had stopped it. What is held leaves now.",
        role=_SUPERVISOR,
        do=deeds.release,
        back="held",
        fence=deeds.conversation,
    ),
    "release-replies": Act(
        title="Release the held public replies",
        says="After the crossover public replies are held. These leave in public all the same, in your name and with your reason.",
        role=_SUPERVISOR,
        do=deeds.press("release"),
        back="held",
        fence=deeds.conversation,
    ),
    "undo": Act(
        title="Take the handoff back",
        says="The conversation is social again; what was held leaves.",
        role=_SUPERVISOR,
        do=deeds.press("undo"),
        back="board",
        fence=deeds.conversation,
    ),
    "close": Act(
        title="Close without the customer's confirmation",
        says="The ticket closes as unconfirmed, with your reason in it.",
        role=_SUPERVISOR,
        do=deeds.press("close"),
        back="board",
        fence=deeds.conversation,
    ),
    "approve": Act(
        title="Approve this reply",
        says="It leaves as the page shows it. Nobody approves a reply of their own.",
        role=_SUPERVISOR,
        do=deeds.decide("approve"),
        back="approvals_page",
        needs_reason=False,
        fence=deeds.conversation,
    ),
    "reject": Act(
        title="Send this reply back",
        says="It is not sent. Its author reads your reason and the draft in the ticket.",
        role=_SUPERVISOR,
        do=deeds.decide("reject"),
        back="approvals_page",
        fence=deeds.conversation,
    ),
    "recall": Act(
        title="Take this reply back",
        says="It is not sent, whatever it waits for; the draft stays in the ticket as a note.",
        role=_SUPERVISOR,
        do=deeds.decide("recall"),
        back="approvals_page",
        fence=deeds.conversation,
    ),
    "take_over": Act(
        title="Take the lock over",
        says="The conversation is yours to answer. What its holder wrote and has not left yet is held, and they are told.",
        role=_SUPERVISOR,
        do=deeds.take_over,
        back="board",
        fence=deeds.conversation,
    ),
    "release_lock": Act(
        title="Give the lock back",
        says="Whoever answers next takes it. Replies that were written under it stay good.",
        role=_SUPERVISOR,
        do=deeds.release_lock,
        back="board",
        fence=deeds.conversation,
    ),
    "promote": Act(
        title="Make a ticket of a filtered message",
        says="A rule had filtered it out; it is filed now.",
        role=_SUPERVISOR,
        do=deeds.promote,
        back="ledger_page",
    ),
    "close-alert": Act(
        title="Close this alert",
        says="You have seen to its cause. The same is told again if it happens again.",
        role=_SUPERVISOR,
        do=deeds.close_alert,
        back="health",
    ),
    "pause": Act(
        title="Pause this place",
        says="Nothing is sent or fetched until it is resumed; everything that arrives is kept.",
        role=_ADMIN,
        do=deeds.pause,
        back="channels",
        fence=deeds.place_state,
    ),
    "resume": Act(
        title="Resume this place",
        says="It goes on where it stopped; what was held for it leaves now.",
        role=_ADMIN,
        do=deeds.resume,
        back="channels",
        fence=deeds.place_state,
    ),
    "register": Act(
        title="Register our webhook",
        says="The platform is told our address. An address that it had before is replaced.",
        role=_ADMIN,
        do=deeds.register,
        back="channels",
        needs_reason=False,
    ),
    "connect": Act(
        title="Reconnect this account",
        says="You are led to the platform, where you agree; the settings stay as they are.",
        role=_ADMIN,
        do=deeds.connect,
        back="channels",
        needs_reason=False,
    ),
    "remove": Act(
        title="Remove this channel",
        says="It stops at once and its secrets are forgotten. What came by it stays, with its tickets. To stop it for a while, pause it instead.",
        role=_ADMIN,
        do=deeds.remove,
        back="channels",
        is_final=True,
    ),
    "test": Act(
        title="Run the checks",
        says="The place is asked now: credentials, permissions, webhook. Nothing is changed.",
        role=_SUPERVISOR,
        do=deeds.test,
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
        return _confirm(bridge, name, subject)

    @app.post("/act/<name>/<subject>")
    @needs(Role.AUDITOR)  # Each act has a role of its own, which `_act` asks for.
    def do(name: str, subject: str) -> str | tuple[str, int]:
        act = _act(name)
        reason = " ".join(request.form.get("reason", "").replace("\0", "").split())[:_LONGEST_REASON]
        if act.needs_reason and not reason:
            return _confirm(bridge, name, subject, problem="Give a reason; nothing was changed."), 400
        if act.fence is not None and act.fence(bridge, subject) != request.form.get("fence", ""):
            problem = "Something happened after this page was shown; nothing was changed. Look at it again, then decide."
            return _confirm(bridge, name, subject, problem=problem, reason=reason), 409
        ref = request.form.get("ref", "").replace("\0", "").strip()[:_LONGEST_REASON]
        pressed = deeds.Pressed(subject=subject, actor=actor(), reason=reason, ref=ref, key=request.form["once"])
        outcome = act.do(bridge, pressed)
        return render_template("done.html", act=act, outcome=outcome), 200 if outcome.is_done else 409


def _confirm(bridge: Bridge, name: str, subject: str, *, problem: str = "", reason: str = "") -> str:
    act = _act(name)
    fence = "" if act.fence is None else act.fence(bridge, subject)
    return render_template("act.html", act=act, name=name, subject=subject, problem=problem, reason=reason, fence=fence)


def _act(name: str) -> Act:
    act = ACTS.get(name)
    if act is None:
        raise NotFound("There is no such act.")
    if not g.person.role.covers(act.role):
        raise Forbidden(f"This needs the role {act.role.value}, and yours is {g.person.role.value}; nothing was changed.")
    return act
