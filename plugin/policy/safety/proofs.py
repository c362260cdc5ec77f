"""Proof that two handles are one person's: a one-time word for each, said from the other. Pure; nothing here is inferred, and a link can be undone.

The words go out in private, each to one handle, and must come back from the other: who can read both inboxes and write from both accounts has
both. What is stored of a word is a digest, so that a stolen row proves nothing before its time is over.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from plugin.policy.safety.skeletons import latinise
from plugin.policy.safety.wordlists import load

WORDS = 3
LIFETIME = timedelta(minutes=30)
TRIES = 5
_WORD = re.compile(r"[a-z]+")
_SALT_BYTES = 16
_LONGEST = 500


class Side(StrEnum):
    """Which of the two handles."""

    FIRST = "first"
    SECOND = "second"


class Step(StrEnum):
    """What became of something that was said."""

    NOTHING = "nothing"
    """It has no words of ours in it: an ordinary message, not counted as a try."""
    WRONG = "wrong"
    HALF = "half"
    """This side is proved, the other is not yet."""
    PROVED = "proved"
    EXPIRED = "expired"
    SPENT = "spent"
    """Too many wrong words: begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One attempt to link two handles. `first_digest` belongs to the word that must be said from the first handle."""

    salt: bytes
    first_digest: bytes
    second_digest: bytes
    issued_at: datetime
    expires_at: datetime
    tries_left: int = TRIES
    first_done: bool = False
    second_done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new proof with its words, which are told once and not kept: `tell_first` is shown to the first handle, to be said from the second."""

    proof: Proof
    tell_first: str
    tell_second: str

    def __repr__(self) -> str:
        return f"Issued(expires_at={self.proof.expires_at.isoformat()})"


def issue(*, now: datetime, random: Callable[[int], int], salt: bytes, lifetime: timedelta = LIFETIME) -> Issued:
    """Two different one-time words of three parts each: 23 bits, which five tries do not guess.

    `random(n)` is a number below n from a secure source; `salt` are 16 random bytes.
    """
    if len(salt) < _SALT_BYTES:
        raise ValueError(f"A salt of {len(salt)} bytes is too short; nothing was issued. Pass {_SALT_BYTES} random bytes.")
    tell_first = _make(random)
    tell_second = _make(random)
    while tell_second == tell_first:
        tell_second = _make(random)
    proof = Proof(
        salt=salt,
        first_digest=_digest(salt, tell_second),
        second_digest=_digest(salt, tell_first),
        issued_at=now,
        expires_at=now + lifetime,
    )
    return Issued(proof=proof, tell_first=tell_first, tell_second=tell_second)


def hear(proof: Proof, side: Side, text: str, *, now: datetime) -> tuple[Proof, Step]:
    """What somebody said on one side. Each word counts once and on its own side only; case, dashes and words around it do not matter."""
    said = _candidates(text)
    if not said:
        return proof, Step.NOTHING
    if now >= proof.expires_at:
        return proof, Step.EXPIRED
    if proof.tries_left <= 0:
        return proof, Step.SPENT
    wanted = proof.first_digest if side is Side.FIRST else proof.second_digest
    # All are compared, so that the time tells nothing about which one it was.
    if sum(hmac.compare_digest(_digest(proof.salt, word), wanted) for word in said):
        proof = replace(proof, first_done=True) if side is Side.FIRST else replace(proof, second_done=True)
        return proof, Step.PROVED if proof.first_done and proof.second_done else Step.HALF
    proof = replace(proof, tries_left=proof.tries_left - 1)
    return proof, Step.WRONG if proof.tries_left else Step.SPENT


def is_said(text: str) -> bool:
    """Whether a text has anything in it that could be one of our words."""
    return bool(_candidates(text))


def words_in(text: str) -> tuple[str, ...]:
    """Everything in a text that could be one of our words."""
    return tuple(_candidates(text))


def word_from(seed: bytes) -> str:
    """The word that belongs to a seed of 12 bytes or more, the same each time."""
    words = load("proof_words")["words"]
    return "-".join(words[int.from_bytes(seed[at * 4 : at * 4 + 4]) % len(words)] for at in range(WORDS))


def hear_elsewhere(proof: Proof, text: str, *, now: datetime) -> bool:
    """Whether the word that was told to the first handle was said by one that is not known yet. A miss is nobody's try."""
    return hear(proof, Side.SECOND, text, now=now)[1] is Step.HALF


def ask_back(proof: Proof, *, random: Callable[[int], int]) -> tuple[Proof, str]:
    """The second word of such a proof, told to the handle that has said the first, to be said from the first handle."""
    word = _make(random)
    while hmac.compare_digest(_digest(proof.salt, word), proof.second_digest):
        word = _make(random)
    return replace(proof, first_digest=_digest(proof.salt, word), second_done=True), word


def _make(random: Callable[[int], int]) -> str:
    words = load("proof_words")["words"]
    return "-".join(words[random(len(words))] for _ in range(WORDS))


def _candidates(text: str) -> list[str]:
    """Every three words of our list that stand next to one another."""
    known = _known()
    words = _WORD.findall(latinise(text[:_LONGEST]))
    rows = (words[at : at + WORDS] for at in range(len(words) - WORDS + 1))
    return ["-".join(row) for row in rows if known.issuperset(row)]


@cache
def _known() -> frozenset[str]:
    return frozenset(load("proof_words")["words"])


def _digest(salt: bytes, word: str) -> bytes:
    return hashlib.blake2b(word.encode(), key=salt, digest_size=32).digest()
