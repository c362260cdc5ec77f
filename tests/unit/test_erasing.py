"""Erasing a person: no word, name or file of theirs is left in any column, others keep theirs, and the ledger adds up as before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import plugin
from plugin.cli.persons import person
from plugin.cli.shared import Settings
from plugin.domain.codec import decode_event
from plugin.domain.errors import ConfigError
from plugin.domain.events import ReactionChanged
from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact, File, Visibility
from plugin.handlers import erasing, learning, noting, proving
from plugin.policy.safety.lessons import Lesson
from plugin.policy.safety.person_notes import Deed, wish
from plugin.store import persons, tables
from tests.engine import CHANNEL, Engine
from tests.panels import Desk, bridge_of
from tests.unit.test_crossing import started

HER, ALSO_HER = "quetzalia.m", "quetzalia.private"
WORDS = ("saffron", "pineapple", "marigold", "cinnamon", "turmeric", "juniper", "nutmeg", "fennel")
"""Each stands in something that was said by her, to her or about her."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    yield engine
    engine.close()


def _lived(engine: Engine) -> None:
    """Everything that can be kept about somebody, and two others beside her."""
    network, helpdesk = engine.network, engine.helpdesk
    network.capabilities = replace(network.capabilities, events=network.capabilities.events | {ReactionChanged})
    picture = File(filename="saffron.png", content_type="image/png", content=b"saffron bytes")
    first = network.say(HER, "My invoice smells of saffron", files=(picture,))
    engine.tell(first)
    engine.settle()
    maria = Contact(ref=ContactRef(HER), handle=HER)
    engine.tell(
        network.change(first.message_ref, "My invoice smells of pineapple"),
        ReactionChanged(event_key="r1", occurred_at=None, message_ref=first.message_ref, author=maria, emoji="🦜", added=True),
        network.say("tom.other", f"@{HER} try marigold", thread=first.thread_key),
    )
    engine.settle()
    ticket = helpdesk.tickets[0].ref
    engine.tell_of_tickets(helpdesk.note(ticket, f"/person-note {HER} likes cinnamon"))
    engine.settle()
    engine.tell_of_tickets(helpdesk.reply(ticket, f"Dear {HER}, turmeric is held in public"))
    engine.settle()
    assert engine.rows("SELECT 1 FROM intent WHERE state = 'held'"), "a reply waits"
    engine.tell(
        network.say(HER, "In private: nutmeg", visibility=Visibility.PRIVATE),
        network.say(ALSO_HER, "It is me, juniper", visibility=Visibility.PRIVATE),
    )
    engine.tell(network.say("jens.other", "My parcel is late"))
    engine.settle()
    engine.tell(network.say(HER, "Mine too, nutmeg", thread="public:jens.other"))
    engine.settle()
    engine.press("postpone", reason=f"{HER} said fennel by phone")
    engine.settle()
    lesson = Lesson(note="Air it for an hour.", tags=("smell",), link="")
    learning.keep(engine.database, engine.installation, 1, lesson, actor="ada")
    proving.ask(engine.database, engine.installation.policy, 1, _number(engine, ALSO_HER), actor="ada")
    engine.settle()
    with engine.database.begin() as connection:
        chats = [persons.chat(connection, number) for number in (1, _number(engine, ALSO_HER))]
        persons.join(connection, [chat.contact_id for chat in chats if chat is not None])
        connection.exec_driver_sql(
            'INSERT INTO evidence (event_id, conversation_id, content) SELECT min(id), 1, \'{"said": "marigold"}\' FROM inbound_event'
        )
        connection.exec_driver_sql(
            "INSERT INTO receipt (place, digest, method, path, query, headers, body, state) VALUES "
            f"('{CHANNEL}', 'a', 'POST', '', '{{}}', '{{}}', '{{\"from\": \"{HER}\", \"text\": \"nutmeg\"}}', 'quarantined'), "
            f"('{CHANNEL}', 'b', 'POST', '', '{{}}', '{{}}', '{{\"from\": \"{HER}elle\"}}', 'quarantined')"
        )


def _number(engine: Engine, who: str) -> int:
    rows = engine.rows("SELECT c.id FROM conversation c JOIN contact p ON p.id = c.contact_id WHERE p.ref = :who", who=who)
    return int(rows[0].id)


def _found(engine: Engine, *words: str) -> list[str]:
    """Where in the whole database any of these words stands: every column of every table, bytes included."""
    found = []
    for table in tables.metadata.sorted_tables:
        for row in engine.rows(f"SELECT * FROM {table.name}"):
            for column, value in row._mapping.items():
                shown = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                found += [f"{table.name}.{column}: {word}" for word in words if word in shown.casefold()]
    return found


def test_nothing_of_hers_is_left_anywhere_and_others_keep_theirs(engine: Engine) -> None:
    _lived(engine)
    names = (f"{HER}", ALSO_HER, "🦜")
    assert {hit.rpartition(": ")[2] for hit in _found(engine, *WORDS, *names)} == {*WORDS, *names}
    before = engine.balance()
    assert before.is_ok
    counts = {
        table.name: len(engine.rows(f"SELECT 1 FROM {table.name}")) for table in (tables.inbound_event, tables.message, tables.intent)
    }
    found = erasing.erase(engine.database, 1, actor="ada", reason="She asked for it.")
    assert [hit for hit in _found(engine, *WORDS, *names) if f"{HER}elle" not in hit] == ["receipt.body: quetzalia.m"], (
        "a longer name is another"
    )
    assert counts == {table: len(engine.rows(f"SELECT 1 FROM {table}")) for table in counts}
    after = engine.balance()
    assert after.is_ok, after.contradictions
    assert (after.received, after.fates["held"]) == (before.received, 0)
    assert sum(row.state == "dropped" for row in engine.rows("SELECT state FROM receipt")) == 1
    assert any("My parcel is late" in hit for hit in map(str, engine.rows("SELECT payload FROM inbound_event")))
    assert {
        "files",
        "messages, now tombstones",
        "evidence",
        "proofs",
        "contacts",
        "events, emptied",
        "wishes, emptied",
    } <= found.erased.keys()
    kept = "\n".join(found.kept)
    assert f"helpdesk:fake: ticket {engine.helpdesk.tickets[0].number}" in kept
    (audit,) = engine.rows("SELECT actor, subject, detail FROM audit WHERE action = 'person erased'")
    assert (audit.actor, audit.subject, audit.detail["reason"]) == ("ada", "conversation 1", "She asked for it.")
    assert engine.rows("SELECT 1 FROM person") == []


def test_a_second_time_finds_nothing_and_what_was_said_since_goes_the_third(engine: Engine) -> None:
    _lived(engine)
    erasing.erase(engine.database, 1, actor="ada")
    assert erasing.erase(engine.database, 1, actor="ada").total == 0
    assert len(engine.rows("SELECT 1 FROM audit WHERE action = 'person erased'")) == 1
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Dear juniper"))
    engine.settle()
    assert not any("Dear juniper" in words for words in engine.delivered()), "nobody is there to be told"
    assert engine.balance().is_ok
    assert erasing.erase(engine.database, 1, actor="ada").total > 0
    assert _found(engine, "dear juniper") == []


def test_what_comes_again_is_known_and_who_writes_again_is_somebody_new(engine: Engine) -> None:
    said = engine.network.say(HER, "My invoice smells of saffron")
    engine.tell(said)
    engine.settle()
    erasing.erase(engine.database, 1, actor="ada")
    engine.tell(said)
    engine.tell(said, engine.network.say("tom.other", "Hello"))
    engine.settle()
    assert [row.ref for row in engine.rows("SELECT ref FROM contact ORDER BY id")] == ["erased:1", "tom.other"], "nobody is brought back"
    assert _found(engine, "saffron") == ["receipt.body: saffron"], "a raw delivery, until its time is over"
    before = len(engine.helpdesk.tickets)
    engine.tell(engine.network.say(HER, "Hello, I am new here"))
    engine.settle()
    assert (before, len(engine.helpdesk.tickets)) == (2, 3)
    assert [row.ref for row in engine.rows("SELECT ref FROM contact ORDER BY id")] == ["erased:1", "tom.other", HER]
    assert engine.balance().is_ok


def test_the_ticket_can_still_be_looked_at_and_explained(engine: Engine) -> None:
    _lived(engine)
    erasing.erase(engine.database, 1, actor="ada")
    snapshot = Desk(engine).snapshot()
    assert [message for message in snapshot["messages"] if message["text"]["plain"] or not message["deleted_at"]] == []
    assert snapshot["person"]["notes"] == []
    assert noting.listed(engine.database, 1) == []
    assert proving.show(engine.database, 1)["contacts"][0]["name"] == "erased:1"


def test_what_is_on_its_way_stops_it_and_nothing_is_changed(engine: Engine) -> None:
    engine.tell(engine.network.say(HER, "My invoice smells of saffron"))
    engine.settle()
    engine.rows("UPDATE conversation SET lease_until = now() + interval '1 minute' RETURNING id")
    for number, why in ((1, "nothing was erased"), (99, "no conversation 99")):
        with pytest.raises(ConfigError, match=why):
            erasing.erase(engine.database, number, actor="ada")
    assert _found(engine, "saffron")


def test_the_command_asks_tells_what_went_and_what_stays(engine: Engine) -> None:
    engine.tell(engine.network.say(HER, "My invoice smells of saffron"))
    engine.settle()
    settings = Settings("unused.toml")
    settings.__dict__["bridge"] = bridge_of(engine)

    def run(*words: str, answer: str = "") -> Result:
        return CliRunner().invoke(person, ["erase", "1", *words], obj=settings, input=answer)

    assert run("--everywhere", answer="n\n").exit_code == 1
    assert run("--everywhere", "--all").exit_code == 2
    assert _found(engine, "saffron")
    told = json.loads(run("--everywhere", "--yes", "--json", "--reason", "She asked for it.").stdout)
    assert told["conversations"] == [1]
    assert told["erased"]["contacts"] == 1
    assert any("helpdesk:fake: ticket" in sentence for sentence in told["kept"])
    again = run("--everywhere", answer="y\n").stdout
    assert "Nothing was left to erase." in again
    assert "What stays:" in again


def test_notes_alone_go_without_the_person(engine: Engine) -> None:
    engine.tell(engine.network.say(HER, "Hello saffron"))
    engine.settle()
    noting.keep(engine.database, engine.installation, 1, wish(Deed.NOTE, "Likes cinnamon"), actor="ada")
    assert noting.erase(engine.database, 1, actor="ada") == 1
    assert _found(engine, "saffron")


def test_every_kind_of_event_can_be_emptied_and_read_again() -> None:
    folder = Path(plugin.__file__).parent
    told = [event for file in sorted(folder.glob("*/*/fixtures/*.events.json")) for event in json.loads(file.read_text(encoding="utf-8"))]
    told += [
        {"type": "ArticleAdded", "event_key": "a", "occurred_at": None, "ticket_ref": "1", "article_ref": "2", "author": "agent",
         "agent_name": "Ada", "is_reply": True, "text": {"plain": "Dear saffron"}},
        {"type": "TicketChanged", "event_key": "t", "occurred_at": None, "ticket_ref": "1", "state": "open", "is_closed": False, "owner": "ada",
         "group": "Social", "fields": [["reason", "saffron"]]},
        {"type": "ActionTaken", "event_key": "p", "occurred_at": None, "action": "close", "actor": "ada", "reason": "saffron",
         "arguments": [["ref", "p1"], ["text", "saffron"]]},
        {"type": "MemberUnreadable", "event_key": "m", "reason": "saffron", "excerpt": "saffron"},
    ]  # fmt: skip
    assert {"MessageReceived", "MessageEdited", "MessageDeleted", "ReactionChanged"} <= {payload["type"] for payload in told}
    for payload in told:
        emptied = erasing.emptied(payload["type"], payload)
        assert type(decode_event(emptied)).__name__ == payload["type"]
        assert erasing.emptied(payload["type"], emptied) == emptied
        words = payload.get("text", {}).get("plain", "")
        assert not words or words not in json.dumps(emptied, ensure_ascii=False) or len(words) < 4
        assert "saffron" not in json.dumps(emptied)
        assert "author" not in emptied or payload["type"] == "ArticleAdded" or emptied["author"] == {"ref": "erased"}
    assert erasing.emptied("Skipped", {"anything": "saffron"}) == {"type": "Skipped"}
