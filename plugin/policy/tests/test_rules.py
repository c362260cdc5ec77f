"""The built-in conditions, each as a sentence, and what all of them owe."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain.model import Visibility
from plugin.policy.facts import Facts, Trigger
from plugin.policy.fields import is_required, keys
from plugin.policy.matching import Matcher, _pattern, _plain
from plugin.policy.rules import known
from plugin.policy.ruling import Head, ToApprove, ToCross, ToFilter, ToRoute
from plugin.policy.tests.samples import ANY, facts

FIRES: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]], str]] = {
    "agent_replies": ({"at_least": 2}, {"conversation": {"agent_replies": 2}}, "Agents have replied 2 times"),
    "minutes_open": ({"at_least": 30}, {"conversation": {"minutes_open": 31.0}}, "open for 31 minutes"),
    "minutes_unanswered": ({"at_least": 5}, {"conversation": {"minutes_unanswered": 5.0}}, "waiting for 5 minutes"),
    "minutes_silent": ({"at_least": 5}, {"conversation": {"minutes_silent": 9.0}}, "said nothing for 9"),
    "topic": ({"any_of": ("billing",)}, {"message": {"topics": ("a", "billing")}}, "the topic billing"),
    "keyword": ({"any_of": ("refund*",)}, {"message": {"text": "No REFUNDS?"}}, '"REFUNDS"'),
    "personal_data": ({"kinds": ("iban",)}, {"message": {"personal_data": ("phone", "iban")}}, "(iban)"),
    "remote_session": ({}, {"message": {"text": "Here is my Serial  Number"}}, "Serial  Number"),
    "bystander_answers": ({}, {"conversation": {"suspicious_bystanders": 1}}, "impostors"),
    "anger": ({}, {"message": {"sentiment": -0.61}}, "-0.61"),
    "author_trust": ({}, {"contact": {"account_days": 3.0}}, "3 days old"),
    "scam": ({}, {"conversation": {"is_scam": True}}, "marked as a scam"),
    "window_closing": ({}, {"conversation": {"window_minutes_left": -3.0}}, "0 more minutes"),
    "agent_request": ({}, {"conversation": {"tags": ("make-formal",)}}, "make-formal"),
    "customer_request": ({}, {"message": {"text": "Bitte ein Ticket eröffnen!"}}, "Ticket eröffnen"),
    "vip": ({}, {"contact": {"is_vip": True}}, "important"),
    "influence": ({}, {"contact": {"followers": 10_000}}, "10000 follow"),
    "language": ({"any_of": ("de",)}, {"message": {"language": "de-AT"}}, "de-at"),
    "business_hours": ({"open": False}, {"clock": {"is_open": False, "minutes_until_open": 75.0}}, "75 minutes"),
    "surge": ({}, {"counts": {"channel_hour": 90, "channel_usual": 30.0}}, "90 messages"),
    "trainee": ({}, {"agent": {"is_trainee": True, "name": "Bo"}}, "Bo is still learning"),
    "agent_group": ({"any_of": ("Billing",)}, {"agent": {"groups": ("Billing",)}}, "Billing"),
    "found": ({}, {"message": {"is_found": True}}, "saved search"),
    "bot": ({}, {"contact": {"is_bot": True}}, "machine"),
    "bystander": ({}, {"message": {"is_bystander": True}}, "else"),
    "links": ({}, {"message": {"links": ("https://a",)}}, "1"),
    "length": ({"at_most": 3}, {"message": {"length": 3}}, "3 characters"),
    "repeats": ({}, {"counts": {"contact_hour": 20}}, "20 messages"),
    "reopened": ({}, {"conversation": {"times_reopened": 1}}, "1 times"),
    "returning": ({}, {"contact": {"conversations_before": 2}}, "2 conversations"),
    "tag": ({"any_of": ("a",)}, {"conversation": {"tags": ("a",)}}, "tag a"),
    "always": ({}, {}, "all of them"),
}


def test_every_condition_is_tried_here() -> None:
    assert FIRES.keys() == known().keys()


@pytest.mark.parametrize("name", FIRES)
def test_it_fires_when_it_is_so_and_says_why(name: str) -> None:
    parameters, sections, said = FIRES[name]
    reason = known()[name](**parameters).fires(facts(Trigger.MESSAGE, **sections))
    assert reason is not None
    assert said in reason
    assert reason.endswith(".")


@pytest.mark.parametrize("name", sorted(FIRES.keys() - {"always"}))
def test_it_does_not_fire_in_a_quiet_conversation_where_much_is_unknown(name: str) -> None:
    assert known()[name](**FIRES[name][0]).fires(facts()) is None


@settings(max_examples=40, deadline=None)
@given(anything=ANY)
def test_each_answers_to_any_facts(anything: Facts) -> None:
    for name, (parameters, _, _) in FIRES.items():
        reason = known()[name](**parameters).fires(anything)
        assert reason is None or reason.endswith("."), name


@pytest.mark.parametrize("name", FIRES)
def test_it_is_documented_and_its_parameters_meet_no_other_setting(name: str) -> None:
    condition: Any = known()[name]
    assert condition.__doc__.endswith(".")
    parameters = keys(condition)
    assert all(field.metadata["help"].endswith(".") for field in parameters.values())
    for other in (Head, ToCross, ToRoute, ToFilter, ToApprove):
        assert not parameters.keys() & keys(other).keys()
    assert dataclasses.is_dataclass(condition)
    assert all(not is_required(field) or field.name in FIRES[name][0] for field in parameters.values())


def test_little_reputation_counts_where_it_is_looked_at_and_known() -> None:
    rule: Any = known()["author_trust"]
    wary = rule(less_reputation_than=10)
    assert "reputation is 9; the policy wants 10" in wary.fires(facts(contact={"reputation": 9}))
    assert "reputation is -80" in wary.fires(facts(contact={"reputation": -80}))
    for known_or_not in (10, None):
        assert wary.fires(facts(contact={"reputation": known_or_not})) is None
    assert rule().fires(facts(contact={"reputation": -80})) is None


def test_who_belongs_to_a_group_that_speaks_for_itself_is_not_asked_for_the_other() -> None:
    rule: Any = known()["agent_group"]
    spokes = rule(any_of=("Billing",), none_of=("Social",))
    assert spokes.fires(facts(agent={"groups": ("Billing",)})) is not None
    assert spokes.fires(facts(agent={"groups": ("Billing", "Social")})) is None


def test_an_unknown_language_is_neither_among_some_nor_outside_of_them() -> None:
    rule: Any = known()["language"]
    nobody_knows = facts(message={"language": ""})
    assert rule(any_of=("de",)).fires(nobody_knows) is None
    assert rule(none_of=("de",)).fires(nobody_knows) is None
    assert rule(none_of=("de",)).fires(facts(message={"language": "fr"})) is not None
    assert rule(any_of=("de",)).fires(facts(message={"language": "den"})) is None


def test_a_private_reply_and_a_bystander_do_not_ask_for_a_ticket_by_accident() -> None:
    rule: Any = known()["customer_request"]()
    assert rule.fires(facts(message={"text": "Open a ticket", "is_bystander": True})) is None
    assert rule.fires(facts(Trigger.REPLY, message={"text": "No words", "visibility": Visibility.PRIVATE})) is None


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_words_are_looked_for_in_any_text(text: str, words: list[str]) -> None:
    rule: Any = known()["keyword"]
    reason = rule(any_of=tuple(words)).fires(facts(message={"text": text}))
    assert reason is None or reason.endswith(".")


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("price", "PRICE!", True),
        ("price", "prices", False),
        ("price*", "prices", True),
        ("don't", "I don\u2019t know", True),
        ("e-mail", "my e\u2011mail", True),
        ("straße", "STRASSE", False),
        ("größe", "GRO\u0308\u00dfE", True),
        ("court", "courtesy", False),
        ("a b", "a \n b", True),
    ],
)
def test_a_word_is_a_whole_word_in_any_case(word: str, text: str, is_found: bool) -> None:
    rule: Any = known()["keyword"]
    assert (rule(any_of=(word,)).fires(facts(message={"text": text})) is not None) is is_found


@given(
    st.text(st.sampled_from("abkKsSåÅßẞſıİiIKÅµμΜÿŸ äÄ!.-\u0308x"), max_size=24),
    st.lists(
        st.text(st.sampled_from("abkKsSåÅßẞſıİiIKÅµμΜÿŸ äÄ*-"), min_size=1, max_size=5).filter(lambda word: word.strip("* ")), max_size=4
    ),
)
def test_the_quick_look_passes_over_no_word(text: str, words: list[str]) -> None:
    searched = [word for word in words if _plain(word).strip("* ")]
    pattern = "|".join(_pattern(word) for word in sorted(searched, key=len, reverse=True))
    found = re.search(rf"(?<!\w)(?:{pattern})", _plain(text), re.IGNORECASE) if searched else None
    assert Matcher(words).first(text) == (found[0] if found else None)
