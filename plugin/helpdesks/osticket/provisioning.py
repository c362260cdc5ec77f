"""Sets osTicket up through our plugin: its two tables, the form Crossdesk and its fields. The plugin itself is installed by hand.

Saving the plugin's settings does the same as `apply`; here it is compared, mended, tried out and taken away by command.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import Probe
from plugin.contracts.provisioning import Deed, Done, Plan, Step, StepState
from plugin.domain.errors import RemoteError, RemoteRejected
from plugin.domain.ids import ContactRef, Marker, TicketRef
from plugin.domain.model import Contact, NewArticle, NewTicket, Stage, TicketChange, Visibility
from plugin.domain.text import Text
from plugin.helpdesks.osticket.client import PluginClient
from plugin.helpdesks.osticket.schema import AboutSchema, DeletedSchema, SetupSchema, TriedHookSchema

_SAYS = {
    "table": "What the plugin remembers: which tickets are the bridge's, and what the bridge has not been told yet.",
    "form": "Shows agents what a ticket is about, below its header.",
    "field": "A field of that form; agents read it, the bridge fills it.",
}
_TRIAL = Contact(ref=ContactRef("verification"), display_name="Crossdesk verification")
"""Its key becomes `crossdesk.verification`, the only customer whose tickets the plugin deletes."""


class OsTicketProvisions:
    """One osTicket that has our plugin."""

    def __init__(self, client: PluginClient, desk: HelpdeskAdapter) -> None:
        self._client = client
        self._desk = desk

    def plan(self) -> Plan:
        """Compare. Changes nothing."""
        about = self._client.read("about", {}, AboutSchema())
        warning = "Removing switches the plugin's instance off in osTicket; it is switched on again there."
        return Plan(
            server=f"osTicket {about['osticket']} with plugin {about['plugin']}",
            steps=tuple(
                Step(kind=step["kind"], name=step["name"], state=StepState(step["state"]), says=_SAYS.get(step["kind"], ""))
                for step in self._steps("plan")
            ),
            warnings=(warning,),
        )

    def apply(self, plan: Plan, *, overwrite_drift: bool = False) -> Sequence[Done]:
        """Make what is missing; put back what somebody changed only if `overwrite_drift`."""
        before = {step.key: step.state for step in plan.steps}
        if overwrite_drift:
            now = {f"{step['kind']}/{step['name']}": step["state"] for step in self._steps("plan")}
            # What changed since the plan was shown was not agreed to.
            overwrite_drift = all(before.get(key) is StepState.DRIFTED for key, state in now.items() if state == "drifted")
        after = self._steps("apply", overwrite_drift=overwrite_drift)
        return [
            Done(kind=step["kind"], name=step["name"], deed=_deed(before.get(f"{step['kind']}/{step['name']}"), step["state"]))
            for step in after
        ]

    def remove(self) -> Sequence[Done]:
        """Take it away, values included; fields that somebody changed stay. The plugin's instance is switched off with it."""
        before = self._steps("plan")
        after = {(step["kind"], step["name"]): step["state"] for step in self._steps("remove")}
        done = []
        for step in before:
            is_gone = after.get((step["kind"], step["name"])) == "missing"
            deed = Deed.REMOVED if is_gone and step["state"] != "missing" else Deed.KEPT
            says = "Somebody has changed it, or what it holds." if not is_gone else ""
            done.append(Done(kind=step["kind"], name=step["name"], deed=deed, says=says))
        return [*done, Done(kind="plugin", name="Crossdesk", deed=Deed.SWITCHED_OFF, says="Delete it in osTicket's list of plugins.")]

    def verify(self) -> Sequence[Probe]:
        """A ticket of a customer of our own: opened, found, written to, kept from being closed, deleted; and the way back to the bridge."""
        marker = Marker(uuid.uuid4().hex[:26])
        article = NewArticle(text=Text("Crossdesk tries this helpdesk. The ticket is deleted at once."), author=_TRIAL)
        ticket = NewTicket(
            title="Crossdesk verification",
            group="",
            contact=_TRIAL,
            customer_ref=None,
            article=article,
            channel="",
            platform="crossdesk",
            visibility=Visibility.PRIVATE,
            stage=Stage.FORMAL,
        )
        probes = [_tried("hook", self._hook, "Save the plugin's settings in osTicket; it tells there what is wrong.")]
        try:
            ref = self._desk.open_ticket(ticket, marker=marker).ticket_ref
        except RemoteError as problem:
            return [*probes, _failed("ticket", problem, "See the sentence; then verify again.")]
        note = NewArticle(text=Text("A note."), internal=True)
        steps: tuple[tuple[str, Callable[[], str], str], ...] = (
            ("ticket", lambda: _found(self._desk.find_ticket(ticket, marker=marker)), "Apply the set-up again."),
            ("note", lambda: _found(self._desk.add_article(ref, note, marker=Marker(uuid.uuid4().hex[:26]))), "See osTicket's error log."),
            (
                "closing",
                lambda: self._closing(ref),
                "Apply the set-up with its drift overwritten: the field Customer confirmed must be required.",
            ),
            ("clean-up", lambda: self._clean_up(ref), "Delete the ticket in osTicket."),
        )
        return [*probes, *(_tried(*step) for step in steps)]

    def _steps(self, action: str, *, overwrite_drift: bool = False) -> list[dict[str, Any]]:
        body = {"action": action, "overwrite_drift": overwrite_drift}
        told = self._client.read("setup", body, SetupSchema()) if action == "plan" else self._client.write("setup", body, SetupSchema())
        steps: list[dict[str, Any]] = told["steps"]
        return steps

    def _hook(self) -> str:
        problem = self._client.read("try_hook", {}, TriedHookSchema())["problem"]
        if problem:
            raise RemoteRejected(problem)
        return "the plugin reaches the bridge, and the bridge accepts it"

    def _closing(self, ticket_ref: TicketRef) -> str:
        try:
            self._desk.update_ticket(ticket_ref, TicketChange(is_closed=True))
        except RemoteRejected:
            return "osTicket refuses to close it before the customer has confirmed"
        raise RemoteRejected("osTicket closed a formal ticket that nobody had confirmed.")

    def _clean_up(self, ticket_ref: TicketRef) -> str:
        self._client.write("delete_trial", {"ticket": ticket_ref}, DeletedSchema())
        return "the trial ticket is deleted"


def _deed(before: StepState | None, after: str) -> Deed:
    if after == "missing":
        return Deed.FAILED
    if before is StepState.MISSING:
        return Deed.MADE
    return Deed.CHANGED if before is StepState.DRIFTED and after == "same" else Deed.KEPT


def _found(thing: object) -> str:
    if thing is None:
        raise RemoteRejected("What was filed is not found under its marker.")
    return "filed, and found under its marker"


def _tried(name: str, act: Callable[[], str], next_step: str) -> Probe:
    try:
        return Probe(name=name, is_ok=True, answer=act())
    except RemoteError as problem:
        return _failed(name, problem, next_step)


def _failed(name: str, problem: RemoteError, next_step: str) -> Probe:
    return Probe(name=name, is_ok=False, answer=f"{problem} {problem.detail}".strip(), next_step=next_step)
