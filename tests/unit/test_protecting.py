"""Protection in the engine: personal data in public, scams, warnings of impostors, and links as agents see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.domain.model import Contact
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.kinds import Pattern
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy
from plugin.policy.safety.thread_guard import OurSide
from plugin.policy.safety.watch import watch_by
from plugin.policy.sections import Safety
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine

_THREAD = "public:maria"
_SAFETY = Safety(our_handles=("acmebank",), own_domains=("acme.example",), phone_region="DE", helpers=("fake:anna",))


def _engine(url: str, safety: Safety = _SAFETY) -> Engine:
    return Engine(url, policy=PolicyAtWork(judge=TableJudge(), watch=watch_by(safety), book=Policy(safety=safety)))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = _engine(database_url)
    yield engine
    engine.close()


def _say(engine: Engine, who: str, words: str) -> str:
    event = engine.network.say(who, words, thread=_THREAD)
    engine.tell(event)
    engine.settle()
    return event.message_ref


def _reply(engine: Engine, words: str) -> None:
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words))
    engine.settle()


def test_who_posts_personal_data_is_asked_once_to_go_on_in_private(engine: Engine) -> None:
    _say(engine, "maria", "Call me: 030 1234567")
    _say(engine, "maria", "or 030 7654321")
    (told,) = engine.delivered()
    assert "do not post personal data" in told.casefold()
    assert "private message" in told
    assert [row.rule for row in engine.rows("SELECT rule FROM decision WHERE kind = 'privacy'")] == ["ask to go on in private"]


def test_nobody_is_asked_where_the_policy_does_not_want_it(database_url: str) -> None:
    engine = _engine(database_url, replace(_SAFETY, ask_private=False))
    _say(engine, "maria", "Call me: 030 1234567")
    assert engine.delivered() == []
    engine.close()


def test_a_warning_is_posted_once_under_the_impostors_words_and_what_was_seen_is_kept(engine: Engine) -> None:
    _say(engine, "maria", "My card was charged twice")
    engine.press("warn")
    engine.settle()
    assert engine.delivered() == []
    bad = _say(engine, "acmebank_help", "Send your card number here: https://bit.ly/x")
    assert any("Press `warn`" in words for words in engine.articles())
    for _ in range(2):
        engine.press("warn")
        engine.settle()
    (post,) = engine.network.delivered
    assert post.text.plain.startswith("Caution: @acmebank_help")
    assert post.parent_ref == bad
    assert sum("already" in note for note in engine.notes()) == 1
    (row,) = engine.rows("SELECT content FROM evidence")
    assert row.content["contact"]["handle"] == "acmebank_help"
    assert "hxxps" in row.content["words"]


def test_a_scam_ends_replies_and_notices_until_a_supervisor_says_otherwise(engine: Engine) -> None:
    _say(engine, "maria", "I am a prince")
    engine.press("mark_scam")
    engine.settle()
    assert any("say why" in note for note in engine.notes())
    engine.press("mark_scam", reason="A prince.")
    engine.settle()
    _reply(engine, "Hello, prince")
    assert engine.delivered() == []
    assert any("marked as a scam" in note for note in engine.notes())
    engine.press("not_scam", reason="He is one.")
    engine.settle()
    assert engine.delivered() == []
    engine.press("not_scam", role="supervisor", reason="He is one.")
    engine.settle()
    assert engine.delivered() == ["Hello, prince"]
    assert engine.balance().is_ok


def test_links_are_shown_with_their_real_host_and_ours_stay(engine: Engine) -> None:
    _say(engine, "maria", "I paid at https://acme.example@evil.example/x and read https://help.acme.example/a")
    (words,) = [words for words in engine.articles() if "I paid" in words]
    assert "real host: evil[.]example" in words
    assert "https://help.acme.example/a" in words
    assert "https://acme" not in words


def test_trusted_helpers_are_never_impostors(engine: Engine) -> None:
    _say(engine, "maria", "My card was charged twice")
    _say(engine, "anna", "I work for acmebank, send your card number to https://bit.ly/x")
    assert any("an admin listed them" in words for words in engine.articles())
    ours = OurSide(helper_handles=("@ben", "other:carl"))
    assert ours.trusts(Contact(ref="1", handle="Ben"))  # type: ignore[arg-type]
    assert not ours.trusts(Contact(ref="1", handle="carl"), "fake")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('phone_region = "Germany"', "two letters"),
        ('own_domains = ["not a domain"]', "example.org"),
        ("order_number = '(a+)+b'", "too long on long texts"),
        ("order_number = '[0-9]*'", "matches nothing at all"),
        ("order_number = '('", "no regular expression"),
        ('own_phones = ["call us"]', "+49"),
        ('helper = ["x"]', "helpers"),
    ],
)
def test_mistakes_are_named_with_their_line(line: str, why: str) -> None:
    import tomllib

    text = f"[policy]\n\n[policy.safety]\n{line}\n"
    findings = Findings(Path("p.toml"), Lines(text))
    read_policy(tomllib.loads(text)["policy"], findings, world=World())
    (problem,) = findings.problems
    assert problem.startswith("p.toml:4")
    assert why in problem


def test_an_order_number_of_ours_is_found() -> None:
    watch = watch_by(Safety(order_number=Pattern().read(r"\bA-[0-9]{6}\b")))
    assert watch.lookout.order_number is not None
    assert watch.lookout.order_number.search("my order A-123456") is not None
