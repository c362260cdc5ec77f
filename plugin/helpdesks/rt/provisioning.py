"""Sets Request Tracker up by REST2 as far as that goes: queue, custom fields, the bridge's user.

Rights, scrips, choices of fields, and which queue has which field, REST2 cannot change: those are seed.pl's, and the plan names the command.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import Connection, Probe
from plugin.contracts.provisioning import Deed, Difference, Done, Plan, Step, StepState
from plugin.domain.errors import ConfigError, RemoteError, RemoteRejected
from plugin.domain.ids import ContactRef, Marker
from plugin.domain.model import Contact, NewArticle, NewTicket, TicketChange, Visibility
from plugin.domain.text import Text
from plugin.helpdesks.rt import wording
from plugin.helpdesks.rt.client import RtClient, created_id, read_object, segment
from plugin.helpdesks.rt.schema import RtSettings

NEEDS = (
    "Setting RT up needs an authentication token of an RT administrator (a user with SuperUser): Logged in as > Settings > Auth Tokens. "
    "Give it in CROSSDESK_SETUP_TOKEN."
)
_RECORDS = "provisioned"
_TICKETS, _TRANSACTIONS = "RT::Queue-RT::Ticket", "RT::Queue-RT::Ticket-RT::Transaction"
_FIELDS = "Name,Type,LookupType,MaxValues,Disabled"
_SEED = "seed"
_DEPENDS = "seed.pl makes its choices, applies it to the queues and gives the rights."

Values = Mapping[str, str]


class _Wanted:
    """One object that shall be there: where it is read and made, and its values."""

    def __init__(self, kind: str, name: str, values: Values, *, says: str) -> None:
        self.kind, self.name, self.values, self.says = kind, name, values, says

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.name}"


class RtProvisions:
    """Sets up one RT with an administrator's token; `desk` is the bridge's own view of it."""

    def __init__(self, settings: RtSettings, connection: Connection, desk: HelpdeskAdapter, *, token: str) -> None:
        if not token:
            raise ConfigError(NEEDS)
        self._settings = settings
        self._secrets = connection.secrets
        self._desk = desk
        self._admin = RtClient(replace(settings, token=token, password=""), connection)
        self._bridge = RtClient(settings, connection)
        self._webhook = connection.webhook_url

    def plan(self) -> Plan:
        """Compare. Changes nothing."""
        version = read_object(self._admin.get("/rt")).get("Version")
        records = self._records()
        steps = [self._step(wanted, records) for wanted in self._wanted()]
        return Plan(
            server=f"Request Tracker {version}",
            steps=(*steps, self._seed_step()),
            warnings=(
                "REST2 shows no scrips: whether RT posts to the bridge at once, a reply in RT shows. The bridge's poll finds it anyway.",
            ),
        )

    def apply(self, plan: Plan, *, overwrite_drift: bool = False) -> Sequence[Done]:
        """Make what is missing; change what others made or changed only if `overwrite_drift`. seed.pl's part is told, not done."""
        agreed = {step.key: step.state for step in plan.to_do(overwrite_drift=overwrite_drift)}
        done = []
        for wanted in self._wanted():
            step = self._step(wanted, self._records())
            if agreed.get(wanted.key) is not step.state:
                says = "It has changed since the plan was made." if wanted.key in agreed else ""
                done.append(Done(kind=wanted.kind, name=wanted.name, deed=Deed.KEPT, says=says))
                continue
            try:
                done.append(self._make(wanted, step.state))
            except RemoteError as problem:
                says = f"{problem} {problem.detail}".strip()
                done.append(Done(kind=wanted.kind, name=wanted.name, deed=Deed.FAILED, says=says))
        seed = self._seed_step()
        return [*done, Done(kind=seed.kind, name=seed.name, deed=Deed.KEPT, says=seed.says if seed.state is not StepState.SAME else "")]

    def verify(self) -> Sequence[Probe]:
        """A ticket of the bridge's own: opened, found, written to, changed, resolved. REST2 gives the bridge no right to delete it."""
        probes = list(self._desk.probe())
        customer = Contact(ref=ContactRef("verification"), display_name="Crossdesk verification")
        article = NewArticle(text=Text("Crossdesk tries this helpdesk. Nothing is to be done."), author=customer)
        ticket = NewTicket(
            title="Crossdesk verification",
            group="",
            contact=customer,
            customer_ref=None,
            article=article,
            channel="verification",
            platform="crossdesk",
            visibility=Visibility.PRIVATE,
        )
        marker = Marker(uuid.uuid4().hex[:26])
        try:
            ref = self._desk.open_ticket(ticket, marker=marker).ticket_ref
        except RemoteError as problem:
            return [*probes, _failed("ticket", problem)]
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("ticket", lambda: _found(self._desk.find_ticket(ticket, marker=marker))),
            ("message", lambda: _found(self._desk.add_article(ref, article, marker=Marker(uuid.uuid4().hex[:26])))),
            ("clean-up", lambda: self._resolve(ref)),
        )
        return [*probes, *(_tried(*step) for step in steps)]

    def remove(self) -> Sequence[Done]:
        """Disable what was made (RT deletes no queue, field or user) and put back what was overwritten; what others changed since stays."""
        done = []
        for wanted in reversed(self._wanted()):
            record = self._records().get(wanted.key)
            if record is None:
                continue
            try:
                done.append(self._unmake(wanted, record))
            except RemoteError as problem:
                done.append(Done(kind=wanted.kind, name=wanted.name, deed=Deed.FAILED, says=f"{problem} {problem.detail}".strip()))
        says = f"Rights, scrip and fields that seed.pl made: on RT's machine run CROSSDESK_REMOVE=1 {self._command()}"
        return [*done, Done(kind=_SEED, name="seed.pl", deed=Deed.KEPT, says=says)]

    def _wanted(self) -> list[_Wanted]:
        made = [
            _Wanted(
                "queue",
                self._settings.queue,
                {"Name": self._settings.queue, "Disabled": "0"},
                says="Where tickets of no other group are filed.",
            )
        ]
        for name in (*wording.TICKET_FIELDS, wording.MESSAGE_FIELD, wording.ABOUT_FIELD):
            of_transactions = name in (wording.MESSAGE_FIELD, wording.ABOUT_FIELD)
            values = {
                "Name": name,
                "Type": "Select" if name == wording.ACTION_FIELD else "Freeform",
                "LookupType": _TRANSACTIONS if of_transactions else _TICKETS,
                "MaxValues": "0" if name == wording.TAGS_FIELD else "1",
                "Disabled": "0",
            }
            made.append(_Wanted("custom field", name, values, says=_DEPENDS))
        if self._settings.password:
            values = {"Name": self._settings.user, "Privileged": "1", "Disabled": "0"}
            made.append(_Wanted("user", self._settings.user, values, says="The bridge's own; seed.pl gives it its rights."))
        return made

    def _step(self, wanted: _Wanted, records: Mapping[str, Any]) -> Step:
        _, found = self._find(wanted)
        record = records.get(wanted.key)
        if found is None:
            state = StepState.MISSING
        elif found == wanted.values:
            state = StepState.SAME
        elif record is None:
            state = StepState.FOREIGN
        else:
            state = StepState.OUTDATED if found == record["fields"] else StepState.DRIFTED
        differences = tuple(
            Difference(field=name, before=(found or {}).get(name, ""), after=value)
            for name, value in wanted.values.items()
            if found is not None and found.get(name) != value
        )
        return Step(kind=wanted.kind, name=wanted.name, state=state, says=wanted.says, differences=differences)

    def _seed_step(self) -> Step:
        missing: list[str] = []
        try:
            queue = self._bridge.find(f"/queue/{segment(self._settings.queue)}")
        except RemoteError:
            queue = None
        if queue is None:
            missing = ["the bridge's rights in the queue"]
        else:
            there = {field.get("name") for key in ("TicketCustomFields", "TicketTransactionCustomFields") for field in queue.get(key) or ()}
            missing = sorted({*wording.TICKET_FIELDS, wording.MESSAGE_FIELD, wording.ABOUT_FIELD} - there)
        if not missing:
            return Step(
                kind=_SEED, name="seed.pl", state=StepState.SAME, says="Fields are applied to the queue, and the bridge may see them."
            )
        says = f"REST2 cannot do this part ({', '.join(missing)}). On RT's machine run: {self._command()}"
        return Step(kind=_SEED, name="seed.pl", state=StepState.UNSUPPORTED, says=says)

    def _command(self) -> str:
        hook = "" if self._settings.extension else f" CROSSDESK_WEBHOOK_URL={self._webhook} CROSSDESK_WEBHOOK_SECRET=..."
        file = "etc/initialdata" if self._settings.extension else "seed.pl"
        return (
            f"CROSSDESK_QUEUES={self._settings.queue} CROSSDESK_USER={self._settings.user}{hook} "
            f"rt-setup-database-5 --action insert --skip-create --datafile {file}"
        )

    def _find(self, wanted: _Wanted) -> tuple[str, Values | None]:
        """Its id and its values in RT, under the names that are wanted and as text."""
        if wanted.kind == "custom field":
            query = json.dumps([{"field": "Name", "value": wanted.name}, {"field": "LookupType", "value": wanted.values["LookupType"]}])
            rows = self._admin.search("/customfields", {"query": query, "fields": _FIELDS, "find_disabled_rows": 1})
            row: Mapping[str, Any] | None = next((row for row in rows if row.get("Name") == wanted.name), None)
        else:
            row = self._admin.find(f"/{wanted.kind}/{segment(wanted.name)}")
        if row is None:
            return "", None
        return str(row["id"]), {name: str(row.get(name) if row.get(name) is not None else "0") for name in wanted.values}

    def _make(self, wanted: _Wanted, state: StepState) -> Done:
        kind = wanted.kind.replace(" ", "")
        number, before = self._find(wanted)
        record = self._records().get(wanted.key)
        if state is StepState.MISSING:
            secret = {"Password": self._settings.password} if wanted.kind == "user" else {}
            self._remember(wanted.key, {"fields": dict(wanted.values), "before": None})
            created_id(
                self._admin.post(f"/{kind}", {name: value for name, value in wanted.values.items() if name != "Disabled"} | secret), kind
            )
        else:
            earlier = record["before"] if record else dict(before or {})
            self._remember(wanted.key, {"fields": dict(wanted.values), "before": earlier})
            self._admin.put(f"/{kind}/{segment(number)}", wanted.values)
        _, after = self._find(wanted)
        if after != wanted.values:
            raise RemoteRejected("RT says that it did this, and shows otherwise.", detail=f"{after}")
        return Done(kind=wanted.kind, name=wanted.name, deed=Deed.MADE if state is StepState.MISSING else Deed.CHANGED)

    def _unmake(self, wanted: _Wanted, record: Mapping[str, Any]) -> Done:
        number, found = self._find(wanted)
        kind = wanted.kind.replace(" ", "")
        if found is None:
            self._remember(wanted.key, None)
            return Done(kind=wanted.kind, name=wanted.name, deed=Deed.KEPT, says="It is gone already.")
        if found != record["fields"]:
            return Done(kind=wanted.kind, name=wanted.name, deed=Deed.KEPT, says="Somebody has changed it since.")
        if record["before"] is not None:
            self._admin.put(f"/{kind}/{segment(number)}", record["before"])
            self._remember(wanted.key, None)
            return Done(kind=wanted.kind, name=wanted.name, deed=Deed.PUT_BACK)
        self._admin.put(f"/{kind}/{segment(number)}", {"Disabled": "1"})
        # Known again when it is set up once more.
        self._remember(wanted.key, {"fields": {**found, "Disabled": "1"}, "before": None})
        return Done(kind=wanted.kind, name=wanted.name, deed=Deed.SWITCHED_OFF, says="RT deletes none; it is disabled, and shown nowhere.")

    def _resolve(self, ticket_ref: Any) -> str:
        self._desk.update_ticket(ticket_ref, TicketChange(is_closed=True))
        return f"the trial ticket {ticket_ref} is closed; RT lets the bridge delete none"

    def _records(self) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads(self._secrets.get(_RECORDS) or "{}")
        return kept

    def _remember(self, key: str, record: Mapping[str, Any] | None) -> None:
        stored = self._secrets.get(_RECORDS)
        records = {name: value for name, value in self._records().items() if name != key} | ({key: record} if record is not None else {})
        self._secrets.refresh(_RECORDS, stored, lambda _: json.dumps(records, ensure_ascii=False))


def _found(thing: object) -> str:
    if thing is None:
        raise RemoteRejected("What was filed is not found under its marker.")
    return "filed, and found under its marker"


def _tried(name: str, act: Callable[[], str]) -> Probe:
    try:
        return Probe(name=name, is_ok=True, answer=act())
    except RemoteError as problem:
        return _failed(name, problem)


def _failed(name: str, problem: RemoteError) -> Probe:
    return Probe(
        name=name, is_ok=False, answer=f"{problem} {problem.detail}".strip(), next_step="Apply the set-up, run seed.pl, then verify again."
    )
