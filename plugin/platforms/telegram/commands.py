"""The bot's commands: what its menu offers, and what a customer who chose one meant. Pure; carries nothing out.

A command is a message like any other: it stands in the ticket, and an agent or a rule of the policy acts on it.
Source: Bot API, "setMyCommands"; "Bot Features", "Deep linking".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

COMMAND = r"[a-z][a-z0-9_]{0,31}"
DEFAULT = (
    "start: Begin",
    "help: Ask what can be done here",
    "status: Ask how my request stands",
    "end: Close my request",
)
_CHOSEN = re.compile(rf"/({COMMAND})(?:@[a-z0-9_]{{1,32}})?(?:\s+(.*))?\Z", re.IGNORECASE | re.DOTALL)
_LINK_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def menu(commands: Mapping[str, str]) -> list[dict[str, str]]:
    """What `setMyCommands` takes."""
    return [{"command": name, "description": description} for name, description in commands.items()]


def chosen(message: Mapping[str, Any], commands: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences on the command that a message is, none where it is none of ours."""
    said = message.get("text")
    found = _CHOSEN.match(said) if isinstance(said, str) else None
    if found is None:
        return ()
    name, word = found[1].lower(), (found[2] or "").strip()
    if name == "start" and _LINK_WORD.match(word):
        return (f"Came by a link to the bot that carries the word “{word}”.",)
    return (f"Chose the command /{name}: “{commands[name]}”.",) if name in commands and name != "start" else ()
