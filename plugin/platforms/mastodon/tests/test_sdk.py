"""How Mastodon.py spells the calls. It has no way to a server here: whatever it tried to ask by itself would fail."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.contracts.http import FormFile
from plugin.platforms.mastodon.sdk import Call, Sdk

ONE = "/api/v1/statuses/01J%2F"
SPELLED = [
    ("account_verify_credentials", (), {}, Call("GET", "/api/v1/accounts/verify_credentials", {}, {"params": []})),
    ("app_verify_credentials", (), {}, Call("GET", "/api/v1/apps/verify_credentials", {}, {"params": []})),
    ("instance_v2", (), {}, Call("GET", "/api/v2/instance", {}, {"params": []})),
    ("instance_v1", (), {}, Call("GET", "/api/v1/instance", {}, {"params": []})),
    ("notifications_policy", (), {}, Call("GET", "/api/v2/notifications/policy", {}, {"params": []})),
    (
        "notifications",
        (),
        {"types": ["mention", "quote"], "limit": 40, "min_id": "01J", "max_id": None},
        Call(
            "GET",
            "/api/v1/notifications",
            {},
            {"params": [("min_id", "01J"), ("limit", "40"), ("types[]", "mention"), ("types[]", "quote")]},
        ),
    ),
    (
        "account_statuses",
        ("a%2F",),
        {"exclude_reblogs": "true", "limit": 40, "max_id": "007"},
        Call("GET", "/api/v1/accounts/a%2F/statuses", {}, {"params": [("exclude_reblogs", "true"), ("max_id", "007"), ("limit", "40")]}),
    ),
    ("statuses", (), {"ids": ["1", "x"]}, Call("GET", "/api/v1/statuses", {}, {"params": [("id[]", "1"), ("id[]", "x")]})),
    ("status", ("01J%2F",), {}, Call("GET", ONE, {}, {"params": []})),
    ("status_context", ("01J%2F",), {}, Call("GET", f"{ONE}/context", {}, {"params": []})),
    ("status_delete", ("01J%2F",), {}, Call("DELETE", ONE, {}, {"json": None})),
    (
        "status_post",
        (),
        {
            "status": "Hi",
            "in_reply_to_id": "01J",
            "visibility": "direct",
            "media_ids": ["7"],
            "sensitive": None,
            "idempotency_key": "marker",
        },
        Call(
            "POST",
            "/api/v1/statuses",
            {"idempotency-key": "marker"},
            {"json": {"status": "Hi", "in_reply_to_id": "01J", "visibility": "direct", "media_ids": ["7"]}},
        ),
    ),
    (
        "status_update",
        ("01J%2F",),
        {"status": "Hi", "spoiler_text": "Fire", "media_ids": []},
        Call("PUT", ONE, {}, {"json": {"status": "Hi", "spoiler_text": "Fire", "media_ids": []}}),
    ),
    ("timeline_hashtag", ("dr%C2%B7x",), {"limit": 5}, Call("GET", "/api/v1/timelines/tag/dr%C2%B7x", {}, {"params": [("limit", "5")]})),
    (
        "search_v2",
        (),
        {"q": "a b", "result_type": "statuses", "resolve": False, "exclude_unreviewed": False, "min_id": "01J"},
        Call("GET", "/api/v2/search", {}, {"params": [("q", "a b"), ("min_id", "01J"), ("type", "statuses")]}),
    ),
    ("media", ("7",), {}, Call("GET", "/api/v1/media/7", {}, {"params": []})),
    (
        "media_post",
        (),
        {"media_file": b"GIF", "mime_type": "image/gif", "file_name": "a.gif", "description": None},
        Call(
            "POST",
            "/api/v2/media",
            {},
            {"data": {}, "files": [("file", FormFile(filename="a.gif", content=b"GIF", content_type="image/gif"))]},
        ),
    ),
]


@pytest.mark.parametrize(("name", "ids", "given", "call"), SPELLED, ids=[name for name, *_ in SPELLED])
def test_each_call_goes_out_as_the_documentation_writes_it(name: str, ids: tuple[str, ...], given: dict[str, Any], call: Call) -> None:
    assert getattr(Sdk(), name)(*ids, **given) == call
