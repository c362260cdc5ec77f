"""The customer's login in Zammad: our own key of a contact, made so that Zammad's habits cannot mix up two people.

Zammad lower-cases logins, and on a clash adds a digit instead of refusing. So capitals are spelt out, and every login ends with a colon:
what the digit makes can never be another contact's login.
"""

from __future__ import annotations

import hashlib
import re

from plugin.domain.ids import ContactRef

_LONGEST = 200
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~@:/#+")
_UNSEEN = re.compile("[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def login_of(channel: str, contact_ref: ContactRef) -> str:
    """The login of a contact: `crossdesk:CHANNEL:REF:`, in lower case, never the same for two contacts."""
    login = f"crossdesk:{_spelt(channel).replace(':', '=3a')}:{_spelt(contact_ref)}:"
    if len(login) <= _LONGEST:
        return login
    digest = hashlib.sha256(f"{channel}\0{contact_ref}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"crossdesk:{_spelt(channel).replace(':', '=3a')[:100]}:=sha256={digest}:"


def names_of(display_name: str, handle: str, fallback: str) -> tuple[str, str]:
    """First and last name as agents shall read them; the handle stands behind the name, since names prove nothing.

    Unseen characters that turn text round are taken out.
    """
    shown = " ".join(_UNSEEN.sub("", display_name).split())
    at = f"(@{_UNSEEN.sub('', handle)})" if handle else ""
    first, _, last = shown.partition(" ")
    if not first:
        first, at = (f"@{handle}" if handle else fallback), ""
    room = 100 - len(at) - 1 if at else 100
    return first[:100], f"{last[: max(room, 0)]} {at}".strip()[:100]


def _spelt(value: str) -> str:
    return "".join(letter if letter in _PLAIN else _spelt_letter(letter) for letter in value)


def _spelt_letter(letter: str) -> str:
    if "A" <= letter <= "Z":
        return "^" + letter.lower()
    return "".join(f"={byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))
