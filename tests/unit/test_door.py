"""The door answers a delivery itself, whatever its address looks like: a Zammad 6 follows a redirect with the whole payload in the address."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from plugin.contracts.http import WebhookRequest
from plugin.domain.ids import Place
from webhooks.door import Door


class Kept:
    """Keeps what it is given, as the receiver does."""

    def __init__(self) -> None:
        self.taken: list[tuple[Place, str]] = []

    def receive(self, place: Place, request: WebhookRequest) -> None:
        self.taken.append((place, request.path))


@pytest.mark.parametrize(("behind", "path"), [("", ""), ("/", ""), ("/more", "/more"), ("//", "//")])
def test_a_delivery_is_answered_and_never_sent_elsewhere(behind: str, path: str) -> None:
    kept: Any = Kept()
    door = Door(kept, lambda place: place == "helpdesk:zammad", Response("behind", status=404), max_body=1000)
    answer = Client(door).post(f"/in/helpdesk/zammad{behind}", data=b"{}")
    assert (answer.status_code, answer.headers.get("Location"), answer.get_data()) == (200, None, b"{}")
    assert kept.taken == [("helpdesk:zammad", path)]
