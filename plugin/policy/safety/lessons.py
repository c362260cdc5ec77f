"""Lessons: what an agent writes down about what solved a conversation, before it may be kept. Pure.

A lesson is for other people's cases, so nobody's personal data may stand in it: what an agent wrote is refused with the place named, and of what the
customer had said only telling words are taken, out of their order, without names, numbers and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from plugin.policy.safety import personal_data, solutions
from plugin.policy.safety.findings import TITLES
from plugin.policy.safety.personal_data import Lookout

LONGEST_NOTE = 1_000
LONGEST_LINK = 500
LONGEST_TAG = 40
MOST_TAGS = 10
MOST_WORDS = 60
_COMMAND = re.compile(r"\A\s*/(?:solved|gelöst|geloest)\b[ \t:]*", re.IGNORECASE)
_TAG = re.compile(r"(?<!\S)#([^\W_][\w-]{0,39})")
_LINK = re.compile(r"(?<!\S)https?://\S+", re.IGNORECASE)
_SHORTEST_NAME = 3
_WORD = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"\S*(?:://|@|www\.)\S*", re.IGNORECASE)
_DIGIT = re.compile(r"\S*\d\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A short "what solved it", with tags and the address of a knowledge base article."""

    note: str
    tags: tuple[str, ...] = ()
    link: str = ""


def read_command(plain: str) -> Lesson | None:
    """A lesson out of an internal note that begins with `/solved`: `#words` are tags, the first address is the link, the rest is the note."""
    begun = _COMMAND.match(plain)
    if begun is None:
        return None
    rest = plain[begun.end() :]
    link = _LINK.search(rest)
    if link is not None:
        rest = rest.replace(link.group(), " ", 1)
    tags = tuple(dict.fromkeys(tag.group(1).casefold() for tag in _TAG.finditer(rest)))
    note = " ".join(_TAG.sub(" ", rest).split())
    return Lesson(note=note, tags=tags, link=link.group().rstrip(".,;)") if link is not None else "")


def why_refused(lesson: Lesson, *, lookout: Lookout, names: Collection[str] = ()) -> str:
    """What must be changed before the lesson can be kept; empty when it can. `names` are the customer's, which no lesson may hold."""
    if not lesson.note.strip():
        return "say in a sentence or two what solved it."
    if len(lesson.note) > LONGEST_NOTE:
        return f"it has {len(lesson.note):,} characters; {LONGEST_NOTE:,} are the most. Put the rest into a knowledge base article and link to it."
    if len(lesson.tags) > MOST_TAGS or any(not 0 < len(tag) <= LONGEST_TAG for tag in lesson.tags):
        return f"a lesson has {MOST_TAGS} tags of up to {LONGEST_TAG} characters at the most."
    if lesson.link and not _is_link(lesson.link):
        return "the link must be a web address (https://...) without a name or password in it."
    found = personal_data.find("\n".join((lesson.note, *lesson.tags, lesson.link)), lookout)
    if found:
        told = " and ".join(dict.fromkeys(f"{TITLES[one.kind]} ({one.masked})" for one in found))
        return f"it has {told} in it, and other customers' agents will read it. Take that out and say it in general words."
    folded = f" {' '.join(_WORD.findall(' '.join((lesson.note, *lesson.tags)).casefold()))} "
    named = next((name for name in _spoken(names) if f" {name} " in folded), "")
    if named:
        return f"it names the customer (“{named}”). Take the name out: it is for other customers' cases."
    return ""


def telling_words(texts: Iterable[str], *, lookout: Lookout, names: Collection[str] = ()) -> tuple[str, ...]:
    """The words by which a problem is found again: sorted, each once, without personal data, addresses, names and anything with a digit."""
    banned = {word for name in names for word in _WORD.findall(name.casefold()) if len(word) >= _SHORTEST_NAME}
    words = {word for text in texts for word in solutions.words(_without(text, lookout)) if word not in banned}
    return tuple(sorted(words)[:MOST_WORDS])


def _without(text: str, lookout: Lookout) -> str:
    kept, at = [], 0
    for found in personal_data.find(text, lookout):
        kept.append(text[at : found.start])
        at = found.end
    return _DIGIT.sub(" ", _ADDRESS.sub(" ", " ".join((*kept, text[at:]))))


def _spoken(names: Collection[str]) -> Iterator[str]:
    """Names as whole words, the full ones and each long part."""
    for name in names:
        words = _WORD.findall(name.casefold())
        whole = " ".join(words)
        if len(whole) >= _SHORTEST_NAME + 1:
            yield whole
        if len(words) > 1:
            yield from (word for word in words if len(word) > _SHORTEST_NAME + 1)


def _is_link(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return len(link) <= LONGEST_LINK and parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
