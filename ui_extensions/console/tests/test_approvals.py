"""Approvals and locks in the console: what will be posted is shown, four eyes hold, and who decided on an old page decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.handlers.admission import Role
from tests.consoles import Ground, Visitor, await_approval, ground, hidden


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Ground]:
    with ground(database_url, tmp_path) as found:
        yield found


def signed_in(house: Ground, login: str, password: str) -> Visitor:
    visitor = Visitor(house.client())
    assert visitor.send("/sign-in", login=login, password=password)[0] == 303
    return visitor


def test_a_reply_is_approved_by_somebody_else_who_saw_it(house: Ground) -> None:
    number = await_approval(house)
    mia = signed_in(house, "mia@acme.example", "mia's password")
    page = mia.look("/approvals")
    assert "On its way." in page
    assert "<script>" not in page
    subject = f"/act/approve/1:{number}"
    assert subject in page
    shown = mia.client.get(subject).get_data(as_text=True)
    house.one("UPDATE conversation SET agent_lock = jsonb_set(agent_lock, '{fence}', '4') WHERE id = 1 RETURNING 1")
    answer = mia.client.post(subject, data=hidden(shown, subject))
    assert (answer.status_code, "after this page was shown" in answer.get_data(as_text=True)) == (409, True)
    assert house.one("SELECT count(*) FROM inbound_event WHERE kind = 'ActionTaken'") == 0
    status, page = mia.send(subject)
    assert (status, "leaves as soon as" in page) == (200, True)
    pressed = house.one("SELECT payload FROM inbound_event WHERE kind = 'ActionTaken'")
    assert (pressed["action"], pressed["actor"], pressed["role"]) == ("approve", "Mia Brandt", "admin")
    assert ["reply", str(number)] in pressed["arguments"]
    assert house.one("SELECT count(*) FROM audit WHERE action = 'approve' AND actor = 'Mia Brandt'") == 1
    assert mia.send(f"/act/reject/1:{number}", reason="")[0] == 400
    assert mia.send("/act/approve/1:99999")[0] == 409


def test_nobody_approves_their_own_and_nobody_whom_the_helpdesk_does_not_know(house: Ground) -> None:
    number = await_approval(house, author="Mia Brandt")
    mia, stranger = signed_in(house, "mia@acme.example", "mia's password"), house.visitor(Role.ADMIN)
    assert "nobody approves or rejects a reply of their own" in mia.look("/approvals")
    for visitor, why in ((mia, "a reply of their own"), (stranger, "came in by a link")):
        status, page = visitor.send(f"/act/approve/1:{number}")
        assert (status, why in page) == (409, True)
    assert house.one("SELECT count(*) FROM inbound_event WHERE kind = 'ActionTaken'") == 0
    assert mia.send(f"/act/recall/1:{number}", reason="too early")[0] == 200
    assert house.visitor(Role.AUDITOR).client.get(f"/act/approve/1:{number}").status_code == 403


def test_the_board_shows_locks_and_a_supervisor_takes_one_over(house: Ground) -> None:
    await_approval(house)
    ada = signed_in(house, "ada@acme.example", "ada's password")
    page = ada.look("/board")
    assert "Bo Busy" in page
    assert ada.send("/act/take_over/1", reason="")[0] == 400
    status, page = ada.send("/act/take_over/1", reason="the customer calls")
    assert (status, "from Bo Busy to you" in page) == (200, True)
    pressed = house.one("SELECT payload FROM inbound_event WHERE kind = 'ActionTaken'")
    assert (pressed["action"], pressed["actor"], pressed["reason"]) == ("take_over", "Ada Okafor", "the customer calls")
    assert "Bo Busy" in ada.look("/conversations/1")
