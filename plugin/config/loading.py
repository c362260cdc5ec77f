"""Reads `crossdesk.toml`, asks every schema, and says everything that is wrong at once."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Container, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from plugin.config.findings import Findings, suggestion
from plugin.config.lines import KeyPath, Lines
from plugin.config.references import References, is_reference
from plugin.config.sections import NAME, SECTIONS, CommonSection, KindSection, SearchSection
from plugin.config.shape import EMBEDDED, ChannelConfig, Config, ConsoleConfig, HelpdeskConfig, SearchConfig
from plugin.contracts.capabilities import Level
from plugin.contracts.helpdesk import Helpdesk
from plugin.contracts.platform import Platform
from plugin.contracts.settings import SettingsSchema
from plugin.domain.errors import ConfigError
from plugin.domain.ids import ChannelKey, HelpdeskKey
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy

_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SEARCH = "search"
"""The key below which a channel's saved searches stand."""


def load(path: Path, *, platforms: Mapping[str, Platform], helpdesks: Mapping[str, Helpdesk], environ: Mapping[str, str]) -> Config:
    """The file at `path`, checked against our sections and the schemas of the named adapters.

    Raises:
        ConfigError: it cannot be used. `problems` has a line for each mistake, and for each warning after them.
    """
    text, document = parsed(path)
    findings = Findings(path, Lines(text))
    reading = _Reading(path, document, findings)
    settings = References(findings, path.parent, environ).resolved(document)
    config = reading.config(settings, platforms, helpdesks)
    if findings.problems or config is None:
        raise ConfigError(problems=findings.problems)
    return config


class _Reading:
    """One pass over one file. `written` is the document before references were looked up."""

    def __init__(self, path: Path, written: Mapping[str, Any], findings: Findings) -> None:
        self._path = path
        self._written = written
        self._findings = findings

    def config(self, document: Mapping[str, Any], platforms: Mapping[str, Platform], helpdesks: Mapping[str, Helpdesk]) -> Config | None:
        known = (*SECTIONS, "helpdesk", "channel", "policy")
        for name in document.keys() - set(known):
            self._findings.unknown((name,), known, what="a section of this file")
        sections = {name: self._section(name, make(), document) for name, make in SECTIONS.items()}
        desks = self._tables("helpdesk", document)
        channels = self._tables("channel", document)
        made_desks = [self._helpdesk(name, table, helpdesks) for name, table in desks.items()]
        made_channels = [self._channel(name, table, platforms, tuple(desks)) for name, table in channels.items()]
        self._judge(sections, has_channels=bool(channels))
        self._judge_console(sections["console"], desks)
        policy = self._policy(document, channels, platforms)
        if self._findings.problems:
            return None
        own = sections.pop("crossdesk")
        keys = sections.pop("secrets").get("keys", ())
        receiver = sections["receiver"]
        return Config(
            path=self._path,
            data_dir=(self._path.parent / own.pop("data_dir", ".crossdesk")).absolute(),
            public_url=own.pop("public_url", f"http://{receiver.host}:{receiver.port}"),
            **own,
            **sections,
            helpdesks=MappingProxyType({desk.key: desk for desk in made_desks if desk is not None}),
            channels=MappingProxyType({channel.key: channel for channel in made_channels if channel is not None}),
            policy=policy or Policy(),
            keys=tuple(keys),
            secrets=frozenset(self._findings.secrets),
            warnings=self._findings.warnings,
        )

    def _section(self, name: str, schema: SettingsSchema, document: Mapping[str, Any]) -> Any:
        table = document.get(name, {})
        if not isinstance(table, dict):
            self._findings.problem((name,), f"must be a section: write [{name}] and its settings below.")
            return None
        return self._checked(schema, table, (name,))

    def _tables(self, kind: str, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The tables below `[kind.NAME]`, those with unusable names left out."""
        tables = document.get(kind, {})
        if not isinstance(tables, dict):
            self._findings.problem((kind,), f"must be written as [{kind}.NAME], with a name of your choice.")
            return {}
        usable = {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                self._findings.problem((kind, name), f"must be written as [{kind}.NAME], with a name of your choice.")
            elif NAME.fullmatch(name) is None:
                self._findings.problem((kind, name), "is no usable name: it becomes part of an address, so use a-z, 0-9, - and _.")
            else:
                usable[name] = table
        return usable

    def _helpdesk(self, name: str, table: dict[str, Any], helpdesks: Mapping[str, Helpdesk]) -> HelpdeskConfig | None:
        path: KeyPath = ("helpdesk", name)
        common = self._findings.check(KindSection(), table, path)
        if common is None:
            return None
        kind = common["kind"]
        if kind not in helpdesks:
            self._findings.problem((*path, "kind"), f"no helpdesk software of this name is known. {suggestion(kind, helpdesks)}")
            return None
        settings = self._checked(helpdesks[kind].settings_schema, _without(table, KindSection().fields), path, also=KindSection().fields)
        return None if settings is None else HelpdeskConfig(key=HelpdeskKey(name), kind=kind, settings=settings)

    def _channel(self, name: str, table: dict[str, Any], platforms: Mapping[str, Platform], desks: tuple[str, ...]) -> ChannelConfig | None:
        path: KeyPath = ("channel", name)
        table, written = _without(table, (_SEARCH,)), table.get(_SEARCH, {})
        common = self._findings.check(CommonSection(), table, path)
        if common is None:
            return None
        platform = common.pop("platform")
        if platform not in platforms:
            self._findings.problem((*path, "platform"), f"no platform of this name is known. {suggestion(platform, platforms)}")
            return None
        desk = common.pop("helpdesk", None)
        if desk is None and len(desks) != 1:
            what = f"there are {len(desks)}: name one of them" if desks else "there is none yet: add a section [helpdesk.NAME]"
            self._findings.problem((*path, "helpdesk"), f"is missing, and {what}.")
        elif desk is not None and desk not in desks:
            self._findings.problem((*path, "helpdesk"), f"there is no section [helpdesk.NAME] of this name. {suggestion(desk, desks)}")
        searches = self._searches(path, written, platforms[platform])
        known = {**CommonSection().fields, _SEARCH: None}
        settings = self._checked(platforms[platform].settings_schema, _without(table, CommonSection().fields), path, also=known)
        if settings is None or self._findings.has_problem((*path, "helpdesk")):
            return None
        is_paused, registers = common.pop("paused", False), common.pop("register", False)
        return ChannelConfig(
            key=ChannelKey(name),
            platform=platform,
            helpdesk=HelpdeskKey(desk or desks[0]),
            is_paused=is_paused,
            registers=registers,
            searches=MappingProxyType(searches),
            settings=settings,
            **common,
        )

    def _searches(self, path: KeyPath, written: Any, platform: Platform) -> dict[str, SearchConfig]:
        """The saved searches below `[channel.NAME.search.SEARCH]`."""
        path = (*path, _SEARCH)
        if not isinstance(written, dict) or not all(isinstance(table, dict) for table in written.values()):
            self._findings.problem(path, f"must be written as [{'.'.join(map(str, path))}.SEARCH], with a name of your choice.")
            return {}
        if written and platform.capabilities.listens < Level.PARTIAL:
            self._findings.problem(
                path, f"{platform.display_name} cannot be searched. Take the section out; `crossdesk platforms` shows which can."
            )
        searches: dict[str, SearchConfig] = {}
        for name, table in written.items():
            if NAME.fullmatch(name) is None:
                self._findings.problem((*path, name), "is no usable name for a search: use a-z, 0-9, - and _.")
            elif (search := self._findings.check(SearchSection(), table, (*path, name))) is not None:
                searches[name] = search
        return searches

    def _policy(self, document: Mapping[str, Any], channels: Mapping[str, Any], platforms: Mapping[str, Platform]) -> Policy | None:
        """The policy, held to the channels of this file and to what their platforms take."""
        if "policy" not in document:
            return Policy()
        return read_policy(document["policy"], self._findings, world=world(channels, platforms))

    def _checked(
        self, schema: SettingsSchema, table: dict[str, Any], path: KeyPath, *, also: Mapping[str, Any] | None = None
    ) -> Any | None:
        """As `Findings.check`, with what is secret learned first and secrets that stand in the file remarked on."""
        written: Any = self._written
        for part in path:
            written = written.get(part, {})
        for name, field in schema.fields.items():
            if field.metadata.get("secret") and name in table:
                found = set(_secret_parts(table[name]))
                self._findings.secrets |= found
                if found and any(not is_reference(value) for value in _texts(written.get(name))):
                    self._findings.warning((*path, name), self._literal())
        return self._findings.check(schema, table, path, also=also or ())

    def _literal(self) -> str:
        advice = 'a secret stands in the file itself; "env:NAME" or "file:PATH" would keep it out of copies and backups.'
        try:
            is_open = bool(self._path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
        except OSError:
            is_open = False
        return f"{advice} Others on this machine can read the file: chmod 600 {self._path.name}." if is_open else advice

    def _judge(self, sections: Mapping[str, Any], *, has_channels: bool) -> None:
        """Rules over several sections."""
        own, database, keys = sections["crossdesk"], sections["database"], sections["secrets"]
        if database is not None and not database.is_embedded and keys is not None and not keys.get("keys"):
            self._findings.problem(
                ("secrets", "keys"),
                "is missing: with a database of your own, every machine needs the same key for the secrets in it. Make one with"
                " `openssl rand -base64 32 | tr '+/' '-_'`, and write keys = [\"env:CROSSDESK_KEY\"].",
            )
        address = urlsplit(own.get("public_url", "")) if own is not None else None
        if address is not None and address.scheme == "http" and address.hostname not in _LOOPBACK:
            self._findings.warning(("crossdesk", "public_url"), "most platforms send webhooks to https addresses only.")
        if not has_channels:
            self._findings.warning((), "no [channel.NAME] is set up yet: nothing will be received.")

    def _judge_console(self, console: ConsoleConfig | None, desks: Mapping[str, Any]) -> None:
        """People sign in with one helpdesk."""
        if console is None:
            return
        if console.helpdesk and console.helpdesk not in desks:
            self._findings.problem(
                ("console", "helpdesk"), f"there is no section [helpdesk.NAME] of this name. {suggestion(console.helpdesk, desks)}"
            )
        elif console.asks_helpdesk and not console.helpdesk and len(desks) != 1:
            self._findings.problem(
                ("console", "helpdesk"), f"is missing, and there are {len(desks)}: name the one that people sign in with."
            )


def world(channels: Mapping[str, Any], platforms: Mapping[str, Platform]) -> World:
    """What the policy may refer to: the channels, and what their platforms take."""
    named = {name: platforms.get(str(table.get("platform"))) for name, table in channels.items()}
    return World(channels={name: platform.capabilities.limits if platform else None for name, platform in named.items()}, is_open=True)


def parsed(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file and what it holds.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        problem = f"{path}: there is no such file. Write one (docs/operations.md shows the smallest), or try `crossdesk run --rehearsal`."
    except OSError as fault:
        problem = f"{path}: the file cannot be read: {os.strerror(fault.errno or 0)}."
    except UnicodeDecodeError as fault:
        problem = f"{path}: byte {fault.start} is not UTF-8. Save the file as UTF-8."
    except (ValueError, RecursionError) as fault:
        where = _LINE.search(str(fault))
        place = f"{path}:{where[1]}" if where else str(path)
        said = (
            _LINE.sub("", str(fault)).strip() if isinstance(fault, tomllib.TOMLDecodeError) else "a value is too long or nested too deeply"
        )
        problem = f"{place}: this is not TOML: {said}. Texts stand in double quotes, sections in square brackets."
    raise ConfigError(problems=(problem,))


def _without(table: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def _secret_parts(value: Any) -> list[str]:
    """What must not be shown: of an address its password, of anything else all of it."""
    parts = []
    for text in _texts(value):
        if "://" not in text:
            parts.extend([text] if text and text != EMBEDDED and not is_reference(text) else [])
            continue
        try:
            password = urlsplit(text).password
        except ValueError:
            password = text
        parts.extend(filter(None, {password, unquote(password or "")}))
    return parts
