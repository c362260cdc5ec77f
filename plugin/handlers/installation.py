"""What this installation is made of: every configured channel and helpdesk, bound to its adapter. Built once by `plugin.bootstrap`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plugin.config import EngineConfig, SearchConfig
from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import PlatformAdapter
from plugin.domain.ids import ChannelKey, HelpdeskKey, Place
from plugin.policy.contract import Contract
from plugin.policy.policy import Policy
from plugin.policy.safety.watch import Watch
from plugin.policy.verdicts import Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One configured channel. `late` says what a message to a closed ticket does: reopen, follow_up or new.

    `registers`: the platform is told our address whenever a sweeper starts.
    """

    key: ChannelKey
    place: Place
    platform: str
    platform_name: str
    adapter: PlatformAdapter
    helpdesk: Place
    group: str
    late: str = "reopen"
    is_paused: bool = False
    registers: bool = False
    searches: Mapping[str, SearchConfig] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One configured helpdesk."""

    key: HelpdeskKey
    place: Place
    kind: str
    adapter: HelpdeskAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAtWork:
    """The policy as the engine asks it: who judges, what was agreed about the crossover, and the book with teams, topics and texts.

    `watch` is what detection must know of the installation; `language` is that of
    customers whose own is not known.
    """

    judge: Judge
    contract: Contract = field(default_factory=Contract)
    book: Policy = field(default_factory=Policy)
    watch: Watch = field(default_factory=Watch)
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """All of them by place, and the engine's settings. Without a policy everything is answered where it was asked."""

    channels: Mapping[Place, Channel]
    desks: Mapping[Place, Desk]
    engine: EngineConfig
    policy: PolicyAtWork | None = None

    def adapter(self, place: Place) -> PlatformAdapter | HelpdeskAdapter:
        """The adapter of a place."""
        return self.channels[place].adapter if place in self.channels else self.desks[place].adapter

    @property
    def adapters(self) -> Mapping[Place, str]:
        """Every place with the name of its platform or helpdesk kind."""
        return {**{item.place: item.platform for item in self.channels.values()}, **{item.place: item.kind for item in self.desks.values()}}
