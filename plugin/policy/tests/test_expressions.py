"""Expressions: names and types are checked when they are read, and what is unknown never satisfies one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.policy.catalogue import catalogue
from plugin.policy.expressions import Failed, compiled
from plugin.policy.facts import ClockFacts, ContactFacts, ConversationFacts, CountFacts, Facts, MessageFacts, Trigger
from plugin.policy.fields import Wrong

FACTS = Facts(
    trigger=Trigger.MESSAGE,
    clock=ClockFacts(now=datetime(2026, 11, 21, 12, tzinfo=UTC)),
    message=MessageFacts(text="My invoice is wrong", topics=("billing",), sentiment=-0.7),
    contact=ContactFacts(followers=20_000),
    conversation=ConversationFacts(agent_replies=3, minutes_open=12.5),
    counts=CountFacts(channel_hour=9),
)


@pytest.mark.parametrize(
    "source",
    [
        "conversation.agent_replies >= 3",
        "conversation.minutes_open > 12 && conversation.minutes_open < 12.6",
        "'billing' in message.topics",
        "message.visibility == 'public' && trigger == 'message'",
        "message.text.lowerAscii().contains('invoice') && !message.text.contains('message.txt')",
        "message.text.matches('(?i)INVOICE')",
        "clock.now > timestamp('2026-01-01T00:00:00Z')",
        "known.contact.followers && contact.followers > 10000",
        "message.topics.exists(topic, topic.startsWith('bill'))",
    ],
)
def test_an_expression_holds_of_facts_that_are_so(source: str) -> None:
    assert compiled(source).holds(FACTS)


@pytest.mark.parametrize("sign", ["<", ">", "<=", ">=", "==", "!="])
def test_no_comparison_with_an_unknown_fact_holds_not_even_turned_round(sign: str) -> None:
    assert not compiled(f"counts.channel_usual {sign} 3.0").holds(FACTS)
    assert not compiled(f"!(counts.channel_usual {sign} 3.0)").holds(FACTS)
    assert compiled(f"counts.channel_usual {sign} 3.0 || counts.channel_hour == 9").holds(FACTS)
    assert not compiled("known.counts.channel_usual").holds(FACTS)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("contact.folowers > 3", "`contact.folowers`. Did you mean `contact.followers`?"),
        ("followers > 3", "Did you mean `contact.followers`?"),
        ("mesage.text == 'a'", "Did you mean `message.text`?"),
        ("nothing.like.it == 1", "`crossdesk policy facts` lists them all"),
        ("message.text.lowerascii() == ''", "there is no fact or function `lowerascii`"),
        ("message.length > 'long'", "`>` does not work between a whole number and a text"),
        ("message.sentiment < 'bad'", "cannot be judged"),
        ("message.text.matches('(')", "regular expression"),
        ("message.text", "question of yes or no"),
        ("conversation.agent_replies >", "column"),
        ("has(contact.followers)", "write known.contact.followers"),
        ("true &&\n contact.nobody", "line 2 of it"),
        ("1", "question of yes or no"),
        ("(" * 500, ""),
        ("a" * 5000, "longer than"),
    ],
)
def test_a_mistake_is_explained_with_the_nearest_right_name(source: str, said: str) -> None:
    with pytest.raises(Wrong) as wrong:
        compiled(source)
    assert said in wrong.value.sentence


def test_what_cannot_be_judged_is_a_failure_and_not_a_no() -> None:
    expression = compiled("10 / (conversation.agent_replies - 3) > 1")
    assert not expression.holds(replace(FACTS, conversation=ConversationFacts(agent_replies=100)))
    with pytest.raises(Failed, match="divide by zero"):
        expression.holds(FACTS)


@settings(max_examples=120, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                [*catalogue(), "&&", "||", "!", "(", ")", "==", ">", "'a'", "1", "1.5", "true", "in", "[", "]", "has", "?", ":"]
            )
        ).map(" ".join),
    )
)
def test_any_text_is_an_expression_or_a_sentence_about_it(source: str) -> None:
    said = ""
    try:
        said = str(compiled(source).holds(FACTS))
    except (Wrong, Failed) as fault:
        said = str(fault)
    assert said


def test_every_fact_is_documented() -> None:
    assert len(catalogue()) > 40
    assert [fact.name for fact in catalogue().values() if not fact.text.endswith((".", "..."))] == []
