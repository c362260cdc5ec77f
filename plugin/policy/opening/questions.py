"""The seven questions that an organisation answers before it opens a social channel, each with its few particulars."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from plugin.policy import starters
from plugin.policy.fields import Kind, OneOf, Several, Span, Whole, Words, Wrong, setting
from plugin.policy.teams import Choice, Day, Week, Zone
from plugin.policy.verdicts import Participation

QUESTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "customers": ("What works for our customers?", "Be where they are already, and speak as they do."),
        "resources": ("What do we have for it?", "Groups of the helpdesk that will get this work, and who decides when it is difficult."),
        "staffing": ("Who answers, and when?", "How teams are set up, in which hours, and who still needs a second pair of eyes."),
        "processes": ("How do we work?", "When a quick answer ends and a formal ticket begins, and what that ticket needs."),
        "participation": ("How far do we take part?", "Answer everybody, step in when it is needed, or only listen."),
        "expectations": ("What may people expect of us?", "Promise only what the hours above can keep."),
        "roll_out": ("How do we begin?", "Small, on a day that everybody knows."),
    }
)
_DAY_AND_HOURS = re.compile(r"([a-z]{3}(?:-[a-z]{3})?)\s+([0-9][0-9:\-\s]*[0-9])")
_NAME = Words(200)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours as people say them: `mon-fri 09:00-17:00, sat 10:00-14:00`."""

    shown: str = "`mon-fri 09:00-17:00, sat 10:00-14:00`"

    def read(self, value: Any) -> str:
        """As the policy's table of hours, in TOML."""
        parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
        found: dict[str, list[str]] = {}
        for part in parts:
            match = _DAY_AND_HOURS.fullmatch(part)
            if match is None:
                raise Wrong("must look like mon-fri 09:00-17:00, sat 10:00-14:00.")
            found.setdefault(match[1], []).append(re.sub(r"\s", "", match[2]))
        try:
            Week().read(dict(found))
        except Wrong as wrong:
            where = f"{wrong.at[0]} " if wrong.at else ""
            raise Wrong(f"{where}{wrong.sentence}") from None
        shown = ", ".join(f"{day} = [{', '.join(f'{shift!r}' for shift in shifts)}]" for day, shifts in found.items())
        return "{ " + shown.replace("'", '"') + " }"


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One date."""

    shown: str = "`2027-01-11`"

    def read(self, value: Any) -> date:
        """The date."""
        found = Day().read(value)
        if not isinstance(found, date):
            raise Wrong("must be a date with its year, such as 2027-01-11.")
        return found


def _asked(question: str, kind: Kind, text: str, **rest: Any) -> Any:
    return setting(kind, text, key=f"{question}.{rest.pop('word')}", **rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All answers. In an answers file each question is a table: `[staffing] structure = "everyone"`; what is left out keeps its default."""

    organisation: str = _asked("customers", _NAME, "What do customers call us?", word="organisation", default="")
    channels: tuple[str, ...] = _asked(
        "customers", Several(Words(63)), "On which platforms are they already (names, separated by commas)?", word="channels", default=()
    )
    leave_alone: tuple[str, ...] = _asked(
        "customers", Several(_NAME), "Which words mark talk that they do not want us in?", word="leave_alone", default=()
    )
    front: str = _asked("resources", _NAME, "Which group answers first?", word="front", default="Social")
    specialists: str = _asked("resources", _NAME, "Which group gets the formal tickets?", word="specialists", default="Support")
    supervisors: str = _asked("resources", _NAME, "Which group decides when it is difficult?", word="supervisors", default="Leads")
    structure: str = _asked(
        "staffing",
        Choice(tuple(starters.NAMES)),
        "How are the teams set up (command-centre, hub-and-spoke, everyone)?",
        word="structure",
        default="command-centre",
    )
    time_zone: ZoneInfo = _asked("staffing", Zone(), "In which time zone?", word="time_zone", default=ZoneInfo("Europe/Berlin"))
    hours: str = _asked("staffing", Hours(), "In which hours?", word="hours", default='{ mon-fri = ["09:00-17:00"] }')
    holidays: tuple[Any, ...] = _asked(
        "staffing",
        Several(Day()),
        "On which days is nobody there (12-25 for every year)?",
        word="holidays",
        default=((1, 1), (12, 25), (12, 26)),
    )
    trainees: tuple[str, ...] = _asked("staffing", Several(_NAME), "Who is still learning?", word="trainees", default=())
    replies: int = _asked(
        "processes", Whole(1, 50), "After how many replies does a quick question become a ticket?", word="replies", default=3
    )
    required_fields: tuple[str, ...] = _asked(
        "processes", Several(Words(100)), "Which fields of the ticket must be filled in then?", word="required_fields", default=()
    )
    level: Participation = _asked(
        "participation",
        OneOf(Participation),
        "How far do we take part (answer, step_in, monitor)?",
        word="level",
        default=Participation.ANSWER,
    )
    first_reply: timedelta = _asked(
        "expectations",
        Span(300, 100 * 3600, is_business=True),
        "Within which working time do we answer in public?",
        word="first_reply",
        default=timedelta(hours=2),
    )
    private_reply: timedelta = _asked(
        "expectations",
        Span(300, 100 * 3600, is_business=True),
        "And in private?",
        word="private_reply",
        default=timedelta(hours=4),
    )
    next_step: timedelta = _asked(
        "expectations",
        Span(300, 400 * 3600, is_business=True),
        "When there is a ticket, within which working time do they hear of the next step?",
        word="next_step",
        default=timedelta(hours=8),
    )
    starts_on: date | None = _asked("roll_out", CalendarDay(), "On which day do we begin?", word="starts_on", default=None)
    first_channel: str = _asked("roll_out", Words(63), "On which channel do we try it first?", word="first_channel", default="")


def asked() -> Mapping[str, Mapping[str, Any]]:
    """The particulars of each question as dataclass fields, by question and word."""
    found: dict[str, dict[str, Any]] = {question: {} for question in QUESTIONS}
    for each in fields(Answers):
        question, _, word = str(each.metadata["key"]).partition(".")
        found[question][word] = each
    return found


def from_words(kind: Kind, words: str) -> Any:
    """What was typed, as the answers file would hold it."""
    if isinstance(kind, Several):
        return [part.strip() for part in words.split(",") if part.strip()]
    if isinstance(kind, Whole):
        return int(words) if words.strip().isdecimal() and len(words) < 9 else words
    return words
