"""Live checks for `doctor` and `channel test`. Each asks the homeserver one thing and says what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteError, RemoteRejected, TargetGone
from plugin.platforms.matrix.client import CLIENT, Homeserver, room_path
from plugin.platforms.matrix.schema import MatrixSettings

_MOST_ROOMS = 20
_AUTHENTICATED_MEDIA = (1, 11)
_REGISTRATION = "Compare it with the registration file on the homeserver, and restart the homeserver if the file changed."


def probe(homeserver: Homeserver, settings: MatrixSettings) -> Sequence[Probe]:
    """The server, our token, the way back to us, and the rooms; stops after the first check without which the rest says nothing."""
    checks: tuple[Callable[[Homeserver, MatrixSettings], Probe], ...] = (_server, _bot, _push)
    probes = []
    for check in checks:
        probes.append(check(homeserver, settings))
        if not probes[-1].is_ok and check is not _push:
            return probes
    return [*probes, *_rooms(homeserver, settings)]


def _server(homeserver: Homeserver, settings: MatrixSettings) -> Probe:
    name = "homeserver"
    try:
        versions = homeserver.ask("GET", "/_matrix/client/versions", as_bot=False).get("versions")
    except RemoteError as problem:
        return _failed(name, problem, f"See that {settings.homeserver_url} is the address of the client API and can be reached from here.")
    newest = max((_version(item) for item in versions), default=(0, 0)) if isinstance(versions, list) else (0, 0)
    answer = f"speaks Matrix {newest[0]}.{newest[1]}"
    if newest < _AUTHENTICATED_MEDIA:
        return Probe(
            name=name, is_ok=False, answer=answer, next_step="Update the homeserver: files need Matrix 1.11 (authenticated media)."
        )
    return Probe(name=name, is_ok=True, answer=answer)


def _bot(homeserver: Homeserver, settings: MatrixSettings) -> Probe:
    name = "bot account"
    try:
        homeserver.settle_in()
        user_id = homeserver.ask("GET", f"{CLIENT}/account/whoami").get("user_id")
    except RemoteError as problem:
        return _failed(name, problem, f"as_token and user_id must fit the registration. {_REGISTRATION}")
    is_ok = user_id == settings.user_id
    return Probe(
        name=name, is_ok=is_ok, answer=f"the token acts as {user_id}", next_step="" if is_ok else f"user_id differs. {_REGISTRATION}"
    )


def _push(homeserver: Homeserver, settings: MatrixSettings) -> Probe:
    """The homeserver calls us while we ask it to: only a running receiver with the right hs_token answers."""
    name = "push to us"
    body = {"transaction_id": "crossdesk-probe"}
    try:
        answer = homeserver.ask("POST", f"/_matrix/client/v1/appservice/{settings.appservice_id}/ping", body=body, as_bot=False)
    except RemoteRejected as problem:
        return _failed(name, problem, f"appservice_id must be the registration's id. {_REGISTRATION}")
    except RemoteError as problem:
        return _failed(name, problem, f"The receiver must run, and the registration's url and hs_token must be ours. {_REGISTRATION}")
    return Probe(name=name, is_ok=True, answer=f"the homeserver reached us in {answer.get('duration_ms')} ms")


def _rooms(homeserver: Homeserver, settings: MatrixSettings) -> list[Probe]:
    """Whether rooms are declared as what they are; the first of them only, since each costs two calls."""
    try:
        joined = homeserver.ask("GET", f"{CLIENT}/joined_rooms").get("joined_rooms")
        rooms = [room for room in joined if isinstance(room, str)] if isinstance(joined, list) else []
        probes = [Probe(name="rooms", is_ok=True, answer=f"the bot is in {len(rooms)} rooms")]
        for room_id in sorted(settings.public_rooms - set(rooms)):
            step = "Invite the bot, or take the room out of public_rooms."
            probes.append(Probe(name=f"room {room_id}", is_ok=False, answer="a public room in which the bot is not", next_step=step))
        for room_id in rooms[:_MOST_ROOMS]:
            probes += _room(homeserver, settings, room_id)
    except RemoteError as problem:
        return [_failed("rooms", problem, "Look at the homeserver's log.")]
    return probes


def _room(homeserver: Homeserver, settings: MatrixSettings, room_id: str) -> list[Probe]:
    name, probes = f"room {room_id}", []
    is_public = _state(homeserver, room_id, "m.room.join_rules").get("join_rule") == "public"
    if is_public != (room_id in settings.public_rooms):
        answer = (
            "anyone may join, but what is said counts as private"
            if is_public
            else "only members may read, but what is said counts as public"
        )
        step = "Add it to public_rooms." if is_public else "Take it out of public_rooms."
        probes.append(Probe(name=name, is_ok=False, answer=answer, next_step=step))
    if _state(homeserver, room_id, "m.room.encryption"):
        step = "Ask the customer to write in a room without encryption, which cannot be switched off again in this one."
        probes.append(Probe(name=name, is_ok=False, answer="is end-to-end encrypted: nothing in it can be read", next_step=step))
    return probes


def _state(homeserver: Homeserver, room_id: str, kind: str) -> dict[str, Any]:
    try:
        return homeserver.ask("GET", room_path(room_id, "state", kind, ""))
    except TargetGone:
        return {}


def _version(name: object) -> tuple[int, int]:
    numbers = str(name).removeprefix("v").split(".")
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 and all(part.isdecimal() for part in numbers) else (0, 0)


def _failed(name: str, problem: RemoteError, next_step: str) -> Probe:
    return Probe(name=name, is_ok=False, answer=problem.detail or str(problem), next_step=next_step)
