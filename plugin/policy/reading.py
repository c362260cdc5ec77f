"""From the table `[policy]` to a `Policy`: every mistake is noted with its key, and names that lead nowhere are found."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from plugin.contracts.capabilities import Limits
from plugin.policy import teams
from plugin.policy.fields import KeyPath, Notes, keys, read
from plugin.policy.matching import Matcher
from plugin.policy.policy import Policy
from plugin.policy.ruling import ToApprove, ToCross, ToFilter, ToRoute, read_rules
from plugin.policy.sections import (
    Basics,
    Confirmation,
    Expectations,
    Fairness,
    FollowUp,
    Handoff,
    Locks,
    Parked,
    People,
    Safety,
    Taking,
    TopicTable,
)
from plugin.policy.teams import SlaTable, TeamTable
from plugin.policy.texts import Texts, read_texts

PLAIN: Mapping[str, type[Any]] = MappingProxyType(
    {
        "people": People,
        "participation": Taking,
        "expectations": Expectations,
        "handoff": Handoff,
        "locks": Locks,
        "parked": Parked,
        "fairness": Fairness,
        "safety": Safety,
        "confirmation": Confirmation,
        "follow_up": FollowUp,
    }
)
"""The sections without names of their own."""
NAMED: Mapping[str, type[Any]] = MappingProxyType({"team": TeamTable, "sla": SlaTable, "topic": TopicTable})
"""The sections `[policy.KIND.NAME]`."""
RULES: Mapping[str, type[Any]] = MappingProxyType({"noise": ToFilter, "routing": ToRoute, "crossover": ToCross, "approval": ToApprove})
"""The kinds of rules, `[[policy.KIND]]`, in the order of judging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a policy may refer to outside of itself. `channels`: what each channel's platform takes, None for what is not known yet.

    `is_open`: there may be channels that are not listed, so that an unknown one is worth a warning and no more.
    """

    channels: Mapping[str, Limits | None] = field(default_factory=lambda: MappingProxyType({}))
    is_open: bool = False


def read_policy(table: Any, notes: Notes, *, world: World, path: KeyPath = ("policy",)) -> Policy | None:
    """The policy in `table`; None where something is wrong, which is noted."""
    watched = _Watched(notes)
    if not isinstance(table, Mapping):
        notes.problem(path, "must be a section: write [policy] and its settings below.")
        return None
    sections = (*PLAIN, *NAMED, *RULES, "texts")
    for name in table:
        if name not in sections and name not in keys(Basics):
            watched.unknown((*path, name), (*sections, *keys(Basics)), what="a part of the policy")
    basics = read(Basics, {key: value for key, value in table.items() if key in keys(Basics)}, path, watched)
    plain = {name: read(made, table.get(name, {}), (*path, name), watched) for name, made in PLAIN.items()}
    named = {kind: _named(made, table.get(kind, {}), (*path, kind), watched) for kind, made in NAMED.items()}
    parts: list[tuple[Any, KeyPath]] = []
    found = {kind: read_rules(made, table.get(kind, []), (*path, kind), watched, parts=parts) for kind, made in RULES.items()}
    texts = read_texts(table.get("texts", {}), (*path, "texts"), watched, limits=world.channels)
    _References(watched, basics, named, world).check(path, plain, named, parts)
    if watched.is_wrong or basics is None or texts is None:
        return None
    made_teams = {name: teams.team(name, team) for name, team in named["team"].items()}
    return Policy(
        digest=_digest(table, texts),
        basics=basics,
        **plain,  # type: ignore[arg-type]  # None only where a problem was noted
        texts=texts,
        teams=MappingProxyType(made_teams),
        slas=MappingProxyType(named["sla"]),
        topics=MappingProxyType({name: Matcher(topic.words) for name, topic in named["topic"].items()}),
        **{f"{kind}_rules": rules for kind, rules in found.items()},  # type: ignore[arg-type]  # the four kinds above
    )


def _named(made: type[Any], tables: Any, path: KeyPath, notes: Notes) -> dict[str, Any]:
    """`[policy.KIND.NAME]`; None under a name whose table is wrong, so that the name itself is known."""
    if not isinstance(tables, Mapping):
        notes.problem(path, f"must be written as [{'.'.join(map(str, path))}.NAME], with a name of your choice.")
        return {}
    return {str(name): read(made, table, (*path, str(name)), notes) for name, table in tables.items()}


def _digest(table: Mapping[str, Any], texts: Texts) -> str:
    canonical = json.dumps([table, texts.digest], sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Watched:
    """Notes that remember whether there was a problem."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.is_wrong = False

    def problem(self, path: KeyPath, sentence: str) -> None:
        """Pass it on."""
        self.is_wrong = True
        self._notes.problem(path, sentence)

    def warning(self, path: KeyPath, sentence: str) -> None:
        """Pass it on."""
        self._notes.warning(path, sentence)

    def unknown(self, path: KeyPath, known: Iterable[str], *, what: str) -> None:
        """Pass it on."""
        self.is_wrong = True
        self._notes.unknown(path, known, what=what)


class _References:
    """Follows every name to what it names."""

    def __init__(self, notes: Notes, basics: Basics | None, named: Mapping[str, Mapping[str, Any]], world: World) -> None:
        self._notes = notes
        self._known: dict[str, tuple[Iterable[str], str]] = {
            "team": (named["team"], "a team: there is no [policy.team.NAME] of this name"),
            "sla": (named["sla"], "an SLA: there is no [policy.sla.NAME] of this name"),
            "topic": (named["topic"], "a topic: there is no [policy.topic.NAME] of this name"),
            "channel": (world.channels, "a channel: there is no [channel.NAME] of this name"),
        }
        if basics is not None and basics.groups:
            self._known["group"] = (basics.groups, "among the groups that [policy] names in `groups`")
        self._basics = basics
        self._may_be_elsewhere = {"channel"} if world.is_open else set()

    def check(
        self,
        path: KeyPath,
        plain: Mapping[str, Any],
        named: Mapping[str, Mapping[str, Any]],
        parts: Iterable[tuple[Any, KeyPath]],
    ) -> None:
        """All that was read."""
        self._look(self._basics, path)
        for name, section in plain.items():
            self._look(section, (*path, name))
        for kind, tables in named.items():
            for name, table in tables.items():
                self._look(table, (*path, kind, name))
                for index, step in enumerate(getattr(table, "escalate", ())):
                    self._look(step, (*path, kind, name, "escalate", index))
        for part, at in parts:
            self._look(part, at)

    def _look(self, part: Any, path: KeyPath) -> None:
        for each in fields(part) if part is not None else ():
            what = each.metadata.get("names")
            if what not in self._known:
                continue
            value, key = getattr(part, each.name), str(each.metadata.get("key", each.name))
            if isinstance(value, str):
                self._one(value, (*path, key), what)
                continue
            for index, inner in enumerate(value):
                if isinstance(inner, tuple):
                    self._one(inner[0], (*path, key, inner[0]), what)
                else:
                    self._one(inner, (*path, key, index), what)

    def _one(self, name: str, path: KeyPath, what: str) -> None:
        known, sentence = self._known[what]
        if name and name not in known:
            if what in self._may_be_elsewhere:
                self._notes.warning(
                    path, f"`{name}` stands not in this file; it counts where a channel of that name was made in the console."
                )
            else:
                self._notes.problem(path, f"`{name}` is not {sentence}. {_meant(name, known)}")


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean `{close[0]}`?" if close else "Name one that there is, or add it."
