"""Compares a server with what is wanted. Changes nothing there; `applying` asks it again before each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.contracts.provisioning import Difference, Plan, Step, StepState
from plugin.helpdesks.zammad.provision import comparing
from plugin.helpdesks.zammad.provision.catalogue import ACCOUNT, OUR_ROLE, Given, Version, Wanted, version_of, wanted
from plugin.helpdesks.zammad.provision.records import Record, Records
from plugin.helpdesks.zammad.provision.server import Server

OLDEST, NEWEST = (5, 2), (7, 2)
_RESTARTS = (6, 5)
_UNFINISHED = ("to_create", "to_migrate", "to_config")
"""Marks of an attribute that Zammad's database has not taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A step with what applying it needs: the row that is there, and the values that are wanted with ids in them."""

    step: Step
    row: Mapping[str, Any] | None
    data: Mapping[str, Any]


class Planner:
    """One look at one server. `bridge_id` is the id of the bridge's own account."""

    def __init__(self, server: Server, records: Records, given: Given, bridge_id: int) -> None:
        self.server = server
        self.records = records
        self.bridge_id = bridge_id
        self.version_text = server.version()
        self.version: Version = version_of(self.version_text)
        self.wanted = list(wanted(given, self.version))
        self._given = given

    def plan(self) -> Plan:
        """Every step, and what must be read first."""
        steps = tuple(self.look(want).step for want in self.wanted)
        return Plan(server=f"Zammad {self.version_text}", steps=steps, warnings=tuple(self._warnings(steps)))

    def look(self, want: Wanted) -> Looked:
        """How one object stands now."""
        if want.since and self.version < want.since:
            needed = ".".join(str(number) for number in want.since)
            says = f"Needs Zammad {needed}. {want.purpose} Without it, the bridge finds out by asking."
            return self._looked(want, StepState.UNSUPPORTED, says=says)
        if want.kind == ACCOUNT:
            return self._account(want)
        row = self.server.find(want.kind, want.name)
        data = self.server.resolved(want.fields, self.bridge_id)
        if row is None:
            return self._looked(want, StepState.MISSING, says=want.purpose, data=data)
        aim, found = comparing.kept(data, data), comparing.kept(row, data)
        differing = comparing.differences(found, aim)
        if any(row.get(mark) for mark in _UNFINISHED):
            differing = (*differing, Difference(field="database", before="not taken in yet", after="taken in"))
        state = _state(self.records.get(want.key), row, differing)
        return self._looked(want, state, says=_SAYS.get(state, want.purpose), row=row, data=data, differences=differing)

    def _account(self, want: Wanted) -> Looked:
        """The bridge's account has its role and its group, or lacks them. More rights and roles are nobody's business here."""
        user = self.server.user(self.bridge_id)
        roles, groups = [int(key) for key in user.get("role_ids") or ()], dict(user.get("group_ids") or {})
        role, group = self.server.id_of("role", OUR_ROLE), self.server.id_of("group", self._given.group)
        lacking = []
        if role is None or role not in roles:
            lacking.append(Difference(field="roles", before="without it", after=OUR_ROLE))
        if group is None or "full" not in groups.get(str(group), ()):
            before = ", ".join(groups.get(str(group), ())) or "none"
            lacking.append(Difference(field=f"rights in {self._given.group}", before=before, after="full"))
        data: dict[str, Any] = {}
        if role is not None and group is not None:
            data = {"role_ids": sorted({*roles, role}), "group_ids": {**groups, str(group): ["full"]}}
        state = StepState.MISSING if lacking else StepState.SAME
        return self._looked(
            Wanted(kind=ACCOUNT, name=str(user.get("login")), purpose=want.purpose, fields={}),
            state,
            says=want.purpose,
            row=user,
            data=data,
            differences=tuple(lacking),
        )

    def _looked(
        self,
        want: Wanted,
        state: StepState,
        *,
        says: str,
        row: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        differences: tuple[Difference, ...] = (),
    ) -> Looked:
        restarts = want.needs_restart and state is not StepState.SAME
        step = Step(kind=want.kind, name=want.name, state=state, says=says, differences=differences, needs_restart=restarts)
        return Looked(step=step, row=row, data=data or {})

    def _warnings(self, steps: tuple[Step, ...]) -> list[str]:
        told = []
        if not self.version or not OLDEST <= self.version[:2] <= NEWEST:
            told.append(
                f"Crossdesk knows Zammad 5.2 to 7.2; this one says {self.version_text or 'nothing'}. Try it on a test system first."
            )
        restarts = sum(step.needs_restart for step in steps)
        if restarts:
            how = (
                "restarts all its processes"
                if self.version >= _RESTARTS
                else "adds columns to its database and may stand still for a moment"
            )
            told.append(
                f"{restarts} custom fields are added or changed: Zammad {how}. They are put in together, once. Choose a quiet hour."
            )
        group = self.server.find("group", self._given.group)
        if group is not None and group.get("email_address_id"):
            told.append(
                f"The group {self._given.group} has an e-mail address: Zammad then offers agents to answer by e-mail, which does not reach "
                "people on social platforms. Take the address from the group, or choose another group."
            )
        if not self._given.webhook.startswith("https://"):
            told.append(
                f"{self._given.webhook} is not https: names and texts travel readable. Give the bridge a public address with https."
            )
        return told


_SAYS = {
    StepState.DRIFTED: "Somebody changed it after Crossdesk had made it. It stays as it is unless you say otherwise.",
    StepState.FOREIGN: "It was there before Crossdesk and is different. It stays as it is unless you say otherwise.",
    StepState.OUTDATED: "Made by an earlier version, or the settings have changed.",
}


def _state(record: Record | None, row: Mapping[str, Any], differing: tuple[Difference, ...]) -> StepState:
    if not differing:
        return StepState.SAME
    if record is None:
        return StepState.FOREIGN
    if record.fields is None or comparing.kept(row, record.fields) == dict(record.fields):
        return StepState.OUTDATED
    return StepState.DRIFTED
