"""Polling against a small account that keeps the network's promises: lists sorted by time, cursors, pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.contracts.http import HttpResponse
from plugin.domain.errors import RemoteUnavailable
from plugin.domain.events import MessageDeleted, MessageReceived
from plugin.domain.ids import MessageRef
from plugin.domain.model import Attachment
from plugin.platforms.bluesky.keys import media_ref
from plugin.platforms.bluesky.tests.fakes import connect
from plugin.testing.fakes import CannedHttp, FixedClock, MemorySecrets, canned

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SETTINGS = {
    "service": "https://pds.example",
    "identifier": "brand.example",
    "app_password": "aaaa-bbbb",
    "directory": "https://plc.example",
}
BRAND = "did:plc:brandaaaaaaaaaaaaaaaaaaa"


class Account:
    """The brand's server: notifications by time, newest first, 100 a page, cursor = time of the last."""

    def __init__(self) -> None:
        self.posts: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.hidden: set[str] = set()
        self.is_down = False
        self.calls: list[str] = []

    def say(self, number: int, at: datetime, *, who: int = 0) -> str:
        did = f"did:plc:{who:024d}"
        uri = f"at://{did}/app.bsky.feed.post/{number:013d}"
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.posts[uri] = {
            "uri": uri,
            "cid": f"cid{number:012d}",
            "author": {"did": did, "handle": f"c{who}.example"},
            "reason": "mention",
            "record": {"text": str(number), "createdAt": stamp},
            "indexedAt": stamp,
        }
        return uri

    def request(self, verb: str, url: str, *, params: Any = None, json: Any = None, headers: Any = None, **how: Any) -> HttpResponse:
        method = url.rpartition("/")[2]
        self.calls.append(method)
        return self._answer(*getattr(self, "_" + method.rpartition(".")[2])(list(params or ())))

    def _answer(self, status: int, data: Any) -> HttpResponse:
        return HttpResponse(status=status, headers={}, body=json.dumps(data).encode())

    def _createSession(self, params: Any) -> Any:  # noqa: N802 - the method's name
        return 200, {"did": BRAND, "handle": "brand.example", "accessJwt": "a", "refreshJwt": "r"}

    def _listNotifications(self, params: Any) -> Any:  # noqa: N802
        if self.is_down:
            return 502, {"error": "UpstreamFailure"}
        assert [value for name, value in params if name == "reasons"] == ["mention", "reply", "quote"]
        assert ("priority", "false") in params
        cursor = dict(params).get("cursor", "9")
        listed = sorted((post for post in self._shown() if post["indexedAt"] < cursor), key=lambda post: post["indexedAt"], reverse=True)[
            :100
        ]
        return 200, {"notifications": listed, **({"cursor": listed[-1]["indexedAt"]} if listed else {})}

    def _listRecords(self, params: Any) -> Any:  # noqa: N802
        return 200, {"records": []}

    def _getPosts(self, params: Any) -> Any:  # noqa: N802
        assert len(params) <= 25
        wanted = {value for _, value in params}
        return 200, {"posts": [post for post in self._shown() if post["uri"] in wanted]}

    def _getProfiles(self, params: Any) -> Any:  # noqa: N802
        assert len(params) <= 25
        return 200, {"profiles": [{"did": did, "followersCount": 7} for _, did in params]}

    def _getRecord(self, params: Any) -> Any:  # noqa: N802
        uri = f"at://{dict(params)['repo']}/app.bsky.feed.post/{dict(params)['rkey']}"
        if uri in self.deleted:
            return 400, {"error": "RecordNotFound", "message": "Could not locate record"}
        return 200, {"uri": uri, "value": {}}

    def _shown(self) -> list[dict[str, Any]]:
        return [post for uri, post in self.posts.items() if uri not in self.deleted | self.hidden]


def drain(channel: Any, position: Any) -> tuple[list[Any], Any]:
    """Poll until there is no more."""
    events = []
    for _ in range(50):
        polled = channel.poll(position)
        events += polled.events
        position = polled.position if polled.position is not None else position
        if not polled.has_more:
            return events, position
    raise AssertionError("there is always more")


def test_a_backlog_comes_whole_once_and_in_order() -> None:
    account, clock = Account(), FixedClock(NOW)
    channel = connect(SETTINGS, account, clock=clock)
    _, position = drain(channel, None)
    said = [account.say(number, NOW + timedelta(milliseconds=7 * number), who=number % 30) for number in range(1300)]
    clock.at = NOW + timedelta(hours=3)

    events, position = drain(channel, position)

    assert [event.message_ref for event in events] == said
    assert drain(channel, position) == ([], position)
    assert channel.poll(position).position is None


def test_the_first_poll_looks_back_a_little_and_not_further() -> None:
    account = Account()
    account.say(1, NOW - timedelta(days=3))
    recent = account.say(2, NOW - timedelta(minutes=5))
    channel = connect(SETTINGS, account, clock=FixedClock(NOW))

    events, position = drain(channel, None)
    assert [event.message_ref for event in events] == [recent]
    account.say(3, NOW - timedelta(minutes=20))
    late = account.say(4, NOW - timedelta(minutes=10))
    assert [event.message_ref for event in drain(channel, position)[0]] == [late]


def test_an_outage_moves_nothing_and_asks_again() -> None:
    account = Account()
    channel = connect(SETTINGS, account, clock=FixedClock(NOW))
    account.say(1, NOW)
    account.is_down = True
    with pytest.raises(RemoteUnavailable):
        channel.poll(None)
    account.is_down = False
    assert len(channel.poll(None).events) == 1


def test_every_watched_post_is_looked_at_in_turn_and_only_what_is_gone_is_deleted() -> None:
    account, clock = Account(), FixedClock(NOW)
    said = [account.say(number, NOW + timedelta(seconds=number)) for number in range(120)]
    channel = connect(SETTINGS, account, clock=clock)
    _, position = drain(channel, None)
    account.deleted = {said[0], said[60], said[119]}
    account.hidden = {said[1], said[118]}

    gone: list[MessageRef] = []
    for _ in range(6):
        clock.advance(15)
        account.calls.clear()
        events, position = drain(channel, position)
        assert account.calls.count("app.bsky.feed.getPosts") <= 2
        assert all(isinstance(event, MessageDeleted) for event in events)
        gone += [event.message_ref for event in events]

    assert sorted(gone) == sorted(account.deleted)


def test_one_post_that_is_listed_twice_is_one_event() -> None:
    account = Account()
    uri = account.say(1, NOW)
    account.posts["twin"] = {**account.posts[uri], "reason": "reply"}
    (event,) = connect(SETTINGS, account, clock=FixedClock(NOW)).poll(None).events
    assert isinstance(event, MessageReceived)


def test_a_session_of_other_settings_is_not_used() -> None:
    account, secrets = Account(), MemorySecrets()
    connect(SETTINGS, account, secrets=secrets).poll(None)
    connect(SETTINGS, account, secrets=secrets).poll(None)
    assert account.calls.count("com.atproto.server.createSession") == 1
    connect({**SETTINGS, "app_password": "new"}, account, secrets=secrets).poll(None)
    assert account.calls.count("com.atproto.server.createSession") == 2
    assert "refreshSession" not in "".join(account.calls)


def test_files_come_from_their_authors_server_through_the_filter() -> None:
    did = "did:plc:anaaaaaaaaaaaaaaaaaaaaaa"
    document = {"service": [{"id": "#other"}, {"id": "#atproto_pds", "serviceEndpoint": "https://ana-host.example/"}]}
    http = CannedHttp([canned({"status": 200, "json": document}), canned({"status": 200, "body": "JPEG"})])
    attachment = Attachment(media_ref=media_ref(did, "bafkrei"), filename="image-1.jpg", content_type="image/jpeg", description="d")

    file = connect(SETTINGS, http).fetch_media(attachment, max_bytes=100)

    assert (file.content, file.filename, file.description) == (b"JPEG", "image-1.jpg", "d")
    assert [(call.method, call.url.partition("?")[0]) for call in http.made] == [
        ("GET", f"https://plc.example/{did}"),
        ("DOWNLOAD", "https://ana-host.example/xrpc/com.atproto.sync.getBlob"),
    ]
