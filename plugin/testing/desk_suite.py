"""The questions for a helpdesk that runs: what comes of a ticket, a reply, a merge in the real software behind an adapter.

The suite of canned answers (`helpdesk_suite`) asks what an adapter makes of what a server says; this one asks whether the server does what the
engine counts on. To ask it of your own, start your helpdesk, write an `Agent` who works in it by its own means, and:

    @pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
    def test_my_helpdesk(question):
        assert list(question(Bench(adapter=..., agent=..., groups=..., agents=...))) == []
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from plugin.contracts.capabilities import Idempotency, Level
from plugin.contracts.helpdesk import TakesLock
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import PollsEvents
from plugin.domain.errors import RemoteRejected, SignatureInvalid, TargetGone, Unsupported
from plugin.domain.events import ArticleAuthor
from plugin.domain.model import File, NewArticle, Stage, TicketChange
from plugin.domain.text import Text
from plugin.testing.bench import Agent, Bench, new_marker, polled, refuses

__all__ = ["QUESTIONS", "Agent", "Bench", "Question"]

_WORDS = "Fish & chips <b>1 < 2</b> 😀 für “dich”\n\nSecond: *no* list, [no](link)."


Question = Callable[[Bench], Iterator[str]]
"""Yields sentences on what is wrong."""


def a_person_is_one_customer_and_nobody_elses(bench: Bench) -> Iterator[str]:
    """Found by our key alone, never by a name that looks alike."""
    mia, other = bench.contact(), bench.contact()
    found = [
        bench.adapter.find_or_create_customer(person, channel="support", platform="matrix")
        for person in (mia, replace(mia, display_name="Mia Lund-Berg"), other)
    ]
    if found[0] != found[1]:
        yield "a contact who changed their name became a second customer"
    if found[0] == found[2]:
        yield "two contacts of the same name became one customer"
    elsewhere = bench.adapter.find_or_create_customer(mia, channel="sales", platform="matrix")
    if elsewhere == found[0]:
        yield "the same reference on another channel was taken for the same person"


def what_was_filed_is_found_by_its_marker_alone(bench: Bench) -> Iterator[str]:
    """The read-back after an unclear outcome."""
    ticket, marker = bench.ticket(), new_marker()
    if bench.adapter.find_ticket(ticket, marker=marker) is not None:
        yield "a ticket that was never opened is found"
    made = bench.adapter.open_ticket(ticket, marker=marker)
    found = bench.adapter.find_ticket(ticket, marker=marker)
    if found is None or (found.ticket_ref, found.number, found.article_ref) != (made.ticket_ref, made.number, made.article_ref):
        yield f"{made} is found as {found}"
    if made.losses or not made.number or not made.url:
        yield f"the new ticket has losses, no number or no address: {made}"
    if bench.adapter.find_ticket(ticket, marker=new_marker()) is not None:
        yield "a ticket is found by a marker that is not its own"
    said = NewArticle(text=Text("More."), author=ticket.contact, customer_ref=made.customer_ref)
    for article in (said, NewArticle(text=Text("Said there."), by_staff=True), NewArticle(text=Text("A note."), internal=True)):
        marker = new_marker()
        filed = bench.adapter.add_article(made.ticket_ref, article, marker=marker)
        seen = bench.adapter.find_article(made.ticket_ref, marker=marker)
        if seen is None or (seen.ticket_ref, seen.article_ref) != (filed.ticket_ref, filed.article_ref):
            yield f"{filed} is found as {seen}"
    if bench.adapter.find_article(made.ticket_ref, marker=new_marker()) is not None:
        yield "an article is found by a marker that is not its own"
    if bench.adapter.capabilities.idempotency is not Idempotency.NONE and (
        bench.adapter.add_article(made.ticket_ref, article, marker=marker).article_ref != filed.article_ref
    ):
        yield "the same call again made a second article, although that is declared to have one effect"


def our_own_articles_are_known_as_ours(bench: Bench) -> Iterator[str]:
    """Nothing that the bridge wrote is ever an agent's reply; each carries its marker, in the order of filing."""
    ticket, marks = bench.ticket(), [new_marker() for _ in range(3)]
    made = bench.adapter.open_ticket(ticket, marker=marks[0])
    bench.adapter.add_article(made.ticket_ref, NewArticle(text=Text("Said there."), by_staff=True), marker=marks[1])
    last = NewArticle(text=Text("Careful."), internal=True, is_warning=True, in_reply_to=made.article_ref)
    bench.adapter.add_article(made.ticket_ref, last, marker=marks[2])
    listed = bench.articles(made.ticket_ref)
    if [article.marker for article in listed] != marks:
        yield f"the listing has the markers {[article.marker for article in listed]} where {marks} were filed"
    if any(article.author is not ArticleAuthor.BRIDGE or article.is_reply for article in listed):
        yield f"an article of the bridge's own is taken for somebody else's or for a reply: {listed}"


def words_arrive_as_they_were_said(bench: Bench) -> Iterator[str]:
    """Markup is words, emoji and lines stay."""
    ticket_ref, ticket = bench.opened(words="Where is it? 😀")
    bench.adapter.add_article(ticket_ref, NewArticle(text=Text(_WORDS), author=ticket.contact), marker=new_marker())
    found = bench.articles(ticket_ref)[-1].text.plain
    if _WORDS not in found:
        yield f"{_WORDS!r} came back as {found!r}"


def only_an_agents_reply_is_a_reply(bench: Bench) -> Iterator[str]:
    """What an agent wrote for the customer, and not what they wrote among themselves."""
    ticket_ref, _ = bench.opened()
    since = bench.articles(ticket_ref)[-1].article_ref
    bench.agent.note(ticket_ref, "<p>She calls every day.</p>")
    bench.agent.reply(ticket_ref, "<p>On its way &amp; soon there 😀</p>")
    listed = list(bench.adapter.list_articles_since(ticket_ref, since))
    if [(article.author, article.is_reply) for article in listed] != [(ArticleAuthor.AGENT, False), (ArticleAuthor.AGENT, True)]:
        yield f"after a note and a reply of an agent, the listing has {listed}"
        return
    reply = listed[1]
    if reply.text.plain != "On its way & soon there 😀":
        yield f"the reply reads {reply.text.plain!r}"
    if not reply.agent_name or not reply.agent_ref:
        yield "the reply does not say who wrote it"
    if listed[0].event_key == reply.event_key or [one.event_key for one in bench.adapter.list_articles_since(ticket_ref, since)] != [
        one.event_key for one in listed
    ]:
        yield "the keys of the same facts differ from one look to the next, or are shared"


def files_go_both_ways_within_their_limit(bench: Bench) -> Iterator[str]:
    """The same bytes; what is larger than asked for is refused."""
    ticket_ref, ticket = bench.opened()
    content = bytes(range(256)) * 40
    ours = File(filename="receipt.bin", content_type="application/octet-stream", content=content)
    article = NewArticle(text=Text("See."), author=ticket.contact, files=(ours,))
    losses = bench.adapter.add_article(ticket_ref, article, marker=new_marker()).losses
    bench.agent.reply(ticket_ref, "<p>Sign here.</p>", files=[("form.bin", content[::-1], "application/octet-stream")])
    for article_added, name, wanted in zip(
        bench.articles(ticket_ref)[-2:], ("receipt.bin", "form.bin"), (content, content[::-1]), strict=True
    ):
        if [attached.filename for attached in article_added.attachments] != [name]:
            yield f"the file {name} is listed as {article_added.attachments}"
            continue
        (attached,) = article_added.attachments
        if bench.adapter.fetch_attachment(attached, max_bytes=len(content)).content != wanted:
            yield f"the file {name} is not what it was"
        if not refuses(partial(bench.adapter.fetch_attachment, attached, max_bytes=len(content) - 1), RemoteRejected):
            yield f"the file {name} is fetched although it is larger than what was asked for"
    if losses:
        yield f"a small file was lost: {losses}"


def a_closed_ticket_opens_for_who_speaks_and_for_nothing_else(bench: Bench) -> Iterator[str]:
    """A late message opens it, in the same call; thanks and notes leave it as it is."""
    ticket_ref, ticket = bench.opened()
    bench.agent.close(ticket_ref)
    if not bench.adapter.follow_merge(ticket_ref).is_closed:
        yield "a ticket that an agent closed is not closed"
    said = NewArticle(text=Text("Thank you!"), author=ticket.contact)
    for article in (NewArticle(text=Text("A note."), internal=True), said):
        bench.adapter.add_article(ticket_ref, article, marker=new_marker())
        if not bench.adapter.follow_merge(ticket_ref).is_closed:
            yield f"{'a note' if article.internal else 'thanks'} opened a closed ticket"
            bench.agent.close(ticket_ref)
    losses = bench.adapter.add_article(ticket_ref, replace(said, text=Text("It broke again."), reopen=True), marker=new_marker()).losses
    if losses or bench.adapter.follow_merge(ticket_ref).is_closed:
        yield f"the customer spoke, and the ticket stayed closed: {losses}"
    bench.adapter.update_ticket(ticket_ref, TicketChange(is_closed=True))
    if not bench.adapter.follow_merge(ticket_ref).is_closed:
        yield "the bridge's own closing closed nothing"


def a_change_is_made_once_and_a_refusal_is_told(bench: Bench) -> Iterator[str]:
    """Title, group, owner, priority, tags; a name that nobody knows is no silent loss."""
    ticket_ref, _ = bench.opened(tags=("new",), priority="high")
    owner, group = bench.agents[0], bench.groups[1]
    change = TicketChange(title="Kettle", group=group, owner=owner, priority="low", add_tags=("vip",), remove_tags=("new",))
    for _ in range(2):
        bench.adapter.update_ticket(ticket_ref, change)
        state = bench.adapter.follow_merge(ticket_ref)
        if (state.title, state.group, state.owner) != ("Kettle", group, owner):
            yield f"after the change the ticket is {state}"
    for wrong in (TicketChange(owner="nobody-of-that-name"), TicketChange(group="No such group")):
        if not refuses(partial(bench.adapter.update_ticket, ticket_ref, wrong), RemoteRejected):
            yield f"{wrong} is taken without a word"
    bench.adapter.update_ticket(ticket_ref, TicketChange(owner=owner))
    bench.adapter.update_ticket(ticket_ref, TicketChange(owner=""))
    if bench.adapter.follow_merge(ticket_ref).owner:
        yield "a ticket cannot be given back to nobody"


def the_crossover_is_written_whole(bench: Bench) -> Iterator[str]:
    """What the engine writes as a conversation becomes a formal ticket, each word of its own included."""
    due = ("due_at", "2036-11-23T12:00:00+01:00")
    made = bench.adapter.open_ticket(bench.ticket(fields=(due, ("sla", "gold"))), marker=new_marker())
    if made.losses:
        yield f"words of the engine's own were lost: {made.losses}"
    change = TicketChange(
        stage=Stage.HANDOFF, group=bench.groups[1], fields=(due, ("sla", "silver"), ("type", "complaint"), ("action", ""))
    )
    for _ in range(2):
        bench.adapter.update_ticket(made.ticket_ref, change)
    state = bench.adapter.follow_merge(made.ticket_ref)
    if state.group != bench.groups[1] or dict(state.fields).get("stage", Stage.HANDOFF) != Stage.HANDOFF:
        yield f"after the crossover the ticket is {state}"


def a_merge_is_followed(bench: Bench) -> Iterator[str]:
    """What comes later goes where people look, and what was filed before is found there."""
    ticket, marker, early = bench.ticket(), new_marker(), new_marker()
    old = bench.adapter.open_ticket(ticket, marker=marker).ticket_ref
    said = NewArticle(text=Text("Hello?"), author=ticket.contact)
    bench.adapter.add_article(old, said, marker=early)
    target, _ = bench.opened()
    bench.agent.merge(old, into=target)
    if bench.adapter.follow_merge(old).live_ref != target:
        yield f"a ticket merged into {target} is {bench.adapter.follow_merge(old)}"
    filed = bench.adapter.add_article(old, said, marker=new_marker())
    if filed.ticket_ref != target:
        yield f"a later message was filed into {filed.ticket_ref}, where nobody looks"
    found = bench.adapter.find_article(old, marker=early)
    if found is None or found.ticket_ref != target:
        yield f"what was filed before the merge is found as {found}"
    bench.agent.reply(target, "<p>Here we go on.</p>")
    if not [one for one in bench.adapter.list_articles_since(target, filed.article_ref) if one.is_reply]:
        yield "an agent's reply in the merged ticket is not seen"


def a_deleted_ticket_is_gone(bench: Bench) -> Iterator[str]:
    """So that the next message opens a new one."""
    ticket_ref, ticket = bench.opened()
    bench.agent.delete(ticket_ref)
    if bench.adapter.follow_merge(ticket_ref).live_ref is not None:
        yield "a deleted ticket is still to be written to"
    said = NewArticle(text=Text("Hello?"), author=ticket.contact)
    if not refuses(lambda: bench.adapter.add_article(ticket_ref, said, marker=new_marker()), TargetGone):
        yield "what is said to a deleted ticket is taken, where nobody reads it"
    following = bench.adapter.open_ticket(bench.ticket(contact=ticket.contact, follows=ticket_ref), marker=new_marker())
    if following.ticket_ref == ticket_ref:
        yield "the ticket that continues a deleted one is the deleted one"


def a_follow_up_is_a_ticket_of_its_own(bench: Bench) -> Iterator[str]:
    """Linked to the one that it continues, for the same customer."""
    ticket = bench.ticket()
    former = bench.adapter.open_ticket(ticket, marker=new_marker())
    made = bench.adapter.open_ticket(replace(ticket, customer_ref=former.customer_ref, follows=former.ticket_ref), marker=new_marker())
    if made.ticket_ref == former.ticket_ref or made.losses:
        yield f"the follow-up of {former} is {made}"
    if made.customer_ref != former.customer_ref:
        yield "the follow-up is another customer's"


def a_fact_is_told_to_who_asks(bench: Bench) -> Iterator[str]:
    """The poll finds what no webhook brought; a webhook without a signature is refused."""
    stranger = WebhookRequest(method="POST", path="", headers={}, query={}, body=b"{}")
    if not refuses(lambda: bench.adapter.verify(stranger), SignatureInvalid):
        yield "a webhook without a signature is believed"
    if not isinstance(bench.adapter, PollsEvents):
        return
    ticket_ref, _ = bench.opened()
    _, position = polled(bench.adapter, None)
    bench.agent.reply(ticket_ref, "<p>On its way.</p>")
    told, _ = polled(bench.adapter, position)
    if ticket_ref not in told:
        yield f"the poll tells of {told} after a reply in {ticket_ref}"


def a_reply_is_hidden_and_shown_where_that_is_declared(bench: Bench) -> Iterator[str]:
    """A held reply is no reply; shown by its author, it is a new fact."""
    ticket_ref, _ = bench.opened()
    bench.agent.reply(ticket_ref, "<p>On its way.</p>")
    first = bench.articles(ticket_ref)[-1]

    def flip(*, is_internal: bool) -> None:
        bench.adapter.set_visibility(ticket_ref, first.article_ref, is_internal=is_internal)

    if bench.adapter.capabilities.flips < Level.PARTIAL:
        if not refuses(lambda: flip(is_internal=True), Unsupported):
            yield "set_visibility does something although flips is not declared"
        return
    flip(is_internal=True)
    if any(article.is_reply for article in bench.articles(ticket_ref)):
        yield "a hidden reply is still one to be sent"
    flip(is_internal=False)
    shown = bench.articles(ticket_ref)[-1]
    if not shown.is_reply or shown.event_key == first.event_key:
        yield "a reply that was shown again is no new fact, so that nobody would judge it anew"


def its_own_lock_has_one_holder(bench: Bench) -> Iterator[str]:
    """Taken from somebody else only by force, and given back by its holder alone."""
    desk = bench.adapter
    if not isinstance(desk, TakesLock):
        return
    (one, other), (ticket_ref, _) = bench.agents, bench.opened()
    steps = (
        (desk.take(ticket_ref, one), one),
        (desk.take(ticket_ref, other), one),
        (desk.take(ticket_ref, other, steal=True), other),
        (desk.release(ticket_ref, one), other),
        (desk.release(ticket_ref, other), ""),
    )
    if [found for found, _ in steps] != [wanted for _, wanted in steps]:
        yield f"taking, taking over and giving back ended with {[found for found, _ in steps]}"


def the_doctor_says_what_to_do(bench: Bench) -> Iterator[str]:
    """Each thing that is wrong comes with its next step."""
    probes = bench.adapter.probe()
    if not probes or len({probe.name for probe in probes}) != len(probes):
        yield f"the probes are none, or share names: {probes}"
    yield from (f"{probe.name} is wrong and says not what to do" for probe in probes if not probe.is_ok and not probe.next_step)


QUESTIONS: tuple[Question, ...] = (
    a_person_is_one_customer_and_nobody_elses,
    what_was_filed_is_found_by_its_marker_alone,
    our_own_articles_are_known_as_ours,
    words_arrive_as_they_were_said,
    only_an_agents_reply_is_a_reply,
    files_go_both_ways_within_their_limit,
    a_closed_ticket_opens_for_who_speaks_and_for_nothing_else,
    a_change_is_made_once_and_a_refusal_is_told,
    the_crossover_is_written_whole,
    a_merge_is_followed,
    a_deleted_ticket_is_gone,
    a_follow_up_is_a_ticket_of_its_own,
    a_fact_is_told_to_who_asks,
    a_reply_is_hidden_and_shown_where_that_is_declared,
    its_own_lock_has_one_holder,
    the_doctor_says_what_to_do,
)
