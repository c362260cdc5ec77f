"""That the stand-in refuses what X refuses, asked over HTTP without any adapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from plugin.contracts.http import FormFile, HttpResponse
from plugin.testing.standins.x import ACCOUNT, BEARER, CALLBACK, CLIENT_ID, CUSTOMER, XStandIn
from plugin.transport.client import Client, Transport

JSON = {"content-type": "application/json"}
PNG = FormFile(filename="a.png", content=b"\x89PNG\r\n\x1a\n")
POSTS, MESSAGES = "/2/tweets", f"/2/dm_conversations/with/{CUSTOMER}/messages"


@pytest.fixture(scope="module")
def x() -> Iterator[XStandIn]:
    with XStandIn() as standin:
        yield standin


@pytest.fixture(scope="module")
def http() -> Iterator[Client]:
    transport = Transport()
    yield transport.client(name="X")
    transport.close()


class Caller:
    """Calls with one token."""

    def __init__(self, x: XStandIn, http: Client, token: str) -> None:
        self._x, self._http, self._token = x, http, token

    def __call__(self, method: str, path: str, **how: Any) -> HttpResponse:
        headers = {"authorization": f"Bearer {self._token}", **how.pop("headers", {})}
        return self._http.request(method, self._x.url + path, headers=headers, **how)


@pytest.fixture
def account(x: XStandIn, http: Client) -> Caller:
    return Caller(x, http, x.signing_in.issue(ACCOUNT)["access_token"])


@pytest.fixture
def app(x: XStandIn, http: Client) -> Caller:
    return Caller(x, http, BEARER)


@pytest.mark.parametrize(
    ("method", "path", "how", "status", "words"),
    [
        ("POST", POSTS, {"json": {"text": "hello", "colour": "red"}}, 400, "additional properties"),
        ("POST", POSTS, {"json": {"text": "hello", "reply": {"in_reply_to_post_id": "1"}}}, 400, "additional properties"),
        ("POST", POSTS, {"json": {"text": "hello", "reply": {"in_reply_to_tweet_id": 1}}}, 400, "regex"),
        ("POST", POSTS, {"json": {"text": 5}}, 400, "str expected"),
        ("POST", POSTS, {"json": {"text": " "}}, 400, "text or media"),
        ("POST", POSTS, {"json": {"text": "日" * 141}}, 400, "too long"),
        ("POST", POSTS, {"json": {"text": "hello", "media": {"media_ids": ["1"]}}}, 400, "media IDs are invalid"),
        ("POST", POSTS, {"json": {"text": "hello", "reply": {"in_reply_to_tweet_id": "1"}}}, 403, "deleted or not visible"),
        ("POST", POSTS, {"data": b"text=hello", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 415, "content type"),
        ("POST", POSTS, {"data": b"{", "headers": JSON}, 400, "no JSON"),
        ("POST", MESSAGES, {"json": {}}, 400, "missing"),
        ("POST", MESSAGES, {"json": {"text": "x" * 10_001}}, 400, "over the max"),
        ("POST", MESSAGES, {"json": {"attachments": [{"media_id": "1"}, {"media_id": "2"}]}}, 400, "one attachment"),
        ("POST", "/2/dm_conversations/with/99/messages", {"json": {"text": "x"}}, 404, "Could not find user"),
        ("PUT", f"{POSTS}/1/hidden", {"json": {"hidden": "yes"}}, 400, "bool expected"),
        ("PUT", f"{POSTS}/1/hidden", {"json": {"hidden": True}}, 404, "Could not find"),
        ("GET", f"{POSTS}?ids=abc", {}, 400, "`ids`"),
        ("GET", f"{POSTS}?ids=1&tweet.fields=note_post", {}, 400, "note_post"),
        ("GET", f"{POSTS}?ids=1&post.fields=author_id", {}, 400, "author_id"),
        ("GET", f"{POSTS}?ids=1&verbose=1", {}, 400, "[verbose]"),
        ("GET", f"/2/users/{ACCOUNT}/mentions?max_results=4", {}, 400, "between 5 and 100"),
        ("GET", f"/2/users/{ACCOUNT}/mentions?since_id=x", {}, 400, "since_id"),
        ("GET", f"/2/users/{ACCOUNT}/tweets?start_time=yesterday", {}, 400, "start_time"),
        ("GET", "/2/tweets/search/recent?query=a&max_results=9", {}, 400, "between 10 and 100"),
        ("GET", "/2/tweets/search/recent?query=(a", {}, 400, "missing EOF"),
        ("POST", "/2/media/upload", {"files": [("media", PNG)]}, 400, "media_category"),
        ("POST", "/2/media/upload", {"files": [("media", PNG)], "data": {"media_category": "tweet_video"}}, 400, "not supported"),
        ("POST", "/2/media/upload", {"json": {"media": "x"}}, 415, "multipart/form-data"),
        ("POST", "/2/media/upload/initialize", {"json": {"media_type": "video/mp4", "total_bytes": 1}}, 400, "media_category"),
        ("POST", "/2/media/upload/1/append", {"files": [("media", PNG)], "data": {"segment_index": "0"}}, 404, "media"),
        ("GET", "/2/webhooks", {}, 403, "User Context is forbidden"),
        ("GET", "/2/nothing", {}, 404, "Not Found"),
        ("PATCH", POSTS, {}, 405, "Method Not Allowed"),
    ],
)
def test_what_the_description_does_not_have_is_refused(
    account: Caller, method: str, path: str, how: Mapping[str, Any], status: int, words: str
) -> None:
    answer = account(method, path, **how)
    body = answer.json_object
    assert body is not None
    assert (answer.status, body["status"]) == (status, status)
    assert words in body["detail"]


def test_a_piece_without_its_number_and_pieces_that_do_not_add_up(account: Caller) -> None:
    asked = {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": 9}
    begun = account("POST", "/2/media/upload/initialize", json=asked).json()
    path = f"/2/media/upload/{begun['data']['id']}"
    assert account("POST", f"{path}/append", files=[("media", PNG)]).status == 400
    assert account("POST", f"{path}/append", files=[("media", PNG)], data={"segment_index": "1"}).status == 200
    assert "add up" in account("POST", f"{path}/finalize").json()["detail"]


def test_who_may_call_what(x: XStandIn, http: Client, app: Caller) -> None:
    assert app("POST", POSTS, json={"text": "hello"}).json()["type"].endswith("unsupported-authentication")
    assert Caller(x, http, "nobody")("GET", "/2/users/me").status == 401
    reader = Caller(x, http, x.signing_in.issue(ACCOUNT, frozenset({"tweet.read", "users.read"}))["access_token"])
    assert reader("GET", "/2/users/me").status == 200
    assert reader("POST", POSTS, json={"text": "hello"}).status == 403
    assert app("POST", "/2/webhooks", json={"url": "ftp://desk.example"}).json()["title"] == "UrlValidationFailed"
    x.signing_in.expire()
    assert reader("GET", "/2/users/me").status == 401


def test_limits_are_told_and_kept(x: XStandIn, account: Caller) -> None:
    x.limits.most["GET /2/users/me"] = 2
    left = [account("GET", "/2/users/me") for _ in range(3)]
    assert [answer.headers["x-rate-limit-remaining"] for answer in left] == ["1", "0", "0"]
    assert [answer.status for answer in left] == [200, 200, 429]


def test_a_browser_is_not_sent_back_to_any_address_but_the_registered_one(x: XStandIn) -> None:
    address = (
        f"https://x.com/i/oauth2/authorize?response_type=code&client_id={CLIENT_ID}&scope=tweet.read&state=s&code_challenge=c"
        "&code_challenge_method=S256&redirect_uri="
    )
    x.signing_in.agree(address + CALLBACK, ACCOUNT)
    for wrong in (address + CALLBACK + "/", address.replace("S256", "plain") + CALLBACK, address.replace("tweet.read", "all") + CALLBACK):
        with pytest.raises(Exception, match="give access"):
            x.signing_in.agree(wrong, ACCOUNT)
