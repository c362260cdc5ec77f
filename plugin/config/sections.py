"""The file's own sections as marshmallow schemas: what may stand there, between which bounds, in words for the admin."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from plugin.config.shape import (
    EMBEDDED,
    ConsoleConfig,
    DatabaseConfig,
    EngineConfig,
    LateMessages,
    ReceiverConfig,
    RedisConfig,
    SearchConfig,
    Sentinels,
    WorkerConfig,
)
from plugin.config.units import Count, Seconds, Size, check_public_url

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})")


def _help(text: str, *, secret: bool = False) -> dict[str, Any]:
    return {"help": text, "secret": secret}


class _Section(Schema):
    """A section that becomes `makes`; what is left out keeps that class's default."""

    makes: ClassVar[Callable[..., Any]] = dict

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return type(self).makes(**data)


class CrossdeskSection(_Section):
    """`[crossdesk]`."""

    public_url = fields.String(
        validate=check_public_url,
        metadata=_help("The address under which platforms and helpdesks reach us, such as https://desk.example.com."),
    )
    language = fields.String(
        validate=validate.Regexp(_LANGUAGE, error='must be a language tag such as "en" or "pt-BR".'),
        metadata=_help("Language of what Crossdesk itself says to customers when theirs is unknown."),
    )
    data_dir = fields.String(validate=validate.Length(min=1), metadata=_help("Folder for the embedded servers, the spool and the key."))


class DatabaseSection(_Section):
    """`[database]`."""

    makes = DatabaseConfig
    url = fields.String(metadata=_help('"embedded", or the address of a PostgreSQL: postgresql://user:password@host/name.', secret=True))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        url = data.get("url", EMBEDDED)
        if url != EMBEDDED:
            scheme, mark, rest = url.partition("://")
            if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not mark:
                raise ValidationError(
                    'must be "embedded" or begin with postgresql://; Crossdesk works on PostgreSQL alone.', field_name="url"
                )
            url = f"postgresql+psycopg://{rest}"
        return DatabaseConfig(url=url)


class RedisSection(_Section):
    """`[redis]`."""

    url = fields.String(
        metadata=_help(
            '"embedded", redis://, rediss:// or unix://, or sentinel://host:port,host:port/service for a Redis that fails over.',
            secret=True,
        )
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        url = data.get("url", EMBEDDED)
        scheme, _mark, rest = url.partition("://")
        if url == EMBEDDED or (scheme in ("redis", "rediss", "unix") and rest):
            return RedisConfig(url=url)
        sentinels = _sentinels(url) if scheme == "sentinel" else None
        if sentinels is None:
            raise ValidationError(
                'must be "embedded", or begin with redis://, rediss:// or unix://, or read sentinel://host:port,host:port/service.',
                field_name="url",
            )
        return RedisConfig(url=url, sentinels=sentinels)


class ReceiverSection(_Section):
    """`[receiver]`."""

    makes = ReceiverConfig
    host = fields.String(
        validate=validate.Length(min=1, max=255), metadata=_help("Where to listen. Keep it on loopback behind a web server.")
    )
    port = Count(at_least=0, at_most=65535, metadata=_help("Where to listen; 0 takes any free port."))
    threads = Count(at_least=1, at_most=64, metadata=_help("Webhooks answered at once."))
    max_body = Size(at_least=1000, at_most=100_000_000, metadata=_help("Larger requests are refused with 413."))
    spool = fields.Boolean(metadata=_help('"on": keep webhooks in files while the database is away.'))
    spool_max = Size(at_least=1_000_000, at_most=10**13, metadata=_help("A full spool answers 503, and the platform tries again."))


class WorkerSection(_Section):
    """`[worker]`."""

    makes = WorkerConfig
    processes = Count(at_least=1, at_most=64, metadata=_help("Worker processes of `crossdesk run`."))
    threads = Count(at_least=1, at_most=64, metadata=_help("Conversations that each works on at once."))


class EngineSection(_Section):
    """`[engine]`. The defaults fit; each bound has its reason in docs/operations.md."""

    makes = EngineConfig
    lease_seconds = Seconds(at_least=1, at_most=600, metadata=_help("A worker that says nothing for so long has lost its conversation."))
    turn_seconds = Seconds(at_least=0.5, at_most=300, metadata=_help("Longest turn of one conversation."))
    batch = Count(at_least=1, at_most=1000, metadata=_help("Most items of one turn."))
    settle_seconds = Seconds(
        at_least=0,
        at_most=3600,
        metadata=_help("How long an unclear call may still be applied, where the adapters' own figures do not fit."),
    )
    backoff_base = Seconds(at_least=0.05, at_most=60, metadata=_help("First pause after a failed call; doubles."))
    backoff_cap = Seconds(at_least=0.05, at_most=3600, metadata=_help("Longest pause between two tries."))
    parent_wait_seconds = Seconds(at_least=0, at_most=86400, metadata=_help("How long an edit or deletion waits for its message."))
    reply_wait_seconds = Seconds(at_least=0, at_most=600, metadata=_help("How long an answer waits for the message it answers."))
    album_wait_seconds = Seconds(
        at_least=0, at_most=60, metadata=_help("How long the first file of an album waits for the others, where they are told one by one.")
    )
    loop_turns = fields.Integer(
        validate=validate.Range(2, 1000), metadata=_help("More automatic turns than this in ten minutes stop a conversation.")
    )
    loop_pace_seconds = Seconds(at_least=0, at_most=60, metadata=_help("A reply that follows sooner than this is automatic."))
    sweep_seconds = Seconds(at_least=0.05, at_most=60, metadata=_help("How often the sweeper looks for work that nobody was woken for."))
    poll_floor_seconds = Seconds(at_least=0.05, at_most=3600, metadata=_help("Shortest pause between two polls of one channel."))
    retention_days = Count(at_least=30, at_most=36500, metadata=_help("Raw receipts are kept so long after their events have ended."))
    max_attachment = Size(at_least=0, at_most=2_000_000_000, metadata=_help("Larger files are named in a note instead of carried."))
    receipts_in_tickets = fields.Boolean(
        metadata=_help("true: a ticket's field of the last reply also says delivered and read, where the platform tells.")
    )

    @validates_schema
    def check_whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """A turn ends well within its lease; pauses grow."""
        default = EngineConfig()
        if data.get("turn_seconds", default.turn_seconds) >= data.get("lease_seconds", default.lease_seconds):
            raise ValidationError("must be shorter than lease_seconds, or a turn would outlive its lease.", field_name="turn_seconds")
        if data.get("backoff_base", default.backoff_base) > data.get("backoff_cap", default.backoff_cap):
            raise ValidationError("must not be longer than backoff_cap.", field_name="backoff_base")


class ConsoleSection(_Section):
    """`[console]`."""

    makes = ConsoleConfig
    on = fields.Boolean(metadata=_help("false: there are no admin pages at `/console/`."))
    helpdesk = fields.String(metadata=_help("Which [helpdesk.NAME] people sign in with; needed when there are several."))
    admins = fields.List(fields.String(), metadata=_help("Roles or groups of the helpdesk whose members may do everything in the console."))
    supervisors = fields.List(fields.String(), metadata=_help("Those whose members may look, and decide about messages and conversations."))
    auditors = fields.List(fields.String(), metadata=_help("Those whose members may look and change nothing."))
    idle_seconds = Seconds(at_least=60, at_most=43200, metadata=_help("A session ends when nothing was asked for so long."))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        return ConsoleConfig(**values)


class SecretsSection(_Section):
    """`[secrets]`."""

    keys = fields.List(fields.String(), metadata=_help("Keys for secrets at rest, newest first.", secret=True))

    @validates_schema
    def check_keys(self, data: Mapping[str, Any], **_: Any) -> None:
        """Fernet's own shape: 32 bytes in URL-safe base64."""
        for index, key in enumerate(data.get("keys", ())):
            if not _is_fernet_key(key):
                raise ValidationError(
                    {"keys": {index: ["is no key. Make one with: openssl rand -base64 32 | tr '+/' '-_'"]}},
                )


class CommonSection(_Section):
    """What every `[channel.NAME]` may hold; the rest is the adapter's."""

    class Meta:
        """The adapter's keys are not ours to judge."""

        unknown = EXCLUDE

    platform = fields.String(required=True, metadata=_help('The platform it is on, such as "matrix".'))
    helpdesk = fields.String(metadata=_help("Which [helpdesk.NAME] its tickets go to; needed when there are several."))
    group = fields.String(metadata=_help("Where its tickets are filed first, as the helpdesk calls it."))
    late = fields.Enum(LateMessages, by_value=True, metadata=_help('A message after the ticket is closed: "reopen", "follow_up" or "new".'))
    paused = fields.Boolean(metadata=_help("true: take messages in, send nothing."))
    register = fields.Boolean(
        metadata=_help("true: whenever Crossdesk starts, the platform is told the webhook's address, where it lets us.")
    )


class SearchSection(_Section):
    """`[channel.NAME.search.SEARCH]`: a saved search."""

    makes = SearchConfig
    query = fields.String(
        required=True,
        validate=validate.Length(min=1, max=1000),
        metadata=_help("What to search for, in the platform's own words; its page says which."),
    )
    a_day = Count(at_least=1, at_most=100_000, metadata=_help("Most posts that are read in a day (UTC): some platforms bill each."))
    group = fields.String(metadata=_help("Where tickets of found posts are filed, if not where the channel's are."))


class KindSection(_Section):
    """What every `[helpdesk.NAME]` holds; the rest is the adapter's."""

    class Meta:
        """The adapter's keys are not ours to judge."""

        unknown = EXCLUDE

    kind = fields.String(required=True, metadata=_help('The software it runs, such as "zammad" or "rt".'))


SECTIONS: Mapping[str, Callable[[], _Section]] = {
    "crossdesk": CrossdeskSection,
    "database": DatabaseSection,
    "redis": RedisSection,
    "receiver": ReceiverSection,
    "worker": WorkerSection,
    "engine": EngineSection,
    "console": ConsoleSection,
    "secrets": SecretsSection,
}


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _sentinels(url: str) -> Sentinels | None:
    """`sentinel://[user[:password]@]host:port,host:port/service[/number]`, None where it is not that."""
    # Not by `urlsplit`: what it makes of several hosts, one of them in brackets, differs between Python's patch releases.
    netloc, _, path = url.removeprefix("sentinel://").partition("/")
    credentials, _, hosts = netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    found = [_ADDRESS.fullmatch(address.strip()) for address in hosts.split(",")]
    service, _, number = path.strip("/").partition("/")
    if not service or not all(found) or (number and not number.isdecimal()) or len(number) > 4:
        return None
    addresses = tuple((match["v6"] or match["host"], int(match["port"])) for match in found if match is not None)
    if any(port > 65535 for _, port in addresses):
        return None
    return Sentinels(
        addresses=addresses,
        service=service,
        database=int(number or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
    )
