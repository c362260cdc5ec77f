"""Slack's rich text and our marks, both ways. Pure; knows no message and no call.

People's clients send the exact structure as a `rich_text` block beside a `text` in mrkdwn, which is ambiguous (`*` may be bold or a star):
the block is read where there is one, and written where there is anything to show. Source: Slack API, "Rich text block", "Formatting message text".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from plugin.contracts.reading import read_count, read_object, read_objects, read_string
from plugin.domain.text import Mark, MarkKind, Text, join

_STYLES = {"bold": MarkKind.BOLD, "italic": MarkKind.ITALIC, "strike": MarkKind.STRIKE, "code": MarkKind.CODE}
_CONTROL = re.compile(r"<([^<>\n]{1,3000})>")
_BARE = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,!?;:)\]']")
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_EMOJI = re.compile(r"[0-9a-f]{2,6}(-[0-9a-f]{2,6}){0,12}")
_DEEPEST = 8
Json = dict[str, Any]


def escape(words: str) -> str:
    """The three letters that mean something in every text of Slack."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read_text(message: Mapping[str, Any]) -> Text:
    """What a message says: its rich text, else its mrkdwn."""
    blocks = [block for block in read_objects(message.get("blocks")) if block.get("type") == "rich_text"]
    read = join((_read_element(block, 0) for block in blocks), "\n").strip() if blocks else Text("")
    return read or read_mrkdwn(read_string(message.get("text")))


def read_mrkdwn(words: str) -> Text:
    """The words with links and mentions as marks; stars and underscores stay as they were typed."""
    parts: list[Text] = []
    at = 0
    for found in _CONTROL.finditer(words):
        parts += (Text(_unescape(words[at : found.start()])), _control(found.group(1)))
        at = found.end()
    parts.append(Text(_unescape(words[at:])))
    return join(parts).strip()


def rich_text(text: Text, links: Sequence[tuple[str, str]] = ()) -> list[Json]:
    """The blocks that show `text`, and below it `links` (name, address)."""
    elements = list(_blocks_of(_with_bare_links(text)))
    for name, url in links:
        elements.append({"type": "rich_text_section", "elements": [{"type": "link", "url": url, "text": name}]})
    return [{"type": "rich_text", "elements": elements}]


def _unescape(words: str) -> str:
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _control(inner: str) -> Text:
    """`<@U1>`, `<#C1|name>`, `<!here>`, `<https://...|words>`."""
    target, _, label = inner.partition("|")
    label = _unescape(label)
    if target.startswith("@"):
        return _marked(f"@{label or target[1:]}", MarkKind.MENTION, target[1:])
    if target.startswith("#"):
        return Text(f"#{label or target[1:]}")
    if target.startswith("!"):
        return Text(label or f"@{target[1:].partition('^')[0]}")
    url = _unescape(target)
    return _marked(label or url.removeprefix("mailto:"), MarkKind.LINK, url)


def _marked(words: str, kind: MarkKind, target: str = "") -> Text:
    return Text(words, (Mark(0, len(words), kind, target),)) if words else Text("")


def _read_element(element: Mapping[str, Any], depth: int) -> Text:
    """A block, a part of one, or a run of words."""
    kind = element.get("type")
    if kind in ("rich_text", "rich_text_list", "rich_text_section", "rich_text_quote", "rich_text_preformatted"):
        inner = [_read_element(one, depth + 1) for one in read_objects(element.get("elements"))] if depth < _DEEPEST else []
        return _read_container(str(kind), element, inner)
    return _styled(_read_run(str(kind), element), read_object(element.get("style")))


def _read_container(kind: str, element: Mapping[str, Any], inner: list[Text]) -> Text:
    if kind == "rich_text":
        return join((part for part in inner if part), "\n") if all(part.plain.find("\n") < 0 for part in inner) else _stacked(inner)
    if kind == "rich_text_list":
        offset, indent = read_count(element.get("offset")) or 0, min(read_count(element.get("indent")) or 0, 8)
        bullets = (f"{offset + at}. " if element.get("style") == "ordered" else "• " for at in range(1, len(inner) + 1))
        return join((Text("  " * indent + bullet) + item for bullet, item in zip(bullets, inner, strict=False)), "\n")
    whole = join(inner)
    wrapping = {"rich_text_quote": MarkKind.QUOTE, "rich_text_preformatted": MarkKind.PRE}.get(kind)
    return whole if wrapping is None or not whole else Text(whole.plain, (Mark(0, len(whole.plain), wrapping), *whole.marks))


def _stacked(parts: Sequence[Text]) -> Text:
    """Parts below each other; a section ends with a line break of its own."""
    whole = Text("")
    for part in parts:
        whole = whole + Text("\n" if whole.plain and not whole.plain.endswith("\n") else "") + part
    return whole


def _read_run(kind: str, run: Mapping[str, Any]) -> Text:
    if kind == "text":
        return Text(read_string(run.get("text")))
    if kind == "link":
        url = read_string(run.get("url"))
        return _marked(read_string(run.get("text")) or url, MarkKind.LINK, url)
    if kind == "user":
        user = read_string(run.get("user_id"))
        return _marked(f"@{user}" if user else "", MarkKind.MENTION, user)
    if kind == "emoji":
        return Text(_emoji(run))
    if kind == "broadcast":
        return Text(f"@{read_string(run.get('range'))}")
    names = {
        "channel": ("#", "channel_id"),
        "usergroup": ("@", "usergroup_id"),
        "team": ("@", "team_id"),
        "color": ("", "value"),
        "date": ("", "fallback"),
    }
    sign, field = names.get(kind, ("", "text"))
    return Text(sign + read_string(run.get(field)))


def _emoji(run: Mapping[str, Any]) -> str:
    codes = read_string(run.get("unicode"))
    if _EMOJI.fullmatch(codes) and all(_is_letter(int(code, 16)) for code in codes.split("-")):
        return "".join(chr(int(code, 16)) for code in codes.split("-"))
    name = read_string(run.get("name"))
    return f":{name}:" if name else ""


def _is_letter(code: int) -> bool:
    return 0x20 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF


def _styled(text: Text, style: Mapping[str, Any]) -> Text:
    kinds = [kind for name, kind in _STYLES.items() if style.get(name) is True]
    return Text(text.plain, (*text.marks, *(Mark(0, len(text.plain), kind) for kind in kinds))) if text.plain and kinds else text


def _with_bare_links(text: Text) -> Text:
    """Addresses in the words become links: in rich text Slack makes none of its own."""
    taken = [mark for mark in text.marks if mark.kind in (MarkKind.LINK, MarkKind.CODE, MarkKind.PRE)]
    found = (
        Mark(match.start(), match.end(), MarkKind.LINK, match.group())
        for match in _BARE.finditer(text.plain)
        if not any(mark.start < match.end() and match.start() < mark.end for mark in taken)
    )
    return Text(text.plain, tuple(sorted((*text.marks, *found))))


def _blocks_of(text: Text) -> Iterator[Json]:
    """Sections, quotes and code blocks, in order; the line break before and after a block is the block's own."""
    at = 0
    for mark in _outermost(text):
        yield from _section(text.slice(at, mark.start), is_before_block=True)
        kind = "rich_text_quote" if mark.kind is MarkKind.QUOTE else "rich_text_preformatted"
        runs = list(_runs(text.slice(mark.start, mark.end), is_code=mark.kind is MarkKind.PRE))
        if runs:
            yield {"type": kind, "elements": runs}
        at = mark.end + text.plain[mark.end : mark.end + 1].count("\n")
    yield from _section(text.slice(at, len(text.plain)))


def _outermost(text: Text) -> list[Mark]:
    """Quotes and code blocks that do not lie in each other."""
    kept: list[Mark] = []
    for mark in sorted((mark for mark in text.marks if mark.kind in (MarkKind.QUOTE, MarkKind.PRE)), key=lambda one: (one.start, -one.end)):
        if mark.start < mark.end and (not kept or mark.start >= kept[-1].end):
            kept.append(mark)
    return kept


def _section(text: Text, *, is_before_block: bool = False) -> Iterator[Json]:
    cut = text.slice(0, len(text.plain) - 1) if is_before_block and text.plain.endswith("\n") else text
    runs = list(_runs(cut, is_code=False))
    if runs:
        yield {"type": "rich_text_section", "elements": runs}


def _runs(text: Text, *, is_code: bool) -> Iterator[Json]:
    """The words cut where any mark begins or ends."""
    edges = sorted({0, len(text.plain), *(edge for mark in text.marks for edge in (mark.start, mark.end))})
    for start, end in pairwise(edges):
        words = text.plain[start:end]
        here = [mark for mark in text.marks if mark.start <= start and end <= mark.end]
        style = {} if is_code else {name: True for name, kind in _STYLES.items() if any(mark.kind is kind for mark in here)}
        run: Json = {"type": "text", "text": words}
        for mark in here:
            if mark.kind is MarkKind.LINK and mark.target:
                run = {"type": "link", "url": mark.target, "text": words}
            elif mark.kind is MarkKind.MENTION and not is_code and _USER.fullmatch(mark.target):
                run = {"type": "user", "user_id": mark.target}
        yield {**run, **({"style": style} if style else {})}
