"""How the bridge's words stand in osTicket: keys of customers, titles that its forms take, HTML that survives its cleaning."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from datetime import UTC

from plugin.domain.html import from_html, to_html
from plugin.domain.ids import Marker
from plugin.domain.model import Contact, NewArticle
from plugin.domain.text import Mark, MarkKind, Text, join
from plugin.helpdesks.osticket.emoji import Span, decode, encode, encode_line, substitute, without

DOMAIN = "crossdesk.invalid"
"""Of addresses that reach nobody (RFC 2606) and of our message ids; the plugin uses the same."""
TITLE_LENGTH = 240
"""osTicket keeps 255 characters."""
_JOINER = "\u2060"
"""Shows as nothing."""
_UNTAGGED = str.maketrans("<>", "\u2039\u203a")
_SAFE_CHANNEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}\Z")
_SAFE = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z")
_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# osTicket decodes entities before it cleans HTML: what only looks like a tag or an entity would become one.
_TAG_LIKE = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?[A-Za-z0-9]{1,32};)")
_JOINED = re.compile(f"(?<=[<&]){_JOINER}")


def customer_key(contact: Contact, *, channel: str, platform: str) -> str:
    """The part before the `@` of a customer's address: `telegram.support.42`, or a digest where others than small letters stand in it."""
    if not channel and _SAFE.match(contact.ref):
        return f"{platform}.{contact.ref}"  # Nobody's channel: the bridge's own trials.
    if _SAFE_CHANNEL.match(channel) and _SAFE.match(contact.ref) and len(platform) + len(channel) + len(contact.ref) <= 60:
        return f"{platform}.{channel}.{contact.ref}"
    digest = hashlib.sha256(f"{channel}\n{contact.ref}".encode("utf-8", "replace")).hexdigest()
    return f"{platform}.{digest[:32]}"


def message_id(marker: Marker) -> str:
    """The Message-ID of what was filed under a marker."""
    return f"<{marker}@{DOMAIN}>"


def one_line(value: str, length: int) -> str:
    """`value` without line breaks and control characters, at most `length` characters."""
    return _CONTROLS.sub(" ", value).strip()[:length].strip()


def display_name(contact: Contact) -> str:
    """What agents read as the customer's name. osTicket takes angle brackets for tags."""
    for said in (contact.display_name, contact.handle, contact.ref):
        if name := without(one_line(said, 100)).translate(_UNTAGGED)[:120]:
            return name
    return "?"


def poster(article: NewArticle) -> str:
    """Who an entry says it is from."""
    if article.author is None:
        return "Our side, on the platform itself" if article.by_staff else "Crossdesk"
    handle = without(one_line(article.author.handle, 60)) if article.author.handle else ""
    name = display_name(article.author)
    return f"{name} (@{handle})"[:120] if handle and handle != name else name


def title(said: str) -> str:
    """A ticket's subject: no angle brackets (tags), no formula sign in front (osTicket refuses those), short enough with its codes."""
    line = one_line(said, TITLE_LENGTH).translate(_UNTAGGED)
    while len(encode_line(line)) > TITLE_LENGTH:
        line = line[:-1]
    coded = encode_line(line).strip()
    if coded.startswith(("=", "+", "-", "@")):
        coded = _JOINER + coded
    return coded or "(no subject)"


def tag(said: str) -> str:
    """A tag in the one field that holds them all, between commas."""
    return encode_line(one_line(said.replace(",", " "), 60))


def file_name(said: str) -> str:
    """A file's name as osTicket can keep it."""
    return encode_line(one_line(said, 150).replace("/", "_")) or "file"


def article_html(article: NewArticle) -> str:
    """An article as HTML that osTicket stores unchanged, with a line on where and when it was said."""
    parts = [part for part in (article.text, _origin(article)) if part.plain.strip()]
    return to_html(neutral(encode(join(parts, "\n\n")))) if parts else "<p>(no text)</p>"


def article_plain(article: NewArticle) -> str:
    """The same without formatting."""
    return "\n\n".join(part.plain for part in (encode(article.text), _origin(article)) if part.plain.strip()) or "(no text)"


def neutral(text: Text) -> Text:
    """`text` in which nothing becomes a tag or another letter when its entities are decoded once more than they should."""
    return substitute(text, _joiners(text.plain))


def stored_text(body: str, *, is_html: bool) -> Text:
    """What an entry in osTicket says. Plain bodies are stored with entities."""
    text = from_html(body) if is_html else Text(html.unescape(body))
    joined = ((found.start(), found.end(), "") for found in _JOINED.finditer(text.plain))
    return decode(substitute(text, joined)).strip()


def _joiners(plain: str) -> Iterator[Span]:
    for found in _TAG_LIKE.finditer(plain):
        yield found.start(), found.end(), found[0] + _JOINER


def _origin(article: NewArticle) -> Text:
    when = f"{article.occurred_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if article.occurred_at and article.author else ""
    if not article.source_url:
        return Text(when)
    words = "Original message"
    return Text(f"{words}, {when}" if when else words, (Mark(0, len(words), MarkKind.LINK, article.source_url),))
