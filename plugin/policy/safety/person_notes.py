"""What agents write down about a person: how a command in an internal note reads, and what may be kept. Pure.

Such a note is about somebody, so a name or a phone number may stand in it; what does damage in a stranger's hands may not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from plugin.policy.safety import personal_data
from plugin.policy.safety.findings import SECRETS, TITLES, Kind
from plugin.policy.safety.personal_data import Lookout

LONGEST_NOTE = 2_000
LONGEST_TAG = 40
MOST = 100
"""Notes and tags together, of one person."""
_REFUSED = SECRETS | {Kind.IBAN, Kind.NATIONAL_ID}
_COMMAND = re.compile(r"\A\s*/person-(note|tag|untag)\b[ \t:]*", re.IGNORECASE)
_TAG = re.compile(r"\A[^\W_][\w-]*\Z")


class Deed(StrEnum):
    """What is wished, by the command's word."""

    NOTE = "note"
    TAG = "tag"
    UNTAG = "untag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A note in its author's words, or one tag."""

    deed: Deed
    words: str


def wish(deed: Deed, words: str) -> Wish:
    """A wish, its words made plain: no control characters and no marks that turn the direction; a tag in lower case, without `#`."""
    plain = "".join(
        letter for letter in words if letter == "\n" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    ).strip()
    return Wish(deed=deed, words=plain if deed is Deed.NOTE else plain.lstrip("#").casefold())


def read_command(plain: str) -> Wish | None:
    """The wish in an internal note that begins with `/person-note`, `/person-tag` or `/person-untag`."""
    begun = _COMMAND.match(plain)
    return None if begun is None else wish(Deed(begun.group(1).lower()), plain[begun.end() :])


def why_refused(wished: Wish, lookout: Lookout) -> str:
    """What must be changed before it can be kept; empty when it can."""
    words = wished.words
    if wished.deed is not Deed.NOTE:
        is_tag = len(words) <= LONGEST_TAG and _TAG.match(words)
        return "" if is_tag else f"a tag is one word of letters, digits and hyphens, {LONGEST_TAG} characters at the most."
    if not words:
        return "there are no words in it. Write what colleagues should know of this person."
    if len(words) > LONGEST_NOTE:
        return f"it has {len(words):,} characters; {LONGEST_NOTE:,} are the most. Say it shorter."
    return _secrets(words, lookout)


def _secrets(words: str, lookout: Lookout) -> str:
    found = [one for one in personal_data.find(words, lookout) if one.kind in _REFUSED]
    if not found:
        return ""
    told = " and ".join(dict.fromkeys(f"{TITLES[one.kind]} ({one.masked})" for one in found))
    return f"it has {told} in it, and every agent who opens a ticket of this person would read it. Take that out."
