"""Signs of attention before a reply: shown where the platform has them, and never in the reply's way."""

from __future__ import annotations

import pytest

from plugin.domain.errors import RemoteUnavailable
from plugin.domain.ids import MessageRef, ThreadKey
from plugin.domain.model import File
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine


class AttentiveNetwork(FakePlatform):
    """A network that shows who reads and writes, and may be out of order."""

    def __init__(self, *, is_broken: bool) -> None:
        super().__init__()
        self.is_broken = is_broken
        self.shown: list[str] = []

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        self.shown.append(f"read {message_ref}")
        if self.is_broken:
            raise RemoteUnavailable("not now")

    def send_typing(self, thread_key: ThreadKey) -> None:
        self.shown.append("typing")


@pytest.mark.parametrize("is_broken", [False, True])
def test_what_is_answered_is_shown_as_read_and_the_reply_leaves_once(database_url: str, is_broken: bool) -> None:
    network = AttentiveNetwork(is_broken=is_broken)
    engine = Engine(database_url, network=network)
    asked = network.say("maria", "Where is the form?")
    engine.tell(asked)
    engine.settle()
    form = File(filename="form.pdf", content_type="application/pdf", content=b"%PDF")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Here", files=(form,)))
    engine.settle()
    assert engine.delivered() == ["Here"]
    assert network.shown == ([f"read {asked.message_ref}"] if is_broken else [f"read {asked.message_ref}", "typing"])
    engine.close()
