"""What LinkedIn sends: a payload as it was captured in the open, the challenge, the signature, and whatever else may stand there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection
from plugin.contracts.signing import sign
from plugin.domain.errors import (
    CrossdeskError,
    MalformedPayload,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    UnsupportedEvent,
)
from plugin.domain.events import MessageReceived
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.platforms._oauth.tokens import SECRET
from plugin.platforms.linkedin import comments, notices
from plugin.platforms.linkedin.adapter import PLATFORM, LinkedInAdapter
from plugin.platforms.linkedin.client import entity
from plugin.testing.fakes import CannedHttp, FixedClock, MemorySecrets, canned
from plugin.testing.standins.linkedin import CLIENT_SECRET, CUSTOMER, PAGE, SCOPES, VERSION, LinkedInStandIn

CODE = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
TOKEN = json.dumps({"access": "t", "renewal": "", "ends_at": 9e9, "scopes": ["*"]})
CAPTURED = {
    "subscriber": "urn:li:person:zLqTygBP8S",
    "lastModifiedAt": 1691574506310,
    "decoratedSourcePost": {
        "owner": "urn:li:organization:96072893",
        "mediaCategory": "NONE",
        "text": "This is my post 0008",
        "entity": "urn:li:share:7094637247487995904",
    },
    "sourcePost": "urn:li:activity:7094637247890620418",
    "decoratedGeneratedActivity": {
        "comment": {
            "owner": "urn:li:person:zLqTygBP8S",
            "text": "Commenting as a customer...",
            "entity": "urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)",
            "object": "urn:li:activity:7094637247890620418",
        }
    },
    "action": "COMMENT",
    "notificationId": -5603453321,
    "organizationalEntity": "urn:li:organization:96072893",
    "generatedActivity": "urn:li:comment:(activity:7094637247890620418,7094977717598625792)",
}
THEIRS = "urn:li:organization:96072893"


def adapter_with(*answers: Mapping[str, Any]) -> LinkedInAdapter:
    given = {
        "organization_id": "96072893",
        "client_id": "77example0client",
        "client_secret": CLIENT_SECRET,
        "previous_client_secret": "older",
    }
    http = CannedHttp([canned(one) for one in answers], is_endless=False)
    connection = Connection(http=http, clock=FixedClock(), secrets=MemorySecrets(**{SECRET: TOKEN}), webhook_url="")
    made = PLATFORM.connect("li", PLATFORM.settings_schema.load(given), connection)  # type: ignore[arg-type]
    assert isinstance(made, LinkedInAdapter)
    return made


def challenge(code: str) -> WebhookRequest:
    return WebhookRequest(method="GET", path="", headers={}, query={"challengeCode": code}, body=b"")


def test_a_notice_that_was_captured() -> None:
    body = {"type": notices.KIND, "notifications": [CAPTURED, {**CAPTURED, "subscriber": "urn:li:person:another", "notificationId": 7}]}
    (event,) = notices.read_delivery(body, THEIRS)
    assert isinstance(event, MessageReceived)
    assert event.text.plain == "Commenting as a customer..."
    assert event.message_ref == "urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)"
    assert event.thread_key == "urn:li:activity:7094637247890620418/urn:li:person:zLqTygBP8S"
    short = {**CAPTURED, "decoratedGeneratedActivity": {"comment": {"owner": CUSTOMER, "text": "x"}}}
    assert notices.read_notice(short, THEIRS).event_key == event.event_key
    assert notices.notice_key(CAPTURED) == "-5603453321"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"action": "LIKE"}, "like"),
        ({"action": "SHARE"}, "share"),
        ({"action": "FOLLOW"}, "FOLLOW"),
        ({"action": "ADMIN_COMMENT"}, "own comment"),
        ({"decoratedGeneratedActivity": None}, notices.WORDLESS),
        ({"organizationalEntity": PAGE}, "other page"),
    ],
)
def test_notices_that_are_no_messages(changes: Mapping[str, Any], detail: str) -> None:
    with pytest.raises(UnsupportedEvent) as left:
        notices.read_notice({**CAPTURED, **changes}, THEIRS)
    assert left.value.detail == detail


def test_a_mention_without_words_says_so() -> None:
    event = notices.read_notice({**CAPTURED, "action": "SHARE_MENTION", "generatedActivity": "urn:li:activity:5"}, THEIRS)
    assert isinstance(event, MessageReceived)
    assert "open the post" in event.remarks[0]


def test_the_challenge() -> None:
    answered = adapter_with().answer(challenge(CODE))
    assert answered is not None
    assert json.loads(answered.body) == {"challengeCode": CODE, "challengeResponse": sign(CLIENT_SECRET, CODE.encode())}
    assert answered.content_type == "application/json"
    assert adapter_with().answer(replace(challenge(CODE), query={})) is None


@pytest.mark.parametrize("code", ["", 'hmacsha256={"type": "x"}', CODE + "\n", CODE + "0", "hmacsha256=" + CODE])
def test_a_challenge_never_signs_what_could_be_a_delivery(code: str) -> None:
    with pytest.raises(SignatureInvalid):
        adapter_with().answer(challenge(code))


def test_the_signature_covers_the_prefix_and_the_raw_body() -> None:
    body = b'{"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS", "notifications": [] }'
    right = sign(CLIENT_SECRET, b"hmacsha256=", body)
    request = WebhookRequest(method="POST", path="", headers={"x-li-signature": right}, query={}, body=body)
    adapter = adapter_with()
    adapter.verify(request)
    adapter.verify(replace(request, headers={"x-li-signature": f"hmacsha256={right}"}))
    adapter.verify(replace(request, headers={"x-li-signature": sign("older", b"hmacsha256=", body)}))
    for wrong in (sign(CLIENT_SECRET, body), right.upper(), "", "hmacsha256="):
        with pytest.raises(SignatureInvalid):
            adapter.verify(replace(request, headers={"x-li-signature": wrong}))


def test_a_picture_is_fetched_by_a_fresh_address() -> None:
    urn, picture = "urn:li:comment:(urn:li:activity:1,2)", "urn:li:image:C5"
    content = [{"type": "IMAGE", "entity": {"image": picture}, "url": "https://media.licdn.com/a?t=1"}]
    shown = {"status": 200, "json": {"id": "2", "commentUrn": urn, "message": {"text": "x"}, "content": content}}
    attachment = Attachment(media_ref=MediaRef(f"{urn}|{picture}"), filename="picture-1.jpg")
    adapter = adapter_with(shown, {"status": 200, "headers": {"content-type": "image/png"}, "body": "abc"})
    found = adapter.fetch_media(attachment, max_bytes=10)
    assert (found.content, found.content_type) == (b"abc", "image/png")
    with pytest.raises(RemoteUnavailable):
        adapter_with(shown, {"status": 200, "headers": {"content-type": "text/html"}, "body": "sign in"}).fetch_media(
            attachment, max_bytes=10
        )
    with pytest.raises(RemoteRejected):
        adapter_with({"status": 200, "json": {"id": "2"}}).fetch_media(attachment, max_bytes=10)


def test_a_token_goes_to_no_strangers_server() -> None:
    for url in ("https://elsewhere.example/upload", "http://www.linkedin.com/upload", "https://evil-linkedin.com/x", "https://[", ""):
        told = {"status": 200, "json": {"value": {"uploadUrl": url, "image": "urn:li:image:C5"}}}
        with pytest.raises(RemoteUnavailable):
            adapter_with(told)._client.upload(b"x", "image/png")


def test_somebody_whom_linkedin_does_not_name() -> None:
    raw = {"id": "2", "object": "urn:li:activity:1", "message": {"text": "Hello"}, "created": {"time": 1691574506310}}
    comment = comments.read_comment(raw)
    (event,) = comments.received(comment, customer="", organization=PAGE)
    assert (event.author.ref, event.author.display_name) == ("unnamed:2", "A LinkedIn member")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["urn:li:activity:1", CUSTOMER, PAGE]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*CAPTURED, "text", "value", "start", "length", "time"]), inner)
    ),
    max_leaves=5,
)
_MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_MANY
@given(st.dictionaries(st.sampled_from(sorted(CAPTURED)), _ANY))
def test_whatever_a_notice_holds(changes: Mapping[str, Any]) -> None:
    notices.notice_key({**CAPTURED, **changes})
    try:
        notices.read_notice({**CAPTURED, **changes}, THEIRS)
    except (MalformedPayload, UnsupportedEvent):
        return


@_MANY
@given(
    st.dictionaries(
        st.sampled_from(["message", "content", "created", "lastModified", "actor", "parentComment", "commentsSummary", "commentUrn"]), _ANY
    )
)
def test_whatever_a_comment_holds(changes: Mapping[str, Any]) -> None:
    named = [{"start": 1, "length": 2, "value": {"com.linkedin.common.MemberAttributedEntity": {"member": CUSTOMER}}}]
    raw = {"id": "2", "object": "urn:li:activity:1", "message": {"text": "a🚂b", "attributes": named}, **changes}
    try:
        comment = comments.read_comment(raw)
    except MalformedPayload:
        return
    comments.picture_urls(raw)
    for event in comments.received(comment, customer=CUSTOMER, organization=PAGE):
        assert all(0 <= mark.start < mark.end <= len(event.text.plain) for mark in event.text.marks)


def test_the_stand_in_is_strict(linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter]) -> None:
    adapter = connect(*SCOPES)
    comment = linkedin.world.say(CUSTOMER, "Hello")
    below = linkedin.world.say(CUSTOMER, "Hello again", below=comment)
    post, client = linkedin.world.comments[comment].post, adapter._client
    body = {"actor": PAGE, "object": post, "message": {"text": "x"}, "parentComment": comment}
    for wrong in (
        {**body, "visibility": "PUBLIC"},
        {**body, "message": {"text": "x", "bold": True}},
        {**body, "message": {"text": " "}},
        {**body, "message": {"text": "x" * 1251}},
        {**body, "parentComment": below},
        {**body, "actor": CUSTOMER},
        {"object": post, "message": {"text": "x"}},
    ):
        with pytest.raises(CrossdeskError):
            client.write("POST", entity(comment, "comments"), wrong)
    with pytest.raises(RemoteRejected):
        client.write("POST", entity(below, "comments"), {**body, "parentComment": below})
    for what in (f"socialActions/{comment}/comments", f"{entity(post, 'comments')}?sort=new", f"socialMetadata?ids=List({post})"):
        with pytest.raises(RemoteRejected):
            client.read(what)
    assert len(linkedin.world.comments) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"linkedin-version": ""}, 400),
        ({"linkedin-version": "202401"}, 426),
        ({"x-restli-protocol-version": "1.0.0"}, 400),
        ({"content-type": "text/plain"}, 400),
        ({"authorization": "Bearer nobody"}, 401),
    ],
)
def test_the_stand_in_wants_every_header(
    linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter], headers: Mapping[str, str], status: int
) -> None:
    adapter = connect(*SCOPES)
    comment = linkedin.world.say(CUSTOMER, "Hello")
    token = next(iter(linkedin.signing_in.tokens))
    right = {
        "authorization": f"Bearer {token}",
        "linkedin-version": VERSION,
        "x-restli-protocol-version": "2.0.0",
        "content-type": "application/json",
    }
    told = {"actor": PAGE, "object": linkedin.world.comments[comment].post, "message": {"text": "x"}, "parentComment": comment}
    url, data = f"{linkedin.url}/rest/{entity(comment, 'comments')}", json.dumps(told).encode()
    answer = adapter._connection.http.request("POST", url, headers={**right, **headers}, data=data)
    assert answer.status == status
    assert adapter._connection.http.request("POST", url, headers=right, data=data).status == 201
