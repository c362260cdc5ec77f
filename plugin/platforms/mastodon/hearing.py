"""The stream of the account's notifications: when one of ours comes, it is time to poll. Nothing of what it says is used for anything else.

Sources: Mastodon documentation, "streaming API methods" and "Hostname discovery" there; HTML Standard, "Server-sent events".
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from plugin.contracts.http import Patience, parse_json
from plugin.domain.errors import MalformedPayload, RemoteRejected
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.server import Server

_PATH = "/api/v1/streaming/user/notification"
_IDLE_SECONDS = 60.0
"""Mastodon says something every 15 s, if only `:thump`."""
_NEWS = frozenset({"notification", "notifications_merged"})
_NOT_OURS = frozenset({"favourite", "reblog", "follow", "follow_request", "poll", "severed_relationships", "moderation_warning"})
"""Kinds of notification that no poll brings. One that we do not know may be news."""
_SCHEMES = {"wss": "https", "https": "https", "ws": "http", "http": "http"}


class Events:
    """Takes the lines of a stream, and calls `on_news` at the end of each event that may be news to us."""

    def __init__(self, on_news: Callable[[], None]) -> None:
        self._on_news = on_news
        self._name = ""
        self._data = ""

    def take(self, line: str) -> None:
        """One line, without its end."""
        if not line:
            if self._name in _NEWS and not _is_none_of_ours(self._data):
                self._on_news()
            self._name = self._data = ""
            return
        name, _, value = line.partition(":")
        if name == "event":
            self._name = value.removeprefix(" ")
        elif name == "data":
            self._data = value.removeprefix(" ")


class Hearing:
    """Listens at one account's server, or at the one that it names for its streams."""

    def __init__(self, client: Client, server: Server, *, url: str) -> None:
        self._client = client
        self._server = server
        self._url = url

    def hear(self, on_news: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """Listen until the stream ends or `is_over`."""
        base = streaming_base(self._server.instance().streaming, url=self._url)
        patience = Patience(is_over=is_over, idle_seconds=_IDLE_SECONDS)
        self._client.follow(base, _PATH, Events(on_news).take, patience)


def streaming_base(told: str, *, url: str) -> str:
    """Where the streams of the server at `url` are, which told us `told`: `url` itself, or an address that begins with https.

    Raises:
        RemoteRejected: the token must not go there.
    """
    try:
        parts = urlsplit(told.strip())
        scheme = _SCHEMES.get(parts.scheme, "")
    except ValueError:
        parts, scheme = urlsplit(""), ""
    if not told or (scheme and parts.netloc == urlsplit(url).netloc):
        return url
    if scheme != "https" or not parts.netloc:
        raise RemoteRejected("The server's address for streams is not safe for the access token. Nothing is lost: the channel is polled.")
    return f"https://{parts.netloc}{parts.path.rstrip('/')}"


def _is_none_of_ours(data: str) -> bool:
    try:
        told = parse_json(data.encode("utf-8", "replace"))
    except MalformedPayload:
        return False
    kind = told.get("type") if isinstance(told, dict) else None
    return isinstance(kind, str) and kind in _NOT_OURS
