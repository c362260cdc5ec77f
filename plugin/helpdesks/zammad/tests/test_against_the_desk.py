"""The adapter against a desk that behaves as a recorded Zammad 6.2.0 does, one oddity a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from marshmallow import ValidationError

from plugin.contracts.helpdesk import HelpdeskAdapter
from plugin.contracts.platform import PollsEvents
from plugin.contracts.registry import walk
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteRejected, TargetGone
from plugin.domain.events import ArticleAuthor
from plugin.domain.ids import ArticleRef, ContactRef, CustomerRef, TicketRef
from plugin.domain.model import Contact, File, NewArticle, Stage, TicketChange
from plugin.domain.text import Mark, MarkKind, Text
from plugin.helpdesks.zammad import advisories

BOB = Contact(ref=ContactRef("2002"), display_name="Bob By", handle="bob")
MORE = NewArticle(text=Text("It is 12345."), author=BOB)


def said(world: Any, opened: Any, text: str = "And one more", **more: Any) -> NewArticle:
    contact = Contact(ref=ContactRef("1001"), display_name="Mia Lund")
    return NewArticle(text=Text(text), author=contact, customer_ref=opened.customer_ref, **more)


def test_it_is_found_by_walking_and_keeps_the_contract(world: Any) -> None:
    assert walk("plugin.helpdesks", "HELPDESK")["zammad"].capabilities.limits.concurrency == 2
    assert isinstance(world.adapter, HelpdeskAdapter)
    assert isinstance(world.adapter, PollsEvents)
    assert world.adapter.capabilities.limits.max_lifetime == 91.0


def test_secrets_are_in_no_repr(world: Any, tools: Any) -> None:
    settings = tools.settings_for("https://support.example.com/")
    assert "bridge-token" not in repr(settings)
    assert tools.WEBHOOK_TOKEN not in repr(settings)
    assert (settings.url, settings.web_url) == ("https://support.example.com", "https://support.example.com")
    for wrong in ({"url": "ftp://x"}, {"url": "https://me:pw@x"}, {"reply_types": ["email"]}, {"webhook_token": "short"}, {"extra": 1}):
        with pytest.raises(ValidationError):
            tools.settings_for(**{"url": "https://support.example.com", **wrong})


def test_a_ticket_its_customer_and_first_article_are_one_call(world: Any) -> None:
    opened = world.open()
    assert world.http.calls == ["POST /tickets"]
    ticket, (article,) = world.agent.ticket(opened.ticket_ref), world.agent.articles(opened.ticket_ref)
    assert (ticket["customer"], ticket["number"], ticket["group"], ticket["state"]) == (
        "crossdesk:demo:1001:",
        opened.number,
        "Social",
        "new",
    )
    assert (article["type"], article["sender"], article["from"]) == ("chat", "Customer", "Mia Lund (@mia@social.example)")
    assert article["preferences"]["links"] == [{"url": "https://social.example/@mia/1", "target": "_blank", "name": "on social.example"}]
    assert opened.article_ref == str(article["id"])
    assert ticket["last_contact_customer_at"] is not None
    assert opened.url == f"{world.server.url}/#ticket/zoom/{ticket['id']}"


def test_refs_that_differ_by_case_only_are_two_customers(world: Any) -> None:
    first, second = (world.open(contact=Contact(ref=ContactRef(ref), display_name="Al")) for ref in ("AbC", "aBc"))
    customers = {world.agent.ticket(opened.ticket_ref)["customer"] for opened in (first, second)}
    assert customers == {"crossdesk:demo:^ab^c:", "crossdesk:demo:a^bc:"}


def test_the_same_contact_is_the_same_customer(world: Any) -> None:
    first, second = world.open("one"), world.open("two")
    assert first.customer_ref == second.customer_ref
    assert len({world.agent.ticket(opened.ticket_ref)["customer_id"] for opened in (first, second)}) == 1


def test_a_customer_made_twice_is_found_and_a_stranger_is_never_taken_for_him(world: Any) -> None:
    world.admin.ask("POST", "/users", {"login": "crossdesk:demo:20", "firstname": "Look", "lastname": "Alike"})
    first = world.adapter.find_or_create_customer(replace(BOB, ref=ContactRef("20")), channel="demo", platform="mastodon")
    again = world.adapter.find_or_create_customer(replace(BOB, ref=ContactRef("20")), channel="demo", platform="mastodon")
    other = world.adapter.find_or_create_customer(replace(BOB, ref=ContactRef("2")), channel="demo", platform="mastodon")
    assert (first, again, other) == ("crossdesk:demo:20:", "crossdesk:demo:20:", "crossdesk:demo:2:")
    assert len(world.admin.ask("GET", "/users/search?query=crossdesk:demo:20:")) == 1


def test_a_twin_customer_made_in_a_race_is_put_right(world: Any, tools: Any) -> None:
    rival = {"login": "crossdesk:demo:1001:", "firstname": "Mia"}
    made: list[Any] = []

    class Racing:
        """Another process makes the same customer between Zammad's look and its insert: the ticket gets the twin."""

        def request(self, method: str, url: str, **options: Any) -> Any:
            if method == "POST" and url.endswith("/tickets?expand=true") and not made:
                made.append(world.admin.ask("POST", "/users", rival))
                twin = world.admin.ask("POST", "/users", rival)
                options["json"] = {**options["json"], "customer": {"login": twin["login"]}}
            return world.http.request(method, url, **options)

    adapter = tools.connect(world.server.url, Racing())
    opened = adapter.open_ticket(tools.new_ticket(), marker=world.marker())
    assert world.agent.ticket(opened.ticket_ref)["customer_id"] == made[0]["id"]
    assert opened.losses == ()


def test_tickets_and_articles_are_found_by_marker(world: Any, tools: Any) -> None:
    ticket = tools.new_ticket()
    marker = world.marker()
    assert world.adapter.find_ticket(ticket, marker=marker) is None
    opened = world.adapter.open_ticket(ticket, marker=marker)
    assert world.adapter.find_ticket(ticket, marker=marker) == opened
    article_marker = world.marker()
    assert world.adapter.find_article(opened.ticket_ref, marker=article_marker) is None
    filed = world.adapter.add_article(opened.ticket_ref, said(world, opened), marker=article_marker)
    assert world.adapter.find_article(opened.ticket_ref, marker=article_marker) == filed


def test_a_bystander_keeps_his_name(world: Any) -> None:
    opened = world.open()
    bob = world.adapter.find_or_create_customer(BOB, channel="demo", platform="mastodon")
    world.adapter.add_article(opened.ticket_ref, replace(MORE, customer_ref=bob), marker=world.marker())
    world.adapter.add_article(opened.ticket_ref, MORE, marker=world.marker())
    _, known, unknown = world.agent.articles(opened.ticket_ref)
    assert (known["from"], known["body"]) == ("Bob By (@bob)", "It is 12345.")
    assert (unknown["from"], unknown["body"]) == ("Social Bridge", "Bob By (@bob):\nIt is 12345.")


def test_a_customer_whose_record_was_deleted_is_made_again(world: Any) -> None:
    opened = world.open()
    gone = CustomerRef("crossdesk:demo:2002:")
    filed = world.adapter.add_article(opened.ticket_ref, replace(MORE, customer_ref=gone), marker=world.marker())
    assert world.agent.articles(opened.ticket_ref)[-1] | {"id": 0} | {"origin_by": gone} == world.agent.ask(
        "GET", f"/ticket_articles/{filed.article_ref}"
    ) | {"id": 0}


def test_a_customers_word_opens_a_closed_ticket_in_the_same_call(world: Any) -> None:
    opened = world.open()
    world.agent.ask("PUT", f"/tickets/{opened.ticket_ref}", {"state": "closed"})
    quiet = world.adapter.add_article(opened.ticket_ref, said(world, opened), marker=world.marker())
    assert world.agent.ticket(opened.ticket_ref)["state"] == "closed"
    filed = world.adapter.add_article(opened.ticket_ref, said(world, opened, reopen=True), marker=world.marker())
    assert world.agent.ticket(opened.ticket_ref)["state"] == "open"
    assert [article["id"] for article in world.agent.articles(opened.ticket_ref)][-2:] == [int(quiet.article_ref), int(filed.article_ref)]


def test_merged_tickets_are_followed_even_where_people_linked_others(world: Any) -> None:
    old, new, last, other = (world.open(words) for words in ("old", "new", "last", "other"))
    before = world.marker()
    world.adapter.add_article(old.ticket_ref, said(world, old), marker=before)
    for source, target in ((old, new), (new, last)):
        assert world.agent.ask("PUT", f"/ticket_merge/{source.ticket_ref}/{target.number}")["result"] == "success"
    people_link = {"link_type": "parent", "link_object_target": "Ticket", "link_object_source": "Ticket"}
    numbers = {"link_object_target_value": int(old.ticket_ref), "link_object_source_number": other.number}
    world.agent.ask("POST", "/links/add", people_link | numbers)
    state = world.adapter.follow_merge(old.ticket_ref)
    assert (state.state, state.is_closed, state.live_ref) == ("merged", True, last.ticket_ref)
    filed = world.adapter.add_article(old.ticket_ref, said(world, old, "late"), marker=world.marker())
    assert filed.ticket_ref == last.ticket_ref
    assert world.adapter.find_article(old.ticket_ref, marker=before).ticket_ref == last.ticket_ref
    trace = world.adapter.list_articles_since(old.ticket_ref, None)
    assert [(added.text.plain, added.is_reply) for added in trace] == [("merged", False)]


def test_what_a_merged_ticket_swallowed_is_not_found(world: Any) -> None:
    old, new = world.open("old"), world.open("new")
    world.agent.ask("PUT", f"/ticket_merge/{old.ticket_ref}/{new.number}")
    marker = world.marker()
    swallowed = {"ticket_id": int(old.ticket_ref), "body": "late", "message_id": f"crossdesk:{marker}"}
    world.agent.ask("POST", "/ticket_articles", swallowed)
    assert world.adapter.find_article(old.ticket_ref, marker=marker) is None


def test_deleted_tickets_are_gone(world: Any) -> None:
    opened = world.open()
    world.admin.ask("DELETE", f"/tickets/{opened.ticket_ref}")
    assert world.adapter.follow_merge(opened.ticket_ref).live_ref is None
    with pytest.raises(TargetGone):
        world.adapter.add_article(opened.ticket_ref, MORE, marker=world.marker())
    with pytest.raises(TargetGone):
        world.adapter.list_articles_since(opened.ticket_ref, None)


def test_a_ticket_moved_out_of_reach_is_refused_before_anything_is_stored(world: Any) -> None:
    opened = world.open()
    world.agent.ask("PUT", f"/tickets/{opened.ticket_ref}", {"group": "Secret"})
    with pytest.raises(RemoteRejected, match="full rights"):
        world.adapter.add_article(opened.ticket_ref, MORE, marker=world.marker())
    assert len(world.agent.articles(opened.ticket_ref)) == 1


def test_only_public_articles_of_agents_by_phone_are_replies(world: Any) -> None:
    opened = world.open()
    reply = world.agent.reply(opened.ticket_ref, "First line<div>second</div><div><br></div><div>third &amp; last</div>")
    world.agent.reply(opened.ticket_ref, "secret", type="phone", internal=True)
    world.agent.reply(opened.ticket_ref, "bulk comment", type="note")
    world.agent.reply(opened.ticket_ref, "words of the customer", sender="Customer")
    world.adapter.add_article(opened.ticket_ref, NewArticle(text=Text("held: approval"), internal=True), marker=world.marker())
    listed = world.adapter.list_articles_since(opened.ticket_ref, opened.article_ref)
    assert [added.is_reply for added in listed] == [True, False, False, False, False]
    assert (listed[0].event_key, listed[0].text.plain) == (f"article:{reply}", "First line\nsecond\n\nthird & last")
    assert (listed[0].author, listed[0].agent_name) == (ArticleAuthor.AGENT, "Gus Agent")
    assert [added.author for added in listed[1:]] == [
        ArticleAuthor.AGENT,
        ArticleAuthor.AGENT,
        ArticleAuthor.CUSTOMER,
        ArticleAuthor.BRIDGE,
    ]
    assert listed[-1].marker == f"{world.count:026d}"


def test_more_types_can_be_replies(world: Any, tools: Any) -> None:
    opened = world.open()
    world.agent.reply(opened.ticket_ref, "a note", type="note")
    adapter = tools.connect(world.server.url, world.http, reply_types=["phone", "note"])
    assert [added.is_reply for added in adapter.list_articles_since(opened.ticket_ref, opened.article_ref)] == [True]


def test_a_reply_made_public_later_is_a_new_fact(world: Any) -> None:
    opened = world.open()
    article = world.agent.reply(opened.ticket_ref, "not yet", internal=True)
    last = ArticleRef(str(world.agent.reply(opened.ticket_ref, "later", internal=True)))
    (before, _) = world.adapter.list_articles_since(opened.ticket_ref, opened.article_ref)
    world.agent.ask("PUT", f"/ticket_articles/{article}", {"internal": False})
    (after,) = world.adapter.list_articles_since(opened.ticket_ref, last)
    assert (before.event_key, before.is_reply) == (f"note:{article}", False)
    assert (after.event_key.startswith(f"article:{article}:"), after.is_reply, after.agent_ref) == (True, True, "gus@example.com")


def test_visibility_can_be_changed_both_ways(world: Any) -> None:
    opened = world.open()
    article = ArticleRef(str(world.agent.reply(opened.ticket_ref, "hold this")))
    for is_internal in (True, False):
        world.adapter.set_visibility(opened.ticket_ref, article, is_internal=is_internal)
        assert world.agent.ask("GET", f"/ticket_articles/{article}")["internal"] is is_internal


def test_posts_made_natively_by_staff_are_the_bridges_own(world: Any) -> None:
    opened = world.open()
    native = NewArticle(text=Text("Found it!"), author=BOB, by_staff=True, customer_ref=CustomerRef("crossdesk:demo:2002:"))
    world.adapter.add_article(opened.ticket_ref, native, marker=world.marker())
    article, ticket = world.agent.articles(opened.ticket_ref)[-1], world.agent.ticket(opened.ticket_ref)
    assert (article["sender"], article["origin_by_id"], article["from"]) == ("Agent", None, "Social Bridge")
    assert (ticket["state"], ticket["first_response_at"] is not None) == ("open", True)
    (added,) = world.adapter.list_articles_since(opened.ticket_ref, opened.article_ref)
    assert (added.author, added.is_reply) == (ArticleAuthor.BRIDGE, False)


def test_files_go_both_ways_and_what_is_too_big_is_said(world: Any, tools: Any) -> None:
    adapter = tools.connect(world.server.url, world.http, max_file_bytes=100)
    opened = world.open()
    picture = File(filename="bild ünï 🦊.png", content_type="image/png", content=bytes(range(100)))
    big = File(filename="../big.bin", content_type="", content=bytes(101))
    article = said(world, opened, "", files=(picture, big))
    filed = adapter.add_article(opened.ticket_ref, article, marker=world.marker())
    assert filed.losses == ("[The file _big.bin was not filed: it has 101 bytes, the limit is 100.]",)
    (added,) = adapter.list_articles_since(opened.ticket_ref, opened.article_ref)
    assert added.text.plain == f"(a file without words)\n{filed.losses[0]}"
    (attachment,) = added.attachments
    assert (attachment.filename, attachment.content_type, attachment.size) == (picture.filename, "image/png", 100)
    assert adapter.fetch_attachment(attachment, max_bytes=100).content == picture.content
    with pytest.raises(RemoteRejected):
        adapter.fetch_attachment(attachment, max_bytes=99)


def test_a_file_is_found_where_a_merge_took_it(world: Any) -> None:
    old, new = world.open("old"), world.open("new")
    file = File(filename="a.txt", content_type="text/plain", content=b"hello")
    world.adapter.add_article(old.ticket_ref, said(world, old, files=(file,)), marker=world.marker())
    (added,) = world.adapter.list_articles_since(old.ticket_ref, old.article_ref)
    world.agent.ask("PUT", f"/ticket_merge/{old.ticket_ref}/{new.number}")
    assert world.adapter.fetch_attachment(added.attachments[0], max_bytes=100).content == b"hello"


def test_words_without_marks_stay_plain_and_marks_become_html(world: Any) -> None:
    opened = world.open("a < b & c\nline2 \u202e \x00nul")
    plain = world.agent.articles(opened.ticket_ref)[0]
    assert (plain["content_type"], plain["body"].startswith("a < b & c\nline2")) == ("text/plain", True)
    link = Text("see this", (Mark(4, 8, MarkKind.LINK, "https://example.com/x"),))
    bold = Text("very <b>bold", (Mark(5, 12, MarkKind.BOLD),))
    for text in (link, bold):
        world.adapter.add_article(opened.ticket_ref, replace(said(world, opened), text=text), marker=world.marker())
    _, linked, marked = world.agent.articles(opened.ticket_ref)
    assert (linked["content_type"], linked["body"]) == ("text/plain", "see this (https://example.com/x)")
    assert marked["content_type"] == "text/html"
    assert "<b>&lt;b&gt;bold</b>" in marked["body"]
    listed = world.adapter.list_articles_since(opened.ticket_ref, opened.article_ref)
    assert listed[-1].text == bold


def test_ticket_data_is_changed_once_however_often_it_is_asked(world: Any) -> None:
    opened = world.open(tags=("mastodon", "a,b"), priority="3 high")
    assert world.agent.ticket(opened.ticket_ref)["priority"] == "3 high"
    change = TicketChange(
        is_closed=True, owner="gus@example.com", group="Formal", title="Parcel", stage=Stage.FORMAL, add_tags=("x",), remove_tags=("a b",)
    )
    for _ in range(2):
        world.adapter.update_ticket(opened.ticket_ref, change)
    ticket = world.agent.ticket(opened.ticket_ref)
    assert (ticket["state"], ticket["owner"], ticket["group"], ticket["title"]) == ("closed", "gus@example.com", "Formal", "Parcel")
    assert ticket["preferences"]["crossdesk_stage"] == "formal"
    assert ticket["preferences"]["crossdesk"] == {"channel": "demo", "platform": "mastodon", "visibility": "public"}
    assert world.agent.ask("GET", f"/tags?object=Ticket&o_id={opened.ticket_ref}")["tags"] == ["mastodon", "x"]
    assert list(world.adapter.tags_of(opened.ticket_ref)) == ["mastodon", "x"]
    world.adapter.update_ticket(opened.ticket_ref, TicketChange(is_closed=False, owner=""))
    state = world.adapter.follow_merge(opened.ticket_ref)
    assert (state.state, state.is_closed, state.owner, state.live_ref) == ("open", False, "", opened.ticket_ref)


def test_an_owner_whom_zammad_drops_in_silence_is_an_error(world: Any) -> None:
    opened = world.open()
    with pytest.raises(RemoteRejected, match="no agent"):
        world.adapter.update_ticket(opened.ticket_ref, TicketChange(owner=opened.customer_ref))


def test_a_follow_up_is_linked_and_a_missing_link_is_said(world: Any) -> None:
    old = world.open("old")
    new = world.open("new", follows=old.ticket_ref)
    links = world.agent.ask("GET", f"/links?link_object=Ticket&link_object_value={old.ticket_ref}")["links"]
    assert links == [{"link_type": "normal", "link_object": "Ticket", "link_object_value": int(new.ticket_ref)}]
    orphan = world.open("orphan", follows=TicketRef("999999"))
    assert orphan.losses == ("This ticket continues an older one that Zammad would not link it to.",)


def test_what_cannot_be_filed_is_refused_or_unclear(world: Any, tools: Any) -> None:
    with pytest.raises(RemoteRejected):
        world.open(group="Nope")
    with pytest.raises(CredentialsRejected):
        tools.connect(world.server.url, world.http, token="wrong").open_ticket(tools.new_ticket(), marker=world.marker())
    opened = world.open()
    with pytest.raises(RemoteRejected):
        world.adapter.update_ticket(opened.ticket_ref, TicketChange(state="no such state"))


def test_a_refusal_that_stored_the_article_is_unclear_and_found(world: Any, tools: Any) -> None:
    opened = world.open()

    class Accounting:
        """Something adds a `time_unit`, which this Zammad refuses after it has stored the article."""

        def request(self, method: str, url: str, **options: Any) -> Any:
            if url.endswith("/ticket_articles"):
                options["json"] = {**options["json"], "time_unit": "5"}
            return world.http.request(method, url, **options)

    marker = world.marker()
    with pytest.raises(OutcomeUnknown):
        tools.connect(world.server.url, Accounting()).add_article(opened.ticket_ref, said(world, opened), marker=marker)
    assert world.adapter.find_article(opened.ticket_ref, marker=marker).article_ref == str(
        world.agent.articles(opened.ticket_ref)[-1]["id"]
    )


def test_probe_names_what_to_do(world: Any, tools: Any) -> None:
    (weak,) = (probe for probe in world.adapter.probe() if not probe.is_ok)
    assert weak.name == "known weaknesses"
    assert "CVE-2024-33668 (critical)" in weak.answer
    assert "CVE-2026-102489" not in weak.answer
    assert "https://zammad.com/en/advisories" in weak.next_step
    (first,) = tools.connect(world.server.url, world.http, token="wrong").probe()
    assert (first.name, first.is_ok) == ("account", False)
    assert first.next_step
    bad = {probe.name: probe for probe in tools.connect(world.server.url, world.http, group="Secret").probe()}
    assert not bad["group"].is_ok
    assert "full rights in the group Secret" in bad["group"].next_step


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ((6, 2, 0), ["CVE-2024-33668", "CVE-2026-84458", "CVE-2024-33666", "CVE-2026-34722"]),
        ((6, 5, 3), ["CVE-2026-102489", "CVE-2026-84458", "CVE-2026-34722"]),
        ((7, 1, 2), ["CVE-2026-102489"]),
        ((7, 2, 0), []),
    ],
)
def test_known_weaknesses_go_by_version(version: tuple[int, ...], known: list[str]) -> None:
    assert [entry["id"] for entry in advisories.known_for(version)] == known
    assert all(entry["source"].startswith("https://") for entry in advisories.known_for(version))
