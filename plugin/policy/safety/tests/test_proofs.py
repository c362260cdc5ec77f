"""One-time words: only both words, each from the other side, in time and within the tries, prove anything."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.policy.safety import proofs
from plugin.policy.safety.proofs import Issued, Side, Step
from plugin.policy.safety.skeletons import distance
from plugin.policy.safety.wordlists import load

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _issue(seed: int = 1) -> Issued:
    return proofs.issue(now=_NOW, random=random.Random(seed).randrange, salt=b"0123456789abcdef")


def test_both_words_from_the_other_side_prove_it() -> None:
    issued = _issue()
    proof, step = proofs.hear(issued.proof, Side.SECOND, f"Hi, my word: {issued.tell_first.upper()}!", now=_NOW)
    assert step is Step.HALF
    proof, step = proofs.hear(proof, Side.FIRST, issued.tell_second.replace("-", " "), now=_NOW)
    assert step is Step.PROVED
    assert proof.first_done
    assert proof.second_done


def test_a_word_said_on_its_own_side_proves_nothing() -> None:
    issued = _issue()
    proof, step = proofs.hear(issued.proof, Side.FIRST, issued.tell_first, now=_NOW)
    assert step is Step.WRONG
    assert proof.tries_left == proofs.TRIES - 1


def test_tries_and_time_run_out() -> None:
    issued = _issue()
    proof = issued.proof
    for _ in range(proofs.TRIES):
        proof, step = proofs.hear(proof, Side.SECOND, "acorn-anchor-amber", now=_NOW)
    assert step is Step.SPENT
    assert proofs.hear(proof, Side.SECOND, issued.tell_first, now=_NOW)[1] is Step.SPENT
    late = issued.proof.expires_at
    assert proofs.hear(issued.proof, Side.SECOND, issued.tell_first, now=late)[1] is Step.EXPIRED
    assert proofs.hear(issued.proof, Side.SECOND, issued.tell_first, now=late - timedelta(seconds=1))[1] is Step.HALF


@pytest.mark.parametrize("words", ["", "Hello there", "acorn anchor", "my acorn has an anchor"])
def test_ordinary_messages_are_no_tries(words: str) -> None:
    issued = _issue()
    assert proofs.hear(issued.proof, Side.SECOND, words, now=_NOW) == (issued.proof, Step.NOTHING)


def test_words_are_not_kept_and_not_shown() -> None:
    issued = _issue()
    for shown in (repr(issued), repr(issued.proof), str(issued)):
        assert issued.tell_first not in shown
        assert issued.tell_second not in shown


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was issued"):
        proofs.issue(now=_NOW, random=secrets.randbelow, salt=b"short")


@settings(deadline=None)
@given(seed=st.integers(), words=st.text(max_size=60), side=st.sampled_from(Side))
def test_no_guess_proves_anything(seed: int, words: str, side: Side) -> None:
    issued = _issue(seed)
    assert issued.tell_first != issued.tell_second
    _, step = proofs.hear(issued.proof, side, words, now=_NOW)
    assert step in {Step.NOTHING, Step.WRONG}


def test_the_words_are_hard_to_mistake() -> None:
    words = load("proof_words")["words"]
    assert len(words) == len(set(words)) >= 230
    assert all(word.isascii() and word.islower() and 4 <= len(word) <= 8 for word in words)
    assert all(distance(one, other) >= 2 for one, other in combinations(words, 2))
