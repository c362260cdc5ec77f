"""What the adapter makes of each fault: a look by marker and a second try leave exactly one article, unless the first is on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteError, RemoteUnavailable
from plugin.domain.model import NewArticle
from plugin.domain.text import Text
from tests.waiting import eventually
from ui_extensions.rehearsal.faults import CALL_KINDS

APPLIED = {"lose_answer": True, "stall": True, "error_after": True, "late": False, "unavailable": False, "down": False}
"""Faults after which nobody can know; whether the call was applied by the time the adapter gives up."""


@pytest.mark.parametrize("kind", APPLIED)
def test_an_unclear_article_is_found_if_it_was_stored(world: Any, kind: str) -> None:
    opened = world.open()
    marker, article = world.marker(), NewArticle(text=Text("a note"), internal=True)
    world.parts.faults.add(kind, method="POST", path="/ticket_articles$", seconds=1.5 if kind == "stall" else 0.6)
    with pytest.raises(OutcomeUnknown):
        world.adapter.add_article(opened.ticket_ref, article, marker=marker)
    assert (world.adapter.find_article(opened.ticket_ref, marker=marker) is not None) is APPLIED[kind]
    if kind == "late":
        assert eventually(lambda: world.adapter.find_article(opened.ticket_ref, marker=marker) is not None)
    if world.adapter.find_article(opened.ticket_ref, marker=marker) is None:
        world.adapter.add_article(opened.ticket_ref, article, marker=marker)
    assert len(world.agent.articles(opened.ticket_ref)) == 2


@pytest.mark.parametrize("kind", APPLIED)
def test_an_unclear_ticket_is_found_if_it_was_opened(world: Any, tools: Any, kind: str) -> None:
    ticket, marker = tools.new_ticket(), world.marker()
    world.parts.faults.add(kind, method="POST", path="/tickets$", seconds=1.5 if kind == "stall" else 0.6)
    with pytest.raises(OutcomeUnknown):
        world.adapter.open_ticket(ticket, marker=marker)
    assert (world.adapter.find_ticket(ticket, marker=marker) is not None) is APPLIED[kind]
    if kind == "late":
        assert eventually(lambda: world.adapter.find_ticket(ticket, marker=marker) is not None)
    opened = world.adapter.find_ticket(ticket, marker=marker) or world.adapter.open_ticket(ticket, marker=marker)
    assert world.admin.ask("GET", "/tickets/search?query=parcel&expand=true")[0]["id"] == int(opened.ticket_ref)
    assert len(world.admin.ask("GET", "/tickets/search?query=parcel&expand=true")) == 1


def test_a_lost_answer_while_opening_again_is_found(world: Any) -> None:
    opened = world.open()
    world.agent.ask("PUT", f"/tickets/{opened.ticket_ref}", {"state": "closed"})
    marker, article = world.marker(), NewArticle(text=Text("Hello?"), reopen=True)
    world.parts.faults.add("lose_answer", method="PUT")
    with pytest.raises(OutcomeUnknown):
        world.adapter.add_article(opened.ticket_ref, article, marker=marker)
    assert world.adapter.find_article(opened.ticket_ref, marker=marker) is not None
    assert world.agent.ticket(opened.ticket_ref)["state"] == "open"


@pytest.mark.parametrize(
    ("kind", "error"), [("rate_limited", RateLimited), ("token_refused", CredentialsRejected)], ids=["rate_limited", "token_refused"]
)
def test_clear_refusals_store_nothing(world: Any, tools: Any, kind: str, error: type[RemoteError]) -> None:
    marker = world.marker()
    world.parts.faults.add(kind, seconds=7)
    with pytest.raises(error) as caught:
        world.adapter.open_ticket(tools.new_ticket(), marker=marker)
    assert caught.value.retry_after == (7 if kind == "rate_limited" else None)
    assert world.adapter.find_ticket(tools.new_ticket(), marker=marker) is None


@pytest.mark.parametrize("kind", sorted(CALL_KINDS))
def test_questions_that_get_no_answer_change_nothing(world: Any, kind: str) -> None:
    opened = world.open()
    expected = {"rate_limited": RateLimited, "token_refused": CredentialsRejected}.get(kind, RemoteUnavailable)
    questions: list[Callable[[], Any]] = [
        lambda: world.adapter.follow_merge(opened.ticket_ref),
        lambda: world.adapter.list_articles_since(opened.ticket_ref, None),
        lambda: world.adapter.find_article(opened.ticket_ref, marker=world.marker()),
        lambda: world.adapter.poll({"after": "2026-01-01T00:00:00Z"}),
    ]
    for question in questions:
        world.parts.faults.add(kind, seconds=1.5 if kind == "stall" else 0.0)
        with pytest.raises(expected):
            question()


def test_a_look_that_took_all_the_time_leaves_nothing_half_done(world: Any) -> None:
    opened = world.open()
    world.parts.faults.add("stall", method="GET", path="/tickets/", seconds=0.9)
    with pytest.raises(RemoteUnavailable, match=r"too slow|in time"):
        world.adapter.add_article(opened.ticket_ref, NewArticle(text=Text("a note"), internal=True), marker=world.marker())
    assert len(world.agent.articles(opened.ticket_ref)) == 1


def test_a_server_that_is_not_there_has_applied_nothing(world: Any, tools: Any) -> None:
    adapter = tools.connect("http://127.0.0.1:9", world.http)
    with pytest.raises(RemoteUnavailable):
        adapter.open_ticket(tools.new_ticket(), marker=world.marker())
    assert [probe.is_ok for probe in adapter.probe()] == [False]
