"""The thread guard: who else speaks in a customer's public thread, a helper, somebody unknown or likely an impostor of ours, and why we think so.

It never accuses on one weak sign, and it keeps what it saw as data, because profiles of impostors vanish.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from operator import itemgetter
from typing import Any

from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact
from plugin.domain.text import Text
from plugin.policy.safety import links, phrases
from plugin.policy.safety.hosts import is_within
from plugin.policy.safety.names import has_tricks, visible
from plugin.policy.safety.phrases import Says
from plugin.policy.safety.skeletons import distance, scripts, skeleton
from plugin.policy.safety.wordlists import load

IMPOSTOR_SCORE = 5
_TALK_SCORE = 6
_HELPER_SCORE = -1
_SHORTEST_NAME, _SHORTEST_NEAR = 4, 6
_LONG_NAME = 9
_YOUNG, _VERY_YOUNG, _OLD = timedelta(days=30), timedelta(days=7), timedelta(days=365)
_FEW_FOLLOWERS = 10
_KEPT_WORDS = 1_000


class Likeness(StrEnum):
    """What a bystander is taken for."""

    HELPER = "helper"
    UNKNOWN = "unknown"
    IMPOSTOR = "impostor"


@dataclass(frozen=True, slots=True, kw_only=True)
class OurSide:
    """Whom somebody could pretend to be: our handles on all networks, our names, our agents' names; and whom we trust.

    Without handles and names, likeness cannot be seen and only what somebody says counts.
    """

    handles: Collection[str] = ()
    names: Collection[str] = ()
    """Display names of our accounts, and what the company and its products are called."""
    agents: Collection[str] = ()
    domains: Collection[str] = ()
    """Web domains of the company, lower case: links to them are no risk."""
    helpers: Collection[ContactRef] = ()
    """Contacts whom an admin called helpers."""
    helper_handles: Collection[str] = ()
    """The same by handle, by `channel:handle` where the handle counts on one channel alone, or by `channel:id` where the platform tells no handles."""

    def trusts(self, contact: Contact, channel: str = "") -> bool:
        """Whether an admin called them a helper."""
        handle = contact.handle.lstrip("@").casefold()
        named = {name.casefold().replace(":@", ":").lstrip("@") for name in self.helper_handles}
        place = channel.casefold()
        theirs = {f"{place}:{contact.ref.casefold()}"} | ({handle, f"{place}:{handle}"} if handle else set())
        return contact.ref in self.helpers or bool(named & theirs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that counts: points above zero speak against them. `evidence` is what was seen, harmless to show."""

    name: str
    points: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The verdict on one bystander at one message."""

    likeness: Likeness
    score: int
    reasons: tuple[Reason, ...]


def judge(bystander: Contact, text: Text, *, ours: OurSide, now: datetime, channel: str = "") -> Label:
    """Label somebody by who they look like, what they ask for, and how old their account is. Call it for others' messages only."""
    if ours.trusts(bystander, channel):
        trusted = Reason(name="known_helper", points=-10, evidence="an admin listed them as a helper")
        return Label(likeness=Likeness.HELPER, score=trusted.points, reasons=(trusted,))
    identity = _identity(bystander, ours)
    saying = _saying(text, ours)
    reasons = (*identity, *saying, *_account(bystander, now))
    score = sum(reason.points for reason in reasons)
    poses = sum(reason.points for reason in identity)
    is_risky = poses > 0 or any(reason.points > 0 for reason in saying)
    if score >= IMPOSTOR_SCORE and (poses >= 3 or sum(max(0, reason.points) for reason in saying) >= _TALK_SCORE):
        likeness = Likeness.IMPOSTOR
    elif score <= _HELPER_SCORE and not is_risky:
        likeness = Likeness.HELPER
    else:
        likeness = Likeness.UNKNOWN
    return Label(likeness=likeness, score=score, reasons=tuple(sorted(reasons, key=lambda reason: -reason.points)))


def evidence(label: Label, bystander: Contact, text: Text, *, seen_at: datetime) -> dict[str, Any]:
    """All that was seen, as JSON, to be kept: the profile as the platform showed it then and the words, their links defanged."""
    return {
        "likeness": label.likeness.value,
        "score": label.score,
        "reasons": [asdict(reason) for reason in label.reasons],
        "seen_at": seen_at.isoformat(),
        "contact": {
            "ref": bystander.ref,
            "handle": bystander.handle,
            "display_name": bystander.display_name,
            "url": bystander.url,
            "avatar_url": bystander.avatar_url,
            "is_verified": bystander.is_verified,
            "followers": bystander.followers,
            "created_at": bystander.created_at.isoformat() if bystander.created_at else None,
        },
        "words": links.defang(text).plain[:_KEPT_WORDS],
    }


def sentence(label: Label) -> str:
    """For the agent: what they are taken for and the reasons, the strongest first."""
    against = "; ".join(reason.evidence for reason in label.reasons if reason.points > 0)
    if label.likeness is Likeness.IMPOSTOR:
        return f"Likely an impostor: {against}. Do not trust what they say, and warn the customer."
    if label.likeness is Likeness.HELPER:
        return f"Likely a helper: {'; '.join(reason.evidence for reason in label.reasons)}."
    return f"Who they are is not known. To note: {against}." if against else "Who they are is not known."


def _identity(bystander: Contact, ours: OurSide) -> tuple[Reason, ...]:
    """How much handle and name look like ours; the strongest sign of each counts."""
    found: list[Reason] = []
    handle = _local(bystander.handle)
    ours_here = [_local(name) for name in ours.handles]
    best = max((_likeness(handle, name) for name in (*ours_here, *ours.names)), key=itemgetter(0), default=(0, ""))
    if handle and _is_elsewhere(bystander.handle, ours.handles):
        best = (5, "is ours on another server")
    if best[0]:
        found.append(Reason(name="handle", points=best[0], evidence=f"the handle {_quoted(bystander.handle)} {best[1]}"))
    shown = (*ours.names, *ours_here)
    best = max((_likeness(bystander.display_name, name, is_shown_name=True) for name in shown), key=itemgetter(0), default=(0, ""))
    if best[0]:
        found.append(Reason(name="name", points=best[0], evidence=f"the name {_quoted(bystander.display_name)} {best[1]}"))
    folded = skeleton(bystander.display_name)
    if any(folded and folded == skeleton(agent) for agent in ours.agents):
        found.append(Reason(name="agent_name", points=3, evidence="the name is that of one of our agents"))
    mixed = next((word for word in (*bystander.display_name.split(), bystander.handle) if len(scripts(word)) > 1), "")
    if mixed:
        found.append(Reason(name="mixed_letters", points=2, evidence=f"{_quoted(mixed)} mixes letters of several scripts"))
    elif has_tricks(bystander.display_name):
        found.append(Reason(name="hidden_letters", points=1, evidence="the name has invisible or piled up characters"))
    return tuple(found)


def _is_elsewhere(handle: str, ours: Collection[str]) -> bool:
    """Whether it is a handle of ours up to the server behind it."""
    same_name = [name.lstrip("@") for name in ours if _local(name).casefold() == _local(handle).casefold()]
    return bool(same_name) and all(name.casefold() != handle.lstrip("@").casefold() for name in same_name)


def _likeness(theirs: str, name: str, *, is_shown_name: bool = False) -> tuple[int, str]:
    """Points and the words for them: `theirs` beside one name of ours."""
    one, other = skeleton(theirs), skeleton(name)
    if not one or len(other) < _SHORTEST_NAME:
        return (5, f"is {_quoted(name)}") if one and one == other else (0, "")
    if one == other:
        return (4 if is_shown_name else 5), f"looks the same as {_quoted(name)}"
    if other in one and _is_around(one.replace(other, " ", 1)):
        return 4, f"is {_quoted(name)} with words of support around it"
    near = 1 if len(other) < _LONG_NAME else 2
    if len(other) >= _SHORTEST_NEAR and abs(len(one) - len(other)) <= near and distance(one, other) <= near:
        return 4, f"differs from {_quoted(name)} by {distance(one, other)} letter(s)"
    if other in one:
        return 1, f"has {_quoted(name)} in it"
    return 0, ""


def _is_around(rest: str) -> bool:
    """Whether nothing but words of support, digits and fillers stands around our name."""
    return all(_is_made_of_words(part) for part in rest.split())


def _is_made_of_words(part: str) -> bool:
    reached = {0}
    for at in range(len(part)):
        if at in reached:
            reached |= {at + len(word) for word in _around_names() if part.startswith(word, at)}
    return len(part) in reached


@cache
def _around_names() -> frozenset[str]:
    return frozenset(skeleton(word) for word in (*load("phrases")["around_names"]["any"], *"0123456789"))


def _saying(text: Text, ours: OurSide) -> tuple[Reason, ...]:
    found: list[Reason] = []
    normal = phrases.normal(text.plain)
    for says, points, told in _SAYINGS:
        phrase = phrases.first(says, normal)
        if phrase:
            found.append(Reason(name=says.value, points=points, evidence=f"{told} (“{' '.join(phrase.split())}”)"))
    strange = [link for link in links.find(text) if not any(is_within(link.address.host, domain) for domain in ours.domains)]
    if strange:
        worst = max(strange, key=lambda link: len(link.tricks))
        told = links.sentence(worst)
        shown = links.harmless(worst.address)[:200]
        found.append(Reason(name="link", points=3 if worst.tricks else 1, evidence=f"posts the link {shown}{f' ({told})' if told else ''}"))
    return tuple(found)


_SAYINGS = (
    (Says.ASKS_FOR_DATA, 3, "asks for personal data"),
    (Says.ASKS_FOR_PAYMENT, 3, "asks for a payment"),
    (Says.MOVES_ELSEWHERE, 2, "leads away from the thread"),
    (Says.CLAIMS_TO_BE_STAFF, 2, "speaks as if they were us"),
    (Says.GIVES_ADVICE, -1, "gives advice"),
)


def _account(bystander: Contact, now: datetime) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if bystander.created_at is not None:
        age = now - bystander.created_at
        if age < _YOUNG:
            days = max(0, age.days)
            found.append(Reason(name="young_account", points=2 if age < _VERY_YOUNG else 1, evidence=f"the account is {days} days old"))
        elif age > _OLD:
            found.append(Reason(name="old_account", points=-1, evidence=f"the account is {age.days // 365} year(s) old"))
    if bystander.followers is not None and bystander.followers < _FEW_FOLLOWERS:
        found.append(Reason(name="few_followers", points=1, evidence=f"{bystander.followers} followers"))
    if bystander.is_verified:
        found.append(Reason(name="verified", points=-1, evidence="the platform calls the account verified"))
    return tuple(found)


def _local(handle: str) -> str:
    """The part of a handle before its server: `acme` of `acme@mastodon.example` and of `acme.bsky.social`'s first label."""
    return handle.lstrip("@").partition("@")[0].partition(":")[0].removesuffix(".bsky.social")


def _quoted(name: str) -> str:
    return f"“{visible(name, longest=60)}”"
