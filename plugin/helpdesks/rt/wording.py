"""How the bridge's own entries look in RT, and how they are known again: names of customers, markers in subjects, the author's line."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC

from plugin.domain.html import to_html
from plugin.domain.ids import Marker
from plugin.domain.model import Contact, NewArticle
from plugin.domain.text import Mark, MarkKind, Text, join

MARKER_FIELD = "Crossdesk Marker"
CHANNEL_FIELD = "Crossdesk Channel"
PLATFORM_FIELD = "Crossdesk Platform"
VISIBILITY_FIELD = "Crossdesk Visibility"
STAGE_FIELD = "Crossdesk Stage"
TAGS_FIELD = "Crossdesk Tags"
MESSAGE_FIELD = "Crossdesk Message"
ABOUT_FIELD = "Crossdesk About"
ACTION_FIELD = "Crossdesk Action"
REASON_FIELD = "Crossdesk Reason"
SLA_FIELD = "Crossdesk SLA"
TYPE_FIELD = "Crossdesk Type"
TICKET_FIELDS = (
    *(MARKER_FIELD, CHANNEL_FIELD, PLATFORM_FIELD, VISIBILITY_FIELD, STAGE_FIELD, TAGS_FIELD),
    *(ACTION_FIELD, REASON_FIELD, SLA_FIELD, TYPE_FIELD),
)

_SAFE = re.compile(r"[a-z0-9_-]{1,48}")
_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MARKER = re.compile(r"\[cd:([0-9a-v]{26})\]\s*$")
_SUBJECT_LENGTH = 40
"""RT keeps 255 bytes of a subject beside the transaction, and a letter may take four; the marker at the end must be among them."""


def user_name(contact: Contact, *, channel: str, platform: str) -> str:
    """The RT user of a contact: `matrix.support.42`, or a digest where the channel or reference has other characters.

    RT reads `@` and `:` in a name as an address or a prefix, and compares names without regard to case.
    """
    if _SAFE.fullmatch(channel) and _SAFE.fullmatch(contact.ref):
        return f"{platform}.{channel}.{contact.ref}"
    digest = hashlib.sha256(f"{channel}\n{contact.ref}".encode("utf-8", "replace")).hexdigest()
    return f"{platform}.{digest[:32]}"


def one_line(value: str, length: int) -> str:
    """`value` without line breaks and control characters, at most `length` characters."""
    return _CONTROLS.sub(" ", value).strip()[:length].strip()


def display_name(contact: Contact) -> str:
    """What agents read as the customer's name."""
    return one_line(contact.display_name or contact.handle or contact.ref, 100)


def subject(article: NewArticle, marker: Marker) -> str:
    """A transaction's subject, which RT stores together with the message: who speaks, and our marker."""
    said = article.subject or (display_name(article.author) if article.author else "Crossdesk")
    return f"{one_line(said, _SUBJECT_LENGTH)} [cd:{marker}]"


def marker_in(stored_subject: str) -> Marker | None:
    """The marker that `subject` put there. Only to be believed of the bridge's own entries."""
    found = _MARKER.search(stored_subject)
    return Marker(found[1]) if found else None


def article_html(article: NewArticle, *, has_author: bool = False) -> str:
    """An article as RT shows it: unless it `has_author`, RT names the bridge as its author and the first line says who spoke, and when."""
    heading = Text("") if has_author else _heading(article)
    parts = [part for part in (heading, article.text, _origin(article)) if part]
    return to_html(join(parts, "\n\n")) if parts else "<p>(no text)</p>"


def _heading(article: NewArticle) -> Text:
    if article.author is None and not article.by_staff:
        return Text("")
    who = "Our side"
    if article.author is not None:
        handle = one_line(article.author.handle, 80)
        name = display_name(article.author)
        who = f"{name} (@{handle})" if handle and handle != name else name
    verb = "answered on the platform itself" if article.by_staff else "wrote"
    when = f" on {article.occurred_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if article.occurred_at else ""
    line = f"{who} {verb}{when}:"
    return Text(line, (Mark(0, len(line), MarkKind.BOLD),))


def _origin(article: NewArticle) -> Text:
    if not article.source_url:
        return Text("")
    words = "Original message"
    return Text(words, (Mark(0, len(words), MarkKind.LINK, article.source_url),))
