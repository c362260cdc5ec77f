"""Notes and tags about a person: kept by agents, shown to agents alone, they follow joins and splits, and can be erased."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.errors import ConfigError
from plugin.domain.model import Visibility
from plugin.handlers import noting, proving
from plugin.policy.safety import person_notes
from plugin.policy.safety.person_notes import Deed, Wish, wish
from plugin.policy.safety.personal_data import Lookout
from plugin.store import persons
from tests.engine import Engine
from tests.panels import Desk
from tests.unit.test_crossing import started


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    for who in ("maria", "m.lind"):
        engine.tell(engine.network.say(who, "Hello there", visibility=Visibility.PRIVATE, thread=who))
        engine.settle()
    yield engine
    engine.close()


def _note(engine: Engine, words: str, ticket: int = 0) -> str:
    """What the ticket says to it."""
    engine.tell_of_tickets(engine.helpdesk.note(engine.helpdesk.tickets[ticket].ref, words))
    engine.settle()
    return engine.notes(ticket)[-1]


def _keep(engine: Engine, conversation: int, deed: Deed, words: str) -> str:
    return noting.keep(engine.database, engine.installation, conversation, wish(deed, words), actor="ada")


def _kept(engine: Engine, conversation: int = 1) -> list[str]:
    return [row["words"] for row in noting.listed(engine.database, conversation)]


def test_internal_notes_keep_a_note_and_a_tag_that_agents_see_and_nobody_is_sent(engine: Engine) -> None:
    assert _note(engine, "/person-note Prefers calls after six.").startswith("Kept the note about this person")
    assert _note(engine, "/person-tag #VIP").startswith("Kept the tag vip")
    assert "already" in _note(engine, "/person-tag vip")
    person = Desk(engine).snapshot()["person"]
    assert person["tags"] == ["vip"]
    assert [(item["text"], item["by"]) for item in person["notes"]] == [("Prefers calls after six.", "Ada Agent")]
    assert _note(engine, "/person-untag vip") == "The tag vip was taken from this person."
    assert "has no tag vip" in _note(engine, "/person-untag vip")
    assert Desk(engine).snapshot()["person"]["tags"] == []
    assert [row.action for row in engine.rows("SELECT action FROM audit ORDER BY id")] == ["person note", "person tag", "person untag"]
    assert not any("calls" in str(row.detail) for row in engine.rows("SELECT detail FROM audit"))
    assert engine.delivered() == []
    assert engine.balance().is_ok


def test_they_follow_joins_and_splits(engine: Engine) -> None:
    _keep(engine, 1, Deed.NOTE, "Collects stamps.")
    _keep(engine, 2, Deed.TAG, "press")
    assert (_kept(engine, 1), _kept(engine, 2)) == (["Collects stamps."], ["press"])
    with engine.database.begin() as connection:
        persons.join(connection, [row.contact_id for row in (persons.chat(connection, number) for number in (1, 2)) if row is not None])
    assert _kept(engine, 1) == _kept(engine, 2) == ["press", "Collects stamps."]
    assert Desk(engine).snapshot()["person"]["tags"] == ["press"]
    assert "already" in _keep(engine, 1, Deed.TAG, "press")
    proving.split(engine.database, 1, actor="ada")
    assert (_kept(engine, 1), _kept(engine, 2)) == (["Collects stamps."], ["press"])


def test_they_are_erased_by_number_or_all(engine: Engine) -> None:
    for words in ("One.", "Two.", "Three."):
        _keep(engine, 1, Deed.NOTE, words)
    _keep(engine, 2, Deed.NOTE, "Somebody else's.")
    number = noting.listed(engine.database, 1)[-1]["id"]
    other = noting.listed(engine.database, 2)[0]["id"]
    assert noting.erase(engine.database, 1, actor="ada", only=[number, other]) == 1
    assert _kept(engine) == ["Three.", "Two."]
    assert noting.erase(engine.database, 1, actor="ada") == 2
    assert noting.erase(engine.database, 1, actor="ada") == 0
    assert (_kept(engine), _kept(engine, 2)) == ([], ["Somebody else's."])
    assert [row.detail["erased"] for row in engine.rows("SELECT detail FROM audit WHERE action = 'person notes erased' ORDER BY id")] == [
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("password: hunter2hunter2", "a password"),
        ("IBAN DE89 3704 0044 0532 0130 00", "a bank account number"),
        ("", "no words"),
        ("x" * 2_001, "2,001 characters"),
    ],
)
def test_secrets_and_too_much_are_refused_with_the_reason(words: str, why: str) -> None:
    assert why in person_notes.why_refused(wish(Deed.NOTE, words), Lookout())


def test_what_is_refused_is_told_in_the_ticket_and_to_the_command(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="a card number"):
        _keep(engine, 1, Deed.NOTE, "The card is 4111 1111 1111 1111")
    told = _note(engine, "/person-note The card is 4111 1111 1111 1111")
    assert "a card number" in told
    assert "4111" not in told
    assert _kept(engine) == []


def test_what_may_be_kept_and_where(engine: Engine) -> None:
    assert _keep(engine, 1, Deed.NOTE, "Call +49 30 1234567 \u202eand\x00 ask for Maria").startswith("Kept")
    assert _kept(engine) == ["Call +49 30 1234567 and ask for Maria"]
    for words in ("two words", "", "x" * 41, "<b>"):
        with pytest.raises(ConfigError, match="a tag is one word"):
            _keep(engine, 1, Deed.TAG, words)
    with pytest.raises(ConfigError, match="no conversation 99"):
        _keep(engine, 99, Deed.TAG, "vip")
    engine.rows(
        "INSERT INTO person_note (contact_id, kind, words, actor) SELECT 1, 'note', 'n', 'ada' FROM generate_series(1, 99) RETURNING id"
    )
    with pytest.raises(ConfigError, match="100 are the most"):
        _keep(engine, 1, Deed.TAG, "vip")


@given(st.text(max_size=60), st.sampled_from(["", "/person-note", "/person-tag ", "/PERSON-UNTAG:"]))
def test_any_note_is_a_wish_or_none_and_what_is_kept_is_plain(words: str, command: str) -> None:
    found = person_notes.read_command(command + words)
    if not command:
        assert found is None or words.lstrip().lower().startswith("/person-")
        return
    if found is not None and not person_notes.why_refused(found, Lookout()):
        assert found.words == found.words.strip()
        assert "\0" not in found.words
        assert wish(found.deed, found.words) == Wish(deed=found.deed, words=found.words)
