"""The adapter against a tenant that refuses what Microsoft refuses, and deliveries that Microsoft did not send."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugin.contracts.platform import ProvesByPath
from plugin.contracts.splitting import split
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    SignatureInvalid,
    StoreUnavailable,
    TargetGone,
    Unsupported,
    UnsupportedEvent,
)
from plugin.domain.events import DeliveryStatus, DeliveryUpdated, MessageReceived
from plugin.domain.ids import Marker, MediaRef, ThreadKey
from plugin.domain.model import Attachment, File, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.teams.activities import address_of
from plugin.platforms.teams.adapter import PLATFORM, TeamsAdapter
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.outgoing import answer_to, outbound
from plugin.testing.platform_suite import folder_of, load
from plugin.testing.standins.teams import TeamsStandIn, tokens


def first(adapter: TeamsAdapter, request: Any) -> MessageReceived:
    adapter.verify(request)
    (event,) = adapter.parse(request)
    assert isinstance(event, MessageReceived)
    return event


def test_an_honest_delivery_is_accepted_and_the_keys_are_asked_for_once(teams: TeamsStandIn, adapter: TeamsAdapter) -> None:
    for _ in range(5):
        adapter.verify(teams.says(teams.personal, "hi"))
    assert teams.fetched == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://sts.windows.net/x/"},
        {"aud": "11111111-2222-3333-4444-000000000000"},
        {"serviceurl": "https://smba.trafficmanager.net/amer/"},
        {"serviceurl": None},
        {"exp": 1},
        {"exp": None},
        {"exp": True},
        {"nbf": 4102444800},
        {"alg": "HS256"},
        {"alg": "none"},
        {"signed_by": "key-of-a-stranger"},
    ],
)
def test_every_rule_of_the_token_is_kept(teams: TeamsStandIn, adapter: TeamsAdapter, changes: dict[str, Any]) -> None:
    activity = json.loads(teams.says(teams.personal, "hi").body)
    with pytest.raises(SignatureInvalid):
        adapter.verify(teams.signed(activity, **changes))


def test_a_token_for_another_service_or_channel_or_address_is_refused(teams: TeamsStandIn, adapter: TeamsAdapter) -> None:
    honest = teams.says(teams.personal, "hi")
    activity = json.loads(honest.body)
    other = json.dumps({**activity, "serviceUrl": "https://evil.example/"}).encode()
    for request in (
        replace(honest, body=other),
        teams.signed({**activity, "channelId": "webchat"}),
        teams.signed({**activity, "channelId": "telegram"}),
        replace(honest, path=""),
        replace(honest, path="/another-secret-of-somebody"),
        replace(honest, headers={**honest.headers, "authorization": honest.headers["authorization"][:-6] + "AAAAAA"}),
        replace(honest, headers={**honest.headers, "authorization": "Bearer a.b.c"}),
        replace(honest, body=b"no json"),
    ):
        with pytest.raises(SignatureInvalid):
            adapter.verify(request)


def test_a_key_that_may_not_speak_for_teams_is_refused(teams: TeamsStandIn, adapter: TeamsAdapter) -> None:
    teams.keys = [tokens.published("key-1", ("webchat",))]
    with pytest.raises(SignatureInvalid, match="may not speak for Teams"):
        adapter.verify(teams.says(teams.personal, "hi"))


def test_new_keys_are_found_after_an_hour_and_old_ones_last_while_microsoft_is_away(
    teams: TeamsStandIn, adapter: TeamsAdapter, clock: FixedClock
) -> None:
    adapter.verify(teams.says(teams.personal, "hi"))
    teams.kid, teams.keys = "key-2", [*teams.keys, tokens.published("key-2")]
    with pytest.raises(SignatureInvalid):
        adapter.verify(teams.says(teams.personal, "hi"))
    assert teams.fetched == 1
    clock.advance(3700)
    adapter.verify(teams.says(teams.personal, "hi"))
    assert teams.fetched == 2
    clock.advance(25 * 3600)
    teams.arm("error_before", at="keys", value=503, times=100)
    adapter.verify(teams.says(teams.personal, "hi"))
    teams.kid = "key-of-a-stranger"
    with pytest.raises(StoreUnavailable):
        adapter.verify(teams.says(teams.personal, "hi"))


def test_a_thread_of_a_channel_is_answered_in_the_thread(teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker) -> None:
    asked = first(adapter, teams.says(teams.channel, "<at>Helpdesk</at> it is on fire"))
    assert (asked.text, asked.visibility, asked.thread_key) == (Text("it is on fire"), Visibility.PUBLIC, teams.channel)
    receipt = adapter.deliver(answer_to(asked, Text("Run & <hide>", (Mark(0, 3, MarkKind.BOLD),))), marker=marker)
    ((activity_id, said),) = teams.said[teams.channel].items()
    assert "<b>Run</b> &amp; &lt;hide&gt;" in said["text"]
    assert receipt.message_ref.endswith(f"|{activity_id}")
    assert ";messageid" not in receipt.message_ref


def test_a_chat_is_private_and_a_channel_may_be(teams: TeamsStandIn, connect: Callable[..., TeamsAdapter]) -> None:
    assert first(connect(), teams.says(teams.personal, "hi")).visibility is Visibility.PRIVATE
    assert first(connect(channels="private"), teams.says(teams.channel, "hi")).visibility is Visibility.PRIVATE


def test_a_question_is_answered_by_a_press(teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker) -> None:
    asked = replace(outbound(ThreadKey(teams.personal), "Is it solved?"), choices=("Yes", "No"))
    adapter.deliver(asked, marker=marker)
    pressed = first(adapter, teams.presses("Yes"))
    assert (pressed.text, pressed.thread_key, pressed.is_own) == (Text("Yes"), teams.personal, False)


def test_words_to_press_stand_in_no_channel_and_no_group(teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker) -> None:
    teams.conversations["19:group@thread.v2"] = "groupChat"
    for place in (teams.channel, "19:group@thread.v2"):
        adapter.deliver(replace(outbound(ThreadKey(place), "Is it solved?"), choices=("Yes", "No")), marker=marker)
        (said,) = teams.said[place].values()
        assert "suggestedActions" not in said


def test_a_reply_is_known_to_be_read_in_a_chat_of_one_person(
    teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker, clock: FixedClock
) -> None:
    adapter.deliver(outbound(ThreadKey(teams.personal), "Done"), marker=marker)
    clock.advance(60)
    request = teams.reads(teams.personal)
    adapter.verify(request)
    (event,) = adapter.parse(request)
    assert isinstance(event, DeliveryUpdated)
    assert (event.status, event.thread_key, event.until) == (DeliveryStatus.READ, teams.personal, clock.now())
    teams.conversations["19:group@thread.v2"] = "groupChat"
    adapter.deliver(outbound(ThreadKey("19:group@thread.v2"), "Done"), marker=marker)
    with pytest.raises(UnsupportedEvent, match="chat of several"):
        adapter.parse(teams.reads("19:group@thread.v2"))
    with pytest.raises(MalformedPayload):
        adapter.parse(teams.says(teams.personal, "", kind="event", name="application/vnd.microsoft.readReceipt"))


def test_a_password_that_ended_is_known_before_somebody_answers(teams: TeamsStandIn, adapter: TeamsAdapter, clock: FixedClock) -> None:
    assert adapter.poll(None).events == ()
    teams.is_password_valid = False
    adapter.poll(None)
    clock.advance(3600)
    with pytest.raises(CredentialsRejected, match="app_password"):
        adapter.poll(None)


def test_ours_is_changed_and_taken_back(teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker) -> None:
    thread = ThreadKey(teams.channel)
    ref = adapter.deliver(outbound(thread, "helo"), marker=marker).message_ref
    adapter.edit(ref, outbound(thread, "hello"), marker=marker)
    (said,) = teams.said[thread].values()
    assert "hello" in said["text"]
    adapter.delete(ref, thread, marker=marker)
    adapter.delete(ref, thread, marker=marker)
    assert teams.said[thread] == {}
    with pytest.raises(TargetGone):
        adapter.edit(ref, outbound(thread, "again"), marker=marker)
    adapter.send_typing(thread)
    assert teams.typing == [thread]


def test_one_token_serves_until_it_ends_and_a_refused_one_is_renewed_once(
    teams: TeamsStandIn, adapter: TeamsAdapter, clock: FixedClock, marker: Marker
) -> None:
    message = outbound(teams.personal, "hello")
    for _ in range(3):
        adapter.deliver(message, marker=marker)
    assert teams.issued == 1
    clock.advance(3400)
    adapter.deliver(message, marker=marker)
    assert teams.issued == 2
    teams.valid_tokens.clear()
    adapter.deliver(message, marker=marker)
    assert (teams.issued, len(teams.said[teams.personal])) == (3, 5)
    teams.valid_tokens.clear()
    teams.is_password_valid = False
    with pytest.raises(CredentialsRejected, match="app_password"):
        adapter.deliver(message, marker=marker)


@pytest.mark.parametrize(
    ("kind", "value", "applied"), [("error_before", 502, 0), ("error_after", 504, 1), ("drop_after", 0, 1), ("stall_after", 1.0, 1)]
)
def test_no_proof_is_no_outcome(
    teams: TeamsStandIn, connect: Callable[..., TeamsAdapter], marker: Marker, kind: str, value: float, applied: int
) -> None:
    connect().probe()
    teams.arm(kind, at="create", value=value)
    with pytest.raises(OutcomeUnknown):
        connect(timeout=0.5).deliver(outbound(teams.personal, "hello"), marker=marker)
    assert len(teams.said.get(teams.personal, {})) == applied


def test_refusals_say_what_to_do(teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker) -> None:
    teams.arm("rate_limit", at="create", value=12)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(outbound(teams.personal, "hello"), marker=marker)
    assert limited.value.retry_after == 12
    teams.conversations["a:1left"] = "removed"
    for thread in ("a:1left", "a:1nobody"):
        with pytest.raises(TargetGone):
            adapter.deliver(outbound(thread, "hello"), marker=marker)
    with pytest.raises(RemoteRejected, match="no words"):
        adapter.deliver(outbound(teams.personal, ""), marker=marker)
    with pytest.raises(Unsupported):
        adapter.deliver(outbound(teams.personal, "x", files=(File(filename="a", content_type="b/c", content=b"d"),)), marker=marker)
    assert teams.said == {}


def test_a_long_answer_split_by_our_ruler_is_taken_whole(teams: TeamsStandIn, adapter: TeamsAdapter, marker: Marker) -> None:
    limits = adapter.capabilities.limits
    assert limits.text_length is not None
    assert limits.ruler is not None
    parts = split(Text('Größe & "so" weiter.\n' * 2000), limits.text_length, limits.ruler)
    for part in parts:
        adapter.deliver(outbound(teams.personal, part), marker=marker)
    assert len(teams.said[teams.personal]) == len(parts) > 3


def test_our_token_goes_to_our_service_alone(teams: TeamsStandIn, connect: Callable[..., TeamsAdapter]) -> None:
    teams.files = {"guarded": (b"PNG1", True), "open": (b"PNG2", False)}
    adapter = connect()

    def attached(kind: str, url: str) -> Attachment:
        content = {"content": {"downloadUrl": url}} if kind.endswith("info") else {"contentUrl": url}
        return first(adapter, teams.says(teams.personal, "", attachments=[{"contentType": kind, "name": "a.png", **content}])).attachments[
            0
        ]

    inline = adapter.fetch_media(attached("image/*", f"{teams.url}/teams/files/guarded"), max_bytes=100)
    assert (inline.content, inline.content_type) == (b"PNG1", "image/png")
    shared = attached("application/vnd.microsoft.teams.file.download.info", f"{teams.url}/teams/files/open")
    assert adapter.fetch_media(shared, max_bytes=100).content == b"PNG2"
    elsewhere = connect(service_url="https://smba.trafficmanager.net/teams")
    guarded = attached("image/*", f"{teams.url}/teams/files/guarded")
    with pytest.raises(RemoteRejected, match="401"):
        elsewhere.fetch_media(guarded, max_bytes=100)
    with pytest.raises(RemoteRejected):
        adapter.fetch_media(guarded, max_bytes=2)


def test_the_probes_name_what_is_missing(teams: TeamsStandIn, adapter: TeamsAdapter, secrets: MemorySecrets) -> None:
    assert all(probe.is_ok for probe in adapter.probe())
    shown = repr([adapter, adapter.probe()])
    assert str(teams.settings["app_password"]) not in shown
    assert str(teams.settings["address_secret"]) not in shown
    secrets.stored.clear()
    teams.is_password_valid, teams.keys = False, []
    assert [probe.is_ok for probe in adapter.probe()] == [False, False, True]


@given(st.text(max_size=40))
def test_any_reference_is_an_address_or_none(ref: str) -> None:
    assert isinstance(address_of(MediaRef(ref)), str)


def test_an_id_that_is_none_is_refused_by_name(teams: TeamsStandIn) -> None:
    with pytest.raises(ValidationError, match="tenant_id"):
        PLATFORM.settings_schema.load({**teams.settings, "tenant_id": "example.org"})


def test_the_addresses_secret_is_not_kept() -> None:
    platform = load(PLATFORM, folder_of(PLATFORM))
    adapter: TeamsAdapter = platform.connect()
    assert isinstance(adapter, ProvesByPath)
    fixture = next(one for one in platform.requests if one.name.startswith("message_received__"))
    kept = adapter.path_without_proof(fixture.request.path)
    assert not any(secret in kept for secret in platform.secrets)
    assert adapter.parse(replace(fixture.request, path=kept)) == adapter.parse(fixture.request)
