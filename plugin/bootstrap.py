"""The composition root: the only place that knows concrete classes. Builds a `Bridge` from a configuration; makes no connection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from plugin.config import ChannelConfig, Config, secret_keys
from plugin.contracts.helpdesk import Helpdesk
from plugin.contracts.http import HttpClient
from plugin.contracts.platform import Connection, Platform
from plugin.contracts.registry import walk
from plugin.contracts.wakeups import WakeUps
from plugin.domain.clock import SystemClock
from plugin.domain.ids import ChannelKey, Place, channel_place, helpdesk_place
from plugin.handlers.channel_making import ChannelMaker
from plugin.handlers.connects import CALLBACK, Connector
from plugin.handlers.drain import Drain, Slots
from plugin.handlers.installation import Channel, Desk, Installation, LiveChannels, PolicyAtWork
from plugin.handlers.polls import Poller
from plugin.handlers.receive import Receiver
from plugin.handlers.split import Splitter
from plugin.platforms._page.adapter import PageAdapter
from plugin.policy.agreement import contract_of
from plugin.policy.policy import Policy
from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.watch import Watch, watch_by
from plugin.store import cursors, pages, places
from plugin.store.channels import MadeChannels
from plugin.store.database import Database
from plugin.store.grants import Grants
from plugin.store.passes import Passes
from plugin.store.secrets import PlaceSecrets
from plugin.store.spool import Spool
from plugin.transport.client import Transport


@cache
def platforms() -> Mapping[str, Platform]:
    """Every platform there is, ours and those installed beside us."""
    return walk("plugin.platforms", "PLATFORM")


@cache
def helpdesks() -> Mapping[str, Helpdesk]:
    """Every helpdesk there is, ours and those installed beside us."""
    return walk("plugin.helpdesks", "HELPDESK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A whole bridge, ready to be put to work by a door."""

    config: Config
    installation: Installation
    database: Database = field(repr=False)
    splitter: Splitter
    poller: Poller
    spool: Spool | None
    grants: Grants
    keys: Sequence[str] = field(default=(), repr=False)
    """The installation's own, newest first; what is signed for the helpdesks' panels is derived from them."""
    passes: Passes
    channels: ChannelMaker
    """Makes channels, and knows those that were made in the console."""
    http: Callable[[str], HttpClient] = field(repr=False)
    """A door's own way out, under the name that errors call the other side."""

    def drain(self, slots: Slots) -> Drain:
        """What works conversations, within the servers' own limits."""
        return Drain(self.installation, self.database, slots)

    def receiver(self, wakeups: WakeUps) -> Receiver:
        """What receives deliveries."""
        return Receiver(self.installation, self.database, wakeups, self.spool)

    def connector(self) -> Connector:
        """What connects accounts by OAuth."""
        redirect_url = self.config.public_url.rstrip("/") + CALLBACK
        return Connector(self.installation, self.database, self.grants, redirect_url=redirect_url, trial=self.channels.connecting)

    def concurrency(self, place: Place) -> int:
        """How many calls a place takes at a time."""
        return self.installation.adapter(place).capabilities.limits.concurrency

    def refresh(self) -> bool:
        """Take in the channels that were made, changed or removed in the console since; False when none was.

        Raises:
            StoreUnavailable: everything stays as it was.
        """
        if not self.channels.refresh():
            return False
        with self.database.begin() as connection:
            places.register(connection, self.installation.adapters)
            cursors.register(connection, self.poller.tasks)
        return True

    @property
    def channel_configs(self) -> Mapping[str, ChannelConfig]:
        """Every channel at work, wherever it was made."""
        return {**self.channels.configs, **{str(key): item for key, item in self.config.channels.items()}}

    def register(self) -> None:
        """Have a row for every configured place and cursor. Run once when a process starts to serve."""
        self.channels.refresh()
        with self.database.begin() as connection:
            places.register(connection, self.installation.adapters)
            cursors.register(connection, self.poller.tasks)
            for channel in self.installation.channels.values():
                if channel.is_paused:
                    places.set_status(connection, channel.place, "paused", "Paused in crossdesk.toml.")


def build(config: Config, *, pool_size: int = 12) -> Bridge:
    """The bridge that `config` describes. `config.database.url` must name a server by now."""
    database = Database(config.database.url, pool_size=pool_size)
    transport = Transport()
    keys = secret_keys(config)

    def bind(item: ChannelConfig, kept_under: Place, secrets: Collection[str]) -> Channel:
        return _channel(item, _connection(config, database, transport, keys, kept_under, f"/in/channel/{item.key}", also=secrets))

    policy = policy_at_work(config)
    has_page = policy is not None and policy.contract.page_open_for is not None
    kept = partial(pages.body_of, database)
    page = PageAdapter(keys, base=config.public_url, kept=kept) if has_page else None
    fixed = [bind(item, channel_place(key), ()) for key, item in config.channels.items()]
    live = LiveChannels({channel.place: channel for channel in (*fixed, *(_pages(config, page) if page is not None else ()))})
    installation = Installation(
        channels=live,
        desks={desk.place: desk for desk in _desks(config, database, transport, keys)},
        engine=config.engine,
        policy=policy if policy is None else replace(policy, page=page),
    )
    splitter = Splitter(installation, database)
    return Bridge(
        config=config,
        installation=installation,
        database=database,
        splitter=splitter,
        poller=Poller(installation, database, splitter),
        spool=_spool(config),
        grants=Grants(database, keys),
        keys=keys,
        passes=Passes(database, keys),
        http=lambda name: transport.client(name=name, secrets=tuple(config.secrets)),
        channels=ChannelMaker(config=config, platforms=platforms(), live=live, database=database, made=MadeChannels(keys), bind=bind),
    )


def policy_at_work(config: Config) -> PolicyAtWork | None:
    """The policy as the engine asks it; None where the file has none."""
    book = config.policy
    if book.digest == Policy().digest:
        return None
    return PolicyAtWork(judge=book, contract=contract_of(book), book=book, watch=_watch(config), language=config.language)


def _watch(config: Config) -> Watch:
    """What detection must know of this installation, as far as the file tells: agents are those whom the policy names."""
    book = config.policy
    own = urlsplit(config.public_url).hostname
    addresses = [getattr(item.settings, name, "") for item in config.helpdesks.values() for name in ("url", "web_url")]
    hosts = {urlsplit(address).hostname or "" for address in addresses} - {""}
    return watch_by(
        book.safety,
        lookout=Lookout(region=config.language.partition("-")[2].upper()),
        agents=book.people.trainees,
        domains=(own,) if own else (),
        helpdesk_hosts=sorted(hosts),
    )


def _channel(item: ChannelConfig, connection: Connection) -> Channel:
    platform = platforms()[item.platform]
    return Channel(
        key=item.key,
        place=channel_place(item.key),
        platform=platform.name,
        platform_name=platform.display_name,
        adapter=platform.connect(item.key, item.settings, connection),
        helpdesk=helpdesk_place(item.helpdesk),
        group=item.group,
        late=item.late,
        is_paused=item.is_paused,
        registers=item.registers,
        searches=item.searches,
    )


def _pages(config: Config, page: PageAdapter) -> list[Channel]:
    """The private page as a channel of each helpdesk: its key holds a dot, which no section of the file can."""
    return [
        Channel(
            key=ChannelKey(f"page.{key}"),
            place=page_place(key),
            platform="page",
            platform_name="Private page",
            adapter=page,
            helpdesk=helpdesk_place(key),
            group="",
        )
        for key in config.helpdesks
    ]


def page_place(helpdesk: str) -> Place:
    """Where what is written on the private pages of a helpdesk's tickets comes from."""
    return channel_place(ChannelKey(f"page.{helpdesk}"))


def _desks(config: Config, database: Database, transport: Transport, keys: Sequence[str]) -> list[Desk]:
    desks = []
    for item in config.helpdesks.values():
        helpdesk, place = helpdesks()[item.kind], helpdesk_place(item.key)
        connection = _connection(config, database, transport, keys, place, f"/in/helpdesk/{item.key}")
        desks.append(Desk(key=item.key, place=place, kind=helpdesk.name, adapter=helpdesk.connect(item.key, item.settings, connection)))
    return desks


def _connection(
    config: Config,
    database: Database,
    transport: Transport,
    keys: Sequence[str],
    place: Place,
    path: str,
    *,
    also: Collection[str] = (),
) -> Connection:
    return Connection(
        http=transport.client(name=place, secrets=(*config.secrets, *also)),
        clock=SystemClock(),
        secrets=PlaceSecrets(database, place, keys),
        webhook_url=config.public_url.rstrip("/") + path,
    )


def _spool(config: Config) -> Spool | None:
    if not config.receiver.spool:
        return None
    spool = Spool(Path(config.data_dir) / "spool", most=config.receiver.spool_max)
    spool.prepare()
    return spool
