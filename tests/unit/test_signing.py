"""Signatures: what is accepted, and that nothing odd ends in anything but a no."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugin.contracts.signing import is_fresh, is_one_of, sign

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())


def test_a_signature_covers_every_part_in_its_order() -> None:
    # RFC 4231, test case 2.
    wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign("Jefe", b"what do ya want ", b"for nothing?") == wanted
    assert sign("Jefe", b"for nothing?", b"what do ya want ") != wanted
    assert sign("Jefe", b"what do ya want for nothing?", digest="sha1") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"


@pytest.mark.parametrize(
    ("given", "accepted", "is_good"),
    [
        ("a", ("a",), True),
        ("b", ("a", "b"), True),
        ("c", ("a", "b"), False),
        ("", ("",), False),
        ("", (), False),
        ("é\udcff", ("a",), False),
    ],
)
def test_only_what_is_accepted_opens(given: str, accepted: tuple[str, ...], *, is_good: bool) -> None:
    assert is_one_of(given, *accepted) is is_good


@pytest.mark.parametrize(
    ("stamp", "is_good"),
    [
        (f"{AT}", True),
        (f"{AT - 300}", True),
        (f"{AT + 300}", True),
        (f"{AT - 301}", False),
        (f"{AT + 301}", False),
        (f"+{AT}", False),
        (f"{AT}.0", False),
        ("", False),
        ("²", False),
        ("9" * 5000, False),
    ],
)
def test_a_signed_time_is_near_ours(stamp: str, *, is_good: bool) -> None:
    assert is_fresh(stamp, NOW) is is_good
