"""Channels that people make in the console: drafts that nobody works by until they go live, all at once, and how processes learn of it.

A draft is stored step by step, so that it outlives a reload, a restart and its author's day. Its settings rest encrypted; what it gets from the
platform meanwhile (tokens) is kept apart, so that a channel at work is not touched before the draft takes its place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from marshmallow import ValidationError
from sqlalchemy import Connection

from plugin import log
from plugin.config import ChannelConfig, Config, LateMessages
from plugin.config.answers import Answers, answer, flat, problems_of
from plugin.config.lines import Lines
from plugin.config.searching import read_searches
from plugin.config.sections import NAME
from plugin.contracts.platform import Platform, Probe
from plugin.domain.errors import ConfigError
from plugin.domain.ids import ChannelKey, HelpdeskKey, Place, channel_place
from plugin.handlers.installation import Channel, LiveChannels
from plugin.store import ledger, places
from plugin.store.channels import DRAFT, LIVE, MadeChannel, MadeChannels, draft_place
from plugin.store.database import Database

_log = structlog.get_logger("crossdesk.channels")
TWICE, UNUSABLE = "made-twice", "unusable"
Bind = Callable[[ChannelConfig, Place, Collection[str]], Channel]
"""Binds a channel to its adapter: what it gets at run time is kept under the place, and the secrets show in no error."""


class Changed(ConfigError):
    """Somebody changed it meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A channel that cannot be put to work as it is, and why."""

    key: str
    code: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What the file would say of a channel beside its settings; `searches` are tables as `[channel.NAME.search.SEARCH]` has them, by name."""

    helpdesk: str
    group: str = ""
    late: str = LateMessages.REOPEN
    register: bool = False
    searches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class ChannelMaker:
    """Makes, changes and removes channels, and keeps a process's own list up to date."""

    config: Config
    platforms: Mapping[str, Platform]
    live: LiveChannels
    database: Database
    made: MadeChannels
    bind: Bind
    configs: Mapping[str, ChannelConfig] = field(default_factory=dict)
    """Those that were made in the console and are at work, as the file would describe them."""
    _seen: tuple[int, int] | None = None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def refresh(self) -> bool:
        """Take in what was put to work, changed or removed since; False when nothing was. One small query.

        Raises:
            StoreUnavailable: the list stays as it was.
        """
        with self._one_at_a_time, self.database.begin() as connection:
            state = self.made.state(connection)
            if state == self._seen:
                return False
            made = self.made.all_of(connection, LIVE)
            found, standings = self._read(made)
            for key in (item.key for item in made):
                mine = [item for item in standings if item.key == key]
                places.close_alerts(connection, Place(f"channel:{key}"), sorted({TWICE, UNUSABLE} - {item.code for item in mine}))
                for item in mine:
                    places.raise_alert(connection, Place(f"channel:{key}"), item.code, item.says)
            self.configs = {key: config for key, (config, _) in found.items()}
            self.live.replace({channel.place: channel for _, channel in found.values()})
            if self._seen is not None or found:
                _log.info("channels_changed", made=sorted(found), unusable=[item.key for item in standings])
            self._seen = state
        return True

    def drafts(self) -> list[MadeChannel]:
        """What is being set up or changed."""
        with self.database.begin() as connection:
            return self.made.all_of(connection, DRAFT)

    def draft(self, key: str) -> MadeChannel | None:
        """One of them."""
        with self.database.begin() as connection:
            return self.made.find(connection, key, DRAFT)

    def begin(self, key: str, platform: str, *, actor: str) -> None:
        """Begin to set a channel up.

        Raises:
            ConfigError: the name or the platform cannot be used; the sentence says why.
        """
        if platform not in self.platforms:
            raise ConfigError("Choose a platform; nothing was changed.")
        if NAME.fullmatch(key) is None:
            raise ConfigError("The name becomes part of an address: use a-z, 0-9, - and _. Nothing was changed.")
        if ChannelKey(key) in self.config.channels:
            raise ConfigError(f"[channel.{key}] stands in {self.config.path} already; nothing was changed. Choose another name.")
        with self.database.begin() as connection:
            if self.made.find(connection, key, LIVE) is not None:
                raise ConfigError(f"{key} was made in the console already; nothing was changed. Choose another name, or change that one.")
            if not self.made.begin(connection, key, platform=platform, settings={}, actor=actor):
                raise ConfigError(f"{key} is being set up already; nothing was changed. Go on with that draft, or choose another name.")
            ledger.record(connection, actor=actor, action="channel begin", subject=f"channel:{key}", detail={"platform": platform})

    def change(self, key: str, *, actor: str) -> None:
        """Begin to change a channel that was made here; it works on as it is until the change goes live.

        Raises:
            ConfigError: it stands in the file, or nowhere.
        """
        with self.database.begin() as connection:
            found = self.made.find(connection, key, LIVE)
            if found is None:
                raise ConfigError(
                    f"{key} was not made in the console: it is changed where it stands, in {self.config.path}. Nothing was changed."
                )
            if self.made.begin(connection, key, platform=found.platform, settings=found.settings or {}, actor=actor):
                draft = self._own(connection, key)
                if found.routing is not None:
                    self.made.route(connection, key, version=draft.version, routing=found.routing, actor=actor)
                ledger.record(connection, actor=actor, action="channel change", subject=f"channel:{key}", detail={})

    def fill(self, key: str, given: Mapping[str, str], *, forget: Collection[str], version: int, actor: str) -> Answers:
        """Keep what somebody filled in, as far as it can be used; what cannot be is told by setting.

        Raises:
            Changed: somebody else changed the draft meanwhile.
        """
        with self.database.begin() as connection:
            draft = self._own(connection, key, version)
            answers = answer(self.platforms[draft.platform].settings_schema, given, draft.settings or {}, forget=forget)
            if dict(answers.values) != dict(draft.settings or {}):
                self.made.fill(connection, key, version=version, settings=answers.values, actor=actor)
                ledger.record(
                    connection,
                    actor=actor,
                    action="channel settings",
                    subject=f"channel:{key}",
                    detail={"settings": sorted(answers.values)},
                )
        return answers

    def missing(self, draft: MadeChannel) -> Mapping[str, str]:
        """What stands against a draft's settings, by setting."""
        return problems_of(self.platforms[draft.platform].settings_schema, draft.settings or {})

    def trial(self, key: str, *, is_connecting: bool = False) -> Channel | None:
        """A draft bound to its platform, for checks and for connecting the account; None while its settings are not complete.

        A change that leaves the credentials alone is tried with the tokens of the channel at work: a second copy of them would spoil the first where
        they rotate. What `is_connecting` brings is the draft's own in any case.
        """
        with self.database.begin() as connection:
            draft = self.made.find(connection, key, DRAFT)
            live = self.made.find(connection, key, LIVE)
            is_own = (
                is_connecting or draft is None or live is None or draft.settings != live.settings or self.made.has_tokens(connection, key)
            )
        if draft is None or draft.settings is None or self.missing(draft):
            return None
        config = self._config(draft, helpdesk=next(iter(self.config.helpdesks), HelpdeskKey("")))
        return self.bind(config, draft_place(key) if is_own else channel_place(ChannelKey(key)), self._secrets(draft))

    def connecting(self, key: str) -> Channel | None:
        """A draft whose account is about to be connected."""
        return self.trial(key, is_connecting=True)

    def test(self, key: str, *, actor: str) -> Sequence[Probe]:
        """Ask the platform now, with the draft's settings; what came is kept with the draft.

        Raises:
            ConfigError: the settings are not complete.
        """
        draft, channel = self.draft(key), self.trial(key)
        if draft is None or channel is None:
            raise ConfigError("The credentials are not complete; nothing was tried. Fill them in first.")
        probes = tuple(channel.adapter.probe())
        with self.database.begin() as connection:
            self.made.keep_test(connection, key, version=draft.version, tested=[asdict(probe) for probe in probes])
            bad = sum(not probe.is_ok for probe in probes)
            ledger.record(
                connection, actor=actor, action="channel test", subject=f"channel:{key}", detail={"checks": len(probes), "failed": bad}
            )
        return probes

    def route(self, key: str, wanted: Routing, *, version: int, actor: str) -> None:
        """Say where the tickets of a draft go, what is searched for, and whether the platform is told our address at every start.

        Raises:
            ConfigError: there is no such helpdesk, or no such way, or a search cannot be used.
            Changed: somebody else changed the draft meanwhile.
        """
        if HelpdeskKey(wanted.helpdesk) not in self.config.helpdesks:
            raise ConfigError(f"There is no [helpdesk.{wanted.helpdesk}] in {self.config.path}; nothing was changed.")
        if wanted.late not in set(LateMessages):
            raise ConfigError("Choose what a late message does; nothing was changed.")
        with self.database.begin() as connection:
            draft = self._own(connection, key, version)
            try:
                read_searches(self.platforms[draft.platform], wanted.searches)
            except ConfigError as problem:
                raise ConfigError(f"{problem} Nothing was changed.") from None
            routing = asdict(wanted)
            self.made.route(connection, key, version=version, routing=routing, actor=actor)
            ledger.record(connection, actor=actor, action="channel routing", subject=f"channel:{key}", detail=routing)

    def go_live(self, key: str, *, version: int, actor: str) -> None:
        """Put a draft to work: every process takes it up within seconds.

        Raises:
            ConfigError: a step is missing.
            Changed: somebody else changed the draft meanwhile.
        """
        with self.database.begin() as connection:
            draft = self._own(connection, key, version)
            if draft.settings is None or draft.routing is None or self.missing(draft):
                raise ConfigError("A step is missing: credentials and routing must both be there. Nothing went live.")
            self.made.go_live(connection, key, version=version, actor=actor)
            detail = {"platform": draft.platform, **draft.routing, "failed": sum(not item["is_ok"] for item in draft.tested or ())}
            ledger.record(connection, actor=actor, action="channel live", subject=f"channel:{key}", detail=detail)

    def discard(self, key: str, *, version: int, actor: str) -> bool:
        """Forget a draft and what it got; a channel at work under its name stays as it is.

        Raises:
            Changed: somebody else changed the draft meanwhile.
        """
        return self._remove(key, DRAFT, "channel discard", actor=actor, reason="", version=version)

    def remove(self, key: str, *, actor: str, reason: str) -> bool:
        """Take a channel away that was made here. What came by it stays, with its tickets; nothing more is fetched or sent."""
        return self._remove(key, LIVE, "channel remove", actor=actor, reason=reason)

    def _remove(self, key: str, state: str, action: str, *, actor: str, reason: str, version: int | None = None) -> bool:
        with self.database.begin() as connection:
            if version is not None:
                self._own(connection, key, version)
            is_done = self.made.remove(connection, key, state)
            if is_done:
                ledger.record(connection, actor=actor, action=action, subject=f"channel:{key}", detail={"reason": reason} if reason else {})
                if state == LIVE:
                    places.close_alerts(connection, Place(f"channel:{key}"), [TWICE, UNUSABLE])
            return is_done

    def _own(self, connection: Connection, key: str, version: int | None = None) -> MadeChannel:
        draft = self.made.find(connection, key, DRAFT)
        if draft is None:
            raise Changed(f"{key} is not being set up any more: somebody put it to work or discarded it. Nothing was changed.")
        if version is not None and draft.version != version:
            raise Changed(f"{draft.changed_by} changed {key} after this page was shown; nothing was changed. Look at the page again.")
        return draft

    def _read(self, made_channels: Sequence[MadeChannel]) -> tuple[dict[str, tuple[ChannelConfig, Channel]], list[Standing]]:
        """What can be put to work, and what cannot."""
        found: dict[str, tuple[ChannelConfig, Channel]] = {}
        standings: list[Standing] = []
        for made in made_channels:
            try:
                config = self._config(made)
                channel = self.bind(config, channel_place(ChannelKey(made.key)), self._secrets(made))
            except ConfigError as problem:
                code = TWICE if ChannelKey(made.key) in self.config.channels else UNUSABLE
                standings.append(Standing(key=made.key, code=code, says=str(problem)))
            except Exception as fault:  # noqa: BLE001 - the adapter may be a third party's; its fault must not keep the others from working
                says = f"The channel {made.key} cannot be put to work ({type(fault).__name__}). Tell whoever maintains the adapter {made.platform}."
                standings.append(Standing(key=made.key, code=UNUSABLE, says=says))
            else:
                found[made.key] = (config, channel)
        return found, standings

    def _config(self, made: MadeChannel, *, helpdesk: HelpdeskKey | None = None) -> ChannelConfig:
        """What a section of the file would be.

        Raises:
            ConfigError: it cannot be used any more.
        """
        advice = "Change it in the console, or remove it there; what came by it is kept."
        if made.settings is None:
            raise ConfigError(
                f"The settings of the channel {made.key} cannot be decrypted with the keys in [secrets]. Put the key back. {advice}"
            )
        if ChannelKey(made.key) in self.config.channels:
            raise ConfigError(
                f"The channel {made.key} stands in {self._line_of(made.key)} and was also made in the console by {made.changed_by} "
                f"({made.changed_at:%Y-%m-%d %H:%M} UTC). The file's is at work. Rename the section there, or remove the other: "
                f"`crossdesk channel remove {made.key}`."
            )
        platform = self.platforms.get(made.platform)
        if platform is None:
            raise ConfigError(f"The channel {made.key} is on {made.platform}, of which nothing is installed. {advice}")
        routing = made.routing or {}
        desk = HelpdeskKey(routing.get("helpdesk", "")) or helpdesk or HelpdeskKey("")
        if desk not in self.config.helpdesks and helpdesk is None:
            raise ConfigError(f"The channel {made.key} files in [helpdesk.{desk}], which is not in {self.config.path} any more. {advice}")
        try:
            settings = platform.settings_schema.load(made.settings)
        except ValidationError as invalid:
            raise ConfigError(
                f"The settings of the channel {made.key} are not in order any more: {' '.join(flat(invalid.messages))} {advice}"
            ) from None
        try:
            searches = read_searches(platform, routing.get("searches", {}))
        except ConfigError as problem:
            raise ConfigError(f"The channel {made.key}: {problem} {advice}") from None
        return ChannelConfig(
            key=ChannelKey(made.key),
            platform=made.platform,
            helpdesk=desk,
            group=routing.get("group", ""),
            late=LateMessages(routing.get("late", LateMessages.REOPEN)),
            registers=routing.get("register", False),
            searches=searches,
            settings=settings,
        )

    def _line_of(self, key: str) -> str:
        try:
            line = Lines(self.config.path.read_text(encoding="utf-8-sig")).line(("channel", key))
        except (OSError, ValueError):
            line = None
        return str(self.config.path) if line is None else f"{self.config.path}:{line}"

    def _secrets(self, made: MadeChannel) -> list[str]:
        declared = self.platforms[made.platform].settings_schema.fields
        found = [
            value
            for name, value in (made.settings or {}).items()
            if isinstance(value, str) and value and name in declared and declared[name].metadata.get("secret")
        ]
        log.register_secrets(found)
        return found
