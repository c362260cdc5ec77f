"""Makes a server so as a plan says, step by step, and takes all of it away again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plugin.contracts.provisioning import Deed, Done, Plan, StepState
from plugin.domain.errors import CrossdeskError, OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable
from plugin.helpdesks.zammad.provision import comparing
from plugin.helpdesks.zammad.provision.catalogue import ACCOUNT, KINDS, SECRETS, Wanted
from plugin.helpdesks.zammad.provision.planning import Looked, Planner
from plugin.helpdesks.zammad.provision.records import Record, Records
from plugin.helpdesks.zammad.provision.server import Server

_RESTART_SECONDS = 180.0
_TURNED_OFF = "Zammad does not let go of it; it is switched off. "


def apply(planner: Planner, plan: Plan, *, overwrite_drift: bool) -> list[Done]:
    """As `Provisions.apply`. Attributes become columns together, after the last of them."""
    chosen = {step.key for step in plan.to_do(overwrite_drift=overwrite_drift)}
    done: list[Done] = []
    has_new_columns, is_stopped = False, ""
    for at, want in enumerate(planner.wanted):
        if is_stopped:
            done.append(Done(kind=want.kind, name=want.name, deed=Deed.FAILED, says=f"Left out: {is_stopped}"))
            continue
        result = _one(planner, want, chosen, overwrite_drift=overwrite_drift)
        done.append(result)
        has_new_columns = has_new_columns or (want.kind == "attribute" and result.deed in (Deed.MADE, Deed.CHANGED))
        following = planner.wanted[at + 1].kind if at + 1 < len(planner.wanted) else ""
        if want.kind == "attribute" and following != "attribute" and has_new_columns:
            is_stopped = _let_settle(planner.server) or _look_again(planner, done)
    return done


def _look_again(planner: Planner, done: Sequence[Done]) -> str:
    """Remember the attributes as they are now: Zammad shows a change only when its database has taken it."""
    touched = {one.name for one in done if one.kind == "attribute" and one.deed in (Deed.MADE, Deed.CHANGED)}
    try:
        for want in planner.wanted:
            now = planner.look(want) if want.kind == "attribute" and want.name in touched else None
            record = planner.records.get(want.key)
            if now is not None and now.row is not None and record is not None:
                planner.records.put(want.key, Record(fields=comparing.kept(now.row, now.data), before=record.before))
    except RemoteError as problem:
        return f"{problem} {problem.detail}".strip()
    return ""


def _one(planner: Planner, want: Wanted, chosen: set[str], *, overwrite_drift: bool) -> Done:
    try:
        now = planner.look(want)
        step = now.step
        may = {StepState.MISSING, StepState.OUTDATED} | ({StepState.DRIFTED, StepState.FOREIGN} if overwrite_drift else set())
        if step.key not in chosen or step.state not in may:
            says = "" if step.state is StepState.SAME else step.says
            return Done(kind=step.kind, name=step.name, deed=Deed.KEPT, says=says)
        if want.kind == ACCOUNT:
            return _equip(planner, now)
        lacking = sorted(set(_signs(now.data)))
        if lacking:
            says = f"Left out, since {' and '.join(lacking)} is not there. Apply again when it is."
            return Done(kind=step.kind, name=step.name, deed=Deed.FAILED, says=says)
        return _make(planner, want, now) if now.row is None else _change(planner, want, now)
    except RemoteRejected as problem:
        if want.is_optional:
            says = f"This Zammad does not take it ({problem.detail}). Nothing depends on it."
            return Done(kind=want.kind, name=want.name, deed=Deed.KEPT, says=says)
        return _failed(want, problem)
    except CrossdeskError as problem:
        return _failed(want, problem)


def _make(planner: Planner, want: Wanted, now: Looked) -> Done:
    planner.records.put(want.key, Record(fields=None))
    try:
        row = planner.server.create(want.kind, {"name": want.name, **want.made_with, **now.data})
    except OutcomeUnknown:
        raise
    except RemoteError:
        planner.records.drop(want.key)
        raise
    planner.records.put(want.key, Record(fields=comparing.kept(row, now.data)))
    return Done(kind=want.kind, name=want.name, deed=Deed.MADE)


def _change(planner: Planner, want: Wanted, now: Looked) -> Done:
    assert now.row is not None, "what is changed is there"
    record = planner.records.get(want.key)
    before = record.before if record is not None else {name: now.row.get(name) for name in now.data if name not in SECRETS}
    row = planner.server.change(want.kind, now.row, now.data)
    planner.records.put(want.key, Record(fields=comparing.kept(row, now.data), before=before))
    return Done(kind=want.kind, name=want.name, deed=Deed.CHANGED)


def _equip(planner: Planner, now: Looked) -> Done:
    """Give the bridge's account its role and group."""
    if not now.data:
        says = "Left out, since its role or group is not there. Apply again when it is."
        return Done(kind=ACCOUNT, name=now.step.name, deed=Deed.FAILED, says=says)
    user = now.row or {}
    if planner.records.get(ACCOUNT) is None:
        before = {"id": planner.bridge_id, "given": _given(user, now.data)}
        planner.records.put(ACCOUNT, Record(fields=None, before=before))
    planner.server.change_user(planner.bridge_id, now.data)
    return Done(kind=ACCOUNT, name=now.step.name, deed=Deed.CHANGED)


def _given(user: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """What the account did not have before: that, and no more, is taken away again."""
    groups = dict(user.get("group_ids") or {})
    new_role = next((role for role in data["role_ids"] if role not in (user.get("role_ids") or ())), None)
    new_group = next((group for group, rights in data["group_ids"].items() if groups.get(group) != rights), None)
    return {"role": new_role, "group": new_group, "rights": groups.get(new_group or "", [])}


def _let_settle(server: Server) -> str:
    """Let the database take the attributes, and wait until Zammad answers again. A sentence where that failed."""
    try:
        server.migrate()
    except (OutcomeUnknown, RemoteUnavailable):
        pass  # It may restart in the middle of its own answer: whether the columns are there shows in what comes next.
    except RemoteError as problem:
        return f"Zammad did not take the custom fields into its database: {problem} ({problem.detail})"
    until = time.monotonic() + _RESTART_SECONDS
    while True:
        try:
            server.me()
        except (OutcomeUnknown, RemoteUnavailable):
            if time.monotonic() > until:
                return "Zammad does not answer after it was given new custom fields. Look at its log; apply again when it runs."
            time.sleep(1.0)
        except RemoteError as problem:
            return str(problem)
        else:
            return ""


def remove(server: Server, records: Records, *, has_values: Callable[[], bool]) -> list[Done]:
    """As `Provisions.remove`, latest first. Attributes are only deleted where no ticket carries a value in them."""
    done: list[Done] = []
    keeps_columns: bool | None = None
    deleted_columns = False
    for key in reversed(records.keys()):
        if key == ACCOUNT:
            done.append(_unequip(server, records))
            continue
        kind, _, name = key.partition("/")
        if kind == "attribute" and keeps_columns is None:
            keeps_columns = has_values()
        try:
            result = _undo(server, records, kind, name, may_delete=not (kind == "attribute" and keeps_columns))
        except CrossdeskError as problem:
            result = Done(kind=kind, name=name, deed=Deed.FAILED, says=f"{problem} {problem.detail}".strip())
        done.append(result)
        deleted_columns = deleted_columns or (kind == "attribute" and result.deed in (Deed.REMOVED, Deed.SWITCHED_OFF))
    if deleted_columns:
        says = _let_settle(server)
        if says:
            done.append(Done(kind="attribute", name="all", deed=Deed.FAILED, says=says))
    return done


def _undo(server: Server, records: Records, kind: str, name: str, *, may_delete: bool) -> Done:
    key = f"{kind}/{name}"
    record, row = records.get(key), server.find(kind, name)
    assert record is not None, "only what is remembered is undone"
    if row is None:
        records.drop(key)
        return Done(kind=kind, name=name, deed=Deed.REMOVED, says="It was gone already.")
    if record.fields is not None and comparing.kept(row, record.fields) != dict(record.fields):
        return Done(kind=kind, name=name, deed=Deed.KEPT, says="Somebody changed it since; it is left to you.")
    if record.before is not None:
        server.change(kind, row, record.before)
        records.drop(key)
        return Done(kind=kind, name=name, deed=Deed.PUT_BACK)
    if kind == "tag" and str(row.get("count") or 0) != "0":
        return Done(kind=kind, name=name, deed=Deed.KEPT, says="Tickets carry it; with the tag, their marks would be lost.")
    if not may_delete:
        return _switch_off(server, records, kind, name, row, "Tickets carry values in it; it is switched off, so that they are not lost.")
    try:
        server.delete(kind, row)
    except RemoteRejected as problem:
        if kind == "group":
            return Done(kind=kind, name=name, deed=Deed.KEPT, says="It holds tickets; move them and delete it by hand.")
        if not KINDS[kind].can_be_off:
            raise
        return _switch_off(server, records, kind, name, row, _TURNED_OFF + problem.detail)
    records.drop(key)
    return Done(kind=kind, name=name, deed=Deed.REMOVED)


def _switch_off(server: Server, records: Records, kind: str, name: str, row: Mapping[str, Any], says: str) -> Done:
    record = records.get(f"{kind}/{name}")
    after = server.change(kind, row, {"active": False})
    if record is not None and record.fields is not None:
        records.put(f"{kind}/{name}", Record(fields=comparing.kept(after, record.fields)))
    return Done(kind=kind, name=name, deed=Deed.SWITCHED_OFF, says=says)


def _unequip(server: Server, records: Records) -> Done:
    record = records.get(ACCOUNT)
    before = dict(record.before or {}) if record is not None else {}
    key, given = int(before["id"]), dict(before["given"])
    try:
        user = server.user(key)
        roles = [role for role in user.get("role_ids") or () if role != given.get("role")]
        groups = dict(user.get("group_ids") or {})
        if given.get("group") and groups.get(given["group"]) == ["full"]:
            groups |= {given["group"]: given["rights"]}
        server.change_user(key, {"role_ids": roles, "group_ids": {group: rights for group, rights in groups.items() if rights}})
    except RemoteError as problem:
        return Done(kind=ACCOUNT, name=str(key), deed=Deed.FAILED, says=f"{problem} {problem.detail}".strip())
    records.drop(ACCOUNT)
    return Done(
        kind=ACCOUNT, name=str(user.get("login")), deed=Deed.PUT_BACK, says="It has neither the role nor the rights that were added."
    )


def _signs(value: Any) -> Sequence[str]:
    """The names that could not be turned into ids."""
    if isinstance(value, Mapping):
        return [sign for item in value.values() for sign in _signs(item)]
    if isinstance(value, list):
        return [sign for item in value for sign in _signs(item)]
    if isinstance(value, str) and value[:1] in ("@", "#") and value[1:].partition(":")[0] in KINDS:
        return [value[1:].replace(":", " ", 1)]
    return []


def _failed(want: Wanted, problem: CrossdeskError) -> Done:
    return Done(kind=want.kind, name=want.name, deed=Deed.FAILED, says=f"{problem} {problem.detail}".strip())
