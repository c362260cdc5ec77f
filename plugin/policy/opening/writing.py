"""From the answers to what is written: a commented policy, the customers' expectation pages and a roll-out check-list."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from plugin.policy import starters
from plugin.policy.fields import span_shown
from plugin.policy.opening.questions import Answers

_SUPERVISORS = ("Supervisors", "Leads")
_SPECIALISTS = ("Specialists", "Support")
_HEAD = """\
# Written by `crossdesk policy new` from your answers; every line is yours to change. Put it into crossdesk.toml, then run
# `crossdesk policy lint`. docs/policy.md says what else may stand here.
#"""
_UNITS = {"en": ("minutes", "hours"), "de": ("Minuten", "Stunden")}
_PLACE = re.compile(r"\{([a-z_]+)\}")


def files(answers: Answers) -> Mapping[str, str]:
    """What is written, by file name."""
    return {
        "policy.toml": policy(answers),
        "expectations.en.md": _page("en", answers),
        "expectations.de.md": _page("de", answers),
        "roll-out.md": _check_list(answers),
    }


def policy(answers: Answers) -> str:
    """The starter policy of the chosen structure with the answers in it."""
    table: Any = starters.table(answers.structure)
    text = starters.text(answers.structure)
    names = {
        "Social": answers.front,
        **dict.fromkeys(_SUPERVISORS, answers.supervisors),
        **dict.fromkeys(_SPECIALISTS, answers.specialists),
    }
    groups = list(dict.fromkeys(names.get(group, group) for group in table["groups"]))
    body, _, rest = text.partition("[policy]\n")
    text = f"{_HEAD}\n{body}[policy]\n{_renamed(rest, names)}"
    text = _set(text, "policy", "groups", _toml(groups))
    text = _set(text, "policy.people", "trainees", _toml(answers.trainees))
    for team in table["team"]:
        text = _set(text, f"policy.team.{team}", "time_zone", _toml(answers.time_zone.key))
        text = _set(text, f"policy.team.{team}", "hours", answers.hours)
        text = _set(text, f"policy.team.{team}", "holidays", _toml([_day(day) for day in answers.holidays]))
    sla = f"policy.sla.{table['default_sla']}"
    text = _set(text, sla, "private", f"{{ first_reply = {_toml(span_shown_hours(answers.private_reply))} }}")
    text = _set(text, sla, "first_reply", _toml(span_shown_hours(answers.first_reply)))
    text = _set(text, "policy.handoff", "next_step", _toml(span_shown_hours(answers.next_step)))
    text = _set(text, "policy.handoff", "required_fields", _toml(answers.required_fields))
    text = _set(text, "policy.participation", "default", _toml(answers.level.value))
    text = re.sub(
        r'name = "[a-z]+ replies are enough"\nwhen = "agent_replies"\nat_least = [0-9]+',
        f'name = "enough replies in public"\nwhen = "agent_replies"\nat_least = {answers.replies}',
        text,
    )
    if answers.leave_alone:
        topics = {**table["participation"].get("topic", {}), "left_alone": "monitor"}
        text = _set(
            text, "policy.participation", "topic", "{ " + ", ".join(f"{name} = {_toml(how)}" for name, how in topics.items()) + " }"
        )
        text += f"\n[policy.topic.left_alone]          # talk that we are not wanted in\nwords = {_toml(answers.leave_alone)}\n"
    return text


def span_shown_hours(span: timedelta) -> str:
    """Working time in hours or minutes: a day of it would say two things."""
    seconds = span.total_seconds()
    return f"{seconds / 3600:g} h" if seconds % 3600 == 0 else f"{seconds / 60:.0f} min" if seconds % 60 == 0 else span_shown(seconds)


def _set(text: str, section: str, key: str, value: str) -> str:
    """`key = value` in `[section]`, in place of the line that is there (its comment stays) or as its first."""
    head = re.compile(rf"^\[{re.escape(section)}\][^\n]*\n", re.MULTILINE)
    found = head.search(text)
    if found is None:
        return text
    end = re.compile(r"^\[", re.MULTILINE).search(text, found.end())
    stop = end.start() if end else len(text)
    body = text[found.end() : stop]
    line = re.compile(rf"^{re.escape(key)} = [^\n]*?(\s*#[^\n]*)?$", re.MULTILINE)
    body, replaced = line.subn(lambda old: f"{key} = {value}{old[1] or ''}", body, count=1)
    return text[: found.end()] + ("" if replaced else f"{key} = {value}\n") + body + text[stop:]


def _renamed(text: str, names: Mapping[str, str]) -> str:
    pattern = re.compile("|".join(f'"{re.escape(name)}"' for name in names))
    return pattern.sub(lambda found: _toml(names[found[0].strip('"')]), text)


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # TOML's basic strings know JSON's escapes, and want DEL escaped besides.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _day(day: date | tuple[int, int]) -> str:
    return day.isoformat() if isinstance(day, date) else f"{day[0]:02}-{day[1]:02}"


def _page(language: str, answers: Answers) -> str:
    pages = _pages()
    places = {
        "organisation": answers.organisation or {"en": "us", "de": "uns"}[language],
        "hours": _hours_in_words(language, answers),
        "time_zone": answers.time_zone.key,
        "first_reply": _span_in_words(language, answers.first_reply),
        "private_reply": _span_in_words(language, answers.private_reply),
        "next_step": _span_in_words(language, answers.next_step),
        "level": pages["levels"][language][answers.level.value],
    }
    return _filled(pages[language], places)


def _check_list(answers: Answers) -> str:
    places = {
        "starts_on": answers.starts_on.isoformat() if answers.starts_on else "the day is still to be set",
        "first_channel": answers.first_channel or next(iter(answers.channels), "still to be chosen"),
        "structure": answers.structure,
        "structure_means": starters.NAMES[answers.structure],
        "front": answers.front,
        "specialists": answers.specialists,
        "supervisors": answers.supervisors,
        "channels": ", ".join(answers.channels) or "still to be listed",
        "required_fields": ", ".join(answers.required_fields) or "none",
        "trainees": ", ".join(answers.trainees) or "nobody",
        "hours": _hours_in_words("en", answers),
        "first_reply": _span_in_words("en", answers.first_reply),
        "private_reply": _span_in_words("en", answers.private_reply),
    }
    return _filled(_pages()["check_list"], places)


def _filled(text: str, places: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: places[place[1]], text).lstrip()


def _hours_in_words(language: str, answers: Answers) -> str:
    days, link = _pages()["days"][language], {"en": " to ", "de": " bis "}[language]
    table = tomllib.loads(f"hours = {answers.hours}")["hours"]
    parts = []
    for key, shifts in table.items():
        words = link.join(days[day] for day in key.split("-"))
        parts.append(f"{words} {', '.join(shifts)}")
    return "; ".join(parts)


def _span_in_words(language: str, span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    minutes_word, hours_word = _UNITS[language]
    if minutes == 60:
        return {"en": "1 hour", "de": "1 Stunde"}[language]
    return f"{minutes // 60} {hours_word}" if minutes % 60 == 0 else f"{minutes} {minutes_word}"


@cache
def _pages() -> Any:
    return tomllib.loads(resources.files(__package__).joinpath("pages.toml").read_text(encoding="utf-8"))
