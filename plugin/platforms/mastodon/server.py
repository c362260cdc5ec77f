"""What the server says of itself and of us: our account, and the limits that it sets. Asked once, and the limits again every hour.

Sources: Mastodon documentation, "instance API methods" (v2, and v1 where that is all there is), "accounts API methods".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_count, read_object, read_string
from plugin.domain.errors import RemoteError, RemoteUnavailable
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.schema import Settings
from plugin.platforms.mastodon.values import read_id

_FRESH = timedelta(hours=1)
_QUOTES_SINCE = 7
"""Mastodon's number of its API in 4.5 (entity "Instance", `api_versions`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The account that we are. `name` is without the server."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A server's name, as it stands behind its people's names, and its limits; lengths in characters, sizes in bytes.

    The values here are Mastodon's own, for servers that tell none.
    """

    domain: str
    text_length: int = 500
    url_length: int = 23
    description_length: int = 1500
    files: int = 4
    file_bytes: int = 16_777_216
    content_types: tuple[str, ...] = ()
    has_quotes: bool = False
    """Whether it tells who quoted us: Mastodon does since 4.5. Other servers may refuse a kind of notification that they do not know."""
    streaming: str = ""
    """Where its streams are, as told: often a server of their own, and a `wss` address. Empty: where everything else is."""


class Server:
    """One account's server. Safe to share between threads: at worst it is asked twice."""

    def __init__(self, client: Client, settings: Settings, connection: Connection) -> None:
        self._client = client
        self._host = urlsplit(settings.url).netloc
        self._clock = connection.clock
        self._own: Own | None = None
        self._instance: tuple[datetime, Instance] | None = None

    @property
    def known(self) -> Instance | None:
        """The limits as far as they were read by now. Makes no call."""
        return self._instance[1] if self._instance else None

    def own(self) -> Own:
        """Our account.

        Raises:
            CredentialsRejected: the token opens none.
            RemoteError: any other of its kinds.
        """
        if self._own is None:
            account = self._client.get("account_verify_credentials")
            own_id = read_id(account.get("id"))
            if not own_id:
                raise RemoteUnavailable("The server does not say whose token this is; it is tried again. Check `url` if this stays.")
            self._own = Own(id=own_id, name=read_string(account.get("acct")))
        return self._own

    def instance(self) -> Instance:
        """The limits. Those that were known stand while the server cannot be asked.

        Raises:
            RemoteError: any of its kinds, the first time.
        """
        now = self._clock.now()
        if self._instance is None or now - self._instance[0] >= _FRESH:
            try:
                read = self._read()
            except RemoteError:
                if self._instance is None:
                    raise
                read = self._instance[1]
            self._instance = (now, read)
        return self._instance[1]

    def _read(self) -> Instance:
        told = self._client.find("instance_v2")
        if told is None:
            told = self._client.find("instance_v1") or {}
        return read_instance(told, host=self._host)


def read_instance(told: Mapping[str, Any], *, host: str) -> Instance:
    """An instance as version 2 or 1 of the API tells it. Pure, never fails; what is missing is as on Mastodon."""
    configuration = read_object(told.get("configuration"))
    statuses, media = read_object(configuration.get("statuses")), read_object(configuration.get("media_attachments"))
    types = media.get("supported_mime_types")
    sizes = [size for name in ("image_size_limit", "video_size_limit") if (size := read_count(media.get(name)))]
    standard = Instance(domain="")
    return Instance(
        domain=_domain(read_string(told.get("domain")) or read_string(told.get("uri"))) or host,
        text_length=read_count(statuses.get("max_characters")) or read_count(told.get("max_toot_chars")) or standard.text_length,
        url_length=read_count(statuses.get("characters_reserved_per_url")) or standard.url_length,
        description_length=read_count(media.get("description_limit")) or standard.description_length,
        files=read_count(statuses.get("max_media_attachments")) or standard.files,
        file_bytes=min(sizes, default=standard.file_bytes),
        content_types=tuple(kind for kind in types if isinstance(kind, str)) if isinstance(types, list) else (),
        has_quotes=(read_count(read_object(told.get("api_versions")).get("mastodon")) or 0) >= _QUOTES_SINCE,
        streaming=read_string(read_object(configuration.get("urls")).get("streaming"))
        or read_string(read_object(told.get("urls")).get("streaming_api")),
    )


def qualified(acct: str, domain: str) -> str:
    """An account's name with its server: people of our own server come without."""
    return acct if not acct or "@" in acct else f"{acct}@{domain}"


def _domain(told: str) -> str:
    """Older servers write an address where a name is due."""
    return urlsplit(told).netloc if "://" in told else told.strip("/")
