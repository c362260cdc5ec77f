"""Files in events: what is taken along, what is fetched, what is said of those that cannot be had."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.platforms.webhook.files import INLINE_BYTES, fetch, read_attachments
from plugin.testing.fakes import CannedHttp
from plugin.transport.client import Transport


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_what_comes_inside_comes_out(contents: list[bytes]) -> None:
    attachments, losses = read_attachments([{"content": encoded(one), "filename": "a.bin"} for one in contents])
    assert not losses
    assert [fetch(CannedHttp([]), one, max_bytes=50).content for one in attachments] == contents


def test_all_files_of_an_event_share_the_room() -> None:
    half = encoded(b"x" * (INLINE_BYTES // 2))
    attachments, losses = read_attachments([{"content": half}, {"content": half}, {"content": encoded(b"y"), "filename": "last.txt"}])
    assert len(attachments) == 2
    assert losses == ("The file 'last.txt' is too large to come inside a message and is missing. Ask for it in another way.",)


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"url": "https://a.example/b/c%2Fd.png?e=f"}, "d.png"),
        ({"url": "https://a.example/"}, "file"),
        ({"url": "https://[a/b.png"}, "file"),
        ({"url": "https://a.example/b.png", "filename": "../../etc/passwd"}, "passwd"),
        ({"url": "https://a.example/%ff%00.png"}, "\ufffd.png"),
    ],
)
def test_names_hold_no_folders(item: dict[str, str], name: str) -> None:
    ((attachment,), _) = read_attachments([item])
    assert attachment.filename == name


@pytest.mark.parametrize("ref", ["url:https://a.example/b", "inline:" + encoded(b"x" * 9)])
def test_what_is_too_big_is_refused(ref: str) -> None:
    http = CannedHttp([HttpResponse(status=200, headers={}, body=b"x" * 9)])
    with pytest.raises(RemoteRejected, match="9 bytes; at most 8"):
        fetch(http, Attachment(media_ref=MediaRef(ref), filename="b"), max_bytes=8)


def test_a_strange_reference_is_not_fetched() -> None:
    with pytest.raises(RemoteRejected, match="none of this channel"):
        fetch(CannedHttp([]), Attachment(media_ref=MediaRef("file:///etc/passwd"), filename="b"), max_bytes=8)


def test_an_address_inside_the_house_is_not_fetched() -> None:
    ((attachment,), _) = read_attachments([{"url": "http://127.0.0.1:9/secrets"}])
    with pytest.raises(RemoteRejected, match="not fetched"):
        fetch(Transport().client(name="channel:comments"), attachment, max_bytes=8)
