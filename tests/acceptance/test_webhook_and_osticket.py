"""A customer on a site's own comment box and an agent in osTicket; between them the bridge's own processes and the plugin's real PHP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from plugin.contracts.http import WebhookRequest
from tests.acceptance.sections import free_address, osticket_section, servers_section
from tests.bridge import Bridge
from tests.osticket_agent import OsTicketAgent
from tests.servers import osticket
from tests.waiting import eventually
from tests.webhook_listener import Listener

pytestmark = [pytest.mark.servers, pytest.mark.root]

KEY = b"k" * 32
SECRET, SEND_SECRET = ("whsec_" + base64.b64encode(key).decode() for key in (KEY, b"s" * 32))


class CommentBox:
    """The other side of the generic channel: says things, and shows what it is sent."""

    def __init__(self, channel: str, listener: Listener) -> None:
        self._channel = channel
        self._listener = listener
        listener.reply = self._answer

    def say(self, conversation: str, text: str, **more: Any) -> None:
        data = {
            "conversation_id": conversation,
            "message_id": uuid.uuid4().hex,
            "author": {"id": "u-1", "name": "Lena 🦊"},
            "text": text,
            **more,
        }
        event = {"type": "message.created", "timestamp": datetime.now(UTC).isoformat(), "data": data}
        body, stamp, ident = json.dumps(event).encode(), str(int(time.time())), uuid.uuid4().hex
        signature = base64.b64encode(hmac.new(KEY, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
        headers = {
            "webhook-id": ident,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
            "Content-Type": "application/json",
        }
        assert requests.post(self._channel, data=body, headers=headers, timeout=30).status_code == 200

    @property
    def shown(self) -> list[str]:
        told = [request.json() for request in self._listener.requests]
        return [one["data"]["text"] for one in told if one["type"] == "message.send"]

    @staticmethod
    def _answer(request: WebhookRequest) -> tuple[int, Mapping[str, str], bytes]:
        body = json.dumps({"message_id": request.headers["webhook-id"]}).encode()
        return 200, {"Content-Type": "application/json"}, body


@pytest.fixture
def desk() -> dict[str, Any]:
    return osticket.own()


@pytest.fixture
def scene(desk: dict[str, Any], tmp_path: Path, database_url: str, redis_url: str) -> Iterator[tuple[Bridge, CommentBox]]:
    port, url = free_address()
    with Listener(0, "/crossdesk") as listener:
        configuration = f'[crossdesk]\npublic_url = "{url}"\n[receiver]\nport = {port}\n' + servers_section(database_url, redis_url)
        configuration += osticket_section(desk)
        configuration += (
            f'[channel.box]\nplatform = "webhook"\nurl = "{listener.url}"\nreceive_secret = "{SECRET}"\nsend_secret = "{SEND_SECRET}"\n'
        )
        with Bridge(tmp_path / "bridge", configuration) as bridge:
            assert osticket.configure(desk, f"{url}/in/helpdesk/osticket") == {}, "the plugin's own test of the connection"
            yield bridge, CommentBox(f"{url}/in/channel/box", listener)


def test_a_question_is_answered_in_osticket_and_closed(scene: tuple[Bridge, CommentBox], desk: dict[str, Any]) -> None:
    bridge, box = scene
    agent = OsTicketAgent(desk)
    word = f"kettle{uuid.uuid4().hex[:8]}"
    picture = {"content": base64.b64encode(b"hello").decode(), "filename": "note.txt", "content_type": "text/plain"}
    box.say("c-1", f"My {word} hums 😀 <b>loud</b>", attachments=[picture])
    (ticket,) = eventually(lambda: agent.tickets(word), seconds=60)
    agent.note(ticket, "<p>never tell them</p>")
    agent.reply(ticket, "<p>Hold it <b>upside down</b> 👍</p>")
    eventually(lambda: box.shown, seconds=60)
    assert agent.set_status(ticket, 2) == ""
    box.say("c-1", f"It helped, {word} is quiet.")
    eventually(lambda: len(agent.tickets("is quiet")) == 1 and len(agent.entries(ticket)) >= 4, seconds=60)

    counts = bridge.settled_balance(seconds=60)
    assert counts["ok"], counts
    assert counts["quarantined"] == counts["held"] == 0, counts
    (shown,) = box.shown
    assert "upside down" in shown
    assert "👍" in shown
    kinds = [kind for kind, poster, _ in agent.entries(ticket) if poster != "Crossdesk"]
    assert kinds == ["M", "N", "R", "M"]
    assert not [address for address in agent.mails() if address.startswith("webhook.box.")]
