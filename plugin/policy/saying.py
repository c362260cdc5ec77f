"""What Crossdesk itself says to customers on account of the crossover: which of the policy's texts, and what stands in their places. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from plugin.contracts.capabilities import Limits
from plugin.domain.model import Stage
from plugin.policy.contract import State
from plugin.policy.texts import Saying, Texts

NUMBER = "<<number>>"
"""Stands for a ticket's number that is not known yet, until the notice leaves: never cut in two, for it has no space."""
_DAYS = {"en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "de": ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STATES = {Stage.CONFIRMING: Saying.WAITING}


def say(
    texts: Texts,
    notice: str,
    state: State,
    *,
    language: str,
    now: datetime,
    zone: ZoneInfo,
    number: str,
    link: str,
    limits: Limits | None,
    by: datetime | None = None,
) -> str:
    """The words of a notice. `link` is how to go on, `Saying.DIRECT` for a private message where they already are; empty where there is nothing to say.

    `by` is another moment than the one that was promised.
    """
    promised = by or state.promised_by
    places: Mapping[str, str] = {
        "number": number,
        "step": texts.say(Saying.STEP, language=language, places={}),
        "time": "" if promised is None or promised <= now else moment(promised, language, zone),
        "link": texts.say(Saying.DIRECT, language=language, places={}) if link == Saying.DIRECT else link,
        "state": texts.say(_STATES.get(state.stage, Saying.WORKING), language=language, places={}),
    }
    return texts.say(Saying(notice), language=language, places=places, limits=limits)


def moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    """A moment as people say it, in the team's time zone: `Wed 31 Dec, 23:59` or `Mi. 31.12., 23:59 Uhr`."""
    local = at.astimezone(zone)
    root = language.partition("-")[0]
    if root == "de":
        return f"{_DAYS['de'][local.weekday()]} {local.day}.{local.month}., {local:%H:%M} Uhr"
    if root == "en":
        return f"{_DAYS['en'][local.weekday()]} {local.day} {_MONTHS[local.month - 1]}, {local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"
