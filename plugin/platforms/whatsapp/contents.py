"""What a WhatsApp message holds, of each type, as text, files and remarks. Knows not who said it.

Source: WhatsApp Cloud API, "messages webhook reference". A type that is not known is named in a remark, so that an agent looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.domain.text import Text
from plugin.platforms._graph.errors import read_fault
from plugin.platforms._graph.values import read_id
from plugin.platforms.whatsapp.formatting import read

_FILES = frozenset({"image", "video", "audio", "voice", "document", "sticker"})
_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/3gpp": ".3gp",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "application/pdf": ".pdf",
}


@dataclass(slots=True)
class Content:
    """What was said. `remarks` are sentences for the agent; `is_typed` words may bear WhatsApp's signs of formatting."""

    words: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    is_typed: bool = False

    @property
    def text(self) -> Text:
        """All words."""
        words = "\n".join(filter(None, self.words))
        return read(words) if self.is_typed else Text(words)


def read_content(said: Mapping[str, Any]) -> Content:
    """The content of a message. Never fails: what cannot be read is a remark."""
    kind = read_string(said.get("type"))
    body, content = read_object(said.get(kind)), Content(is_typed=kind == "text" or kind in _FILES)
    if kind == "text":
        content.words.append(read_string(body.get("body")))
    elif kind in _FILES:
        _file(content, kind, body)
    elif kind == "location":
        _location(content, body)
    elif kind == "contacts":
        content.words += [_card(one) for one in read_objects(said.get("contacts"))]
    elif kind == "interactive":
        _interactive(content, body)
    elif kind == "button":
        content.words.append(read_string(body.get("text")) or read_string(body.get("payload")))
        content.remarks.append("The customer pressed a button.")
    elif kind == "order":
        _order(content, body)
    elif kind == "system":
        content.remarks.append(f"WhatsApp says: {read_string(body.get('body')) or 'something about this contact changed'}.")
    elif kind not in ("unsupported", "unknown"):
        content.remarks.append(f"This is a message of the kind “{kind or 'without a name'}”, which is not carried. Look into WhatsApp.")
    _surroundings(content, said)
    if not (content.text or content.files or content.remarks):
        content.remarks.append("This message came without content. Look into WhatsApp, or ask the customer to send it again.")
    return content


def _file(content: Content, kind: str, body: Mapping[str, Any]) -> None:
    content.words.append(read_string(body.get("caption")))
    media = read_id(body.get("id"))
    if not media:
        content.remarks.append(f"A file ({kind}) came without a reference; ask the customer to send it again.")
        return
    content_type = read_string(body.get("mime_type")).partition(";")[0].strip().lower()
    is_voice = kind == "voice" or body.get("voice") is True
    name = read_string(body.get("filename")) or f"{'voice' if is_voice else kind}{_SUFFIXES.get(content_type, '')}"
    content.files.append(Attachment(media_ref=MediaRef(media), filename=name, content_type=content_type or "application/octet-stream"))
    if is_voice:
        content.remarks.append("This is a voice message.")


def _location(content: Content, body: Mapping[str, Any]) -> None:
    place = ", ".join(filter(None, (read_string(body.get("name")), read_string(body.get("address")))))
    at = f"{body.get('latitude')}, {body.get('longitude')}"
    content.words.append(f"Location: {place} ({at})" if place else f"Location: {at}")
    content.words.append(read_string(body.get("url")))


def _card(one: Mapping[str, Any]) -> str:
    name = read_string(read_object(one.get("name")).get("formatted_name"))
    ways = [read_string(way.get(key)) for group, key in (("phones", "phone"), ("emails", "email")) for way in read_objects(one.get(group))]
    return f"Contact: {', '.join(filter(None, (name, *ways)))}"


def _interactive(content: Content, body: Mapping[str, Any]) -> None:
    kind = read_string(body.get("type"))
    answer = read_object(body.get(kind))
    if kind == "nfm_reply":
        content.words += [read_string(answer.get("body")), read_string(answer.get("response_json"))]
        content.remarks.append("The customer filled in a form.")
        return
    if kind == "call_permission_reply":
        is_given = read_string(answer.get("response")) == "accept"
        content.remarks.append(f"The customer {'allows' if is_given else 'does not allow'} calls from us.")
        return
    content.words += [read_string(answer.get("title")), read_string(answer.get("description"))]
    if kind in ("list_reply", "button_reply") or content.text:
        content.remarks.append("The customer chose from a list." if kind == "list_reply" else "The customer pressed a button.")


def _order(content: Content, body: Mapping[str, Any]) -> None:
    content.words.append(read_string(body.get("text")))
    for item in read_objects(body.get("product_items")):
        price = f" at {item.get('item_price')} {read_string(item.get('currency'))}" if "item_price" in item else ""
        content.words.append(f"{item.get('quantity', 1)} x {read_id(item.get('product_retailer_id'))}{price}")
    content.remarks.append("This is an order from the catalogue.")


def _surroundings(content: Content, said: Mapping[str, Any]) -> None:
    context, advert = read_object(said.get("context")), read_object(said.get("referral"))
    if context.get("forwarded") is True or context.get("frequently_forwarded") is True:
        content.remarks.append("The customer forwarded this.")
    product = read_id(read_object(context.get("referred_product")).get("product_retailer_id"))
    if product:
        content.remarks.append(f"The customer asks about the product {product}.")
    if advert:
        headline, url = read_string(advert.get("headline")), read_string(advert.get("source_url"))
        about = " ".join(filter(None, (f"“{headline}”" if headline else "", url)))
        content.remarks.append(f"The customer came by an advertisement{f': {about}' if about else ''}.")
    for error in read_objects(said.get("errors")):
        fault = read_fault(error)
        why = f" ({fault.number}: {fault.words})" if fault is not None else ""
        content.remarks.append(f"WhatsApp does not hand this message on{why}. Look into WhatsApp, or ask the customer to send it in words.")
    if read_string(said.get("type")) == "unsupported" and not read_objects(said.get("errors")):
        content.remarks.append("WhatsApp does not hand this message on. Look into WhatsApp, or ask the customer to send it in words.")
