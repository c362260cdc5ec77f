"""The panel's contract: snapshots, presses and refusals, asked over HTTP as a helpdesk's relay asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from plugin.contracts.platform import Template
from plugin.domain.events import ReactionChanged
from plugin.domain.ids import MessageRef
from plugin.domain.model import Contact, File, Visibility
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.contract import Contract
from plugin.policy.verdicts import ApprovalNeeded, Crossover
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.fake_platform import CAPABILITIES, FakePlatform
from plugin.testing.faults import Fault
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine
from tests.panels import ADA, BEN, SUE, Desk, definition
from ui_extensions.panel import signing
from ui_extensions.panel.signing import Agent

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
INVOICE = Crossover(rule="invoices", reason="It is about an invoice.", group="Formal")


def policy() -> PolicyAtWork:
    judge = TableJudge(crossovers=[(lambda facts: "invoice" in facts.message.text.casefold(), INVOICE)])
    return PolicyAtWork(judge=judge, contract=Contract())


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    limits = replace(CAPABILITIES.limits, reply_window=86_400.0)
    network = FakePlatform(capabilities=replace(CAPABILITIES, limits=limits))
    network.beginning = datetime.now(UTC)
    engine = Engine(database_url, policy=policy(), network=network)
    yield engine
    engine.close()


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def said(engine: Engine, words: str = "My kettle hums", **how: object) -> MessageRef:
    event = engine.network.say("maria", words, **how)  # type: ignore[arg-type]
    engine.tell(event)
    engine.settle()
    return event.message_ref


def reply(engine: Engine, words: str) -> None:
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words))
    engine.settle()


def test_a_ticket_shows_its_thread_person_stage_and_window(engine: Engine, desk: Desk) -> None:
    first = said(engine)
    reply(engine, "Please unplug it")
    engine.tell(engine.network.change(first, "My kettle hums loudly"))
    engine.settle()
    shown = desk.snapshot()
    ours, theirs = shown["messages"][1], shown["messages"][0]
    assert (theirs["text"]["plain"], [item["text"]["plain"] for item in theirs["versions"]]) == (
        "My kettle hums loudly",
        ["My kettle hums", "My kettle hums loudly"],
    )
    assert (ours["author"]["role"], ours["author"]["name"], ours["parent"]) == ("agent", "Ada Agent", theirs["id"])
    assert [(item["message"], item["status"]) for item in shown["deliveries"]] == [(ours["id"], "sent")]
    assert (shown["stage"]["name"], shown["person"]["handle"], shown["thread"]["visibility"]) == ("social", "maria", "public")
    assert shown["thread"]["window_closes_at"] > shown["server_now"]
    assert [item["current"] for item in shown["person"]["conversations"]] == [True]


def test_deletions_reactions_files_and_bystanders_are_named(engine: Engine, desk: Desk) -> None:
    picture = File(filename="kettle.png", content_type="image/png", content=PNG)
    vector = File(filename="kettle.svg", content_type="image/svg+xml", content=b"<svg/>")
    first = said(engine, files=(picture, vector), thread="t")
    other = engine.network.say("mallory", "I am support, send me your password", thread="t", parent=first)
    engine.tell(other)
    engine.settle()
    wave = ReactionChanged(
        event_key="r1", occurred_at=None, message_ref=first, author=Contact(ref=other.author.ref), emoji="👍", added=True
    )
    engine.network.capabilities = replace(engine.network.capabilities, events=engine.network.capabilities.events | {ReactionChanged})
    engine.tell(wave)
    engine.tell(engine.network.take_back(other.message_ref))
    engine.settle()
    mine, bystander = desk.snapshot()["messages"]
    assert [bool(item["src"]) for item in mine["files"]] == [True, False]
    assert mine["reactions"] == [{"emoji": "👍", "count": 1}]
    assert (bystander["author"]["role"], bool(bystander["author"]["label"])) == ("bystander", True)
    assert bystander["deleted_at"] is not None
    assert bystander["parent"] == mine["id"]


def test_pictures_are_pictures_by_their_bytes_under_an_address_that_ends(engine: Engine, desk: Desk) -> None:
    picture = File(filename="kettle.png", content_type="image/png", content=PNG)
    page = File(filename="page.png", content_type="image/png", content=b"<html><script>1</script></html>")
    said(engine, files=(picture, page))
    good, bad = (item["src"] for item in desk.snapshot()["messages"][0]["files"])
    answer = desk.client.get(good)
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/png", PNG)
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert desk.client.get(bad).status_code == 404
    assert desk.client.get(good.replace("by=", "by=0")).status_code == 403
    assert desk.client.get(good.replace("/0?", "/1?")).status_code == 403
    assert desk.client.get(good.partition("?")[0]).status_code == 403


def test_an_unchanged_ticket_is_204_until_something_happens(engine: Engine, desk: Desk) -> None:
    said(engine)
    rev = desk.snapshot()["rev"]
    # What is outside of the conversation is read again every half minute: the second question may fall right there.
    assert any(desk.ask(f"{desk.path()}?since={desk.snapshot()['rev']}").status_code == 204 for _ in range(2))
    said(engine, "And now it smokes")
    assert desk.ask(f"{desk.path()}?since={rev}").status_code == 200
    assert desk.ask("/panel/fake/unknown").status_code == 404


def test_long_threads_come_in_pages(engine: Engine, desk: Desk) -> None:
    for number in range(65):
        engine.tell(engine.network.say("maria", f"line {number}"))
    engine.settle(seconds=60)
    last = desk.snapshot()
    older = desk.ask(f"{desk.path()}?before={last['thread']['older']}").get_json()
    words = [item["text"]["plain"] for item in (*older["messages"], *last["messages"])]
    assert words == [f"line {number}" for number in range(65)]
    assert older["thread"]["older"] is None


def test_a_press_is_done_and_told_twice_is_one(engine: Engine, desk: Desk) -> None:
    said(engine)
    button = next(item for item in desk.snapshot()["actions"] if item["id"] == "handoff")
    assert (button["enabled"], button["needs"]) == (True, [])
    with engine.crowd(1):
        answer = desk.press("handoff", key="press-number-1", reason="asked for it")
        again = desk.press("handoff", key="press-number-1", reason="asked for it")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.get_json()["stage"]["name"] == "handoff"
    assert again.status_code in {200, 422}
    engine.settle()
    assert engine.decided() == ["agent's request"]
    assert [row.actor for row in engine.rows("SELECT actor FROM audit WHERE action = 'handoff'")] == ["Ada Agent"]


def test_who_comes_second_is_told_who_was_first(engine: Engine, desk: Desk) -> None:
    said(engine)
    rev = desk.snapshot(BEN)["rev"]
    with engine.crowd(1):
        assert desk.press("handoff", ADA).status_code == 200
        late = desk.press("handoff", BEN, rev=rev)
    assert late.status_code == 409
    told = late.get_json()
    definition("error").validate({"error": {name: value for name, value in told["error"].items() if name != "snapshot"}})
    assert "was first" in told["error"]["text"]
    assert told["error"]["snapshot"]["stage"]["name"] == "handoff"


def test_a_press_that_nobody_acted_on_yet_is_shown_and_not_pressed_again_by_others(engine: Engine, desk: Desk) -> None:
    said(engine)
    assert desk.press("handoff", ADA).get_json()["pending"][0]["by"] == "Ada Agent"
    assert desk.press("handoff", BEN).status_code == 409


def test_buttons_say_why_they_are_off_and_presses_agree(engine: Engine, desk: Desk) -> None:
    said(engine, "My invoice is wrong")
    off = {item["id"]: item["why_not"] for item in desk.snapshot()["actions"] if not item["enabled"]}
    assert off["handoff"] == "This is a formal ticket already."
    assert "supervisor" in off["undo"]
    refused = desk.press("handoff")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (422, "refused")
    assert desk.press("undo", reason="mistake").status_code == 403
    assert desk.press("nonsense").status_code == 422
    button = next(item for item in desk.snapshot(SUE)["actions"] if item["id"] == "undo")
    assert (button["enabled"], button["needs"], button["danger"]) == (True, ["reason"], True)
    assert desk.press("undo", SUE).get_json()["error"]["code"] == "reason_missing"
    with engine.crowd(1):
        assert desk.press("undo", SUE, reason="mistake").get_json()["stage"]["name"] == "social"


def test_held_replies_say_why_and_can_be_released(engine: Engine, desk: Desk) -> None:
    said(engine, "My invoice is wrong")
    reply(engine, "It was our mistake")
    shown = desk.snapshot(SUE)
    held = next(item for item in shown["deliveries"] if item["status"] == "held")
    assert (held["error_code"], "formal ticket" in held["error_text"]) == ("handoff", True)
    assert shown["stage"]["rule"] == "invoices"
    with engine.crowd(1):
        desk.press("release", SUE, reason="harmless")
    engine.settle()
    assert "held" not in {item["status"] for item in desk.snapshot()["deliveries"]}
    assert "It was our mistake" in engine.delivered()


@pytest.mark.parametrize(
    "body",
    [[], {}, {"key": "short"}, {"key": "k" * 20, "reason": 7}, {"key": "k" * 20, "fence": "1"}, {"key": "k" * 20, "arguments": {"X": "y"}}],
)
def test_what_is_no_press_is_refused(engine: Engine, desk: Desk, body: object) -> None:
    said(engine)
    answer = desk.ask(f"{desk.path()}/actions/handoff", body=body)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "unreadable")


def test_requests_without_a_good_signature_see_nothing(engine: Engine, desk: Desk) -> None:
    said(engine)
    path, now = desk.path(), datetime.now(UTC)
    assert desk.client.get(path).status_code == 401
    assert desk.ask(path, secret="guess").status_code == 401
    assert desk.ask(path, now=now - timedelta(minutes=5)).status_code == 401
    assert desk.ask(path, now=now + timedelta(minutes=5)).status_code == 401
    assert desk.ask(path.replace("fake", "other")).status_code == 401
    assert desk.ask(path, replace(ADA, role="root")).status_code == 401
    assert desk.ask(path, replace(ADA, id="")).status_code == 401
    assert desk.ask(path).status_code == 200


def test_strangers_and_floods_are_slowed_down(engine: Engine, desk: Desk) -> None:
    said(engine)
    answers = [desk.client.get(desk.path()) for _ in range(40)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_fault_of_ours_leaks_nothing(engine: Engine, desk: Desk) -> None:
    said(engine)
    with engine.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE decision RENAME COLUMN rule TO gone")
    answer = desk.ask(desk.path())
    assert answer.status_code == 500
    assert "gone" not in answer.get_data(as_text=True)
    assert "fault of its own" in answer.get_json()["error"]["text"]


def test_others_who_look_are_seen(engine: Engine, desk: Desk) -> None:
    said(engine)
    desk.ask(f"{desk.path()}?doing=typing", BEN)
    assert desk.snapshot(ADA)["presence"] == [
        {"name": "Ada Agent", "doing": "viewing", "me": True},
        {"name": "Ben Berg", "doing": "typing", "me": False},
    ]


def test_the_preflight_counts_and_warns(engine: Engine, desk: Desk) -> None:
    said(engine)
    answer = desk.ask(f"{desk.path()}/preflight", body={"text": "Your card 4111 1111 1111 1111 " + "x" * 500})
    told = answer.get_json()
    definition("preflight").validate(told)
    assert (told["visibility"], told["limit"], told["length"]) == ("public", 500, 530)
    assert told["concerns"][0]["severity"] == "hold"
    assert desk.ask(f"{desk.path()}/preflight", body={"text": 7}).status_code == 422


def test_what_holds_every_reply_is_said_while_it_is_written(engine: Engine, desk: Desk) -> None:
    said(engine)

    def concerns(agent: Agent) -> list[tuple[str, str]]:
        told = desk.ask(f"{desk.path()}/preflight", agent, body={"text": "Restart it, please."}).get_json()
        definition("preflight").validate(told)
        return [(one["code"], one["sentence"].partition(" until ")[0].partition(",")[0]) for one in told["concerns"]]

    assert concerns(BEN) == []
    desk.press("take_lock", ADA)
    engine.settle()
    assert (concerns(ADA), concerns(BEN)) == ([], [("lock", "Ada Agent has the lock on this conversation")])
    desk.press("handoff", ADA)
    engine.settle()
    assert concerns(ADA) == [("handoff", "This conversation is a formal ticket now")]


def test_a_link_opens_one_ticket_once(engine: Engine, desk: Desk) -> None:
    said(engine)
    ticket = engine.helpdesk.tickets[0].ref
    link = signing.mint_link(desk.secret, helpdesk="fake", ticket=ticket, agent=ADA, now=datetime.now(UTC))
    opened = desk.client.post("/panel/-/session", json={"token": link})
    assert opened.status_code == 200, opened.get_data(as_text=True)
    session = {"X-Crossdesk-Session": opened.get_json()["session"]}
    assert desk.client.get(desk.path(), headers=session).get_json()["me"]["name"] == "Ada Agent"
    assert desk.client.post("/panel/-/session", json={"token": link}).status_code == 401
    said(engine, "Something else", visibility=Visibility.PRIVATE)
    assert desk.client.get(desk.path(1), headers=session).status_code == 401
    old = signing.mint_link(desk.secret, helpdesk="fake", ticket=ticket, agent=ADA, now=datetime.now(UTC) - timedelta(minutes=3))
    for token in (old, link + "0", "", "a.b", None):
        assert desk.client.post("/panel/-/session", json={"token": token}).status_code == 401


def test_a_session_goes_on_while_it_is_used_and_ends(engine: Engine, desk: Desk) -> None:
    said(engine)
    now, ticket = datetime.now(UTC), engine.helpdesk.tickets[0].ref
    opened = signing.Pass(helpdesk="fake", ticket=ticket, agent=ADA, until=0, word=str(int(now.timestamp())))
    aged = signing.session(desk.bridge.keys[0], opened, now=now - timedelta(minutes=8))
    renewed = desk.client.get(desk.path(), headers={"X-Crossdesk-Session": aged}).headers["X-Crossdesk-Session"]
    assert desk.client.get(desk.path(), headers={"X-Crossdesk-Session": renewed}).status_code == 200
    ended = signing.session(desk.bridge.keys[0], opened, now=now - timedelta(minutes=11))
    assert desk.client.get(desk.path(), headers={"X-Crossdesk-Session": ended}).status_code == 401
    old = replace(opened, word=str(int((now - timedelta(hours=9)).timestamp())))
    late = signing.session(desk.bridge.keys[0], old, now=now)
    assert desk.client.get(desk.path(), headers={"X-Crossdesk-Session": late}).status_code == 401


def test_the_lock_is_taken_seen_and_taken_over(engine: Engine, desk: Desk) -> None:
    said(engine)
    rev = desk.snapshot(BEN)["rev"]
    with engine.crowd(1):
        mine = desk.press("take_lock", ADA).get_json()["lock"]
        late = desk.press("take_lock", BEN, rev=rev)
    assert (mine["holder"], mine["mine"]) == ("Ada Agent", True)
    assert (late.status_code, late.get_json()["error"]["by"]) == (409, "Ada Agent")
    theirs = desk.snapshot(BEN)
    assert (theirs["lock"]["mine"], theirs["lock"]["fence"]) == (False, mine["fence"])
    assert {item["id"]: item["enabled"] for item in theirs["actions"]}["take_over"] is True
    assert desk.press("take_over", BEN, reason="Ada has left", fence=mine["fence"] - 1).get_json()["error"]["code"] == "lock_lost"
    with engine.crowd(1):
        taken = desk.press("take_over", BEN, reason="Ada has left", fence=mine["fence"])
    assert taken.get_json()["lock"]["holder"] == "Ben Berg"
    assert desk.snapshot(ADA)["lock"]["mine"] is False


def test_a_reply_that_waits_for_a_second_person_is_shown_and_approved(database_url: str) -> None:
    needed = ApprovalNeeded(rule="risky words", reason="It promises something.", approvers="Leads", within=timedelta(hours=1))
    judge = TableJudge(approvals=[(lambda _: True, needed)])
    engine = Engine(database_url, policy=PolicyAtWork(judge=judge, contract=Contract()))
    desk = Desk(engine)
    said(engine)
    reply(engine, "We promise a new one")
    shown = desk.snapshot(ADA)
    assert (shown["approval"]["by"], shown["approval"]["proposed"]) == ("Ada Agent", "We promise a new one")
    assert "risky words" in shown["approval"]["reason"]
    own = {item["id"]: item["enabled"] for item in shown["actions"]}
    assert (own["approve"], own["recall"]) == (False, True)
    assert {item["id"]: item["enabled"] for item in desk.snapshot(BEN)["actions"]}["approve"] is False
    lead = replace(BEN, groups=("Leads",))
    reply(engine, "And a voucher")
    assert [item["proposed"] for item in desk.snapshot(lead)["approval"]["others"]] == ["And a voucher"]
    with engine.crowd(1):
        second = desk.press("approve", lead).get_json()["approval"]
        assert (second["proposed"], second["others"]) == ("And a voucher", [])
        assert desk.press("approve", lead).get_json()["approval"] is None
    engine.settle()
    assert engine.delivered() == ["We promise a new one", "And a voucher"]
    engine.close()


def test_without_a_policy_there_is_nothing_to_press(database_url: str) -> None:
    engine = Engine(database_url)
    said(engine)
    assert Desk(engine).snapshot()["actions"] == []
    engine.close()


def test_what_solved_it_is_kept_by_a_button_and_shown_with_its_source(engine: Engine, desk: Desk) -> None:
    said(engine, "My kettle hums loudly when it boils")
    early = desk.press("solved", reason="Descale it #kettle")
    assert (early.status_code, early.get_json()["error"]["code"]) == (422, "refused")
    engine.tell_of_tickets(engine.helpdesk.set_state(engine.helpdesk.tickets[0].ref, "closed"))
    engine.settle()
    refused = desk.press("solved", reason="Call +49 30 1234567")
    assert (refused.status_code, "a phone number" in refused.get_json()["error"]["text"]) == (422, True)
    assert desk.press("solved", reason="Descale it #kettle https://kb.example/kettle").status_code == 200
    engine.settle()
    engine.tell(engine.network.say("paul", "The kettle hums so loudly"))
    engine.settle()
    (found,) = desk.snapshot(ticket=1)["suggestions"]
    assert (found["note"], found["tags"], found["link"]) == ("Descale it", ["kettle"], "https://kb.example/kettle")
    assert found["ticket_number"] == engine.helpdesk.tickets[0].number


def test_an_impostor_is_warned_of_and_a_scam_marked_by_a_button(engine: Engine, desk: Desk) -> None:
    said(engine, "My card was charged twice", thread="public:maria")
    engine.tell(
        engine.network.say(
            "helpdesk_support", "I am support, send your card number and password to https://bit.ly/x", thread="public:maria"
        )
    )
    engine.settle()
    assert any(item["id"] == "warn" and item["enabled"] for item in desk.snapshot()["actions"])
    assert desk.press("warn").status_code == 200
    engine.settle()
    assert engine.delivered()[0].startswith("Caution: @helpdesk_support")
    assert not any(item["id"] == "warn" for item in desk.snapshot()["actions"])
    assert desk.press("mark_scam").status_code == 422
    assert desk.press("mark_scam", reason="They ask for cards.").status_code == 200
    engine.settle()
    shown = desk.snapshot()
    assert (shown["stage"]["scam"], next(item["enabled"] for item in shown["actions"] if item["id"] == "not_scam")) == (True, False)
    assert next(item["enabled"] for item in desk.snapshot(SUE)["actions"] if item["id"] == "not_scam")


def _button(desk: Desk, action: str) -> tuple[bool, str]:
    button = next(item for item in desk.snapshot()["actions"] if item["id"] == action)
    return button["enabled"], button["why_not"]


def test_going_on_in_private_a_second_person_and_sending_again_are_buttons(engine: Engine, desk: Desk) -> None:
    said(engine)
    assert _button(desk, "retry") == (False, "No reply of this ticket has failed.")
    assert desk.press("retry").status_code == 422
    engine.network.faults.script("deliver", Fault.REFUSE)
    reply(engine, "Descale it, please.")
    assert (engine.delivered(), _button(desk, "retry")) == ([], (True, ""))
    assert desk.press("retry").status_code == 200
    engine.settle()
    assert engine.delivered() == ["Descale it, please."]
    assert not _button(desk, "retry")[0]
    assert desk.press("to_private").status_code == 200
    engine.settle()
    assert len(engine.delivered()) == 2
    assert desk.press("request_approval").status_code == 200
    engine.settle()
    assert _button(desk, "request_approval") == (False, "The next reply waits for a second person already.")
    reply(engine, "We pay you 5,000.")
    assert desk.snapshot()["approval"]["proposed"] == "We pay you 5,000."
    assert len(engine.delivered()) == 2
    engine.tell(engine.network.say("paul", "Hello there", visibility=Visibility.PRIVATE))
    engine.settle()
    private = next(item for item in desk.snapshot(ticket=1)["actions"] if item["id"] == "to_private")
    assert private["why_not"] == "The conversation is private already."


def test_what_others_say_is_hidden_and_shown_again_and_a_template_goes_out(database_url: str) -> None:
    network = AbleNetwork()
    engine = Engine(database_url, network=network)
    desk = Desk(engine)
    ref = said(engine)
    (message,) = desk.snapshot()["messages"]
    assert message["hide"] == "hide"
    which = {"message": str(message["id"])}
    with engine.crowd(1):
        assert desk.press("show", arguments=which).status_code == 422
        hidden = desk.press("hide", arguments=which, key="press-number-1").get_json()
        assert [item["hide"] for item in hidden["messages"]] == ["show"]
        assert desk.press("hide", arguments=which, key="press-number-1").status_code == 422
    engine.settle()
    assert network.hidden == {ref}
    with engine.crowd(1):
        assert desk.press("show", arguments=which).status_code == 200
    engine.settle()
    assert network.hidden == set()
    assert "template" in {item["id"] for item in desk.snapshot()["actions"] if item["enabled"]}
    with engine.crowd(1):
        assert desk.press("template", arguments={"name": " ", "language": "en"}).status_code == 422
        filled = {"name": "parcel", "language": "en", "values": "4711\n Tuesday \n"}
        assert desk.press("template", arguments=filled).status_code == 200
    engine.settle()
    assert network.templates == [Template(name="parcel", language="en", values=("4711", "Tuesday"))]
    assert desk.snapshot()["messages"][-1]["text"]["plain"] == "[Template parcel] 4711, Tuesday"
    assert desk.press("hide", arguments={"message": "999999"}).status_code == 422
    engine.close()
