"""What Telegram makes of a text and its entities before anybody sees them: cleaning, refusing, trimming, untangling, finding links.

After TDLib's `fix_formatted_text`. Offsets are UTF-16 code units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from plugin.testing.standins.telegram.refusals import bad_request

Entity = dict[str, Any]

_LOOKS = ("bold", "italic", "underline", "strikethrough", "spoiler")
_QUOTES = ("blockquote", "expandable_blockquote")
_CODES = ("pre", "code")
_FOUND_ONLY = ("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number")
_PRIORITY = {"blockquote": 0, "expandable_blockquote": 0, "pre": 11, "code": 20, "text_link": 49, "text_mention": 49, "custom_emoji": 99}
_REMOVED = frozenset("\r\u0333\u033f\u030a") | frozenset(chr(code) for code in range(0x2028, 0x202F))
_FINDERS = (
    ("url", re.compile(r"https?://[^\s<>\"]+[^\s<>\".,!?;:)]")),
    ("email", re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+\.[A-Za-z.]+[A-Za-z]")),
    ("bot_command", re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}")),
    ("hashtag", re.compile(r"(?<![\w#])#\w+")),
)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def fix_text(text: Any, entities: Any, *, limit: int, too_long: str, may_be_empty: bool = False) -> tuple[str, list[Entity]]:
    """The text and entities as they will be shown.

    Raises:
        Refused: 400, in the Bot API's words.
    """
    if not isinstance(text, str) or _has_surrogates(text):
        raise bad_request("strings must be encoded in UTF-8")
    if len(text.encode()) > 1 << 15:
        raise bad_request("text is too long")
    given = [_parsed(entity) for entity in _list(entities)]
    cleaned, spans = _cleaned(text, [entity for entity in given if entity is not None and entity["length"] > 0])
    if not cleaned.strip(" \n"):
        if may_be_empty:
            return "", []
        raise bad_request("text must be non-empty")
    trimmed, spans = _trimmed(cleaned, spans)
    if utf16_length(trimmed) > limit:
        raise bad_request(too_long)
    kept = _untangled(spans)
    kept += [
        found for found in _found(trimmed) if not any(_overlap(found, other) for other in kept if other["type"] not in _LOOKS + _QUOTES)
    ]
    return trimmed, sorted(kept, key=_order)


def _parsed(entity: Any) -> Entity | None:
    if not isinstance(entity, Mapping):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    for name, value in (("offset", offset), ("length", length)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad_request(f'can\'t parse MessageEntity: Field "{name}" must be of type Number')
    if kind in _FOUND_ONLY:
        return None
    if kind not in _LOOKS and kind not in _PRIORITY:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    result: Entity = {"type": kind, "offset": offset, "length": length}
    if kind == "text_link":
        if not isinstance(entity.get("url"), str):
            raise bad_request("can't parse MessageEntity: Can't find field \"url\"")
        if not re.match(r"(?:https?|tg|ton)://\S", entity["url"], re.IGNORECASE):
            return None  # quietly left out, as by the real one
        result["url"] = entity["url"]
    if kind == "text_mention":
        user = entity.get("user")
        if not isinstance(user, Mapping) or not isinstance(user.get("id"), int):
            raise bad_request("can't parse MessageEntity: Can't find field \"user\"")
        result["user"] = {"id": user["id"], "is_bot": False, "first_name": f"User {user['id']}"}
    if kind == "pre" and entity.get("language"):
        result["language"] = str(entity["language"])
    for name, value in (("offset", offset), ("length", length)):
        if not 0 <= int(value or 0) <= 1_000_000:
            raise bad_request(f"receive an entity with incorrect {name} {value}")
    return result


def _cleaned(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Control characters become spaces, a few marks vanish; entities must begin and end between characters of the text."""
    places: dict[int, int] = {}
    inside: dict[int, int] = {}
    result: list[str] = []
    at, after, byte = 0, 0, 0
    for letter in text:
        places[at] = after
        width = 2 if ord(letter) > 0xFFFF else 1
        if width == 2:
            inside[at + 1] = byte + 4
        at, byte = at + width, byte + len(letter.encode())
        if letter in _REMOVED:
            continue
        result.append(" " if letter <= " " and letter != "\n" else letter)
        after += width
    places[at] = after
    for entity in entities:
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        if begin in inside:
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {inside[begin]}")
        if begin not in places or begin == at:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {begin}")
        if end in inside:
            raise bad_request(f"entity beginning at UTF-16 offset {begin} ends in a middle of a UTF-16 symbol at byte offset {inside[end]}")
        if end not in places:
            raise bad_request(f"entity beginning at UTF-16 offset {begin} ends after the end of the text at UTF-16 offset {end}")
    moved = [
        {**entity, "offset": places[entity["offset"]], "length": places[entity["offset"] + entity["length"]] - places[entity["offset"]]}
        for entity in entities
    ]
    return "".join(result), [entity for entity in moved if entity["length"] > 0]


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without blanks behind, and without those in front of the first entity."""
    short = text.rstrip(" \n")
    end = utf16_length(short)
    kept = [{**entity, "length": min(entity["length"], end - entity["offset"])} for entity in entities if entity["offset"] < end]
    first = min((entity["offset"] for entity in kept), default=len(short))
    blank = min(len(short) - len(short.lstrip(" \n")), first)
    return short[blank:], [{**entity, "offset": entity["offset"] - blank} for entity in kept]


def _untangled(entities: list[Entity]) -> list[Entity]:
    """Quotes do not nest, solid kinds do not overlap each other or a quote's edge, looks are merged, cut, and gone inside code."""
    ordered = sorted(entities, key=_order)
    quotes = _first_come(entity for entity in ordered if entity["type"] in _QUOTES)
    solid = _first_come(entity for entity in ordered if entity["type"] not in _LOOKS + _QUOTES)
    solid = [entity for entity in solid if not any(_crosses(entity, quote) for quote in quotes)]
    edges = {edge for entity in (*quotes, *solid) for edge in (entity["offset"], entity["offset"] + entity["length"])}
    codes = [entity for entity in solid if entity["type"] in _CODES]
    looks: list[Entity] = []
    for kind in _LOOKS:
        for begin, end in _merged(entity for entity in ordered if entity["type"] == kind):
            cuts = [begin, *sorted(edge for edge in edges if begin < edge < end), end]
            pieces = [{"type": kind, "offset": a, "length": b - a} for a, b in pairwise(cuts)]
            looks += [piece for piece in pieces if not any(_overlap(piece, code) for code in codes)]
    return [*quotes, *solid, *looks]


def _first_come(entities: Any) -> list[Entity]:
    kept: list[Entity] = []
    for entity in entities:
        if not any(_overlap(entity, other) for other in kept):
            kept.append(entity)
    return kept


def _merged(entities: Any) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for entity in entities:
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans


def _found(text: str) -> list[Entity]:
    found: list[Entity] = []
    for kind, finder in _FINDERS:
        for match in finder.finditer(text):
            entity = {"type": kind, "offset": utf16_length(text[: match.start()]), "length": utf16_length(match.group())}
            if not any(_overlap(entity, other) for other in found):
                found.append(entity)
    return found


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"])


def _crosses(entity: Entity, quote: Entity) -> bool:
    within = quote["offset"] <= entity["offset"] and entity["offset"] + entity["length"] <= quote["offset"] + quote["length"]
    return _overlap(entity, quote) and not within


def _order(entity: Entity) -> tuple[int, int, int]:
    return entity["offset"], -entity["length"], _PRIORITY.get(entity["type"], 90)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _has_surrogates(text: str) -> bool:
    return any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)
