"""The preflight: what a reply would give away, lose or cost where it is about to be posted. Each concern has the sentence that the agent reads."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from plugin.contracts.capabilities import Capabilities
from plugin.domain.model import Visibility
from plugin.domain.text import MarkKind, Text, fold
from plugin.policy.safety import links, personal_data
from plugin.policy.safety.findings import SECRETS, TITLES, Kind
from plugin.policy.safety.hosts import is_within
from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.wordlists import any_of, load

_KEPT = "Nothing was posted; the reply is kept in the ticket."
_LOOK_LOST = {
    MarkKind.BOLD: "bold",
    MarkKind.ITALIC: "italics",
    MarkKind.STRIKE: "strike-through",
    MarkKind.CODE: "code",
    MarkKind.PRE: "code blocks",
}
_LONGEST = 20_000


class Severity(StrEnum):
    """`hold`: it waits for a person's decision. `warn`: it leaves, and the agent is told."""

    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing to think about; `start` and `end` are its place in the plain text, both 0 for the whole."""

    code: str
    severity: Severity
    sentence: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What belongs inside: the helpdesk's web hosts, the agents' names, and the company's own numbers and mail domains, which are no secret."""

    helpdesk_hosts: Collection[str] = ()
    agents: Collection[str] = ()
    own_phones: Collection[str] = ()
    lookout: Lookout = field(default_factory=Lookout)


def check(text: Text, *, visibility: Visibility, capabilities: Capabilities, house: House) -> tuple[Concern, ...]:
    """All concerns, those that hold first."""
    is_public = visibility is Visibility.PUBLIC
    found = [
        *_personal_data(text, is_public=is_public, house=house),
        *_internals(text, is_public=is_public, house=house),
        *_links(text, is_public=is_public, capabilities=capabilities),
        *_carrying(text, capabilities, visibility),
    ]
    return tuple(sorted(found, key=lambda concern: concern.severity is Severity.WARN))


_PERSONAL = "personal_data:"


def stopped_by(concerns: Collection[Concern], kinds: Collection[str]) -> tuple[Concern, ...]:
    """Those that hold, where of personal data only `kinds` stop a reply; `all` means every kind."""
    return tuple(
        concern
        for concern in concerns
        if concern.severity is Severity.HOLD
        and (not concern.code.startswith(_PERSONAL) or "all" in kinds or concern.code.removeprefix(_PERSONAL) in kinds)
    )


def is_held(concerns: Collection[Concern]) -> bool:
    """Whether one of them holds the reply."""
    return any(concern.severity is Severity.HOLD for concern in concerns)


def audience(visibility: Visibility) -> str:
    """Who will read it, in a sentence."""
    if visibility is Visibility.PUBLIC:
        return "Everybody can read this reply, also people without an account."
    return "Only the customer reads this reply, on the platform's private messages."


def _personal_data(text: Text, *, is_public: bool, house: House) -> list[Concern]:
    own = {_digits(phone) for phone in house.own_phones}
    concerns = []
    for found in personal_data.find(text.plain, house.lookout):
        if found.kind is Kind.PHONE and _is_own(_digits(text.plain[found.start : found.end]), own):
            continue
        place = {"start": found.start, "end": found.end}
        what = f"{TITLES[found.kind]} ({found.masked})"
        if is_public and found.kind is not Kind.ORDER_NUMBER:
            told = f"The reply is public and has {what} in it. {_KEPT} Take it out, or answer in private."
            concerns.append(Concern(code=f"personal_data:{found.kind.value}", severity=Severity.HOLD, sentence=told, **place))
        elif is_public or found.kind in SECRETS:
            told = f"The reply has {what} in it. It is sent as it is; next time leave it out if the customer does not need it here."
            concerns.append(Concern(code=f"personal_data:{found.kind.value}", severity=Severity.WARN, sentence=told, **place))
    return concerns


def _digits(phone: str) -> str:
    """Its digits without trunk and exit prefixes, `(0)` in the middle as well."""
    return "".join(letter for letter in phone.replace("(0)", "") if letter.isdigit()).lstrip("0")


def _is_own(digits: str, own: set[str]) -> bool:
    """With and without the country code."""
    return any(digits == mine or (len(digits) >= 6 and (mine.endswith(digits) or digits.endswith(mine))) for mine in own if mine)


def _internals(text: Text, *, is_public: bool, house: House) -> list[Concern]:
    concerns = []
    severity = Severity.HOLD if is_public else Severity.WARN
    what_now = f"{_KEPT} Take it out and send again." if is_public else "It is sent to the customer as it is."
    plain = text.plain[:_LONGEST]
    for link in links.find(text):
        if any(is_within(link.address.host, host) for host in house.helpdesk_hosts):
            told = f"The reply has a link into the helpdesk, which customers cannot open. {what_now}"
            concerns.append(Concern(code="internal_link", severity=severity, sentence=told, start=link.start, end=link.end))
    mention = _mention(tuple(sorted(house.agents)), plain)
    if mention:
        told = f"The reply mentions a colleague ({mention.group().strip()}), as notes among agents do. {what_now}"
        concerns.append(Concern(code="agent_mention", severity=severity, sentence=told, start=mention.start(), end=mention.end()))
    marker = _internal_words().search(plain)
    if marker:
        told = f"The reply has words that mark a note among agents (“{marker.group().strip()}”). {what_now}"
        concerns.append(Concern(code="internal_words", severity=severity, sentence=told, start=marker.start(), end=marker.end()))
    for code, pattern, told in (
        (
            "signature",
            _signatures(),
            "The reply ends with a mail signature, which has no place on this platform and may carry your direct number.",
        ),
        ("quoted_mail", _quoted_mail(), "The reply quotes an earlier mail below it, with all that stands there."),
    ):
        match = pattern.search(plain)
        if match:
            held = code == "quoted_mail" and is_public
            after = f"{_KEPT} Take it out and send again." if held else "It is sent as it is; leave it out next time."
            concerns.append(
                Concern(
                    code=code,
                    severity=Severity.HOLD if held else Severity.WARN,
                    sentence=f"{told} {after}",
                    start=match.start(),
                    end=match.end(),
                )
            )
    return concerns


def _links(text: Text, *, is_public: bool, capabilities: Capabilities) -> list[Concern]:
    found = links.find(text)
    concerns = []
    for link in found:
        told = links.sentence(link)
        if told:
            sentence = (
                f"The reply has a link that people have reason to mistrust ({told}). It is sent as it is; better give the plain address."
            )
            concerns.append(Concern(code="doubtful_link", severity=Severity.WARN, sentence=sentence, start=link.start, end=link.end))
    if found and is_public and capabilities.link_cost:
        concerns.append(
            Concern(code="link_cost", severity=Severity.WARN, sentence=capabilities.link_cost, start=found[0].start, end=found[0].end)
        )
    return concerns


def _carrying(text: Text, capabilities: Capabilities, visibility: Visibility) -> list[Concern]:
    """What the platform will cut or drop."""
    concerns = []
    folded, lost = fold(text, capabilities.marks)
    looks = [_LOOK_LOST[kind] for kind in _LOOK_LOST if kind in lost]
    if looks:
        concerns.append(
            Concern(code="looks", severity=Severity.WARN, sentence=f"The platform does not show {' and '.join(looks)}; the words stay.")
        )
    limits = capabilities.limits_of(visibility)
    limit, ruler = limits.text_length, limits.ruler
    if limit and ruler:
        length = ruler.measure(folded.plain)
        if length > limit:
            told = (
                f"The reply has {length} {ruler.unit}, the platform takes {limit}: it is posted as about {-(-length // limit)} messages, "
                "one below the other."
            )
            concerns.append(Concern(code="length", severity=Severity.WARN, sentence=told))
    return concerns


@cache
def _internal_words() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){any_of(load('preflight')['internal'])}(?!\w)", re.IGNORECASE)


@cache
def _signatures() -> re.Pattern[str]:
    closing = any_of(load("preflight")["closings"])
    legal = any_of(load("preflight")["legal"])
    return re.compile(rf"^-- $|^{closing}[,!.]?[ \t]*\n+[^\n]{{2,60}}\n+[^\n]{{2,80}}\n|{legal}", re.IGNORECASE | re.MULTILINE)


@cache
def _quoted_mail() -> re.Pattern[str]:
    return re.compile(rf"^[ \t]{{0,3}}{any_of(load('preflight')['quotes'])}", re.IGNORECASE | re.MULTILINE)


def _mention(agents: tuple[str, ...], plain: str) -> re.Match[str] | None:
    """`@Name` of an agent, or `@@`, by which helpdesks mention one."""
    if "@" not in plain:
        return None
    return _mentions(agents).search(plain)


@cache
def _mentions(agents: tuple[str, ...]) -> re.Pattern[str]:
    names = f"|@{any_of(agents)}" if agents else ""
    return re.compile(rf"(?<![\w@])(?:@@\w[\w .-]{{0,40}}{names})(?![\w@])", re.IGNORECASE)
