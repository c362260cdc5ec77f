"""Answers in the language of the panel that asks: which of their fields hold sentences of ours. What people, policies and platforms wrote stays as it is."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from ui_extensions.panel.buttons import LABELS
from ui_extensions.panel.languages import LANGUAGES, Language, language

_COMMAND = re.compile(r"`(\w+)`")


def asked() -> Language:
    """Whose panel it is says `lang`, which a relay signs and passes on; a page that people open themselves says it as browsers do."""
    return language(request.args.get("lang", "") or request.accept_languages.best_match(("en", *LANGUAGES)) or "")


def put(content: dict[str, Any], to: Language) -> dict[str, Any]:
    """The same answer with its sentences in this language: a snapshot, a preflight or an error. It is changed itself.

    What is to be pressed is called there as the button is, and not as its command.
    """
    if "error" in content:
        error = content["error"]
        _say(error, to, "text")
        if "snapshot" in error:
            _snapshot(error["snapshot"], to)
    elif "concerns" in content:
        _say(content, to, "audience", "unit")
        for concern in content["concerns"]:
            _say(concern, to, "sentence")
    elif "thread" in content:
        _snapshot(content, to)
    return content


def _say(told: dict[str, Any], to: Language, *fields: str) -> None:
    for name in fields:
        told[name] = _COMMAND.sub(lambda found: _button(found, to), to.say(told[name]))


def _button(command: re.Match[str], to: Language) -> str:
    label = LABELS.get(command[1])
    return command[0] if label is None else to.say(f"“{to.say(label)}”")


def _snapshot(shown: dict[str, Any], to: Language) -> None:
    _say(shown["thread"], to, "audience", "may_answer", "channel_text")
    _say(shown["limits"], to, "unit")
    stage = shown["stage"]
    for told in (stage, *stage["history"]):
        # A press has its reason from who pressed.
        told["reason"] = to.say_whole(told["reason"])
    if shown["hold"] is not None:
        _say(shown["hold"], to, "text")
    if shown["approval"] is not None:
        for waiting in (shown["approval"], *shown["approval"]["others"]):
            rule, colon, reason = waiting["reason"].partition(": ")
            waiting["reason"] = f"{rule}{colon}{to.say_whole(reason)}"
    for delivery in shown["deliveries"]:
        _say(delivery, to, "error_text")
    for message in shown["messages"]:
        _say(message["author"], to, "label")
        _say(message, to, "no_reply")
        message["remarks"] = [to.say(remark) for remark in message["remarks"]]
        for file in message["files"]:
            _say(file, to, "refusal")
    for button in shown["actions"]:
        _say(button, to, "label", "why_not")
    for press in shown["pending"]:
        _say(press, to, "label")
