"""Catching up with a homeserver that follows a script: what fails is owed, nothing is forgotten, nothing private is overheard."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import ValidationError

from plugin.domain.errors import CredentialsRejected, MalformedPayload, OutcomeUnknown, RateLimited, RemoteUnavailable
from plugin.domain.events import MessageReceived
from plugin.platforms.matrix.adapter import MatrixAdapter
from plugin.platforms.matrix.schema import MatrixSettingsSchema

Scripted = Callable[..., tuple[MatrixAdapter, Any]]
ROOM = "!room:example.org"
BOT = "@support:example.org"
START = 1795303000000
OLD = START - 10 * 24 * 3600 * 1000
POSITION = {"since": "s1", "asked_at": "2026-11-21T23:29:50+00:00", "debts": []}
BROKEN = (500, {"errcode": "M_UNKNOWN", "error": "Internal server error"})
FORBIDDEN = (403, {"errcode": "M_FORBIDDEN", "error": "You are not invited to this room."})
SLOWER = (429, {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 900})


def said(number: int, *, ts: int = START, **more: Any) -> dict[str, Any]:
    content = {"msgtype": "m.text", "body": f"message {number}"}
    return {
        "event_id": f"${number}",
        "type": "m.room.message",
        "sender": "@a:b",
        "origin_server_ts": ts + number,
        "content": content,
        **more,
    }


def own(membership: str, before: str | None = None, *, name: str = "$own") -> dict[str, Any]:
    unsigned = {"prev_content": {"membership": before}} if before else {}
    content = {"membership": membership}
    return {
        "event_id": name,
        "type": "m.room.member",
        "sender": BOT,
        "state_key": BOT,
        "origin_server_ts": START,
        "content": content,
        "unsigned": unsigned,
    }


def synced(*events: dict[str, Any], limited: bool = False, room: str = ROOM, batch: str = "s2", **rooms: Any) -> dict[str, Any]:
    joined = {room: {"timeline": {"events": list(events), "limited": limited, "prev_batch": "t9"}}} if events or limited else {}
    return {"next_batch": batch, "rooms": {"join": joined, **rooms}}


def invited(room: str = ROOM) -> dict[str, Any]:
    return synced(invite={room: {"invite_state": {"events": []}}})


def page(*newest_first: dict[str, Any], end: str | None = None) -> dict[str, Any]:
    return {"chunk": list(newest_first), "start": "t9", **({"end": end} if end else {})}


def where(polled: Any) -> dict[str, Any]:
    """The position, as it comes back from the store."""
    return dict(json.loads(json.dumps(polled.position)))


def keys(polled: Any) -> list[str]:
    return [event.event_key for event in polled.events if isinstance(event, MessageReceived)]


def test_the_first_time_only_the_last_hour_counts(scripted: Scripted) -> None:
    adapter, http = scripted({}, {}, synced(said(1, ts=OLD), said(2), limited=True))
    polled = adapter.poll(None)
    assert keys(polled) == ["$2"]
    assert where(polled) == {"since": "s2", "asked_at": "2026-11-21T23:30:00+00:00", "debts": []}
    assert [call.url.removeprefix("https://matrix.example.org") for call in http.made] == [
        "/_matrix/client/v3/register",
        "/_matrix/client/v3/devices/CROSSDESK",
        "/_matrix/client/v3/sync",
    ]


def test_a_homeserver_without_device_management_makes_the_device_by_login(scripted: Scripted) -> None:
    in_use = (400, {"errcode": "M_USER_IN_USE", "error": "User ID already taken."})
    adapter, http = scripted(in_use, (404, {"errcode": "M_NOT_FOUND", "error": "No device found"}), {"access_token": "x"}, synced())
    adapter.poll(None)
    assert (http.made[2].method, http.made[2].url) == ("POST", "https://matrix.example.org/_matrix/client/v3/login")


def test_rooms_are_merged_by_time_and_keep_their_own_order(scripted: Scripted) -> None:
    news = synced(said(1), said(4), said(3))
    news["rooms"]["join"]["!other:example.org"] = {"timeline": {"events": [said(2), said(5)]}}
    adapter, _ = scripted(news)
    assert keys(adapter.poll(POSITION)) == ["$1", "$2", "$4", "$3", "$5"]


def test_a_cut_time_line_is_read_back(scripted: Scripted) -> None:
    adapter, http = scripted(
        synced(said(9), limited=True),
        page(said(9), said(8), end="t8"),
        page(said(7), said(6, ts=OLD), end="t6"),
        page(said(5, ts=OLD), end="t5"),
    )
    polled = adapter.poll(POSITION)
    assert keys(polled) == ["$5", "$6", "$7", "$8", "$9"]
    assert [call.sent["params"].get("from") for call in http.made[1:]] == [None, "t8", "t6"]
    assert where(polled)["debts"] == []


@pytest.mark.parametrize("problem", [BROKEN, SLOWER, RemoteUnavailable(), OutcomeUnknown()])
def test_a_room_that_cannot_be_read_now_is_owed(scripted: Scripted, problem: Any) -> None:
    adapter, _ = scripted(synced(said(9), limited=True), problem)
    polled = adapter.poll(POSITION)
    assert (keys(polled), polled.has_more) == ([], False)
    (debt,) = where(polled)["debts"]
    adapter, _ = scripted(synced(said(10), batch="s3"), page(said(10), said(9), said(8)))
    later = adapter.poll(where(polled))
    assert keys(later) == ["$8", "$9", "$10"]
    assert where(later) == {"since": "s3", "asked_at": "2026-11-21T23:30:00+00:00", "debts": []}
    assert debt["tries"] == 1


def test_a_room_that_never_answers_is_asked_ever_more_rarely(scripted: Scripted) -> None:
    position: dict[str, Any] = {**POSITION, "debts": [{"room_id": ROOM, "until": "2026-11-21T22:00:00+00:00"}]}
    asked: list[int] = []
    for _ in range(20):
        adapter, http = scripted(synced(), BROKEN)
        position = where(adapter.poll(position))
        asked.append(len(http.made) - 1)
    assert [number for number, count in enumerate(asked) if count] == [0, 1, 2, 4, 8, 16]
    assert len(position["debts"]) == 1


def test_a_very_long_gap_is_read_in_pieces(scripted: Scripted) -> None:
    pages = [page(said(1000 - number), end=f"t{number}") for number in range(50)]
    adapter, _ = scripted(synced(said(1000), limited=True), *pages)
    polled = adapter.poll(POSITION)
    assert (len(keys(polled)), polled.has_more) == (50, True)
    assert where(polled)["debts"][0]["start"] == "t49"
    adapter, http = scripted(synced(said(1001)), page(said(950)))
    later = adapter.poll(where(polled))
    assert keys(later) == ["$950", "$1001"]
    assert http.made[1].sent["params"]["from"] == "t49"
    assert not later.has_more


def test_a_place_in_history_that_is_none_any_more_means_reading_from_the_end(scripted: Scripted) -> None:
    debt = {"room_id": ROOM, "start": "gone", "until": "2026-11-21T22:00:00+00:00"}
    adapter, _ = scripted(synced(), (400, {"errcode": "M_UNKNOWN", "error": "'from' parameter is invalid"}))
    polled = adapter.poll({**POSITION, "debts": [debt]})
    assert where(polled)["debts"][0]["start"] is None


def test_an_invitation_is_accepted_and_what_was_said_since_is_heard(scripted: Scripted) -> None:
    history = page(own("join", "invite", name="$joined"), said(3), own("invite", name="$invited"), said(2), said(1), end="t1")
    adapter, http = scripted(invited(), {"room_id": ROOM}, history)
    assert keys(adapter.poll(POSITION)) == ["$3"]
    assert http.made[1].method == "POST"
    assert http.made[1].url.endswith("/_matrix/client/v3/rooms/%21room%3Aexample.org/join")


def test_an_invitation_that_was_withdrawn_is_forgotten(scripted: Scripted) -> None:
    adapter, _ = scripted(invited(), FORBIDDEN)
    assert where(adapter.poll(POSITION))["debts"] == []


def test_an_invitation_from_a_server_that_is_away_waits(scripted: Scripted) -> None:
    adapter, _ = scripted(invited(), (502, {"errcode": "M_UNKNOWN", "error": "Failed to make_join via any server"}))
    position = where(adapter.poll(POSITION))
    assert position["debts"][0]["is_invite"]
    adapter, _ = scripted(synced(), {"room_id": ROOM}, page(said(2), own("invite")))
    assert keys(adapter.poll(position)) == ["$2"]


def test_invitations_can_be_left_alone(scripted: Scripted) -> None:
    adapter, http = scripted(invited(), accept_invites=False)
    assert where(adapter.poll(POSITION))["debts"] == []
    assert len(http.made) == 1


def test_what_was_said_while_the_bot_was_away_is_not_overheard(scripted: Scripted) -> None:
    adapter, _ = scripted(
        synced(
            said(1), own("leave", "join", name="$1o"), said(2), own("invite", "leave", name="$2o"), said(3), own("join", "invite"), said(4)
        )
    )
    assert keys(adapter.poll(POSITION)) == ["$1", "$3", "$4"]
    adapter, _ = scripted(synced(said(1), own("join", "leave", name="$1o"), said(2)))
    assert keys(adapter.poll(POSITION)) == ["$2"]


def test_an_event_that_cannot_be_read_is_set_aside_alone(scripted: Scripted) -> None:
    nameless = {"type": "m.room.message", "content": {}}
    adapter, _ = scripted(synced(said(1), {"event_id": "$odd", "type": 7}, nameless, said(2)))
    polled = adapter.poll(POSITION)
    assert keys(polled) == ["$1", "$2"]
    odd, other = polled.skipped
    assert (odd.event_key, type(odd.reason), other.payload) == ("$odd", MalformedPayload, nameless)
    assert other.event_key == adapter.poll(POSITION).skipped[1].event_key


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed."}), CredentialsRejected),
        ((403, {"errcode": "M_FORBIDDEN", "error": "Application service cannot masquerade as this user"}), CredentialsRejected),
        (SLOWER, RateLimited),
        (BROKEN, RemoteUnavailable),
        (OutcomeUnknown(), RemoteUnavailable),
    ],
)
def test_a_poll_that_fails_says_how(scripted: Scripted, answer: Any, error: type[Exception]) -> None:
    adapter, _ = scripted(answer)
    with pytest.raises(error):
        adapter.poll(POSITION)


def secret(number: int, room: str = ROOM) -> dict[str, Any]:
    return {**said(number), "type": "m.room.encrypted", "content": {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}}


def test_the_notice_is_said_in_all_its_languages() -> None:
    given = {"homeserver_url": "https://m.example", "user_id": "@b:m.example", "as_token": "a" * 16, "hs_token": "h" * 16}
    schema = MatrixSettingsSchema()
    both = schema.load(given).encrypted_notice
    assert "end-to-end encrypted" in both
    assert "Ende-zu-Ende" in both
    assert (
        schema.load({**given, "encrypted_notice": {"fr": "Salon chiffré.", "en": "Encrypted."}}).encrypted_notice
        == "Salon chiffré.\n\nEncrypted."
    )
    assert schema.load({**given, "encrypted_notice": "Only this."}).encrypted_notice == "Only this."
    for odd in (7, {"en": 7}, {"en": "x" * 1500, "de": "y" * 600}):
        with pytest.raises(ValidationError):
            schema.load({**given, "encrypted_notice": odd})


def test_an_encrypted_room_is_told_once_that_nobody_can_read_it(scripted: Scripted) -> None:
    adapter, http = scripted(synced(secret(1), secret(2)), {"event_id": "$notice"}, synced(secret(3)))
    polled = adapter.poll(POSITION)
    assert keys(polled) == ["$1", "$2"]
    again = adapter.poll(where(polled))
    assert where(again)["notices"] == {ROOM: True}
    (notice,) = (call for call in http.made if call.method == "PUT")
    assert notice.url.endswith("/send/m.room.message/crossdesk-encrypted")


@pytest.mark.parametrize("problem", [OutcomeUnknown("no answer"), (502, {}), (429, {"errcode": "M_LIMIT_EXCEEDED", "error": "slow"})])
def test_a_notice_that_may_not_have_arrived_is_said_again_under_the_same_id(scripted: Scripted, problem: Any) -> None:
    adapter, http = scripted(synced(secret(1)), problem, synced(), {"event_id": "$notice"})
    polled = adapter.poll(POSITION)
    assert keys(polled) == ["$1"]
    assert where(polled)["notices"] == {ROOM: False}
    assert where(adapter.poll(where(polled)))["notices"] == {ROOM: True}
    assert len({call.url for call in http.made if call.method == "PUT"}) == 1


def test_a_room_in_which_the_bot_may_not_speak_is_left_alone(scripted: Scripted) -> None:
    adapter, _ = scripted(synced(secret(1)), (403, {"errcode": "M_FORBIDDEN", "error": "You don't have permission"}))
    assert where(adapter.poll(POSITION))["notices"] == {ROOM: True}


def test_an_admin_may_want_no_notice(scripted: Scripted) -> None:
    adapter, http = scripted(synced(secret(1)), encrypted_notice="")
    assert "notices" not in where(adapter.poll(POSITION))
    assert len(http.made) == 1
