"""What was found in a text: kind, place and a masked form. A finding never holds the thing itself, so it may be stored, logged and shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_DOTS = "••••"


class Kind(StrEnum):
    """Kinds of personal data and secrets; `message.personal_data` names them by these values."""

    CARD = "card"
    IBAN = "iban"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    PASSWORD = "password"  # noqa: S105 (the kind's name)
    PIN = "pin"
    API_KEY = "api_key"
    PRIVATE_KEY = "private_key"
    ORDER_NUMBER = "order_number"


SECRETS = frozenset({Kind.CARD, Kind.PASSWORD, Kind.PIN, Kind.API_KEY, Kind.PRIVATE_KEY})
"""Kinds with which somebody can do damage at once."""
TITLES = {
    Kind.CARD: "a card number",
    Kind.IBAN: "a bank account number (IBAN)",
    Kind.NATIONAL_ID: "a national identity or tax number",
    Kind.PHONE: "a phone number",
    Kind.EMAIL: "an e-mail address",
    Kind.PASSWORD: "a password",
    Kind.PIN: "a PIN or one-time code",
    Kind.API_KEY: "an access key",
    Kind.PRIVATE_KEY: "a private key",
    Kind.ORDER_NUMBER: "an order number",
}
"""For sentences that people read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One hit: it covers `text[start:end]`, in code points. `detail` says which of its kind: `visa`, `de.idnr`, `github`."""

    kind: Kind
    start: int
    end: int
    masked: str
    detail: str = ""


def ending(value: str, keep: int) -> str:
    """The masked form that shows no more than the last `keep` letters or digits, and never more than a quarter of them."""
    letters = [letter for letter in value if letter.isalnum()]
    shown = min(keep, len(letters) // 4)
    return _DOTS + "".join(letters[len(letters) - shown :])


def hidden(prefix: str = "") -> str:
    """The masked form of what must not be shown at all, behind a prefix that gives nothing away."""
    return prefix + _DOTS


def kinds(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """The kinds among `findings`, each once, in order of appearance."""
    return tuple(dict.fromkeys(found.kind.value for found in findings))


def sort_out(found: list[Finding]) -> tuple[Finding, ...]:
    """The findings in order of place; of two that overlap, the one that was listed first stays."""
    kept: list[Finding] = []
    for one in found:
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return tuple(sorted(kept, key=lambda one: one.start))
