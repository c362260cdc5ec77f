"""What a platform or helpdesk can carry, as data. Docs tables, the console and the preflight are generated from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from plugin.domain.events import Event
from plugin.domain.model import Visibility
from plugin.domain.text import MarkKind


class Level(IntEnum):
    """How far an ability goes. DROPPED things are named in a remark or a note; FALLBACK means carried in another form."""

    REJECTED = 0
    DROPPED = 1
    FALLBACK = 2
    PARTIAL = 3
    FULL = 4


class Idempotency(StrEnum):
    """Whether the same call twice has one effect."""

    NONE = "none"
    HEADER = "header"
    NATURAL = "natural"


class Readback(StrEnum):
    """Whether we can look whether a call was applied. LAGGING: absence counts only after `readback_lag` seconds."""

    NONE = "none"
    LAGGING = "lagging"
    STRONG = "strong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """How a platform counts the length of a text. `unit` is what an agent reads: "characters", "bytes"."""

    name: str
    unit: str
    measure: Callable[[str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds; None means no limit is known. `files_per_message` 0: no files at all."""

    text_length: int | None = None
    ruler: Ruler | None = None
    caption_length: int | None = None
    file_bytes: int | None = None
    files_per_message: int = 0
    content_types: tuple[str, ...] = ()
    """Accepted types, `image/*` style; empty means any."""
    choices_per_message: int = 0
    """How many words a customer can be offered to press below one message."""
    choice_length: int | None = None
    """Characters of each of them."""
    edit_window: float | None = None
    reply_window: float | None = None
    calls_per_second: float | None = None
    concurrency: int = 4
    max_lifetime: float = 60.0
    """Longest a request can still be applied after we gave up on it: our time-out plus the server's own."""
    readback_lag: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Everything that is declared, nothing that is tried out."""

    receives: Level = Level.FULL
    replies_public: Level = Level.REJECTED
    replies_private: Level = Level.REJECTED
    attachments_in: Level = Level.REJECTED
    attachments_out: Level = Level.REJECTED
    edits_in: Level = Level.REJECTED
    edits_out: Level = Level.REJECTED
    deletes_in: Level = Level.REJECTED
    deletes_out: Level = Level.REJECTED
    threads: Level = Level.REJECTED
    reactions_in: Level = Level.REJECTED
    delivery_reports: Level = Level.REJECTED
    hides: Level = Level.REJECTED
    """Other people's public messages can be hidden on the platform."""
    templates: Level = Level.REJECTED
    """Prepared texts can be sent when the reply window is shut."""
    listens: Level = Level.REJECTED
    """Posts that do not address us can be searched for."""
    choices: Level = Level.REJECTED
    """Words to press can be offered below a private message; a press comes back as a message with those words."""
    flips: Level = Level.REJECTED
    """Of a helpdesk: what an agent wrote for the customer can be made internal while it is held, and shown again when it has left."""
    visibilities: tuple[Visibility, ...] = ()
    marks: frozenset[MarkKind] = frozenset()
    """Kinds of text mark that can be sent; the rest is folded."""
    events: frozenset[type[Event]] = frozenset()
    idempotency: Idempotency = Idempotency.NONE
    readback: Readback = Readback.NONE
    limits: Limits = field(default_factory=Limits)
    link_cost: str = ""
    """What a link in a public reply costs, in a sentence for the agent; empty: nothing extra."""
    private_limits: Limits | None = None
    """The sizes and the reply window of private messages, where the platform has others for them; everything else is as in `limits`."""
    private_idempotency: Idempotency | None = None
    """What holds for private messages, where they go through another interface; None: as in `idempotency`."""
    private_readback: Readback | None = None
    """The same for `readback`. Where it is LAGGING, the lag is that of `limits`."""
    may_answer: str = ""
    """Whom the platform lets us answer in public, in a sentence; empty: everybody who can be read."""

    def limits_of(self, visibility: Visibility) -> Limits:
        """The limits of messages that go out with this visibility."""
        return self.private_limits if self.private_limits is not None and visibility is Visibility.PRIVATE else self.limits

    def offered(self, choices: tuple[str, ...], visibility: Visibility) -> tuple[str, ...]:
        """The words to press that a message with this visibility may offer: all of them, or none where one too many or too long would be cut."""
        limits = self.limits_of(visibility)
        most = limits.choices_per_message if self.choices >= Level.PARTIAL and visibility is Visibility.PRIVATE else 0
        longest = limits.choice_length
        fits = len(choices) <= most and (longest is None or all(len(choice) <= longest for choice in choices))
        return choices if fits else ()

    def idempotency_of(self, visibility: Visibility) -> Idempotency:
        """Whether the same message with this visibility, delivered twice, has one effect."""
        own = self.private_idempotency if visibility is Visibility.PRIVATE else None
        return self.idempotency if own is None else own

    def readback_of(self, visibility: Visibility) -> Readback:
        """Whether we can look whether a message with this visibility was delivered."""
        own = self.private_readback if visibility is Visibility.PRIVATE else None
        return self.readback if own is None else own

    def lag_of(self, visibility: Visibility) -> float:
        """Seconds after which absence counts, beyond the time in which a call can still be applied."""
        return self.limits.readback_lag if self.readback_of(visibility) is Readback.LAGGING else 0.0
