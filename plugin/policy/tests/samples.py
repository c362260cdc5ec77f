"""Facts for tests: a quiet conversation, and anything at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from plugin.domain.model import Stage, Visibility
from plugin.policy.facts import (
    AgentFacts,
    ChannelFacts,
    ClockFacts,
    ContactFacts,
    ConversationFacts,
    CountFacts,
    Facts,
    MessageFacts,
    Trigger,
)

NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)
"""A Monday, noon in Berlin."""
SECTIONS = {
    "clock": ClockFacts(now=NOW, weekday=1, hour=12),
    "message": MessageFacts(text="Hello there", length=11, language="en"),
    "contact": ContactFacts(handle="ann", name="Ann"),
    "conversation": ConversationFacts(),
    "channel": ChannelFacts(key="net", platform="rehearsal", group="Social"),
    "counts": CountFacts(),
    "agent": AgentFacts(),
}


def facts(trigger: Trigger = Trigger.MESSAGE, **sections: Any) -> Facts:
    """A quiet conversation but for what is said: `facts(message={"text": "Help"})`."""
    made: dict[str, Any] = {name: replace(section, **sections.get(name, {})) for name, section in SECTIONS.items()}  # type: ignore[type-var]
    return Facts(trigger=trigger, **made)


_NUMBERS = st.integers(0, 10**6)
_MINUTES = st.floats(0, 10**6)
_TEXTS = st.text(max_size=40)
_LISTS = st.lists(_TEXTS, max_size=3).map(tuple)

ANY = st.builds(
    Facts,
    trigger=st.sampled_from(Trigger),
    clock=st.builds(
        ClockFacts, now=st.just(NOW), weekday=st.integers(1, 7), hour=st.integers(0, 23), is_open=st.booleans(), minutes_until_open=_MINUTES
    ),
    message=st.builds(
        MessageFacts,
        text=_TEXTS,
        language=st.sampled_from(["", "de", "pt-BR", "en-GB"]),
        visibility=st.sampled_from(Visibility),
        length=_NUMBERS,
        links=_LISTS,
        files=st.integers(0, 3),
        is_found=st.booleans(),
        is_bystander=st.booleans(),
        personal_data=_LISTS,
        sentiment=st.none() | st.floats(-1, 1),
        topics=st.lists(st.sampled_from(["billing", "legal", "outage", "politics", "risky"]), max_size=3).map(tuple),
    ),
    contact=st.builds(
        ContactFacts,
        handle=_TEXTS,
        followers=st.none() | _NUMBERS,
        is_verified=st.none() | st.booleans(),
        is_bot=st.booleans(),
        is_vip=st.booleans(),
        account_days=st.none() | _MINUTES,
        conversations_before=_NUMBERS,
    ),
    conversation=st.builds(
        ConversationFacts,
        stage=st.sampled_from(Stage),
        visibility=st.sampled_from(Visibility),
        is_scam=st.booleans(),
        agent_replies=st.integers(0, 20),
        bystander_messages=st.integers(0, 20),
        suspicious_bystanders=st.integers(0, 3),
        minutes_open=_MINUTES,
        minutes_unanswered=st.none() | _MINUTES,
        minutes_silent=st.none() | _MINUTES,
        window_minutes_left=st.none() | st.floats(-1000, 10**5),
        times_reopened=st.integers(0, 4),
        group=st.sampled_from(["", "Social", "Billing"]),
        tags=_LISTS,
    ),
    channel=st.builds(ChannelFacts, key=st.sampled_from(["", "net", "other"]), platform=_TEXTS, group=_TEXTS),
    counts=st.builds(CountFacts, contact_hour=_NUMBERS, contact_day=_NUMBERS, channel_hour=_NUMBERS, channel_usual=st.none() | _MINUTES),
    agent=st.builds(AgentFacts, ref=_TEXTS, name=_TEXTS, is_trainee=st.booleans(), groups=_LISTS),
)
"""Any facts at all."""
