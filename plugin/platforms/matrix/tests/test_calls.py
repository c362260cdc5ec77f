"""Calls with more than one answer, and the small pieces that messages and their keys are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from plugin.domain import errors
from plugin.domain.ids import Marker, ThreadKey
from plugin.domain.model import File
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.matrix import contents
from plugin.platforms.matrix.adapter import MatrixAdapter
from plugin.platforms.matrix.rooms import person_of, room_and_root, thread_key
from plugin.testing.outgoing import outbound

MARKER = Marker("0123456789abcdefghijklmnop")
MESSAGE = outbound("!room:example.org", "Hello")
Scripted = Callable[..., tuple[MatrixAdapter, Any]]
CALLS: dict[str, Callable[[MatrixAdapter], Any]] = {
    "deliver": lambda adapter: adapter.deliver(MESSAGE, marker=MARKER),
    "find_delivered": lambda adapter: adapter.find_delivered(MESSAGE, marker=MARKER),
}


@pytest.mark.parametrize(("call", "kind"), [("deliver", errors.OutcomeUnknown), ("find_delivered", errors.RemoteUnavailable)])
def test_a_call_without_a_whole_answer(scripted: Scripted, call: str, kind: type[Exception]) -> None:
    adapter, _ = scripted(errors.OutcomeUnknown())
    with pytest.raises(kind):
        CALLS[call](adapter)
    adapter, _ = scripted(errors.RemoteUnavailable())
    with pytest.raises(errors.RemoteUnavailable):
        CALLS[call](adapter)


def test_the_device_is_made_when_it_is_missed(scripted: Scripted) -> None:
    adapter, http = scripted((400, {"errcode": "M_UNKNOWN_DEVICE", "error": "?"}), {}, {}, {"event_id": "$1"})
    assert adapter.deliver(MESSAGE, marker=MARKER).message_ref == "$1"
    assert (http.made[0].method, http.made[0].url) == (http.made[3].method, http.made[3].url)


def test_a_refusal_half_way_says_how_much_was_delivered(scripted: Scripted) -> None:
    file = File(filename="a", content_type="text/plain", content=b"a")
    message = replace(MESSAGE, files=(file,))
    forbidden = (403, {"errcode": "M_FORBIDDEN", "error": "no"})
    adapter, _ = scripted({"chunk": []}, {"content_uri": "mxc://a/b"}, {"event_id": "$1"}, forbidden)
    with pytest.raises(errors.RemoteRejected, match="Of 2 parts, 1 were delivered before"):
        adapter.deliver(message, marker=MARKER)
    adapter, _ = scripted({"chunk": []}, errors.OutcomeUnknown())
    with pytest.raises(errors.RemoteUnavailable):
        adapter.deliver(message, marker=MARKER)


def test_too_much_to_look_through_is_no_proof_of_absence(scripted: Scripted) -> None:
    pages = [{"chunk": [], "end": f"t{number}"} for number in range(60)]
    adapter, _ = scripted(*pages)
    with pytest.raises(errors.RemoteUnavailable):
        adapter.find_delivered(MESSAGE, marker=MARKER)


def test_formatting_gives_way_to_size() -> None:
    dense = Text("ab" * 8000, tuple(Mark(at, at + 1, MarkKind.BOLD) for at in range(0, 16000, 2)))
    content, losses = contents.words(dense)
    assert ("formatted_body" in content, len(losses)) == (False, 1)


@pytest.mark.parametrize("key", ["!room:example.org", "!a-b_c", "!old:example.org/$root:example.org", "!room:example.org/$a/b+c"])
def test_thread_keys_come_apart_as_they_were_made(key: str) -> None:
    room, root = room_and_root(ThreadKey(key))
    assert thread_key(room, root) == key
    assert root is None or root.startswith("$")


@pytest.mark.parametrize(
    ("url", "person"),
    [
        ("https://matrix.to/#/@a:b.example", "@a:b.example"),
        ("https://matrix.to/#/%40a%3Ab.example", "@a:b.example"),
        ("https://matrix.to/#/@a:b.example?via=c", "@a:b.example"),
        ("https://matrix.to/#/!r:b.example/$e", None),
        ("https://matrix.to.evil.example/#/@a:b", None),
    ],
)
def test_who_a_link_mentions(url: str, person: str | None) -> None:
    assert person_of(url) == person
