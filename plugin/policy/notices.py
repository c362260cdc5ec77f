"""What Crossdesk itself says to customers: templates by notice and language, and the choice of a language. Pure.

`{number}` is the ticket's, `{until}` when the customer hears of us, `{way}` how to go on. A notice that does not fit into one message of the
platform is taken in its short form where there is one; the rest is split like any reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

NUMBER = "<<<<ticket-number>>>>"
"""Stands for the ticket's number until the notice leaves: as long as a long one, and never cut in two."""
FALLBACK = "en"

Templates = Mapping[str, Mapping[str, str]]

TEMPLATES: Templates = {
    "en": {
        "handoff": "We have opened ticket {number} for this, so that nothing gets lost. You will hear from us by {until}. {way} "
        'You can ask for the "status" at any time.',
        "handoff:short": "This is now ticket {number}. You hear from us by {until}. {way}",
        "way:private": "To go on, send us a private message here; it goes into the same ticket.",
        "way:here": "To go on, just write here; it goes into the same ticket.",
        "way:link": "To go on: {link}",
        "pointer": "Thank you, this is in ticket {number} now. You hear from us by {until}. {way}",
        "pointer:late": "Thank you, this is in ticket {number} now. We are working on it. {way}",
        "status": "Ticket {number}: we are working on it. You hear from us by {until}.",
        "status:late": "Ticket {number}: we are working on it, and it takes longer than we hoped.",
        "status:confirming": "Ticket {number}: we think that it is solved. Is it? Please answer yes or no.",
        "ask": "Is ticket {number} solved for you? Please answer yes or no. Without an answer we close it on {closes}.",
        "ask_quick": "Did this solve it? A yes or no helps us; you need not answer.",
        "thanks": "Thank you! Ticket {number} is closed. Write to us any time.",
        "thanks_score": "Thank you! Ticket {number} is closed. How was it, from 1 (bad) to 5 (great)? One number is enough.",
        "thanks:quick": "Thank you! Write to us any time.",
        "thanks_score:quick": "Thank you! How was it, from 1 (bad) to 5 (great)? One number is enough.",
        "score": "Thank you for telling us!",
        "bad_score": "Thank you for being frank. We look into it again and come back to you.",
        "sorry": "Sorry about that. We go on with it now; you keep your place in the queue.",
    },
    "de": {
        "handoff": "Wir haben dafür Ticket {number} eröffnet, damit nichts verloren geht. Sie hören bis {until} von uns. {way} "
        "Mit „Status“ erfahren Sie jederzeit, wie es steht.",
        "handoff:short": "Das ist jetzt Ticket {number}. Sie hören bis {until} von uns. {way}",
        "way:private": "Weiter geht es hier per Privatnachricht; sie kommt in dasselbe Ticket.",
        "way:here": "Schreiben Sie einfach hier weiter; es kommt in dasselbe Ticket.",
        "way:link": "Weiter geht es hier: {link}",
        "pointer": "Danke, das steht jetzt in Ticket {number}. Sie hören bis {until} von uns. {way}",
        "pointer:late": "Danke, das steht jetzt in Ticket {number}. Wir arbeiten daran. {way}",
        "status": "Ticket {number}: Wir arbeiten daran. Sie hören bis {until} von uns.",
        "status:late": "Ticket {number}: Wir arbeiten daran, es dauert leider länger als gehofft.",
        "status:confirming": "Ticket {number}: Wir halten es für gelöst. Stimmt das? Bitte antworten Sie mit Ja oder Nein.",
        "ask": "Ist Ticket {number} für Sie gelöst? Bitte antworten Sie mit Ja oder Nein. Ohne Antwort schließen wir es am {closes}.",
        "ask_quick": "Hat das geholfen? Ein Ja oder Nein hilft uns; Sie müssen nicht antworten.",
        "thanks": "Danke! Ticket {number} ist geschlossen. Schreiben Sie uns jederzeit.",
        "thanks_score": "Danke! Ticket {number} ist geschlossen. Wie war es, von 1 (schlecht) bis 5 (sehr gut)? Eine Zahl genügt.",
        "thanks:quick": "Danke! Schreiben Sie uns jederzeit.",
        "thanks_score:quick": "Danke! Wie war es, von 1 (schlecht) bis 5 (sehr gut)? Eine Zahl genügt.",
        "score": "Danke für Ihre Rückmeldung!",
        "bad_score": "Danke für die offenen Worte. Wir sehen es uns noch einmal an und melden uns.",
        "sorry": "Das tut uns leid. Wir machen gleich weiter; Ihren Platz in der Reihe behalten Sie.",
    },
}
_MOMENTS = {"en": "%d %b, %H:%M UTC", "de": "%d.%m., %H:%M Uhr (UTC)"}


def choose_language(*wanted: str, templates: Templates = TEMPLATES) -> str:
    """The first of `wanted` that there are templates for, by its own tag or its first part, else English."""
    for tag in wanted:
        for candidate in (tag, tag.partition("-")[0].casefold()):
            if candidate in templates:
                return candidate
    return FALLBACK


def render(
    notice: str,
    language: str,
    *,
    until: datetime | None,
    closes: datetime | None,
    way: str,
    link: str = "",
    fits: Callable[[str], bool],
    templates: Templates = TEMPLATES,
) -> str:
    """The words of a notice, with `NUMBER` in place of the ticket's number; `way` is private, here, link or empty.

    `until` None: there is no promise, or it is over.
    """
    known = {**TEMPLATES[FALLBACK], **templates.get(language, {})}
    name = f"{notice}:late" if until is None and f"{notice}:late" in known else notice
    values = {
        "number": NUMBER,
        "until": "" if until is None else until.strftime(_MOMENTS.get(language, "%Y-%m-%d %H:%M UTC")),
        "closes": "" if closes is None else closes.strftime(_MOMENTS.get(language, "%Y-%m-%d %H:%M UTC")),
        "way": known[f"way:{way}"].replace("{link}", link) if way else "",
    }
    text = _fill(known[name], values)
    short = known.get(f"{name}:short")
    return text if short is None or fits(text) else _fill(short, values)


def _fill(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return " ".join(template.split())
