"""The canned answers mean what their files say. (That the updates become their events is the conformance suite's question.)"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.ids import Marker, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, OutboundMessage
from plugin.platforms.telegram.adapter import PLATFORM

FIXTURES = Path(__file__).parent.parent / "fixtures"


class CannedHttp:
    def __init__(self, answer: HttpResponse) -> None:
        self.answer = answer

    def request(self, method: str, url: str, **_: Any) -> HttpResponse:
        return self.answer

    def download(self, url: str, **_: Any) -> HttpResponse:
        raise AssertionError("nothing is fetched from outside")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.response.json")), ids=lambda path: path.name.removesuffix(".response.json"))
def test_each_canned_answer_means_what_it_says(path: Path, outbound: Callable[..., OutboundMessage], marker: Marker) -> None:
    canned = json.loads(path.read_text())
    body = json.dumps(canned["json"]) if "json" in canned else canned["body"]
    http: Any = CannedHttp(HttpResponse(status=canned["status"], headers=canned["headers"], body=body.encode()))
    intake = {"intake": "poll"} if path.name.startswith("poll") else {}
    settings = PLATFORM.settings_schema.load(json.loads((FIXTURES / "settings.json").read_text()) | intake)
    connection = Connection(http=http, clock=SystemClock(), secrets=http, webhook_url="https://desk.example/in/channel/telegram")
    adapter: Any = PLATFORM.connect("telegram", settings, connection)  # type: ignore[arg-type]
    calls: dict[str, Callable[[], Any]] = {
        "deliver": lambda: adapter.deliver(outbound("77", "Hello"), marker=marker),
        "edit": lambda: adapter.edit(MessageRef("77:99"), outbound("77", "Hello"), marker=marker),
        "delete": lambda: adapter.delete(MessageRef("77:99"), ThreadKey("77"), marker=marker),
        "poll": lambda: adapter.poll(None),
        "fetch_media": lambda: adapter.fetch_media(Attachment(media_ref=MediaRef("f"), filename="a"), max_bytes=10),
    }
    raised = None
    try:
        calls[path.name.partition("__")[0]]()
    except Exception as problem:  # noqa: BLE001 - whatever is raised is compared by name
        raised = type(problem).__name__
    assert raised == canned["raises"]
