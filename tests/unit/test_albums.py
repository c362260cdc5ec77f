"""Albums that a network tells file by file: one message in the ticket, whatever comes between, late or twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plugin.domain.events import MessageReceived
from plugin.domain.ids import MessageRef
from plugin.domain.model import File
from tests.engine import Engine, quick

LONG = 3600.0


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url)
    yield engine
    assert engine.balance().is_ok
    engine.close()


def part(engine: Engine, words: str, number: int, *, album: str = "a1") -> MessageReceived:
    file = File(filename=f"{number}.png", content_type="image/png", content=bytes([number]))
    return replace(engine.network.say("maria", words, files=(file,)), album=album)


def files(engine: Engine, article: int = 0) -> list[str]:
    return [file.filename for file in engine.helpdesk.tickets[0].articles[article].files]


def come(engine: Engine) -> None:
    """The waiting of every album is over."""
    engine.rows("UPDATE inbound_event SET due_at = now() WHERE state = 'retry' RETURNING id")
    engine.rows("UPDATE conversation SET due_at = now() RETURNING id")


def test_an_album_told_file_by_file_is_one_article_with_all_its_files(engine: Engine) -> None:
    for event in (part(engine, "Two pictures", 1), part(engine, "", 2), part(engine, "and one more", 3)):
        engine.tell(event)
    engine.settle()
    assert engine.articles() == ["Two pictures\nand one more"]
    assert files(engine) == ["1.png", "2.png", "3.png"]
    assert {row.state for row in engine.rows("SELECT state FROM inbound_event WHERE kind = 'MessageReceived'")} == {"done"}


def test_what_follows_an_album_stands_below_it(database_url: str) -> None:
    engine = Engine(database_url, config=quick(album_wait_seconds=LONG))
    engine.tell(part(engine, "Look", 1))
    engine.work()
    engine.tell(engine.network.say("maria", "What do you think?"))
    engine.tell(part(engine, "", 2))
    for _ in range(3):
        assert engine.work() <= 1
    assert not engine.helpdesk.tickets, "the first file waits for the others"
    come(engine)
    engine.settle()
    assert engine.articles() == ["Look", "What do you think?"]
    assert files(engine) == ["1.png", "2.png"]
    engine.close()


def test_a_file_that_comes_when_its_album_is_filed_is_an_article_of_its_own(engine: Engine) -> None:
    engine.tell(part(engine, "Look", 1))
    engine.settle()
    late = part(engine, "", 2)
    engine.tell(late)
    engine.tell(late)
    engine.settle()
    assert len(engine.articles()) == 2
    assert "belongs to an album" in engine.articles()[1]
    assert files(engine, 1) == ["2.png"]


def test_an_edit_of_any_file_finds_the_albums_message(engine: Engine) -> None:
    second = part(engine, "", 2)
    first = part(engine, "Look", 1)
    engine.tell(first, second, engine.network.change(second.message_ref, "Look here"))
    engine.settle()
    assert len(engine.articles()) == 2
    assert "Look here" in engine.articles()[1]
    assert len(engine.rows("SELECT 1 FROM message WHERE direction = 'inbound'")) == 1


def test_two_albums_at_once_stay_two(engine: Engine) -> None:
    engine.tell(part(engine, "One", 1), part(engine, "Two", 2, album="a2"), part(engine, "", 3), part(engine, "", 4, album="a2"))
    engine.settle()
    assert engine.articles()[0] == "One"
    assert engine.articles()[1].startswith("Two")
    assert (files(engine), files(engine, 1)) == (["1.png", "3.png"], ["2.png", "4.png"])


def test_an_album_that_answers_what_never_comes_is_filed_once(engine: Engine) -> None:
    engine.tell(*(replace(part(engine, "", number), parent_ref=MessageRef("p999")) for number in (1, 2)))
    engine.settle()
    assert len(engine.articles()) == 1
    assert files(engine) == ["1.png", "2.png"]


def test_an_agent_answers_an_album(engine: Engine) -> None:
    engine.tell(part(engine, "Look", 1), part(engine, "", 2))
    engine.settle()
    ticket = engine.helpdesk.tickets[0]
    engine.tell_of_tickets(engine.helpdesk.reply(ticket.ref, "Thank you"))
    engine.settle()
    assert engine.delivered() == ["Thank you"]
