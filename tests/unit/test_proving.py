"""Proof in the engine: one-time words in both chats make one person, nothing else does, and it can be undone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from plugin.domain.errors import ConfigError
from plugin.domain.model import Visibility
from plugin.handlers import proving
from tests.engine import Engine
from tests.panels import Desk
from tests.unit.test_crossing import started

_WORD = re.compile(r"[a-z]+-[a-z]+-[a-z]+")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    for who in ("maria", "m.lind"):
        _say(engine, who, "Hello there")
    yield engine
    engine.close()


def _say(engine: Engine, who: str, words: str, visibility: Visibility = Visibility.PRIVATE) -> None:
    engine.tell(engine.network.say(who, words, visibility=visibility, thread=f"{visibility.value}:{who}"))
    engine.settle()


def _ask(engine: Engine) -> dict[str, str]:
    """The word that each was told."""
    proving.ask(engine.database, engine.installation.policy, 1, 2, actor="ada")
    engine.settle()
    return _told(engine)


def _told(engine: Engine) -> dict[str, str]:
    found = {post.thread_key: word.group() for post in engine.network.delivered if (word := _WORD.search(post.text.plain))}
    return {key.partition(":")[2]: word for key, word in found.items()}


def _persons(engine: Engine) -> list[str]:
    rows = engine.rows("SELECT profile->>'handle' AS handle FROM contact WHERE person_id IS NOT NULL ORDER BY id")
    return [row.handle for row in rows]


def test_both_words_said_in_the_other_chat_make_one_person_and_the_tickets_say_so(engine: Engine) -> None:
    words = _ask(engine)
    assert not any(word in note for word in words.values() for ticket in (0, 1) for note in engine.notes(ticket)), "agents do not see words"
    _say(engine, "m.lind", f"Here it is: {words['maria']}")
    assert _persons(engine) == []
    _say(engine, "maria", words["m.lind"].upper().replace("-", " "))
    assert _persons(engine) == ["maria", "m.lind"]
    for ticket in (0, 1):
        assert any(note.startswith("Proved by one-time words") for note in engine.notes(ticket))
    assert sum("same person" in words and "Thank you" in words for words in engine.delivered()) == 2
    audit = [row.action for row in engine.rows("SELECT action FROM audit ORDER BY id")]
    assert audit == ["person prove", "person join"]
    shown = proving.show(engine.database, 1)
    assert [row["known_by"] for row in shown["contacts"]] == ["this conversation", "one-time words"]
    assert {row["id"] for row in shown["conversations"]} == {1, 2}
    person = Desk(engine).snapshot()["person"]
    assert [item["proof"] for item in person["identities"]] == ["platform", "word"]
    assert len(person["conversations"]) == 2
    assert engine.balance().is_ok


def test_words_in_the_wrong_chat_wrong_words_and_public_words_prove_nothing(engine: Engine) -> None:
    words = _ask(engine)
    _say(engine, "maria", words["maria"])
    _say(engine, "m.lind", words["maria"], Visibility.PUBLIC)
    _say(engine, "mallory", words["maria"])
    _say(engine, "mallory", words["m.lind"])
    assert _persons(engine) == []
    (row,) = engine.rows("SELECT tries_left, first_done, second_done FROM proof")
    assert (row.tries_left, row.first_done, row.second_done) == (4, False, False)
    assert any("does not count (wrong). 4 tries are left." in note for note in engine.notes(0))


def test_five_wrong_words_spend_it_and_a_new_one_replaces_the_old(engine: Engine) -> None:
    words = _ask(engine)
    for _ in range(6):
        _say(engine, "maria", words["maria"])
    _say(engine, "maria", words["m.lind"])
    _say(engine, "m.lind", words["maria"])
    assert _persons(engine) == []
    assert engine.rows("SELECT state FROM proof")[0].state == "spent"
    first = _ask(engine)
    second = _ask(engine)
    _say(engine, "maria", first["m.lind"])
    assert engine.rows("SELECT state FROM proof ORDER BY id DESC")[1].state == "replaced"
    _say(engine, "m.lind", second["maria"])
    _say(engine, "maria", second["m.lind"])
    assert _persons(engine) == ["maria", "m.lind"]


def test_an_expired_word_counts_no_more(engine: Engine) -> None:
    words = _ask(engine)
    engine.rows("UPDATE proof SET expires_at = now() - interval '1 second' RETURNING id")
    _say(engine, "m.lind", words["maria"])
    _say(engine, "maria", words["m.lind"])
    assert _persons(engine) == []
    assert any("expired" in note for note in engine.notes(0))


def test_it_is_begun_only_where_it_is_private_and_not_too_often(engine: Engine) -> None:
    _say(engine, "paul", "In public", Visibility.PUBLIC)
    policy = engine.installation.policy
    for first, second, why in ((1, 3, "private"), (1, 1, "same contact"), (1, 99, "no conversation 99")):
        with pytest.raises(ConfigError, match=why):
            proving.ask(engine.database, policy, first, second, actor="ada")
    for _ in range(5):
        proving.ask(engine.database, policy, 1, 2, actor="ada")
    with pytest.raises(ConfigError, match="5 times within a day"):
        proving.ask(engine.database, policy, 2, 1, actor="ada")


def test_it_is_undone_and_only_a_person_has_members(engine: Engine) -> None:
    words = _ask(engine)
    _say(engine, "m.lind", words["maria"])
    _say(engine, "maria", words["m.lind"])
    assert proving.split(engine.database, 2, actor="sue", reason="It was a shared phone.")
    assert not proving.split(engine.database, 1, actor="sue")
    engine.settle()
    assert _persons(engine) == []
    assert engine.rows("SELECT 1 FROM person") == []
    assert any("It was a shared phone." in note for note in engine.notes(1))


def test_a_note_asks_for_it_by_the_other_tickets_number(engine: Engine) -> None:
    one, other = engine.helpdesk.tickets
    engine.tell_of_tickets(engine.helpdesk.note(one.ref, f"/same-person #{other.number}"))
    engine.settle()
    assert set(_told(engine)) == {"maria", "m.lind"}
    engine.tell_of_tickets(engine.helpdesk.note(one.ref, "/same-person 987"))
    engine.settle()
    assert any("there is no ticket 987" in note for note in engine.notes())


def test_the_customer_may_ask_without_naming_the_other_account(engine: Engine) -> None:
    _say(engine, "maria", "Konten verbinden, bitte")
    first = _told(engine)["maria"]
    _say(engine, "m.lind", first)
    second = _told(engine)["m.lind"]
    assert _persons(engine) == []
    _say(engine, "m.lind", second)
    assert _persons(engine) == [], "the second word counts in the first chat alone"
    _say(engine, "maria", second)
    assert _persons(engine) == ["maria", "m.lind"]


def test_repeated_posts_of_one_person_are_one_clock(engine: Engine) -> None:
    words = _ask(engine)
    _say(engine, "m.lind", words["maria"])
    _say(engine, "maria", words["m.lind"])
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[1].ref, "How can I help?"))
    engine.settle()
    _say(engine, "m.lind", "Still waiting")
    rows = engine.rows("SELECT unanswered_since, crossover->>'folded_into' AS folded FROM conversation ORDER BY id")
    assert rows[0].unanswered_since == rows[1].unanswered_since
    assert rows[1].folded == "1"
