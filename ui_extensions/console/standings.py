"""How every place stands, with the one button that helps: what is wrong, in words, and where to press. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugin.bootstrap import Bridge
from plugin.contracts.platform import Connects, RegistersWebhook
from plugin.handlers import health, operate
from plugin.handlers.channel_making import TWICE, UNUSABLE
from plugin.handlers.registrations import UNREGISTERED

_ORDER = ("fail", "warn", "ok")
_BLOCKS = {
    "rate": "The platform asked us to slow down; it goes on by itself.",
    "outage": "It could not be reached; it is tried again by itself.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """The one thing to press: an act of `acts.py`, or else a page of the console by its endpoint."""

    label: str
    subject: str
    act: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One place on the health page. `origin`: the file, or who made it in the console."""

    condition: health.Condition
    row: dict[str, Any]
    remedy: Remedy
    is_silent_yet: bool
    """Whether nothing ever came from it."""
    origin: str

    @property
    def word(self) -> str:
        """`ok`, `warn` or `fail`, also for the style sheet."""
        if not self.condition.is_ok:
            return "fail"
        return "warn" if self.row["status"] == "paused" or self.is_silent_yet or self.is_blocked else "ok"

    @property
    def is_blocked(self) -> bool:
        """Whether it is waited for, after a fault or on the platform's demand."""
        return bool(self.row["blocked_reason"]) and not self.row["is_block_over"]

    @property
    def says(self) -> str:
        """The cause, in words."""
        if self.condition.is_ok and self.is_blocked:
            return _BLOCKS.get(self.row["blocked_reason"], f"It waits: {self.row['blocked_reason']}.")
        if self.condition.is_ok and self.row["status"] != "paused" and self.is_silent_yet:
            return "Nothing came from it yet: waiting for the first event."
        return self.condition.says if self.condition.says != "works" else "It works."


def standings(bridge: Bridge) -> list[Standing]:
    """Every place at work, those that need somebody first."""
    rows = {row["key"]: row for row in operate.list_places(bridge.database)}
    with bridge.database.begin() as connection:
        conditions = health.conditions(connection)
    found = []
    for condition in conditions:
        if bridge.installation.knows(condition.place):
            row = rows[condition.place]
            is_silent_yet = row["heard_at"] is None and not row["has_events"]
            standing = Standing(
                condition=condition,
                row=row,
                remedy=_remedy(bridge, condition, row, is_silent_yet=is_silent_yet),
                is_silent_yet=is_silent_yet,
                origin=origin(bridge, condition.place),
            )
            found.append(standing)
    return sorted(found, key=lambda item: (_ORDER.index(item.word), item.condition.place))


def origin(bridge: Bridge, place: str) -> str:
    """Where a place is described."""
    kind, _, key = place.partition(":")
    return "console" if kind == "channel" and key in bridge.channels.configs else bridge.config.path.name


def summary(found: list[Standing], alerts: list[dict[str, Any]]) -> str:
    """The health of the whole, in a few words that are true."""
    fails, warns = (sum(item.word == word for item in found) for word in ("fail", "warn"))
    told = len(alerts)
    parts = [
        f"{fails} place{'s' * (fails != 1)} need{'s' * (fails == 1)} somebody" if fails else "",
        f"{warns} to keep an eye on" if warns else "",
        f"{told} open alert{'s' * (told != 1)}" if told else "",
    ]
    return ", ".join(filter(None, parts)) or "all works"


def remedy_of_alert(bridge: Bridge, alert: dict[str, Any]) -> Remedy | None:
    """What helps against an open alert; None: it closes by itself, or is only to be known."""
    place, (code, _, number) = alert["place"], alert["code"].partition(":")
    if code == "loop":
        return Remedy(act="release", subject=number, label="Let it speak again")
    if code == "approval":
        return Remedy(page="approvals_page", subject=number, label="Approvals")
    if code in {"lock", "overdue", "twin"} or number.isdecimal():
        page = "held" if code == "twin" else "conversation"
        return Remedy(page=page, subject="" if code == "twin" else number, label="Look")
    if code == TWICE:
        return Remedy(act="remove", subject=place, label="Remove the console's")
    if code == UNUSABLE:
        return Remedy(page="change", subject=place, label="Change it")
    if not bridge.installation.knows(place):
        return None
    adapter: object = bridge.installation.adapter(place)
    if code == "reauth":
        return _renewing(bridge, place, adapter)
    if code == "billing":
        return Remedy(act="resume", subject=place, label="Resume")
    if code in {health.SILENT, UNREGISTERED}:
        return _addressing(place, adapter)
    return Remedy(act="test", subject=place, label="Run the checks") if code in {"search", health.UNASKED} else None


def _remedy(bridge: Bridge, condition: health.Condition, row: dict[str, Any], *, is_silent_yet: bool) -> Remedy:
    place = condition.place
    adapter: object = bridge.installation.adapter(place)
    if condition.status == "reauth":
        return _renewing(bridge, place, adapter)
    if condition.status in {"paused", "billing"}:
        return Remedy(act="resume", subject=place, label="Resume")
    if condition.status in {health.SILENT, UNREGISTERED}:
        return _addressing(place, adapter)
    if is_silent_yet and condition.is_ok and not row["blocked_reason"]:
        return Remedy(page="channel", subject=place, label="What to enter there")
    return Remedy(act="test", subject=place, label="Run the checks")


def _renewing(bridge: Bridge, place: str, adapter: object) -> Remedy:
    """New credentials: by the platform's own pages, in the wizard, or in the file."""
    if isinstance(adapter, Connects):
        return Remedy(act="connect", subject=place, label="Reconnect")
    if origin(bridge, place) == "console":
        return Remedy(page="change", subject=place, label="Enter new credentials")
    return Remedy(act="resume", subject=place, label="Resume")


def _addressing(place: str, adapter: object) -> Remedy:
    if isinstance(adapter, RegistersWebhook):
        return Remedy(act="register", subject=place, label="Register the webhook")
    return Remedy(page="channel", subject=place, label="What to enter there")
