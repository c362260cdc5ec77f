"""Whether what stands on a server is what is wanted, whatever form it was stored in. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from plugin.contracts.provisioning import Difference
from plugin.helpdesks.zammad.provision.catalogue import SECRETS

_PARTLY = frozenset(("data_option", "screens", "preferences"))
"""Objects into which Zammad puts more than it was given: only what is wanted is looked at."""
_LONGEST = 200


def plain(value: Any) -> Any:
    """`value` in one form: versions differ in whether they keep ids as text or as numbers, and what is empty as null or as text."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()} or ""
    if isinstance(value, (list, tuple)):
        items = [plain(item) for item in value]
        are_ids = all(isinstance(item, str) and item.isdigit() for item in items)
        return (sorted(items, key=int) if are_ids else items) or ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def kept(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `row` under the names that `wanted` has, in one form; secrets as their digest, so that this may be remembered."""
    found = {}
    for name, value in wanted.items():
        here = row.get(name)
        if name in _PARTLY and isinstance(value, Mapping) and isinstance(here, Mapping):
            here = {inner: here.get(inner) for inner in value}
        found[name] = _digest(here) if name in SECRETS and here else plain(here)
    return found


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two results of `kept`, for people."""
    told = []
    for name, value in wanted.items():
        before = found.get(name, "")
        if before == value:
            continue
        if name in SECRETS:
            told.append(Difference(field=name, before="another secret" if before else "none", after="the one in the settings"))
        else:
            told.append(Difference(field=name, before=_words(before), after=_words(value)))
    return tuple(told)


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…") or "empty"


def _digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()
