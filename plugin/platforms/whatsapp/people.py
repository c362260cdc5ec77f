"""Who speaks on WhatsApp. A person is known by a business-scoped id, by a telephone number, or by both; the number may be missing.

The business-scoped id comes first: it stays when the person hides the number. Source: WhatsApp Cloud API, "Business-scoped user IDs".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import ContactRef, ThreadKey
from plugin.domain.model import Contact
from plugin.platforms._graph.values import read_id

_SCOPED = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]+")
_PHONE = re.compile(r"[0-9]{5,20}")
_USER, _GROUP = "user:", "group:"


def thread_of(person: str, group: str = "") -> ThreadKey:
    """The conversation with a person, or of a group."""
    return ThreadKey(f"{_GROUP}{group}" if group else f"{_USER}{person}")


def former_thread(person: Contact, group: str = "") -> ThreadKey | None:
    """The conversation with somebody whom we knew by the number alone; a group's is its own."""
    return None if group or person.former_ref is None else thread_of(person.former_ref)


def recipient(key: ThreadKey) -> dict[str, str]:
    """How a message names whom it is for.

    Raises:
        RemoteRejected: it is no key of ours.
    """
    if key.startswith(_GROUP) and len(key) > len(_GROUP):
        return {"recipient_type": "group", "to": key.removeprefix(_GROUP)}
    person = key.removeprefix(_USER)
    if not key.startswith(_USER) or not person:
        raise RemoteRejected(
            "The conversation's key is not one of WhatsApp's; nothing was sent. Write to the customer from the WhatsApp app."
        )
    return {"recipient_type": "individual", ("recipient" if _SCOPED.fullmatch(person) else "to"): person}


def read_person(said: Mapping[str, Any], contacts: Sequence[Mapping[str, Any]], *names: str) -> Contact | None:
    """Who said something: `names` are the fields that may hold an id, the better ones first; None where nobody is named."""
    ids = [one for name in names if (one := read_id(said.get(name)))]
    known = next((one for one in contacts if {read_id(one.get("user_id")), read_id(one.get("wa_id"))} & set(ids)), None)
    if known is None and len(contacts) == 1 and not ids:
        known = contacts[0]
    about = known or {}
    listed = [read_id(about.get("user_id")), *ids, read_id(about.get("wa_id"))]
    person = next((one for one in listed if _SCOPED.fullmatch(one)), "") or next((one for one in listed if one), "")
    if not person:
        return None
    profile = read_object(about.get("profile"))
    phone = next((one for one in listed if _PHONE.fullmatch(one)), "")
    return Contact(
        ref=ContactRef(person),
        former_ref=ContactRef(phone) if phone not in {"", person} else None,
        display_name=read_string(profile.get("name")),
        handle=read_string(profile.get("username")).removeprefix("@"),
        url=f"https://wa.me/{phone}" if phone else "",
    )


def read_contacts(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The people that a delivery describes."""
    return read_objects(value.get("contacts"))
