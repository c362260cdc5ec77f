"""Stage, action and the other attributes on a desk that was set up: written, told, put right; held replies and their clock; the yellow card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import ArticleRef
from plugin.domain.model import NewArticle, Stage, TicketChange
from plugin.domain.text import Text
from plugin.helpdesks.zammad import fields
from plugin.helpdesks.zammad.reading import moment


@pytest.fixture
def ready(world: Any, tools: Any) -> Any:
    """The world with attributes and workflows in its desk, and an adapter that is not in a hurry."""
    world.adapter = tools.connect(world.server.url, world.http)
    setup = world.adapter.provisions("admin-token")
    setup.apply(setup.plan())
    world.http.calls.clear()
    return world


def held(world: Any, opened: Any) -> dict[str, str]:
    return dict(world.adapter.follow_merge(opened.ticket_ref).fields)


def saved_form(world: Any, ticket: dict[str, Any], **changes: Any) -> None:
    """What an agent's tab sends: all attributes and preferences as it holds them."""
    form = {name: value for name, value in ticket.items() if name.startswith("cd_")}
    world.agent.ask("PUT", f"/tickets/{ticket['id']}?all=true", {**form, "preferences": ticket["preferences"], **changes})


def test_a_ticket_carries_what_agents_and_rules_need(ready: Any) -> None:
    opened = ready.open(fields=(("due_at", "2026-11-21T23:10:00Z"), ("cd_product", "x")), owner="gus@example.com")
    assert ready.http.calls == ["POST /tickets"]
    ticket = ready.agent.ticket(opened.ticket_ref)
    assert ticket["owner"] == "gus@example.com"
    shown = {name: ticket[f"cd_{name}"] for name in ("state", "channel", "visibility", "author", "thread", "panel", "reply_as", "action")}
    assert shown == {
        "state": "social",
        "channel": "demo",
        "visibility": "public",
        "author": "Mia Lund @mia@social.example",
        "thread": "https://social.example/@mia/1",
        "panel": "Open panel",
        "reply_as": "public",
        "action": "",
    }
    assert ticket["cd_due_at"] == "2026-11-21T23:10:00.000Z"
    assert opened.losses == ("Zammad has no custom field cd_product for tickets, so its value was not kept.",)


def test_without_set_up_nothing_of_it_is_told_or_missed(world: Any) -> None:
    opened = world.open()
    assert opened.losses == ()
    world.adapter.update_ticket(opened.ticket_ref, TicketChange(stage=Stage.FORMAL, fields=(("due_at", "2026-11-21T23:10:00Z"),)))
    assert held(world, opened) == {}
    with pytest.raises(RemoteRejected, match="product"):
        world.adapter.update_ticket(opened.ticket_ref, TicketChange(title="Still changed", fields=(("product", "x"),)))
    assert world.agent.ticket(opened.ticket_ref)["title"] == "Still changed"


def test_a_macro_arrives_as_an_action_and_is_emptied(ready: Any) -> None:
    opened = ready.open()
    macro = next(row for row in ready.admin.ask("GET", "/macros") if row["name"] == "Social: hand off")
    (value,) = (action["value"] for action in macro["perform"].values())
    saved_form(ready, ready.agent.ticket(opened.ticket_ref), cd_action=value)
    assert held(ready, opened)["action"] == "handoff"
    ready.adapter.update_ticket(opened.ticket_ref, TicketChange(stage=Stage.HANDOFF, fields=(("action", ""), ("lock", "Gus until 14:05"))))
    told = held(ready, opened)
    assert (told["action"], told["stage"], told["lock"]) == ("", "handoff", "Gus until 14:05")


def test_what_an_old_tab_overwrote_is_put_right(ready: Any) -> None:
    opened = ready.open()
    first = ready.agent.ticket(opened.ticket_ref)
    ready.adapter.update_ticket(
        opened.ticket_ref, TicketChange(fields=(("due_at", "2026-11-22T10:00:00+02:00"), ("lock", "Gus"), ("sla", "gold")))
    )
    second = ready.agent.ticket(opened.ticket_ref)
    ready.adapter.update_ticket(opened.ticket_ref, TicketChange(fields=(("lock", "Ada"), ("delivery", "sent"))))
    for old in (first, second):
        saved_form(ready, old, cd_reply_as="private")
        ready.http.calls.clear()
        told = held(ready, opened)
        assert (told["lock"], told["delivery"], told["due_at"], told["reply_as"]) == ("Ada", "sent", "2026-11-22T08:00:00.000Z", "private")
        assert ready.http.calls.count(f"PUT /tickets/{opened.ticket_ref}") == 1
        held(ready, opened)
        assert ready.http.calls.count(f"PUT /tickets/{opened.ticket_ref}") == 1


def test_the_ticket_into_which_one_was_merged_carries_on(ready: Any) -> None:
    opened = ready.open()
    ready.adapter.update_ticket(opened.ticket_ref, TicketChange(stage=Stage.FORMAL))
    other = ready.agent.ask("POST", "/tickets", {"title": "by mail", "group": "Social", "customer_id": 1, "article": {"body": "x"}})
    ready.agent.ask("PUT", f"/ticket_merge/{opened.ticket_ref}/{other['number']}")
    assert held(ready, opened)["stage"] == "formal"
    assert ready.agent.ticket(other["id"])["cd_channel"] == "demo"


def test_closing_is_the_bridges_until_it_is_resolved(ready: Any) -> None:
    opened = ready.open()
    ready.adapter.update_ticket(opened.ticket_ref, TicketChange(stage=Stage.FORMAL))
    answer = ready.agent.session.put(
        f"{ready.agent.url}/api/v1/tickets/{opened.ticket_ref}",
        json={"state": "closed"},
        headers={"Accept": "application/json", "Authorization": "Bearer agent-token"},
        timeout=10,
    )
    assert (answer.status_code, "Error ID" in answer.json()["error"]) == (422, True)
    ready.adapter.update_ticket(opened.ticket_ref, TicketChange(is_closed=True, stage=Stage.RESOLVED))
    assert ready.agent.ticket(opened.ticket_ref)["state"] == "closed"


def test_further_fields_are_told_where_the_settings_name_them(ready: Any, tools: Any) -> None:
    attribute = next(row for row in ready.admin.ask("GET", "/object_manager_attributes") if row["name"] == "cd_reason")
    keys = ("object", "data_type", "data_option", "screens")
    ready.admin.ask(
        "POST", "/object_manager_attributes", {**{key: attribute[key] for key in keys}, "name": "product", "display": "Product"}
    )
    ready.admin.ask("POST", "/object_manager_attributes_execute_migrations", {})
    adapter = tools.connect(ready.server.url, ready.http, custom_fields=["product"])
    opened = adapter.open_ticket(tools.new_ticket(fields=(("product", "Parcels"),)), marker=ready.marker())
    assert opened.losses == ()
    assert dict(adapter.follow_merge(opened.ticket_ref).fields)["product"] == "Parcels"


def test_a_held_reply_is_no_first_response_and_a_released_one_is_from_then_on(world: Any) -> None:
    opened = world.open()
    article = ArticleRef(str(world.agent.reply(opened.ticket_ref, "hold this")))
    assert world.agent.ticket(opened.ticket_ref)["first_response_at"] is not None
    for _ in range(2):
        world.adapter.set_visibility(opened.ticket_ref, article, is_internal=True)
        assert world.agent.ticket(opened.ticket_ref)["first_response_at"] is None
    world.adapter.set_visibility(opened.ticket_ref, article, is_internal=False)
    at = moment(world.agent.ticket(opened.ticket_ref)["first_response_at"])
    assert at is not None
    assert abs(at - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.parametrize(("minutes", "counted"), [(90, 90), (-5, 0)], ids=["hours later", "clocks that differ"])
def test_a_released_reply_counts_from_when_it_was_sent(world: Any, minutes: int, counted: int) -> None:
    opened = world.open()
    article = ArticleRef(str(world.agent.reply(opened.ticket_ref, "hold this")))
    written = moment(world.agent.articles(opened.ticket_ref)[-1]["created_at"])
    world.adapter.set_visibility(opened.ticket_ref, article, is_internal=True)
    assert written is not None
    world.adapter.set_visibility(opened.ticket_ref, article, is_internal=False, sent_at=written + timedelta(minutes=minutes))
    at = moment(world.agent.ticket(opened.ticket_ref)["first_response_at"])
    assert at is not None
    assert abs(at - written - timedelta(minutes=counted)) <= timedelta(seconds=1)


def test_holding_a_later_reply_leaves_the_first_one_counted(world: Any) -> None:
    opened = world.open()
    world.agent.reply(opened.ticket_ref, "first")
    row = next(ticket for ticket in world.parts.desk.tickets_after(""))
    with world.parts.desk.writing():
        row.first_response_at = "2026-11-21T20:45:35.926Z"
        world.parts.desk.put(row)
    later = ArticleRef(str(world.agent.reply(opened.ticket_ref, "second")))
    world.adapter.set_visibility(opened.ticket_ref, later, is_internal=True)
    assert world.agent.ticket(opened.ticket_ref)["first_response_at"] == "2026-11-21T20:45:35.926Z"


def test_notes_move_no_clock(world: Any) -> None:
    opened = world.open()
    note = ArticleRef(str(world.agent.reply(opened.ticket_ref, "bulk", type="note")))
    world.http.calls.clear()
    world.adapter.set_visibility(opened.ticket_ref, note, is_internal=True)
    assert world.http.calls == [f"PUT /ticket_articles/{note}"]


def test_a_warning_is_the_yellow_card(world: Any) -> None:
    opened = world.open()
    reply = world.agent.reply(opened.ticket_ref, "too long")
    words = "Your reply was not posted: it is 37 characters too long. Shorten it and press Update again."
    card = NewArticle(text=Text(words), internal=True, is_warning=True, in_reply_to=ArticleRef(str(reply)))
    world.adapter.add_article(opened.ticket_ref, card, marker=world.marker())
    article = world.agent.articles(opened.ticket_ref)[-1]
    assert (article["type"], article["sender"], article["internal"], article["content_type"]) == ("note", "System", True, "text/plain")
    assert article["body"] == words
    assert article["preferences"] == {"delivery_message": True, "notification": False, "delivery_article_id_related": reply}
    assert not world.adapter.list_articles_since(opened.ticket_ref, ArticleRef(str(reply)))[0].is_reply


def test_signatures_quotes_and_colleagues_stay_inside(world: Any) -> None:
    opened = world.open()
    body = (
        'Found it! <a href="#" data-mention-user-id="3">Ada Admin</a><blockquote type="cite">On Monday you wrote</blockquote>'
        '<blockquote>our promise</blockquote><div data-signature="true">Gus<br>Super Support</div>'
    )
    world.agent.reply(opened.ticket_ref, body)
    world.agent.reply(opened.ticket_ref, "Plain words\n-- \nGus, Support", content_type="text/plain")
    html, plain = world.adapter.list_articles_since(opened.ticket_ref, opened.article_ref)
    assert html.text.plain == "Found it!\nour promise"
    assert len(html.remarks) == 3
    assert (plain.text.plain, plain.remarks) == ("Plain words", ("The e-mail signature was left out.",))


@given(st.dictionaries(st.text(max_size=20), st.one_of(st.none(), st.text(), st.integers(), st.dictionaries(st.text(), st.text()))))
def test_preferences_of_any_kind_are_no_fault(preferences: dict[str, Any]) -> None:
    ticket = {"id": 1, "cd_state": "social", "preferences": preferences}
    assert isinstance(fields.overwritten(ticket), dict)
    assert isinstance(fields.remembered(ticket, {"cd_state": "formal"}), dict)
    assert fields.inherited(ticket, {"id": 2}) == {}


def test_the_truth_is_only_written_when_it_changes(ready: Any) -> None:
    opened = ready.open()
    for _ in range(3):
        ready.adapter.update_ticket(opened.ticket_ref, TicketChange(fields=(("lock", "Ada"),)))
    preferences = ready.agent.ticket(opened.ticket_ref)["preferences"]
    assert [key for key in preferences if key.startswith("crossdesk_") and key != "crossdesk_stage"] == ["crossdesk_1", "crossdesk_2"]
