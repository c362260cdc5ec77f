"""Learning in the engine: what solved a conversation is kept without anybody's data, found again, shown to agents alone, and forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.domain.errors import ConfigError
from plugin.handlers import learning
from plugin.policy.safety.lessons import Lesson
from tests.engine import Engine
from tests.unit.test_crossing import started

_LESSON = Lesson(note="Set the router to channel 1.", tags=("router", "wifi"), link="https://kb.example.org/7")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    yield engine
    engine.close()


def _say(engine: Engine, who: str, words: str, **how: str) -> None:
    engine.tell(engine.network.say(who, words, **how))  # type: ignore[arg-type]
    engine.settle()


def _end(engine: Engine, ticket: int = 0) -> None:
    engine.tell_of_tickets(engine.helpdesk.set_state(engine.helpdesk.tickets[ticket].ref, "closed"))
    engine.settle()


def _solved(engine: Engine) -> None:
    _say(engine, "maria", "My wifi router drops the connection every night, call 030 1234567")
    learning.keep(engine.database, engine.installation, 1, _LESSON, actor="ada")
    _end(engine)


def test_a_similar_message_brings_the_note_with_its_source_and_nothing_is_sent(engine: Engine) -> None:
    _solved(engine)
    _say(engine, "paul", "Since yesterday the router drops my wifi connection")
    (note,) = [note for note in engine.notes(1) if "Set the router" in note]
    assert f"Source: ticket {engine.helpdesk.tickets[0].number}" in note
    assert "https://kb.example.org/7" in note
    assert "router" in note.splitlines()[-1]
    assert engine.delivered() == []
    assert [(row.kind, row.rule) for row in engine.rows("SELECT kind, rule FROM decision WHERE kind = 'suggestion'")] == [
        ("suggestion", "learning")
    ]
    assert engine.balance().is_ok


def test_it_is_shown_once_in_a_conversation_and_never_for_something_else(engine: Engine) -> None:
    _solved(engine)
    _say(engine, "paul", "The router drops my wifi connection", thread="t")
    _say(engine, "paul", "My router drops the wifi connection again", thread="t")
    _say(engine, "lena", "Where is my parcel?")
    assert sum("Set the router" in note for note in engine.notes(1)) == 1
    assert not any("Set the router" in note for note in engine.notes(2))


def test_what_has_not_ended_is_suggested_to_nobody(engine: Engine) -> None:
    _say(engine, "maria", "My wifi router drops the connection every night")
    learning.keep(engine.database, engine.installation, 1, _LESSON, actor="ada")
    _say(engine, "paul", "The router drops my wifi connection")
    assert not any("Set the router" in note for note in engine.notes(1))


def test_an_internal_note_that_begins_with_the_word_is_kept(engine: Engine) -> None:
    _say(engine, "maria", "Meine Heizung wird nicht warm, das Thermostat blinkt")
    ticket = engine.helpdesk.tickets[0].ref
    engine.tell_of_tickets(engine.helpdesk.note(ticket, "/solved Thermostat neu anlernen #heizung https://kb.example.org/9"))
    engine.settle()
    (row,) = engine.rows("SELECT note, tags, link, problem, actor FROM solution")
    assert (row.note, row.tags, row.link) == ("Thermostat neu anlernen", ["heizung"], "https://kb.example.org/9")
    assert "thermostat" in row.problem
    assert any(note.startswith("Kept as what solved this") for note in engine.notes())
    assert engine.delivered() == []


def test_no_personal_data_is_kept(engine: Engine) -> None:
    _solved(engine)
    (row,) = engine.rows("SELECT problem, keys FROM solution")
    assert not any(any(letter.isdigit() for letter in word) for word in [*row.problem, *row.keys])
    assert "maria" not in row.problem
    for words in ("Called her at +49 30 1234567", "Maria had to restart it", "Wrote to maria.k@example.org", " "):
        with pytest.raises(ConfigError, match="not kept"):
            learning.keep(engine.database, engine.installation, 1, Lesson(note=words), actor="ada")
    assert engine.rows("SELECT note FROM solution")[0].note == _LESSON.note
    assert not engine.rows("SELECT 1 FROM audit WHERE detail::text LIKE '%channel 1%'")
    assert not engine.rows("SELECT 1 FROM inbound_event WHERE kind = 'ActionTaken' AND payload::text LIKE '%channel 1%'")


def test_a_refused_note_says_what_to_change(engine: Engine) -> None:
    _say(engine, "maria", "My card was charged twice")
    note = engine.helpdesk.note(engine.helpdesk.tickets[0].ref, "/solved refunded the card 4111 1111 1111 1111")
    engine.tell_of_tickets(note)
    engine.settle()
    assert engine.rows("SELECT 1 FROM solution") == []
    (told,) = [note for note in engine.notes() if "was not kept" in note]
    assert "4111" not in told
    assert "a card number" in told


def test_what_was_kept_is_forgotten_on_demand_and_with_the_customers_words(engine: Engine) -> None:
    event = engine.network.say("maria", "My wifi router drops the connection")
    engine.tell(event)
    engine.settle()
    learning.keep(engine.database, engine.installation, 1, _LESSON, actor="ada")
    engine.tell(engine.network.take_back(event.message_ref))
    engine.settle()
    (row,) = engine.rows("SELECT problem, keys FROM solution")
    assert row.problem == []
    assert "connection" not in row.keys
    assert learning.withdraw(engine.database, 1, actor="ada")
    assert not learning.withdraw(engine.database, 1, actor="ada")
    engine.settle()
    assert engine.rows("SELECT 1 FROM solution") == []
    assert any("took back" in note for note in engine.notes())
    assert [row.action for row in engine.rows("SELECT action FROM audit ORDER BY id")] == ["solved", "unsolved"]


def test_the_list_of_suggestions_says_what_they_share(engine: Engine) -> None:
    _solved(engine)
    _say(engine, "paul", "The router drops my wifi connection")
    (found,) = learning.find(engine.database, 2)
    assert (found["note"], found["conversation"], found["tags"]) == (_LESSON.note, 1, ["router", "wifi"])
    assert {"router", "wifi", "drops"} <= set(found["words"])
    assert 0.2 < found["score"] <= 1
