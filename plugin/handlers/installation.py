"""What this installation is made of: every configured channel and helpdesk, bound to its adapter. Built once by `plugin.bootstrap`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plugin.config import EngineConfig, SearchConfig
from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import ContinuesConversations, PlatformAdapter
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


class LiveChannels(Mapping[Place, Channel]):
    """The channels by place. Those of the file stay as they are; those that were made in the console come and go while processes run.

    A turn that is at work finds a channel by `[]` even when it was removed a moment ago; everybody else is told that it is gone.
    """

    def __init__(self, fixed: Mapping[Place, Channel]) -> None:
        self._fixed = dict(fixed)
        self._now = dict(fixed)
        self._former: dict[Place, Channel] = {}
        self.version = 0
        """Rises with each change."""

    def __getitem__(self, place: Place) -> Channel:
        found = self._now.get(place) or self._former.get(place)
        if found is None:
            raise KeyError(place)
        return found

    def __contains__(self, place: object) -> bool:
        return place in self._now

    def __iter__(self) -> Iterator[Place]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def replace(self, made: Mapping[Place, Channel]) -> None:
        """These were made in the console, and no others. The file's own go before them."""
        former = {**self._former, **self._now}
        self._former, self._now = former, {**made, **self._fixed}
        self.version += 1


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
    page: ContinuesConversations | None = None
    """Where customers go on in private, if the contract wants that."""
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """All of them by place, and the engine's settings. Without a policy everything is answered where it was asked."""

    channels: Mapping[Place, Channel]
    desks: Mapping[Place, Desk]
    engine: EngineConfig
    policy: PolicyAtWork | None = None

    def knows(self, place: Place) -> bool:
        """Whether there is such a channel or helpdesk now."""
        return place in self.channels or place in self.desks

    @property
    def version(self) -> int:
        """Rises when channels came or went, so that what was worked out from them is worked out anew."""
        return self.channels.version if isinstance(self.channels, LiveChannels) else 0

    def adapter(self, place: Place) -> PlatformAdapter | HelpdeskAdapter:
        """The adapter of a place."""
        return self.channels[place].adapter if place in self.channels else self.desks[place].adapter

    @property
    def adapters(self) -> Mapping[Place, str]:
        """Every place with the name of its platform or helpdesk kind."""
        return {**{item.place: item.platform for item in self.channels.values()}, **{item.place: item.kind for item in self.desks.values()}}
