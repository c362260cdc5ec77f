"""Logins: two contacts never share one, whatever Zammad does to it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain.ids import ContactRef
from plugin.helpdesks.zammad.logins import login_of, names_of

REFS = st.text(alphabet=st.sampled_from("aAbB1:^=% _ıİ\udc80é"), max_size=6) | st.text(max_size=300)
CHANNELS = st.text(alphabet="abAB:-_1", min_size=1, max_size=8)


@settings(deadline=None, max_examples=80)
@given(CHANNELS, REFS, CHANNELS, REFS)
def test_logins_are_lower_case_and_belong_to_one_contact(channel: str, ref: str, other_channel: str, other_ref: str) -> None:
    login, other = login_of(channel, ContactRef(ref)), login_of(other_channel, ContactRef(other_ref))
    assert login == login.strip().lower()
    assert login.isascii()
    assert login.endswith(":")
    assert len(login) <= 255
    assert (login == other) == ((channel, ref) == (other_channel, other_ref))


@settings(deadline=None, max_examples=80)
@given(CHANNELS, REFS, CHANNELS, REFS, st.from_regex(r"[0-9]{1,3}", fullmatch=True))
def test_a_digit_behind_a_login_makes_nobody_elses(channel: str, ref: str, other_channel: str, other_ref: str, digit: str) -> None:
    assert login_of(channel, ContactRef(ref)) + digit != login_of(other_channel, ContactRef(other_ref))


@pytest.mark.parametrize(
    ("display_name", "handle", "names"),
    [
        ("Lena Marsh", "lena", ("Lena", "Marsh (@lena)")),
        ("Lena", "", ("Lena", "")),
        ("  ", "lena", ("@lena", "")),
        ("", "", ("1001", "")),
        ("\u202eevil\x00  name", "", ("evil", "name")),
        ("A " + "b" * 300, "lena", ("A", "b" * 92 + " (@lena)")),
    ],
)
def test_names_show_the_handle_behind_the_name(display_name: str, handle: str, names: tuple[str, str]) -> None:
    assert names_of(display_name, handle, "1001") == names
